//! A save: reads the project again, keeps what was good where a file is broken now, and tells the services.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    context::{Context, show},
    settle::gone,
};
use crate::{
    project::{Diagnostic, EntityFile, Project, ReadError, watch::Batch},
    supervisor::Supervisor,
    ui::{Entry, Level, Terminal},
};

/// Works one batch of saves off; what goes wrong is said, and leaves what was served. Answers the files among them that
/// functions may have imported; all entries, where anything may have changed.
pub(super) async fn reload(
    mut batch: Batch,
    context: &mut Context,
    supervisor: &mut Supervisor,
) -> BTreeSet<PathBuf> {
    let begin = Instant::now();
    let gone = gone(&context.project).await;
    // While it was, nobody looked at what was saved.
    batch.lost |= context.is_gone;
    let refused = context.snapshot.reread(&batch).err();
    let was_gone = context.is_gone;
    context.is_gone = matches!(refused, Some(ReadError::Gone { .. }));
    if was_gone && context.is_gone {
        return BTreeSet::new();
    }
    let mut new = context.snapshot.project();
    for diagnostic in fresh(&context.project.diagnostics, &new.diagnostics) {
        show(diagnostic, &context.terminal);
    }
    if let Some(error) = refused {
        let message = format!("{error}; what was served before still is");
        context.say(Level::Error, message);
    }
    if context.is_gone {
        return BTreeSet::new();
    }
    if was_gone {
        let config = new.layout.relative(&new.layout.config_path);
        context.say(Level::Info, format!("{config} is back"));
    }
    let mut news = corrected(&context.project.diagnostics, &new);
    keep_last_good(&context.project, &mut new, &gone);
    let saved = code_files(batch, &new);
    if context.settings.frontend {
        let running = context.frontend_command.as_deref();
        for warning in needs_restart(&context.project, &new, running) {
            context.say(Level::Warn, warning);
        }
    }
    context.project = new;
    context.align();
    context.refresh_types();
    let outcome = supervisor.change(context.desired(), &saved).await;
    news.extend(outcome.news);
    reloaded(&context.terminal, &news, begin);
    let swapped = supervisor.swapped(outcome.swaps);
    let terminal = Arc::clone(&context.terminal);
    // The next save is not kept waiting by a function that takes its time. The rpcs have deadlines.
    tokio::spawn(async move { reloaded(&terminal, &swapped.await, begin) });
    saved
}

/// Says what is in force since a save.
fn reloaded(terminal: &Terminal, news: &[String], begin: Instant) {
    if news.is_empty() {
        return;
    }
    let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    let message = format!("{} in {milliseconds} ms", news.join(", "));
    let mut entry = Entry::of_cli(Level::Info, message);
    entry.tell("event", "reload");
    entry.tell("changes", news);
    entry.tell("milliseconds", milliseconds);
    terminal.entry(&entry);
}

/// Mistakes that were not there before; the others have been shown.
fn fresh<'a>(old: &[Diagnostic], new: &'a [Diagnostic]) -> Vec<&'a Diagnostic> {
    let known: BTreeSet<String> = old.iter().map(ToString::to_string).collect();
    new.iter()
        .filter(|diagnostic| !known.contains(&diagnostic.to_string()))
        .collect()
}

/// Files that had errors and are fine now.
fn corrected(old: &[Diagnostic], new: &Project) -> Vec<String> {
    let broken = |diagnostics: &[Diagnostic]| -> BTreeSet<String> {
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error());
        errors.map(|diagnostic| diagnostic.file.clone()).collect()
    };
    let still = broken(&new.diagnostics);
    broken(old)
        .into_iter()
        .filter(|file| !still.contains(file) && new.layout.root.join(file).is_file())
        .map(|file| format!("corrected {file}"))
        .collect()
}

/// A file that is still there but cannot be used now goes on as it was: its records must not be lost to a typing error.
///
/// One that is not there, and not among those that are `gone`, is being replaced.
fn keep_last_good(old: &Project, new: &mut Project, gone: &BTreeSet<PathBuf>) {
    let is_there = |path: &PathBuf| !gone.contains(path) || path.exists();
    let places: HashMap<PathBuf, usize> = positions(&new.entities, |entity| entity.path.clone());
    let names: HashMap<String, usize> = positions(&new.entities, |entity| entity.name.clone());
    let folders = new.layout.entity_dirs();
    for entity in &old.entities {
        let same = places.get(&entity.path).or_else(|| names.get(&entity.name));
        match same {
            None if is_there(&entity.path) && lies_in(&entity.path, &folders) => {
                new.entities.push(entity.clone());
            }
            Some(index) if lost_its_extension(entity, &new.entities[*index], is_there) => {
                new.entities[*index] = entity.clone();
            }
            None | Some(_) => {}
        }
    }
    let entries: HashSet<PathBuf> = new
        .functions
        .iter()
        .map(|known| known.entry.clone())
        .collect();
    let names: HashSet<String> = new
        .functions
        .iter()
        .map(|known| known.name.clone())
        .collect();
    let folders = new.layout.function_dirs();
    for function in &old.functions {
        let is_replaced = entries.contains(&function.entry) || names.contains(&function.name);
        let config = function.config.as_ref();
        // Without a configuration it is what its folder says, and only a missing entry ends it.
        let is_replacing = || is_there(&function.entry) && !function.entry.exists();
        let is_broken = config.map_or_else(is_replacing, is_there);
        let is_read = lies_in(&function.dir, &folders);
        if !is_replaced && is_read && is_broken && is_there(&function.entry) {
            new.functions.push(function.clone());
        }
    }
}

fn lies_in(path: &Path, folders: &[PathBuf]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

fn positions<T, K: Eq + Hash>(items: &[T], key: impl Fn(&T) -> K) -> HashMap<K, usize> {
    let keyed = items.iter().enumerate();
    keyed.map(|(index, item)| (key(item), index)).collect()
}

/// A plugin's entity without the project's additions has another shape, although nobody took them away.
fn lost_its_extension(
    old: &EntityFile,
    new: &EntityFile,
    is_there: impl Fn(&PathBuf) -> bool,
) -> bool {
    let extension = old.extended_by.as_ref().filter(|path| is_there(path));
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

/// What is in force only after a restart. The frontend was started with these, and its build may have them in it.
/// `running` is its command.
fn needs_restart(old: &Project, new: &Project, running: Option<&str>) -> Vec<String> {
    let command = |project: &Project| {
        let site = project.layout.config.site.as_ref()?;
        site.serve_command.clone()
    };
    let mut warnings = Vec::new();
    let wanted = command(new);
    if wanted != command(old) && wanted.as_deref() != running {
        warnings.push("`site.serveCommand` changed; restart to use it".to_owned());
    }
    if old.app_id != new.app_id && running.is_some() {
        warnings.push(
            "the linked app changed; the frontend has the old one until you restart".to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::{keep_last_good, needs_restart};
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
        keep_last_good(&old, &mut broken, &BTreeSet::new());
        assert_eq!(broken.entities[0].schema_json, old.entities[0].schema_json);

        fs::remove_file(folder.path().join(file)).unwrap();
        let mut without = project::read(folder.path()).unwrap();
        let gone = [old.entities[0].path.clone()].into();
        keep_last_good(&old, &mut without, &gone);
        assert!(without.entities.is_empty());
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
        keep_last_good(&old, &mut broken, &BTreeSet::new());
        assert_eq!(broken.entities[0].schema_json, old.entities[0].schema_json);
    }

    #[test]
    fn a_file_that_is_being_replaced_is_not_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (entity, entry) = (
            "base44/entities/task.jsonc",
            "base44/functions/hello/entry.ts",
        );
        write(
            folder.path(),
            &[
                ("base44/config.jsonc", r#"{"name":"x"}"#),
                (entity, r#"{"name":"Task"}"#),
                (entry, ""),
            ],
        );
        let old = project::read(folder.path()).unwrap();
        for file in [entity, entry] {
            fs::remove_file(folder.path().join(file)).unwrap();
        }
        let mut new = project::read(folder.path()).unwrap();
        keep_last_good(&old, &mut new, &BTreeSet::new());
        assert_eq!((new.entities, new.functions), (old.entities, old.functions));
    }

    #[test]
    fn what_lies_where_nothing_is_read_from_any_more_does_not_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let config = "base44/config.jsonc";
        write(
            folder.path(),
            &[
                (config, r#"{"name":"x"}"#),
                ("base44/entities/task.jsonc", r#"{"name":"Task"}"#),
                ("base44/functions/hello/entry.ts", ""),
                ("base44/functions/hello/function.jsonc", "{}"),
            ],
        );
        let old = project::read(folder.path()).unwrap();
        write(
            folder.path(),
            &[(
                config,
                r#"{"name":"x","entitiesDir":"e","functionsDir":"f"}"#,
            )],
        );
        let mut moved = project::read(folder.path()).unwrap();
        keep_last_good(&old, &mut moved, &BTreeSet::new());
        assert!(moved.entities.is_empty() && moved.functions.is_empty());
    }

    #[test]
    fn only_what_the_frontend_was_started_with_needs_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let project = |config: &str, app: &str| {
            write(
                folder.path(),
                &[
                    ("base44/config.jsonc", config),
                    ("base44/.app.jsonc", &format!("{{\"id\":\"{app}\"}}")),
                ],
            );
            project::read(folder.path()).unwrap()
        };
        let old = project(r#"{"name":"x","site":{"serveCommand":"a"}}"#, "1");
        let named = project(r#"{"name":"y","site":{"serveCommand":"a"}}"#, "1");
        let both = project(r#"{"name":"x","site":{"serveCommand":"b"}}"#, "2");
        let running = Some("a");
        assert!(needs_restart(&old, &named, running).is_empty());
        let warnings = needs_restart(&old, &both, running);
        assert_eq!(warnings.len(), 2);
        assert!(warnings.iter().all(|warning| warning.contains("restart")));
        // Of what runs already only the app is another.
        assert_eq!(needs_restart(&both, &old, running), warnings[1..]);
        assert_eq!(needs_restart(&old, &both, None), warnings[..1]);
    }
}
