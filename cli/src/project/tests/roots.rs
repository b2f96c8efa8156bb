//! Where a project is found, and where its app link is.

use super::super::{ReadError, read_with};
use super::{CONFIG, Files, project, read_dir, said, tree};

#[test]
fn a_project_is_found_from_inside_and_its_root_is_the_same() {
    let cases: [(Files<'_>, &str, &str, &str); 6] = [
        (&[CONFIG], "", "", "base44/config.jsonc"),
        (
            &[CONFIG, ("src/a/b.ts", "")],
            "src/a",
            "",
            "base44/config.jsonc",
        ),
        (
            &[CONFIG, ("base44/entities/a.jsonc", "{}")],
            "base44",
            "",
            "base44/config.jsonc",
        ),
        (
            &[CONFIG, ("base44/entities/a.jsonc", "{}")],
            "base44/entities",
            "",
            "base44/config.jsonc",
        ),
        (
            &[("base44/config.JSON", "{name: 'x'}")],
            "",
            "",
            "base44/config.JSON",
        ),
        (&[("config.json", "{name: 'x'}")], "", "", "config.json"),
    ];
    for (files, start, root, config) in cases {
        let dir = tree(files);
        let project = read_dir(&dir.path().join(start)).unwrap();
        let top = dir.path().canonicalize().unwrap();
        assert_eq!(project.layout.root, top.join(root), "{start}");
        assert_eq!(project.layout.config_path, top.join(config), "{start}");
    }
}

#[test]
fn a_frontends_config_json_is_not_taken_for_the_project() {
    let dir = tree(&[CONFIG, ("src/config.json", "{\"theme\": 1}")]);
    let project = read_dir(&dir.path().join("src")).unwrap();
    assert_eq!(project.layout.config.name, "Shop");
}

#[test]
fn a_lone_config_json_is_still_reported_when_there_is_nothing_better() {
    let dir = tree(&[("config.json", "{\"theme\": 1}")]);
    let error = read_dir(dir.path()).unwrap_err();
    assert!(matches!(error, ReadError::Config { .. }), "{error:?}");
}

#[test]
fn no_project_and_no_directory_are_told_apart() {
    let dir = tree(&[("a.txt", "")]);
    let outside = read_dir(dir.path()).unwrap_err();
    assert!(matches!(outside, ReadError::NotFound { .. }), "{outside:?}");
    let missing = read_with(&dir.path().join("none"), |_| None).unwrap_err();
    assert!(matches!(missing, ReadError::Start { .. }), "{missing:?}");
    let file = read_with(&dir.path().join("a.txt"), |_| None).unwrap_err();
    assert!(matches!(file, ReadError::Start { .. }), "{file:?}");
}

#[test]
fn a_second_configuration_beside_the_first_is_mentioned() {
    let project = project(&[("base44/config.json", "{\"name\": \"Other\"}")]);
    assert_eq!(project.layout.config.name, "Shop");
    insta::assert_snapshot!(said(&project), @r"
    base44/config.json: warning: this file is not read: base44/config.jsonc stands beside it
    hint: remove one of the two
    ");
}

#[test]
fn the_app_link_is_found_beside_the_configuration_first() {
    let cases: [(Files<'_>, Option<&str>); 6] = [
        (&[], None),
        (
            &[("base44/.app.jsonc", "// linked\n{ id: ' abc ', }")],
            Some("abc"),
        ),
        (&[("base44/.app.JSON", "{\"id\":\"abc\"}")], Some("abc")),
        (
            &[
                ("base44/.app.jsonc", "{id: 'a'}"),
                (".app.jsonc", "{id: 'b'}"),
            ],
            Some("a"),
        ),
        (
            &[
                ("x/y/.app.jsonc", "{id: 'deep'}"),
                ("z/.app.jsonc", "{id: 'near'}"),
            ],
            Some("near"),
        ),
        (
            &[
                ("node_modules/p/.app.jsonc", "{id: 'p'}"),
                (".git/.app.jsonc", "{id: 'g'}"),
            ],
            None,
        ),
    ];
    for (files, expected) in cases {
        let project = project(files);
        assert_eq!(project.app_id.as_deref(), expected, "{files:?}");
        assert_eq!(said(&project), "", "{files:?}");
    }
}

#[test]
fn a_broken_app_link_counts_as_absent() {
    let said = |text| {
        let project = project(&[("base44/.app.jsonc", text)]);
        assert_eq!(project.app_id, None);
        said(&project)
    };
    insta::assert_snapshot!([said("{}"), said("{id: ''}"), said("{id: 7}"), said("{id: 'x'")].join("\n"), @r"
    base44/.app.jsonc:1:1: error: `id` is missing; expected the id of a Base44 app
    hint: run `base44 link` to write this file anew, or remove it to work without a linked app
    base44/.app.jsonc:1:6: error: `id` is empty; expected some text
    base44/.app.jsonc:1:6: error: `id` is the number 7; expected a string
    base44/.app.jsonc:1:1: error: this `{` is never closed; expected `}` before the end of the file
    ");
}
