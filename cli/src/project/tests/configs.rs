//! `config.jsonc`: what it may say, and everything wrong with it in one reading.

use super::super::Visibility;
use super::{CONFIG, project, read_dir, refused, said, tree};

#[test]
fn keys_have_the_official_defaults() {
    let config = project(&[]).layout.config;
    assert_eq!(config.name, "Shop");
    assert_eq!(
        (config.entities_dir.as_str(), config.functions_dir.as_str()),
        ("entities", "functions")
    );
    assert_eq!((config.site, config.visibility), (None, None));
    assert!(config.plugins.is_empty());
}

#[test]
fn a_full_configuration_is_read_with_mark_comments_and_unknown_keys() {
    let text = "\u{feff}// ours\n{\n  name: 'Shop', description: \"d\", visibility: \"workspace\", future: {a: 1},\n  \
        site: { serveCommand: 'cd ../x && npm run dev', outputDirectory: './dist', },\n  \
        entitiesDir: './data', functionsDir: '../fns',\n}\n";
    let dir = tree(&[
        (CONFIG.0, text),
        ("base44/data/task.jsonc", "{}"),
        ("fns/hello/entry.ts", ""),
    ]);
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(said(&project), "");
    let site = project.layout.config.site.clone().unwrap();
    assert_eq!(
        site.serve_command.as_deref(),
        Some("cd ../x && npm run dev")
    );
    assert_eq!(
        project.layout.config.visibility,
        Some(Visibility::Workspace)
    );
    assert_eq!(project.entities[0].name, "Task");
    assert_eq!(project.functions[0].name, "hello");
    assert_eq!(
        project.layout.shared_dir(),
        dir.path().canonicalize().unwrap().join("shared")
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = "{\n  // the name is missing\n  \"description\": 5,\n  \"visibility\": \"secret\",\n  \"site\": { \"serveCommand\": [], \"outputDirectory\": 1 },\n  \
        \"entitiesDir\": \"\",\n  \"plugin\": { \"namespace\": \"a b\" },\n  \"plugins\": [ \"./x\", {} , { \"source\": 1 } ],\n  \"authDir\": null\n}\n";
    insta::assert_snapshot!(refused(text), @r#"
    base44/config.jsonc:1:1: error: `name` is missing; expected the app's name
    hint: add "name": "My app"
    base44/config.jsonc:3:18: error: `description` is the number 5; expected a string
    base44/config.jsonc:4:17: error: `visibility` is the string "secret"; expected "public", "private" or "workspace"
    base44/config.jsonc:5:29: error: `site.serveCommand` is an array; expected a string
    base44/config.jsonc:5:52: error: `site.outputDirectory` is the number 1; expected a string
    base44/config.jsonc:6:18: error: `entitiesDir` is empty; expected some text
    base44/config.jsonc:7:28: error: `plugin.namespace` is the string "a b"; expected letters, digits, `_` and `-`
    base44/config.jsonc:8:16: error: `plugins[0]` is the string "./x"; expected `{ "source": "<path or npm package>" }`
    base44/config.jsonc:8:23: error: `plugins[1]` is an object; expected `{ "source": "<path or npm package>" }`
    base44/config.jsonc:8:40: error: `plugins[2].source` is the number 1; expected a string
    base44/config.jsonc:9:14: error: `authDir` is null; expected a string
    "#);
}

#[test]
fn a_configuration_that_does_not_parse_stops_the_start() {
    let cases = [
        "",
        "// nothing\n",
        "[]",
        "\"x\"",
        "{ name: 'x'",
        "{ name: 'x' } }",
        "{ name 'x' }",
        "{ name: 'x\n' }",
        "{ name: x }",
        "{ a: 1 b: 2 }",
        "{ my-name: 1 }",
        "{ name: \"a\\",
        "{ /* ",
    ];
    let all: Vec<String> = cases.iter().map(|text| refused(text)).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    base44/config.jsonc:1:1: error: the file is empty; expected an object: `{ … }`
    base44/config.jsonc:1:1: error: the file is empty; expected an object: `{ … }`
    base44/config.jsonc:1:1: error: the file is an array; expected an object: `{ … }`
    base44/config.jsonc:1:1: error: the file is the string "x"; expected an object: `{ … }`
    base44/config.jsonc:1:1: error: this `{` is never closed; expected `}` before the end of the file
    base44/config.jsonc:1:15: error: `}` after the end of the outermost value; expected the end of the file
    hint: a bracket was probably closed too early
    base44/config.jsonc:1:8: error: unexpected `'`; expected a colon
    hint: write `key: value`
    base44/config.jsonc:1:11: error: the string does not end on its line
    hint: close the quotes, or write a line break as \n
    base44/config.jsonc:1:9: error: unexpected `x`; expected a value
    hint: text needs quotes: "…"
    base44/config.jsonc:1:8: error: unexpected `b`; expected a comma, or the end of the list
    hint: a comma is probably missing at the end of the value before this
    base44/config.jsonc:1:5: error: unexpected `-name`; expected a colon
    hint: keys with characters other than letters, digits, `_` and `$` need quotes
    base44/config.jsonc:1:12: error: the file ends inside a string
    hint: close the quotes
    base44/config.jsonc:1:5: error: the file ends inside a comment
    hint: close it with */
    "#);
}

#[test]
fn directories_that_are_named_but_missing_are_warned_about() {
    let dir = tree(&[(
        CONFIG.0,
        "{ name: 'x', entitiesDir: 'none', functionsDir: 'config.jsonc' }",
    )]);
    let project = read_dir(dir.path()).unwrap();
    insta::assert_snapshot!(said(&project), @r"
    base44/config.jsonc: error: this is a file; expected a directory
    base44/config.jsonc:1:27: warning: there is no directory base44/none
    hint: create it, or correct the path: it is relative to the directory of this file
    ");
}

#[test]
fn a_key_given_twice_is_warned_about() {
    let dir = tree(&[(CONFIG.0, "{ name: 'x',\n 'name': 'y' }")]);
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(project.layout.config.name, "y");
    insta::assert_snapshot!(said(&project), @r"
    base44/config.jsonc:2:2: warning: `name` is given twice in the same object
    hint: only the last one counts: remove or rename the other
    ");
}
