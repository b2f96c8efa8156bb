//! What is watched for saves.

use tokio::task::spawn_blocking;

use super::Session;
use crate::ui::Level;

impl Session {
    /// Watches the project as it is laid out now.
    pub(super) fn follow_layout(&mut self) {
        let warning = self.watch.follow(&self.context.project.layout);
        self.tell_of_watching(warning);
    }

    /// The same, with what functions import by now.
    pub(super) async fn follow_imports(&mut self) {
        let project = self.context.project.clone();
        // Reading takes a while where there is much code.
        let imported = spawn_blocking(move || project.imported()).await;
        self.watch.import(imported.unwrap_or_default());
        self.follow_layout();
    }

    pub(super) fn tell_of_watching(&self, warning: Option<String>) {
        if let Some(warning) = warning {
            self.context.say(Level::Warn, warning);
        }
    }
}
