//! What is watched for saves.

use std::{collections::BTreeSet, mem, path::PathBuf};

use tokio::task::spawn_blocking;

use super::Session;
use crate::{project::imports::Code, ui::Level};

impl Session {
    /// Watches the project as it is laid out now.
    pub(super) fn follow_layout(&mut self) {
        let warning = self.watch.follow(&self.context.project.layout);
        self.tell_of_watching(warning);
    }

    /// The same, with what functions import by now, after a save of these files.
    pub(super) async fn follow_imports(&mut self, saved: &BTreeSet<PathBuf>) {
        let (known, code) = (
            mem::take(&mut self.imports),
            Code::of(&self.context.project),
        );
        let saved = saved.clone();
        // Reading takes a while where there is much code.
        let read = spawn_blocking(move || known.read(code, &saved)).await;
        self.imports = read.unwrap_or_default();
        self.watch.import(self.imports.files());
        self.follow_layout();
    }

    pub(super) fn tell_of_watching(&self, warning: Option<String>) {
        if let Some(warning) = warning {
            self.context.say(Level::Warn, warning);
        }
    }
}
