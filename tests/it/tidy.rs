//! The rules of this code base that a reader relies on and no compiler checks: what files open with, how long they get,
//! and who knows whom.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tests::tools::workspace;

/// Lines beyond which nobody finds anything in a file any more.
const LONGEST: usize = 500;

/// Every Rust file below `folder`, which is relative to the workspace.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if path.is_dir() && name != "node_modules" && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "nothing below {folder}");
    found
}

/// The members of the workspace, as its manifest lists them.
fn members() -> Vec<String> {
    let root = manifest("");
    let (_, list) = root.split_once("members = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let names = list.split('"').skip(1).step_by(2);
    let members: Vec<_> = names.map(str::to_owned).collect();
    assert!(members.iter().any(|name| name == "tests"), "{members:?}");
    members
}

fn manifest(member: &str) -> String {
    fs::read_to_string(workspace().join(member).join("Cargo.toml")).unwrap()
}

fn assert_none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

fn shown(path: &Path) -> String {
    let relative = path.strip_prefix(workspace()).unwrap_or(path);
    relative.display().to_string()
}

#[test]
fn every_file_says_what_is_in_it_and_has_an_end() {
    let (mut nameless, mut long) = (Vec::new(), Vec::new());
    for path in members().iter().flat_map(|member| sources(member)) {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            nameless.push(shown(&path));
        }
        if text.lines().count() > LONGEST {
            long.push(shown(&path));
        }
    }
    assert_none(&nameless, "files that do not open with `//!`");
    assert_none(&long, "files of more than 500 lines");
}

#[test]
fn every_member_keeps_the_lints_of_the_workspace() {
    for member in members() {
        let manifest = manifest(&member);
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{member}");
    }
}

/// The clock of the core, which decides only whether a hostile search is given up.
const STOPWATCH: &str = "store/src/core/filter/regex.rs";

/// What a core must be given: a runtime, a network, files, the time, and chance.
const STRANGERS: [&str; 10] = [
    "tokio",
    "tonic::",
    "hyper",
    "axum",
    "reqwest",
    "std::fs",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "getrandom",
];

#[test]
fn pure_cores_know_no_runtime_and_no_network() {
    let mut found = Vec::new();
    for path in ["store/src/core", "runner/src/pool"]
        .into_iter()
        .flat_map(sources)
    {
        let text = fs::read_to_string(&path).unwrap();
        for name in STRANGERS {
            let allowed = name == "Instant::now" && shown(&path) == STOPWATCH;
            if text.contains(name) && !allowed {
                found.push(format!("{}: {name}", shown(&path)));
            }
        }
    }
    assert_none(&found, "pure files that know more than they should");
}

#[test]
fn no_arrow_goes_the_wrong_way() {
    for (member, strangers) in [
        ("gateway", ["cli", "store", "runner"].as_slice()),
        ("store", &["cli", "gateway", "runner"]),
        ("runner", &["cli", "gateway", "store"]),
        ("proto", &["cli", "gateway", "store", "runner"]),
    ] {
        let manifest = manifest(member);
        let mut names = manifest
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next());
        let known = names.find(|name| strangers.contains(name));
        assert_eq!(known, None, "{member} knows it");
    }
}
