//! What a person sees: the code frame, as a rule at 80 columns.

use super::{CONFIG, project, tree};
use crate::project::{Diagnostic, Project, ReadError};

fn frames(project: &Project) -> String {
    let frames: Vec<String> = project
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.frame(80, false))
        .collect();
    frames.join("\n")
}

#[test]
fn a_frame_shows_the_line_what_was_expected_and_a_hint() {
    let text = "{\n  \"name\": \"Task\",\n  \"rls\": {\n    \"read\": { \"status\": \"open\" },\n    \"update\": { \"data.title\": { \"$contains\": \"x\" } }\n  },\n  \"properties\": { \"title\": { \"type\": \"string\" } }\n}\n";
    insta::assert_snapshot!(frames(&project(&[("base44/entities/task.jsonc", text)])), @r#"
     ⚠ `status` without `data.` never matches
      ╭─[base44/entities/task.jsonc:4:15]
    3 │   "rls": {
    4 │     "read": { "status": "open" },
      ·               ────┬───
      ·                   ╰── here
    5 │     "update": { "data.title": { "$contains": "x" } }
      ╰────
     help: write "data.status"

     × rules have no operator `$contains`
      ╭─[base44/entities/task.jsonc:5:33]
    4 │     "read": { "status": "open" },
    5 │     "update": { "data.title": { "$contains": "x" } }
      ·                                 ─────┬─────
      ·                                      ╰── here
    6 │   },
      ╰────
     help: expected $eq $ne $in $nin $gt $gte $lt $lte $all $elemMatch $exists
           $size
           until this is right the rule denies everyone but the service role
    "#);
}

#[test]
fn a_missing_comma_is_shown_where_it_is_missed() {
    let text = "{\r\n\t\"name\": \"Task\"\r\n\t\"properties\": {}\r\n}\r\n";
    insta::assert_snapshot!(frames(&project(&[("base44/entities/task.jsonc", text)])), @r#"
     × unexpected `"`
      ╭─[base44/entities/task.jsonc:3:2]
    2 │   "name": "Task"
    3 │   "properties": {}
      ·   ┬
      ·   ╰── expected a comma, or the end of the list
    4 │ }
      ╰────
     help: a comma is probably missing at the end of the value before this
    "#);
}

#[test]
fn an_unclosed_bracket_is_shown_where_it_opens() {
    let text = "{\n  \"properties\": {\n    \"title\": { \"type\": \"string\" }\n}\n";
    insta::assert_snapshot!(frames(&project(&[("base44/entities/task.jsonc", text)])), @r#"
     × this `{` is never closed
      ╭─[base44/entities/task.jsonc:1:1]
    1 │ {
      · ┬
      · ╰── expected `}` before the end of the file
    2 │   "properties": {
      ╰────
    "#);
}

#[test]
fn a_long_line_is_cut_around_its_mistake() {
    let padding = "\"description\": \"a description that is much longer than any terminal is wide, and goes on\", ".repeat(4);
    let text = format!(
        "{{ {padding} \"properties\": {{ \"title\": \"string\" }}, \"title\": \"{}\" }}",
        "x".repeat(200)
    );
    let project = project(&[(
        "base44/entities/task.jsonc",
        &text.replace("\"description\"", "\"d\""),
    )]);
    let last = project.diagnostics.last().unwrap().frame(80, false);
    assert!(
        last.lines().all(|line| line.chars().count() <= 80),
        "{last}"
    );
    insta::assert_snapshot!(last, @r#"
     × `properties.title` is the string "string"
      ╭─[base44/entities/task.jsonc:1:353]
    1 │ …properties": { "title": "string" }, "title": "xxxxxxxxxxxxxxxxxxxxxx…
      ·                          ────┬───
      ·                              ╰── here
      ╰────
     help: expected a property definition, for example { "type": "string" }
    "#);
}

#[test]
fn no_frame_is_wider_than_it_may_be_or_carries_control_characters() {
    for column in 0..120 {
        let text = format!(
            "{{ name: 'T', {}properties: {{ 'a\\u001b[0m': '\u{1b}[31m{}' }} }}",
            " ".repeat(column),
            "ü".repeat(column)
        );
        let project = project(&[("base44/entities/task.jsonc", &text)]);
        for width in [80, 40] {
            let drawn = |diagnostic: &Diagnostic| diagnostic.frame(width, false);
            let frame: String = project.diagnostics.iter().map(drawn).collect();
            assert!(
                frame.lines().all(|line| line.chars().count() <= width),
                "{frame}"
            );
            assert!(!frame.contains('\u{1b}'), "{frame}");
        }
        assert!(!super::said(&project).contains('\u{1b}'));
    }
}

#[test]
fn a_file_without_a_place_is_named_and_no_line_of_an_environment_file_is_shown() {
    let dir = tree(&[CONFIG, (".env", "sk-secret")]);
    std::fs::create_dir_all(dir.path().join("base44/entities")).unwrap();
    std::fs::write(
        dir.path().join("base44/entities/latin.jsonc"),
        b"{\n  name: '\xe9' }",
    )
    .unwrap();
    let project = super::read_dir(dir.path()).unwrap();
    insta::assert_snapshot!(frames(&project), @r"
    × base44/entities/latin.jsonc: line 2 is not UTF-8 text; expected UTF-8
    help: save the file with the encoding UTF-8 in your editor

    ⚠ .env:1:1: this line assigns nothing and is ignored; expected `NAME=value`
    ");
}

#[test]
fn colour_is_added_only_on_request() {
    let project = project(&[("base44/entities/task.jsonc", "{ name: 5 }")]);
    let frame = project.diagnostics[0].frame(80, true);
    assert!(frame.contains('\u{1b}'), "{frame}");
}

#[test]
fn reasons_for_no_project_say_what_to_do() {
    let dir = tree(&[("x.txt", "")]);
    let error = super::read_dir(dir.path()).unwrap_err();
    assert!(matches!(error, ReadError::NotFound { .. }));
    assert!(error.hint().contains("backlot init"), "{}", error.hint());
}
