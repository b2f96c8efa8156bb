//! A new desired state against the old one: who has to be told, and what came of it, in words for the terminal.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use proto::{
    Failure,
    client::{GatewayClient, RunnerClient},
    v1::{
        FilesChangedRequest, ReachRequest, SettleRequest,
        apply_schemas_response::{EntityChange, entity_change::Kind},
    },
};

use super::{Supervisor, apply, service::Component};
use crate::{
    desired::Desired,
    ui::{Entry, Level, Problem},
};

/// One phrase for each thing that changed.
type News = Result<Vec<String>, Problem>;

/// What came of a change.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// One phrase for each thing that is in force.
    pub(crate) news: Vec<String>,
    /// What comes with new processes of functions.
    pub(crate) swaps: Swaps,
}

/// Functions that may be getting new processes; calls go to the old ones until those are up.
#[derive(Debug, Default)]
pub(crate) struct Swaps {
    changed: Vec<String>,
    reloaded: Vec<String>,
}

impl Supervisor {
    /// Tells each service what is new for it, whether or not the others can be told. `saved` are the files that
    /// functions may have imported.
    ///
    /// Shows what did not work: a service that cannot be told now is told when it is back.
    pub(crate) async fn change(&mut self, desired: Desired, saved: &BTreeSet<PathBuf>) -> Outcome {
        let old = std::mem::replace(&mut self.desired, desired);
        let mut swaps = Swaps::default();
        let told = [
            self.change_schemas(&old).await,
            self.change_functions(&old, &mut swaps).await,
            self.swap(saved, &mut swaps).await,
            self.change_configuration(&old).await,
        ];
        let mut news = Vec::new();
        for told in told {
            match told {
                Ok(phrases) => news.extend(phrases),
                Err(problem) => {
                    let entry = Entry::of_cli(Level::Error, problem.message);
                    self.terminal.entry(&entry);
                }
            }
        }
        Outcome { news, swaps }
    }

    /// Waits until calls go to the new processes. Answers one phrase for each kind of change that has come about; a
    /// version that does not load has been shown as the error that it is.
    pub(crate) fn swapped(&self, swaps: Swaps) -> impl Future<Output = Vec<String>> + use<> {
        let clients = self
            .runner()
            .and_then(|runner| Ok((runner, self.gateway()?)));
        async move {
            let Ok((runner, gateway)) = clients else {
                return Vec::new();
            };
            swaps.settled(&runner, &gateway).await.unwrap_or_default()
        }
    }

    /// Tells the gateway what differs for it alone. That is nothing to show: one that is down is told when it is back.
    pub(crate) async fn reconfigure(&mut self, desired: Desired) {
        self.desired.configuration = desired.configuration;
        let _ = self.configure().await;
    }

    async fn change_schemas(&self, old: &Desired) -> News {
        if old.schemas == self.desired.schemas {
            return Ok(Vec::new());
        }
        let schemas = self.desired.schemas.clone();
        let applied = self.store()?.apply_schemas(schemas).await;
        let applied = applied.map_err(|failure| apply::problem(Component::Store, &failure))?;
        apply::report(&applied.problems, &self.desired.diagnosed, &self.terminal);
        Ok(applied.changes.iter().filter_map(entity_news).collect())
    }

    async fn change_functions(&self, old: &Desired, swaps: &mut Swaps) -> News {
        if old.functions == self.desired.functions {
            return Ok(Vec::new());
        }
        let functions = self.desired.functions.clone();
        let applied = self.runner()?.apply_functions(functions).await;
        let applied = applied.map_err(|failure| apply::problem(Component::Runner, &failure))?;
        swaps.changed = applied.changed;
        let news = [
            names("added", &applied.added),
            names("removed", &applied.removed),
        ];
        Ok(news.into_iter().flatten().collect())
    }

    async fn swap(&self, saved: &BTreeSet<PathBuf>, swaps: &mut Swaps) -> News {
        if saved.is_empty() {
            return Ok(Vec::new());
        }
        let paths = saved.iter().map(|path| path.to_string_lossy().into_owned());
        let request = FilesChangedRequest {
            paths: paths.collect(),
        };
        let answer = self.runner()?.files_changed(request).await;
        let answer = answer.map_err(|failure| apply::problem(Component::Runner, &failure))?;
        swaps.reloaded = answer.functions;
        Ok(Vec::new())
    }

    async fn change_configuration(&self, old: &Desired) -> News {
        if old.configuration == self.desired.configuration {
            return Ok(Vec::new());
        }
        self.configure().await?;
        Ok(vec!["configuration applied".to_owned()])
    }
}

impl Swaps {
    async fn settled(
        self,
        runner: &RunnerClient,
        gateway: &GatewayClient,
    ) -> Result<Vec<String>, Failure> {
        let functions: Vec<_> = [&self.changed[..], &self.reloaded].concat();
        if functions.is_empty() {
            return Ok(Vec::new());
        }
        let settled = runner.settle(SettleRequest { functions }).await?;
        let up = settled.endpoints.into_iter();
        let generations: HashMap<_, _> = up
            .map(|endpoint| (endpoint.function, endpoint.generation))
            .collect();
        let is_up = |name: &String| generations.contains_key(name);
        let reloaded: Vec<_> = self.reloaded.into_iter().filter(is_up).collect();
        gateway.reach(ReachRequest { generations }).await?;
        let news = [
            names("changed", &self.changed),
            names("reloaded", &reloaded),
        ];
        Ok(news.into_iter().flatten().collect())
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
