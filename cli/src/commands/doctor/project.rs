//! What `backlot doctor` says about the project: its files, and the app that it is linked to.

use std::path::{Path, PathBuf};

use super::Check;
use crate::{
    project::{self, Diagnostic, Project, ReadError, watch},
    ui::counted,
};

/// What the other checks need to know of the project.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Absent where there is no project.
    pub(super) root: Option<PathBuf>,
    pub(super) functions: usize,
    pub(super) has_frontend: bool,
    /// Folders that are watched.
    pub(super) folders: usize,
}

/// Reads the project that `folder` lies in.
pub(super) fn checks(folder: &Path) -> (Known, Vec<Check>) {
    match project::read(folder) {
        Ok(project) => (known(&project), vec![link(&project), files(&project)]),
        Err(error) => (Known::default(), vec![unreadable(&error)]),
    }
}

fn known(project: &Project) -> Known {
    let site = project.layout.config.site.as_ref();
    Known {
        root: Some(project.layout.root.clone()),
        functions: project.functions.len(),
        has_frontend: site.is_some_and(|site| site.serve_command.is_some()),
        folders: watch::folders(&project.layout),
    }
}

fn link(project: &Project) -> Check {
    match &project.app_id {
        Some(id) => Check::ok("App", format!("linked to {id}")),
        None => Check::note(
            "App",
            "not linked to a deployed app",
            "nothing is forwarded",
        ),
    }
}

fn files(project: &Project) -> Check {
    let found = format!(
        "{}, {}",
        counted(project.entities.len(), "entity"),
        counted(project.functions.len(), "function")
    );
    let (errors, warnings): (Vec<_>, Vec<_>) = project
        .diagnostics
        .iter()
        .partition(|diagnostic| diagnostic.is_error());
    match (errors.first(), warnings.first()) {
        (None, None) => Check::ok("Project", found),
        (Some(first), _) => Check::broken(
            "Project",
            format!("{found}, {}", counted(errors.len(), "error")),
            one_line(first),
        ),
        (None, Some(first)) => Check::note(
            "Project",
            format!("{found}, {}", counted(warnings.len(), "warning")),
            one_line(first),
        ),
    }
}

fn unreadable(error: &ReadError) -> Check {
    let hint = match error {
        ReadError::Config { diagnostics, .. } => diagnostics.first().map(one_line),
        ReadError::Start { .. } | ReadError::NotFound { .. } | ReadError::Gone { .. } => None,
    };
    let hint = hint.unwrap_or_else(|| error.hint().to_owned());
    Check::broken("Project", error.to_string(), hint)
}

fn one_line(diagnostic: &Diagnostic) -> String {
    diagnostic.to_string().replace('\n', "; ")
}
