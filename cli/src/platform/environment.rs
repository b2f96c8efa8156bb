//! Where a command runs: the project around it, if any, and the variables that its files add to the environment.

use std::path::Path;

use crate::{
    output::{CommandError, ErrorCode},
    project::{self, Diagnostic, Layout, ReadError, Reading},
};

/// Variables, those of this process first.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    ambient: Ambient,
    /// From the project's `.env.local` and `.env`.
    added: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Ambient {
    Process,
    #[cfg(test)]
    Fixed(Vec<(String, String)>),
}

impl Environment {
    /// This process' own, and what `added` adds to it.
    pub(crate) const fn with(added: Vec<(String, String)>) -> Self {
        Self {
            ambient: Ambient::Process,
            added,
        }
    }

    /// Nothing but these: the process' own, and what the project's files add.
    #[cfg(test)]
    pub(crate) fn fixed(own: &[(&str, &str)], added: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            ambient: Ambient::Fixed(own.iter().map(owned).collect()),
            added: added.iter().map(owned).collect(),
        }
    }

    /// What the project's files add to this process' own.
    pub(crate) fn added(&self) -> impl Iterator<Item = (&str, &str)> {
        let added = self.added.iter();
        added.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A variable that is set to something.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.own(name)
            .or_else(|| value(&self.added, name))
            .filter(|value| !value.trim().is_empty())
    }

    /// A variable that a file of the project sets, and not whoever runs this.
    pub(super) fn of_project(&self, name: &str) -> Option<String> {
        let shared = self.own(&format!("BASE44_PROJECTS_{name}"));
        self.get(name)
            .filter(|value| self.own(name).is_none() && shared.as_ref() != Some(value))
    }

    /// A variable that whoever runs this has set, and no file of the project.
    pub(super) fn of_user(&self, name: &str) -> Option<String> {
        self.get(name).filter(|_| self.of_project(name).is_none())
    }

    fn own(&self, name: &str) -> Option<String> {
        match &self.ambient {
            Ambient::Process => std::env::var(name).ok(),
            #[cfg(test)]
            Ambient::Fixed(variables) => value(variables, name),
        }
    }
}

fn value(variables: &[(String, String)], name: &str) -> Option<String> {
    let found = variables.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.clone())
}

/// The project in which a command runs, and its environment. A command that needs no project runs without one.
#[derive(Debug)]
pub(crate) struct Surroundings {
    layout: Result<Layout, ReadError>,
    pub(crate) environment: Environment,
}

impl Surroundings {
    /// Of the current folder.
    pub(crate) fn here() -> Self {
        Self::of(Path::new("."))
    }

    /// Of `folder`: the project is found upwards from it.
    pub(crate) fn of(folder: &Path) -> Self {
        let layout = project::read_layout(folder).map(|reading| reading.value);
        let added = layout
            .as_ref()
            .map(|layout| project::read_env(layout).value)
            .unwrap_or_default();
        Self {
            layout,
            environment: Environment::with(added),
        }
    }

    /// The project.
    ///
    /// # Errors
    ///
    /// `CONFIG_NOT_FOUND` where there is none, `CONFIG_INVALID` where its configuration cannot be used.
    pub(crate) fn into_layout(self) -> Result<Layout, CommandError> {
        self.layout.map_err(CommandError::from)
    }

    /// The app to work on: `given` (`--app-id`), `BASE44_APP_ID`, or the one that the project is linked to.
    ///
    /// # Errors
    ///
    /// `CONFIG_NOT_FOUND` when nothing names one; what is wrong with the folder or with the project where that would
    /// have been looked at.
    pub(crate) fn app_id(&self, given: Option<&str>) -> Result<String, CommandError> {
        if let Some(given) = given {
            let id = given.trim();
            if id.is_empty() {
                return Err(CommandError::input("the app's id is empty")
                    .with_hint("give it with --app-id ID, or leave --app-id out"));
            }
            return Ok(id.to_owned());
        }
        if let Some(id) = self.environment.get("BASE44_APP_ID") {
            return Ok(id.trim().to_owned());
        }
        let link = match &self.layout {
            Ok(layout) => project::read_app_id(layout),
            Err(ReadError::NotFound { .. }) => Reading::default(),
            Err(unusable) => return Err(unusable.into()),
        };
        let unlinked = match link.diagnostics.iter().any(Diagnostic::is_error) {
            true => (
                ErrorCode::ConfigInvalid,
                "the link to the app cannot be used",
            ),
            false => (ErrorCode::ConfigNotFound, "no app to work on"),
        };
        link.value.ok_or_else(|| {
            CommandError::new(unlinked.0, unlinked.1)
                .with_details(link.diagnostics.iter().map(ToString::to_string))
                .with_hint("name it with --app-id ID, or set BASE44_APP_ID")
                .with_command("or link the project to one", "npx base44 link")
        })
    }
}
