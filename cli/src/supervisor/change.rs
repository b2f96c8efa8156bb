//! A new desired state against the old one: who has to be told, and what came of it, in words for the terminal.

use std::{collections::BTreeSet, path::PathBuf};

use proto::{
    Failure,
    v1::{
        ApplySchemasResponse, FilesChangedRequest,
        apply_schemas_response::{EntityChange, entity_change::Kind},
    },
};

use super::{Supervisor, apply, service::Component};
use crate::{desired::Desired, ui::Problem};

impl Supervisor {
    /// Tells each service what is new for it. `saved` are the files that functions may have imported.
    ///
    /// Answers one phrase for each thing that changed. A service that cannot be told now is told when it is back.
    pub(crate) async fn change(
        &mut self,
        desired: Desired,
        saved: &BTreeSet<PathBuf>,
    ) -> Result<Vec<String>, Problem> {
        let old = std::mem::replace(&mut self.desired, desired);
        let mut news = Vec::new();
        if old.schemas != self.desired.schemas {
            let applied = self
                .store()?
                .apply_schemas(self.desired.schemas.clone())
                .await;
            news.extend(self.schema_news(applied)?);
        }
        if old.functions != self.desired.functions {
            let applied = self
                .runner()?
                .apply_functions(self.desired.functions.clone())
                .await;
            let applied = applied.map_err(|failure| apply::problem(Component::Runner, &failure))?;
            news.extend(names("added", &applied.added));
            news.extend(names("changed", &applied.changed));
            news.extend(names("removed", &applied.removed));
        }
        if !saved.is_empty() {
            news.extend(names("reloaded", &self.swapped(saved).await?));
        }
        if old.configuration != self.desired.configuration {
            self.configure().await?;
            news.push("configuration applied".to_owned());
        }
        Ok(news)
    }

    async fn swapped(&self, saved: &BTreeSet<PathBuf>) -> Result<Vec<String>, Problem> {
        let request = FilesChangedRequest {
            paths: saved
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect(),
        };
        let answer = self.runner()?.files_changed(request).await;
        answer
            .map(|answer| answer.functions)
            .map_err(|failure| apply::problem(Component::Runner, &failure))
    }

    fn schema_news(
        &self,
        applied: Result<ApplySchemasResponse, Failure>,
    ) -> Result<Vec<String>, Problem> {
        let applied = applied.map_err(|failure| apply::problem(Component::Store, &failure))?;
        apply::report(&applied.problems, &self.terminal);
        Ok(applied.changes.iter().filter_map(entity_news).collect())
    }
}

fn names(verb: &str, functions: &[String]) -> Option<String> {
    (!functions.is_empty()).then(|| format!("{verb} {}", functions.join(", ")))
}

fn entity_news(change: &EntityChange) -> Option<String> {
    let entity = &change.entity;
    let cleared = match change.cleared {
        0 => String::new(),
        1 => " (1 record cleared)".to_owned(),
        count => format!(" ({count} records cleared)"),
    };
    match change.kind() {
        Kind::Unspecified => None,
        Kind::Added => Some(format!("added {entity}")),
        Kind::Reshaped => Some(format!("changed {entity}{cleared}")),
        Kind::Refreshed => Some(format!("changed {entity} (records kept)")),
        Kind::Removed => Some(format!("removed {entity}{cleared}")),
    }
}
