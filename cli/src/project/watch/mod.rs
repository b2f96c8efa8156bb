//! Says which files of a project were saved: one batch for what belongs together, however many events an editor makes of
//! it, through the system's notification or, where that cannot be had, by looking again and again.

mod folders;
mod links;
mod noted;
mod poll;
mod system;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{links::Links, noted::Noted, poll::Poll, system::SystemWatch};
use super::Layout;

pub(crate) use self::folders::count as folders;

/// `BACKLOT_WATCH=poll` looks again and again wherever the project lies.
const VARIABLE: &str = "BACKLOT_WATCH";

/// Watches the files that a project was read from.
#[derive(Debug)]
pub(crate) struct Watch {
    noted: Arc<Noted>,
    means: Means,
    inputs: Vec<PathBuf>,
    /// Files that functions import, wherever they lie.
    imports: BTreeSet<PathBuf>,
    links: Links,
    /// There may be other links by now.
    is_stale: bool,
    /// What the developer is to be told next, and what was told last: the same is not told twice.
    news: Option<String>,
    told: Option<String>,
}

#[derive(Debug)]
enum Means {
    /// Nothing is followed yet.
    None,
    System(SystemWatch),
    Poll(Poll),
}

/// Files that were saved, made or removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Absolute; folders that came or went among them.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Some were not seen: anything may have changed.
    pub(crate) lost: bool,
}

impl Watch {
    /// A watcher that watches nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            noted: Arc::default(),
            means: Means::None,
            inputs: Vec::new(),
            imports: BTreeSet::new(),
            links: Links::default(),
            is_stale: true,
            news: None,
            told: None,
        }
    }

    /// Watches what `layout` is read from, and the folders above it in which missing parts would appear. Call it again
    /// after each batch: folders come and go.
    ///
    /// Answers what the developer should know about it, if there is something new.
    pub(crate) fn follow(&mut self, layout: &Layout) -> Option<String> {
        let inputs = layout.inputs();
        self.is_stale |= inputs != self.inputs;
        self.inputs = inputs;
        if matches!(self.means, Means::None) {
            self.means = match reason_to_poll(layout) {
                Some(reason) => self.poll(&reason),
                None => match SystemWatch::start(Arc::clone(&self.noted)) {
                    Ok(system) => Means::System(system),
                    Err(error) => self.poll(&system::reason(&error)),
                },
            };
        }
        if let Err(error) = self.follow_folders(layout) {
            if system::is_exhausted(&error) {
                self.means = self.poll(&system::reason(&error));
            } else {
                self.news = Some(format!("some changes will not be seen: {error}"));
            }
        }
        if let Means::Poll(poll) = &self.means {
            let files = self.imports.iter().filter(|file| !file.is_dir());
            let all: Vec<PathBuf> = self.inputs.iter().chain(files).cloned().collect();
            poll.follow(&all);
        }
        let news = self
            .news
            .take()
            .filter(|news| self.told.as_ref() != Some(news))?;
        self.told.insert(news).clone().into()
    }

    /// Watches these files as well from the next [`Watch::follow`] on: what functions import may lie anywhere.
    pub(crate) fn import(&mut self, files: BTreeSet<PathBuf>) {
        self.is_stale |= files != self.imports;
        self.imports = files;
    }

    /// Who looks at files by their names sees through links, and needs none of this.
    fn follow_folders(&mut self, layout: &Layout) -> notify::Result<()> {
        let Means::System(system) = &mut self.means else {
            return Ok(());
        };
        if std::mem::take(&mut self.is_stale) {
            let files = self.inputs.iter().chain(&self.imports);
            self.links = Links::among(&layout.root, files);
        }
        let folders = folders::wanted(layout, &self.inputs, &self.imports, &mut self.links);
        system.follow(&folders)
    }

    /// Waits for the next batch. May be given up and called again.
    pub(crate) async fn changed(&mut self) -> Batch {
        loop {
            let mut pending = self.noted.next().await;
            if pending.exhausted {
                self.means = self.poll(system::EXHAUSTED);
            }
            self.is_stale |= pending.lost || pending.paths.iter().any(|path| may_link(path));
            if let Means::System(system) = &mut self.means {
                system.forget(&pending.paths, pending.lost);
            }
            let names = pending.paths.iter().flat_map(|path| self.links.names(path));
            let names: Vec<PathBuf> = names.collect();
            pending.paths.extend(names);
            pending.paths.retain(|path| self.concerns(path));
            let batch = Batch {
                paths: pending.paths,
                lost: pending.lost,
            };
            if batch.lost || !batch.paths.is_empty() {
                return batch;
            }
        }
    }

    /// A build's files beside the project's own are none of ours.
    fn concerns(&self, path: &Path) -> bool {
        let mut inputs = self.inputs.iter();
        inputs.any(|input| path.starts_with(input) || input.starts_with(path))
            || self.imports.iter().any(|file| file.starts_with(path))
    }

    fn poll(&mut self, reason: &str) -> Means {
        self.news = Some(format!(
            "looking for changes twice a second, since they are not reported: {reason}"
        ));
        Means::Poll(Poll::start(Arc::clone(&self.noted)))
    }
}

/// Plain files, and what is gone, bring no links.
fn may_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| !meta.is_file())
}

fn reason_to_poll(layout: &Layout) -> Option<String> {
    if env::var_os(VARIABLE).is_some_and(|means| means == "poll") {
        return Some(format!("{VARIABLE} says so"));
    }
    let kind = system::foreign_file_system(&layout.root)?;
    Some(format!("the project lies on a {kind} file system"))
}
