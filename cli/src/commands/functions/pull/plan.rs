//! Which files a pull writes, and where: never outside the functions folder and the shared one, whatever the platform
//! says.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::super::{remote, stage::Write};
use crate::{
    output::{CommandError, ErrorCode},
    platform::functions::RemoteFunction,
    project::{FunctionFile, Layout},
};

/// Whether a function is already here as it is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Some,
}

/// Files to write.
#[derive(Debug, Default)]
pub(super) struct Plan {
    writes: Vec<Write>,
    /// What every planned or unchanged file is to hold, and whose it is: two functions may share one.
    wanted: IndexMap<PathBuf, (String, String)>,
}

impl Plan {
    pub(super) fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The files among them that exist, relative to the project.
    pub(super) fn overwritten(&self, layout: &Layout) -> Vec<String> {
        let existing = self.writes.iter().filter(|write| write.path.exists());
        existing.map(|write| layout.relative(&write.path)).collect()
    }

    /// Adds what differs of a deployed function. `here` is the project's function of that name.
    ///
    /// # Errors
    ///
    /// When one of its files must not be written where the platform says.
    pub(super) fn add(
        &mut self,
        layout: &Layout,
        here: Option<&FunctionFile>,
        function: &RemoteFunction,
    ) -> Result<Change, CommandError> {
        let folder = match here {
            Some(here) => here.dir.clone(),
            None => new_folder(layout, function)?,
        };
        let before = self.writes.len();
        let mut configured = here.is_some_and(|here| says_the_same(here, function));
        for file in &function.files {
            let path = place(layout, &folder, function, &file.path)?;
            if is_config(&folder, &path) {
                configured = match here {
                    // The file may be older than what has been changed on the platform since.
                    None => means(&file.content, function),
                    Some(_) => configured,
                };
                if !configured || (here.is_some() && path.exists()) {
                    continue;
                }
            }
            self.want(path, &file.content, &function.name)?;
        }
        if !configured && (here.is_some() || needs_config(&folder, layout, function)) {
            let path = here.and_then(|here| here.config.clone());
            let path = path.unwrap_or_else(|| folder.join("function.jsonc"));
            refuse_links(layout, &path, function, "function.jsonc")?;
            self.want(path, &config(function), &function.name)?;
        }
        Ok(if self.writes.len() > before {
            Change::Some
        } else {
            Change::None
        })
    }

    fn want(&mut self, path: PathBuf, content: &str, of: &str) -> Result<(), CommandError> {
        if let Some((known, other)) = self.wanted.get(&path) {
            if known == content {
                return Ok(());
            }
            let file = path.display();
            let message = format!(
                "the functions `{other}` and `{of}` are deployed with different versions of {file}"
            );
            return Err(CommandError::new(ErrorCode::InvalidInput, message)
                .with_hint(format!(
                    "pull `{other}` or `{of}` alone, whichever is right"
                ))
                .with_command(
                    "or deploy again what is right here",
                    "backlot functions deploy",
                ));
        }
        self.wanted
            .insert(path.clone(), (content.to_owned(), of.to_owned()));
        if fs::read(&path).is_ok_and(|bytes| bytes == content.as_bytes()) {
            return Ok(());
        }
        self.writes.push(Write {
            path,
            content: content.to_owned(),
        });
        Ok(())
    }
}

/// Where a function goes that the project does not have.
fn new_folder(layout: &Layout, function: &RemoteFunction) -> Result<PathBuf, CommandError> {
    let name = &function.name;
    let usable = |part: &str| !part.trim().is_empty() && !part.contains(['.', '\\']);
    if name.contains(char::is_control) || !name.split('/').all(usable) {
        return Err(refused(function, name, "cannot name a folder"));
    }
    Ok(name
        .split('/')
        .fold(layout.functions_dir(), |folder, part| folder.join(part)))
}

/// Where a file of a function belongs.
fn place(
    layout: &Layout,
    folder: &Path,
    function: &RemoteFunction,
    given: &str,
) -> Result<PathBuf, CommandError> {
    let bad = given.contains(|c: char| c == '\\' || c.is_control());
    let relative = Path::new(given);
    let is_plain = relative.components().all(|part| {
        matches!(
            part,
            Component::Normal(_) | Component::ParentDir | Component::CurDir
        )
    });
    if bad || !is_plain || relative.file_name().is_none() || given.ends_with('/') {
        return Err(refused(function, given, "is not a relative path of a file"));
    }
    let mut path = folder.to_owned();
    for part in relative.components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let homes = [layout.functions_dir(), layout.shared_dir()];
    if !homes
        .iter()
        .any(|home| path.starts_with(home) && path != *home)
    {
        let reason = "leaves the folders of functions and of shared code";
        return Err(refused(function, given, reason));
    }
    refuse_links(layout, &path, function, given)?;
    Ok(path)
}

/// Below the two folders nothing may lead elsewhere.
fn refuse_links(
    layout: &Layout,
    path: &Path,
    function: &RemoteFunction,
    given: &str,
) -> Result<(), CommandError> {
    let homes = [layout.functions_dir(), layout.shared_dir()];
    let below = |part: &&Path| {
        homes
            .iter()
            .any(|home| part.starts_with(home) && part != home)
    };
    let linked = |part: &Path| fs::symlink_metadata(part).is_ok_and(|meta| meta.is_symlink());
    match path.ancestors().take_while(below).find(|part| linked(part)) {
        None => Ok(()),
        Some(link) => {
            let reason = format!(
                "would be written through the link {}",
                layout.relative(link)
            );
            Err(refused(function, given, &reason))
        }
    }
}

fn refused(function: &RemoteFunction, given: &str, reason: &str) -> CommandError {
    let message = format!(
        "the deployed function {:?} is refused: {given:?} {reason}",
        function.name
    );
    CommandError::new(ErrorCode::Api, message).with_hint(
        "nothing was written: pull other functions by name, and deploy this one anew from its source",
    )
}

fn is_config(folder: &Path, path: &Path) -> bool {
    ["function.jsonc", "function.json"]
        .iter()
        .any(|name| path == folder.join(name))
}

/// Whether the project's function has the configuration that is deployed.
fn says_the_same(here: &FunctionFile, function: &RemoteFunction) -> bool {
    let entry = here.entry.strip_prefix(&here.dir).unwrap_or(&here.entry);
    entry == Path::new(&function.entry)
        && remote::are_equal(
            here.automations.as_deref().unwrap_or_default(),
            &function.automations,
        )
}

/// Whether a `function.jsonc` that was deployed with a function still describes it.
fn means(text: &str, function: &RemoteFunction) -> bool {
    let Ok(config) = json5::from_str::<Value>(text) else {
        return false;
    };
    let automations = config["automations"].as_array();
    let entry = config["entry"].as_str();
    let name = config["name"].as_str();
    name.is_none_or(|name| name.trim() == function.name)
        && entry.map_or_else(
            || is_default_entry(function),
            |entry| entry.trim() == function.entry,
        )
        && remote::are_equal(
            automations.map_or(&[], Vec::as_slice),
            &function.automations,
        )
}

/// Whether the platform's function says more than its files do.
fn needs_config(folder: &Path, layout: &Layout, function: &RemoteFunction) -> bool {
    let named = layout.functions_dir().join(&function.name) == folder;
    !named || !function.automations.is_empty() || !is_default_entry(function)
}

fn is_default_entry(function: &RemoteFunction) -> bool {
    let has_ts = function.files.iter().any(|file| file.path == "entry.ts");
    function.entry == "entry.ts" || (function.entry == "entry.js" && !has_ts)
}

/// `function.jsonc`, with the keys that the official tool writes.
fn config(function: &RemoteFunction) -> String {
    let mut config = json!({ "name": function.name, "entry": function.entry });
    if !function.automations.is_empty() {
        config["automations"] = json!(function.automations);
    }
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests;
