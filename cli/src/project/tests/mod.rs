//! Projects on disk, whole: written into a temporary directory, read, and judged by what comes out and what is said about it.

mod bundles;
mod configs;
mod diagnostics;
mod entities;
mod environment;
mod functions;
mod garbage;
mod plugins;
mod roots;
mod texts;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{Project, ReadError, read_with};

/// Paths and texts.
type Files<'a> = &'a [(&'a str, &'a str)];

const CONFIG: (&str, &str) = ("base44/config.jsonc", "{ \"name\": \"Shop\" }");

/// A project directory with these files.
fn tree(files: Files<'_>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// Reads a project of these files and a plain configuration, in an empty environment.
fn project(files: Files<'_>) -> Project {
    let dir = tree(&[&[CONFIG], files].concat());
    read_dir(dir.path()).unwrap()
}

fn read_dir(dir: &Path) -> Result<Project, ReadError> {
    read_with(dir, |_| None)
}

/// Every diagnostic in its plain form.
fn said(project: &Project) -> String {
    let lines: Vec<String> = project
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    lines.join("\n")
}

/// The mistakes of a configuration that stops the start.
fn refused(text: &str) -> String {
    let dir = tree(&[(CONFIG.0, text)]);
    match read_dir(dir.path()) {
        Err(ReadError::Config { diagnostics, .. }) => diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        other => panic!("expected the configuration to be refused: {other:?}"),
    }
}

fn entity_names(project: &Project) -> Vec<&str> {
    project
        .entities
        .iter()
        .map(|entity| entity.name.as_str())
        .collect()
}

fn function_names(project: &Project) -> Vec<&str> {
    project
        .functions
        .iter()
        .map(|function| function.name.as_str())
        .collect()
}

fn schema(project: &Project, name: &str) -> Value {
    let entity = project
        .entities
        .iter()
        .find(|entity| entity.name == name)
        .unwrap();
    serde_json::from_str(&entity.schema_json).unwrap()
}
