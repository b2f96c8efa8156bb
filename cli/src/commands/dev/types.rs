//! Keeps the project's TypeScript types fresh while it is served, in a thread of its own: no request waits for it.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use crate::{
    project::{Project, read_resources},
    types::{Named, declarations, file},
    ui::{Entry, Level, Terminal},
};

/// Writes the types again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct FreshTypes {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What is to be written next; a newer one takes its place.
    next: Option<Project>,
    is_writing: bool,
    /// Said already; a folder that cannot be written stays so.
    complained: bool,
}

impl FreshTypes {
    /// Writes the types of `project`, soon.
    pub(super) fn refresh(&self, project: &Project, terminal: &Arc<Terminal>) {
        let mut state = self.state.lock();
        state.next = Some(project.clone());
        if state.is_writing {
            return;
        }
        state.is_writing = true;
        let (types, terminal) = (self.clone(), Arc::clone(terminal));
        // Ends by itself when there is nothing left to write.
        drop(spawn_blocking(move || types.write_all(&terminal)));
    }

    fn write_all(&self, terminal: &Terminal) {
        while let Some(project) = self.next() {
            let resources = read_resources(&project.layout).value;
            let path = file::path(&project.layout);
            let text = declarations(&Named::of(&project, resources));
            if let Err(error) = file::write(&path, &text) {
                self.complain(&path, &error, terminal);
            }
        }
    }

    fn next(&self) -> Option<Project> {
        let mut state = self.state.lock();
        let next = state.next.take();
        state.is_writing = next.is_some();
        next
    }

    /// Once, and for who asks: a project that can only be read is served like any other.
    fn complain(&self, path: &PathBuf, error: &std::io::Error, terminal: &Terminal) {
        if !std::mem::replace(&mut self.state.lock().complained, true) {
            let message = format!("types are not written to {}: {error}", path.display());
            terminal.entry(&Entry::of_cli(Level::Debug, message));
        }
    }
}
