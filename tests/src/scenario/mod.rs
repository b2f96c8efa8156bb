//! Behaviour as data: requests and what must come back, one file an area, played against Backlot or against any other
//! server that claims to be the same.
//!
//! `tests/scenarios/*.jsonc` holds them; `tests/scenarios/project` is the project that is served meanwhile.

mod compare;
mod player;
mod report;
mod target;

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub use self::{
    player::play,
    report::{Verdict, markdown, verdict},
    target::{Official, Target, project},
};
use crate::tools::workspace;

/// One area of behaviour: one file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// The heading of its part of the comparison.
    pub title: String,
    /// In the order in which they are told.
    pub scenarios: Vec<Scenario>,
}

/// One behaviour, shown on a server that was just started.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What is shown, as a sentence.
    pub behaviour: String,
    /// Why the official server's other answer is not ours; absent where it answers the same.
    pub better: Option<String>,
    /// Requests, one after the other.
    pub steps: Vec<Step>,
}

/// A request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Method and path. A path without a leading slash is one of the app's: `GET entities/Task`.
    pub request: String,
    /// Who asks.
    #[serde(default)]
    pub caller: Caller,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    pub json: Option<Value>,
    /// A body that is sent as it stands, with `application/json` unless a header says otherwise.
    pub raw: Option<String>,
    /// A file to upload, as the part `file` of a form.
    pub file: Option<FilePart>,
    /// What must come back.
    pub expect: Expect,
    /// Names for values of the answer, by JSON pointer; later steps write `{name}`.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

/// A file to upload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePart {
    /// Its file name.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Caller {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// Who is logged in on the command line: an admin.
    Developer,
    /// Somebody who has registered.
    User,
    /// Somebody else who has registered.
    Stranger,
    /// The service role, as functions use it.
    Service,
}

/// What must come back. What is not named may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// HTTP status.
    pub status: u16,
    /// Headers whose value contains this, or is this where it begins with `=`; `<absent>` for none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON that the body must contain: members of an object, all elements of an array. `<string>`, `<number>`, `<id>`,
    /// `<time>`, `<any>`, `<absent>` and `<contains …>` stand for values.
    pub json: Option<Value>,
    /// The body as text.
    pub text: Option<String>,
}

/// Every area, in the order of the file names.
///
/// # Panics
///
/// When a file cannot be read or understood.
#[must_use]
pub fn all() -> Vec<Area> {
    let folder = folder();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the scenarios are part of this repository")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonc"))
        .collect();
    files.sort();
    files.iter().map(read).collect()
}

/// Where scenarios are, and the project that they are played in.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("tests/scenarios")
}

fn read(path: &PathBuf) -> Area {
    let text = fs::read_to_string(path).expect("the file was just listed");
    json5::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
