//! Plans against projects on disk: what would be written, and what is refused.

use std::{fs, os::unix::fs::symlink, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Change, Plan};
use crate::{
    platform::functions::RemoteFunction,
    project::{self, Project},
};

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = ("base44/config.jsonc", r#"{ "name": "Shop" }"#);
    for (path, text) in files.iter().chain([&config]) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn remote(name: &str, files: &[(&str, &str)], automations: &Value) -> RemoteFunction {
    let files = files
        .iter()
        .map(|(path, content)| json!({ "path": path, "content": content }));
    let function = json!({
        "name": name, "entry": "entry.ts", "files": files.collect::<Vec<_>>(), "automations": automations,
    });
    serde_json::from_value(function).unwrap()
}

fn planned(dir: &Path, function: &RemoteFunction) -> Result<(Change, Vec<String>), String> {
    let Project {
        layout, functions, ..
    } = project::read_with(dir, |_| None).unwrap();
    let here = functions.iter().find(|one| one.name == function.name);
    let mut plan = Plan::default();
    let change = plan
        .add(&layout, here, function)
        .map_err(|error| error.message)?;
    let files = plan
        .writes()
        .iter()
        .map(|write| layout.relative(&write.path));
    Ok((change, files.collect()))
}

proptest! {
    #[test]
    fn prop_whatever_the_platform_names_lands_in_the_two_folders_or_is_refused(
        name in "(kept|new|/|\\.\\.?|\\\\|a|é| |\n){0,5}",
        path in "(\\.\\./|\\./|/|functions|shared|entities|kept|base44|a\\.ts|\\\\|\u{0}| |é){0,7}",
    ) {
        let dir = tree(&[("base44/functions/kept/entry.ts", "")]);
        let function = remote(&name, &[(&path, "evil"), ("entry.ts", "")], &json!([]));
        let Ok((_, files)) = planned(dir.path(), &function) else { return Ok(()) };
        for file in files {
            let below = ["base44/functions/", "base44/shared/"].iter().find_map(|home| file.strip_prefix(home));
            let inside = below.is_some_and(|rest| !rest.is_empty() && rest.split('/').all(|part| !["", ".", ".."].contains(&part)));
            prop_assert!(inside, "{file:?}");
        }
    }
}

#[test]
fn paths_that_leave_the_two_folders_are_refused() {
    let dir = tree(&[("base44/functions/kept/entry.ts", ""), ("outside/x", "")]);
    let base = fs::canonicalize(dir.path()).unwrap().join("base44");
    symlink("../../outside", base.join("functions/link")).unwrap();
    symlink("../../../outside/x", base.join("functions/kept/file.ts")).unwrap();
    for path in [
        "/etc/passwd",
        "../../../x.ts",
        "../../config.jsonc",
        "../../entities/task.jsonc",
        "../../shared/../config.jsonc",
        "../../functions",
        "../../shared",
        "..",
        "",
        "a/",
        "a\\b",
        "a\nb",
        "../link/x",
        "file.ts",
    ] {
        let function = remote("kept", &[(path, "evil")], &json!([]));
        let refusal = planned(dir.path(), &function).unwrap_err();
        assert!(refusal.contains("is refused"), "{path:?}: {refusal}");
    }
    for name in ["..", "../x", "/x", "a//b", "", "a.b", "a\\b"] {
        let function = remote(name, &[("entry.ts", "")], &json!([]));
        assert!(planned(dir.path(), &function).is_err(), "{name:?}");
    }
}

#[test]
fn only_what_differs_is_written() {
    let dir = tree(&[
        ("base44/functions/same/entry.ts", "1"),
        (
            "base44/functions/named/function.jsonc",
            "{ \"name\": \"mail/send\" /* mine */, \"automations\": [{ \"name\": \"a\" }] }",
        ),
        ("base44/functions/named/entry.ts", "1"),
        ("base44/shared/s.ts", "s"),
    ]);
    let (none, some) = (json!([]), json!([{ "name": "a", "is_active": true }]));
    let entry = ("entry.ts", "1");
    let old = ("function.jsonc", "{ \"automations\": [] }");
    let (s, t) = (("../../shared/s.ts", "s"), ("../../../shared/t.ts", ""));
    let new = "functions/new/entry.ts functions/new/function.jsonc";
    let old_first = "functions/new/function.jsonc functions/new/entry.ts";
    for (name, files, automations, expected) in [
        ("same", vec![entry, s], &none, ""),
        ("mail/send", vec![entry], &some, ""),
        ("mail/send", vec![entry, old], &some, ""),
        (
            "mail/send",
            vec![entry],
            &none,
            "functions/named/function.jsonc",
        ),
        (
            "same",
            vec![("entry.ts", "2")],
            &none,
            "functions/same/entry.ts",
        ),
        (
            "new/one",
            vec![entry, t],
            &none,
            "functions/new/one/entry.ts shared/t.ts",
        ),
        ("new", vec![entry], &some, new),
        ("new", vec![old, entry], &some, new),
        ("new", vec![old, entry], &none, old_first),
    ] {
        let function = remote(name, &files, automations);
        let (change, written) = planned(dir.path(), &function).unwrap();
        assert_eq!(
            written.join(" ").replace("base44/", ""),
            expected,
            "{function:?}"
        );
        assert_eq!(change == Change::None, expected.is_empty());
    }
}

#[test]
fn two_versions_of_a_shared_file_are_not_mixed() {
    let dir = tree(&[]);
    let layout = project::read_layout(dir.path()).unwrap().value;
    let mut plan = Plan::default();
    let function = |name, text| remote(name, &[("../../shared/s.ts", text)], &json!([]));
    plan.add(&layout, None, &function("a", "1")).unwrap();
    plan.add(&layout, None, &function("b", "1")).unwrap();
    assert_eq!(plan.writes().len(), 1);
    let refusal = plan.add(&layout, None, &function("c", "2")).unwrap_err();
    assert!(refusal.message.contains("different versions"), "{refusal}");
}
