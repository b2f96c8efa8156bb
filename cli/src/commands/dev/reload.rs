//! A save: reads the project again, keeps what was good where a file is broken now, and tells the services.

use std::{collections::BTreeSet, path::PathBuf, time::Instant};

use super::context::{Context, show, unreadable};
use crate::{
    project::{self, Diagnostic, EntityFile, Project, watch::Batch},
    supervisor::Supervisor,
    ui::Level,
};

/// Works one batch of saves off; what goes wrong is said, and leaves what was served.
pub(super) async fn reload(batch: Batch, context: &mut Context, supervisor: &mut Supervisor) {
    let begin = Instant::now();
    let mut new = match project::read(&context.project.layout.root) {
        Ok(project) => project,
        Err(error) => {
            let problem = unreadable(&error, &context.terminal);
            return context.say(
                Level::Error,
                format!("{}; what was served before still is", problem.message),
            );
        }
    };
    for diagnostic in fresh(&context.project.diagnostics, &new.diagnostics) {
        show(diagnostic, &context.terminal);
    }
    keep_last_good(&context.project, &mut new);
    let saved = code_files(batch, &new);
    if needs_restart(&context.project, &new) {
        context.say(
            Level::Warn,
            "the frontend's command or the app's id changed; restart to use it".to_owned(),
        );
    }
    context.project = new;
    let news = supervisor.change(context.desired(), &saved).await;
    if !news.is_empty() {
        let milliseconds = begin.elapsed().as_millis();
        context.say(
            Level::Info,
            format!("{} in {milliseconds} ms", news.join(", ")),
        );
    }
}

/// Mistakes that were not there before; the others have been shown.
fn fresh<'a>(old: &[Diagnostic], new: &'a [Diagnostic]) -> Vec<&'a Diagnostic> {
    let known: BTreeSet<String> = old.iter().map(ToString::to_string).collect();
    new.iter()
        .filter(|diagnostic| !known.contains(&diagnostic.to_string()))
        .collect()
}

/// A file that is still there but cannot be used now goes on as it was: its records must not be lost to a typing error.
fn keep_last_good(old: &Project, new: &mut Project) {
    for entity in &old.entities {
        match new
            .entities
            .iter_mut()
            .find(|other| other.path == entity.path || other.name == entity.name)
        {
            None if entity.path.exists() => new.entities.push(entity.clone()),
            Some(other) if lost_its_extension(entity, other) => *other = entity.clone(),
            None | Some(_) => {}
        }
    }
    for function in &old.functions {
        let replaced = new
            .functions
            .iter()
            .any(|other| other.entry == function.entry || other.name == function.name);
        let broken = function
            .config
            .as_ref()
            .is_some_and(|config| config.exists());
        if !replaced && broken && function.entry.exists() {
            new.functions.push(function.clone());
        }
    }
}

/// A plugin's entity without the project's additions has another shape, although nobody took them away.
fn lost_its_extension(old: &EntityFile, new: &EntityFile) -> bool {
    let extension = old.extended_by.as_ref().filter(|path| path.exists());
    extension.is_some() && new.extended_by.is_none()
}

/// What a function may have imported; when events were lost, every function's entry stands for everything.
fn code_files(batch: Batch, project: &Project) -> BTreeSet<PathBuf> {
    if batch.lost {
        return project
            .functions
            .iter()
            .map(|function| function.entry.clone())
            .collect();
    }
    let entities = project.layout.entities_dir();
    let configs: BTreeSet<&PathBuf> = project
        .functions
        .iter()
        .filter_map(|function| function.config.as_ref())
        .collect();
    let is_code = |path: &PathBuf| {
        !path.starts_with(&entities)
            && *path != project.layout.config_path
            && !configs.contains(path)
    };
    batch.paths.into_iter().filter(is_code).collect()
}

/// The frontend was started with these, and its build may have them in it.
fn needs_restart(old: &Project, new: &Project) -> bool {
    let command = |project: &Project| {
        project
            .layout
            .config
            .site
            .as_ref()
            .and_then(|site| site.serve_command.clone())
    };
    command(old) != command(new) || old.app_id != new.app_id
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::keep_last_good;
    use crate::project;

    fn write(root: &std::path::Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn an_entity_whose_file_breaks_goes_on_as_it_was_until_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = "base44/entities/task.jsonc";
        write(
            folder.path(),
            &[
                ("base44/config.jsonc", r#"{"name":"x"}"#),
                (file, r#"{"name":"Task"}"#),
            ],
        );
        let old = project::read(folder.path()).unwrap();

        write(folder.path(), &[(file, "{")]);
        let mut broken = project::read(folder.path()).unwrap();
        assert!(broken.entities.is_empty());
        keep_last_good(&old, &mut broken);
        assert_eq!(broken.entities[0].schema_json, old.entities[0].schema_json);

        fs::remove_file(folder.path().join(file)).unwrap();
        let mut gone = project::read(folder.path()).unwrap();
        keep_last_good(&old, &mut gone);
        assert!(gone.entities.is_empty());
    }

    #[test]
    fn a_plugins_entity_keeps_the_projects_additions_while_their_file_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let extension = "base44/entities/product.jsonc";
        write(
            folder.path(),
            &[
                (
                    "base44/config.jsonc",
                    r#"{"name":"x","plugins":[{"source":"../shop"}]}"#,
                ),
                (
                    "shop/base44/config.jsonc",
                    r#"{"name":"shop","plugin":{"namespace":"shop"}}"#,
                ),
                (
                    "shop/base44/entities/product.jsonc",
                    r#"{"name":"Product","properties":{"a":{"type":"string"}}}"#,
                ),
                (
                    extension,
                    r#"{"name":"Product","properties":{"b":{"type":"string"}}}"#,
                ),
            ],
        );
        let old = project::read(folder.path()).unwrap();
        assert!(old.entities[0].extended_by.is_some(), "{old:?}");

        write(folder.path(), &[(extension, "{")]);
        let mut broken = project::read(folder.path()).unwrap();
        keep_last_good(&old, &mut broken);
        assert_eq!(broken.entities[0].schema_json, old.entities[0].schema_json);
    }
}
