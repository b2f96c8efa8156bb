//! Which functions there are and where they listen: a table that the runner keeps current, so that a warm call asks nobody.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use http::uri::Authority;
use percent_encoding::percent_decode_str;
use proto::{
    Code, Failure,
    client::RunnerClient,
    v1::{AcquireRequest, Endpoint, EndpointTable, WatchEndpointsRequest},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long the first table may take after a start.
const FIRST_TABLE: Duration = Duration::from_secs(5);

/// Pause before the runner is asked again after it broke off.
const RETRY: Duration = Duration::from_millis(200);

/// The process of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// `127.0.0.1:41234`.
    pub(crate) authority: Authority,
    pub(crate) generation: u64,
}

/// A path that begins with a function's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'a> {
    pub(crate) function: Arc<str>,
    /// What follows the name, still encoded: empty, or `/` and more.
    pub(crate) tail: &'a str,
}

#[derive(Debug, Default)]
struct Table {
    functions: HashSet<Arc<str>>,
    /// Slashes in the name that has the most of them.
    depth: usize,
    targets: HashMap<Arc<str>, Target>,
}

/// The table, and the task that follows the runner. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct Endpoints {
    runner: RunnerClient,
    table: watch::Receiver<Option<Arc<Table>>>,
    _following: DropGuard,
}

impl Endpoints {
    /// Follows `runner` until this is dropped or the process ends.
    pub(crate) fn watch(runner: RunnerClient, shutdown: &CancellationToken) -> Self {
        let (sender, table) = watch::channel(None);
        let stop = shutdown.child_token();
        let following = follow(runner.clone(), sender);
        tokio::spawn(stop.clone().run_until_cancelled_owned(following));
        Self {
            runner,
            table,
            _following: stop.drop_guard(),
        }
    }

    /// The function that `path` (without a leading `/`) begins with; the longest name wins. A name that the table does
    /// not have is looked for once more in a fresh one, because a save may be a moment ahead of the watch.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` when the runner does not answer.
    pub(crate) async fn find<'a>(&self, path: &'a str) -> Result<Option<Match<'a>>, Failure> {
        let table = self.table().await?;
        if let Some(found) = table.longest(path) {
            return Ok(Some(found));
        }
        let fresh = timeout(FIRST_TABLE, fetch(&self.runner)).await;
        let fresh = fresh.map_err(|_elapsed| no_table())??;
        Ok(fresh.longest(path))
    }

    /// Every function there is, by name.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let table = self.table.borrow();
        let names = table.iter().flat_map(|table| table.functions.iter());
        let mut names: Vec<_> = names.cloned().collect();
        names.sort();
        names
    }

    async fn table(&self) -> Result<Arc<Table>, Failure> {
        if let Some(table) = self.table.borrow().as_ref() {
            return Ok(table.clone());
        }
        let mut table = self.table.clone();
        let first = timeout(FIRST_TABLE, table.wait_for(Option::is_some)).await;
        match first {
            Ok(Ok(table)) => Ok(table.clone().unwrap_or_default()),
            Ok(Err(_)) | Err(_) => Err(no_table()),
        }
    }

    /// Where the function listens, if it is known to be up.
    pub(crate) fn known(&self, function: &str) -> Option<Target> {
        let table = self.table.borrow();
        table.as_ref()?.targets.get(function).cloned()
    }

    /// Waits until calls of the function go to this process or to a later one.
    pub(crate) async fn reach(&self, function: &str, generation: u64) {
        let goes_there = |table: &Option<Arc<Table>>| {
            let target = table.as_ref().and_then(|table| table.targets.get(function));
            target.is_some_and(|target| target.generation >= generation)
        };
        // The table ends with the configuration that it belongs to.
        let _ = self.table.clone().wait_for(goes_there).await;
    }

    /// Where the function listens, started if need be. `failed` is a generation that did not answer.
    ///
    /// # Errors
    ///
    /// Why it does not run, in the runner's words.
    pub(crate) async fn acquire(&self, function: &str, failed: u64) -> Result<Target, Failure> {
        let request = AcquireRequest {
            function: function.to_owned(),
            failed_generation: failed,
            in_background: false,
        };
        let endpoint = self.runner.acquire(request).await?.endpoint;
        endpoint.as_ref().and_then(target).ok_or_else(|| {
            Failure::new(
                Code::Internal,
                format!("The runner gave no address for function \"{function}\""),
            )
        })
    }
}

fn no_table() -> Failure {
    Failure::new(Code::Unavailable, "The runner is not available right now")
        .with_detail("no table of functions has arrived")
}

async fn follow(runner: RunnerClient, sender: watch::Sender<Option<Arc<Table>>>) {
    loop {
        if let Err(failure) = follow_once(&runner, &sender).await {
            tracing::debug!(?failure, "the watch of functions broke off");
        }
        sleep(RETRY).await;
    }
}

async fn follow_once(
    runner: &RunnerClient,
    sender: &watch::Sender<Option<Arc<Table>>>,
) -> Result<(), Failure> {
    let mut tables = runner.watch_endpoints(WatchEndpointsRequest {}).await?;
    let broken = |status| Failure::from_status("runner", &status);
    while let Some(table) = tables.message().await.map_err(broken)? {
        sender.send_replace(Some(Arc::new(Table::from(table))));
    }
    Ok(())
}

/// The table as it is now.
async fn fetch(runner: &RunnerClient) -> Result<Table, Failure> {
    let mut tables = runner.watch_endpoints(WatchEndpointsRequest {}).await?;
    let first = tables.message().await;
    let first = first.map_err(|status| Failure::from_status("runner", &status))?;
    first.map(Table::from).ok_or_else(no_table)
}

impl Table {
    fn longest<'a>(&self, path: &'a str) -> Option<Match<'a>> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let ends = ends.chain([path.len()]).take(self.depth + 1);
        let mut ends: Vec<usize> = ends.collect();
        while let Some(end) = ends.pop() {
            let (name, tail) = path.split_at(end);
            let Ok(name) = percent_decode_str(name).decode_utf8() else {
                continue;
            };
            if let Some(function) = self.functions.get(name.as_ref()) {
                let function = function.clone();
                return Some(Match { function, tail });
            }
        }
        None
    }
}

impl From<EndpointTable> for Table {
    fn from(table: EndpointTable) -> Self {
        let place =
            |endpoint: &Endpoint| Some((endpoint.function.as_str().into(), target(endpoint)?));
        let slashes = |name: &String| name.matches('/').count();
        Self {
            targets: table.endpoints.iter().filter_map(place).collect(),
            depth: table.functions.iter().map(slashes).max().unwrap_or(0),
            functions: table.functions.into_iter().map(Arc::from).collect(),
        }
    }
}

fn target(endpoint: &Endpoint) -> Option<Target> {
    Some(Target {
        authority: endpoint.address.parse().ok()?,
        generation: endpoint.generation,
    })
}

#[cfg(test)]
mod tests {
    use proto::v1::EndpointTable;

    use super::Table;

    #[test]
    fn the_longest_name_wins_and_the_rest_stays_encoded() {
        let functions = ["email", "email/send", "grüße"];
        let table = Table::from(EndpointTable {
            functions: functions.map(str::to_owned).to_vec(),
            ..EndpointTable::default()
        });
        let cases = [
            ("email", Some(("email", ""))),
            ("email/", Some(("email", "/"))),
            ("email/send", Some(("email/send", ""))),
            ("email%2Fsend/a%20b", Some(("email/send", "/a%20b"))),
            ("email/sent/x", Some(("email", "/sent/x"))),
            ("email/send/a/b/c", Some(("email/send", "/a/b/c"))),
            ("email/%ff", Some(("email", "/%ff"))),
            ("email/send/%ff", Some(("email/send", "/%ff"))),
            ("gr%C3%BC%C3%9Fe", Some(("grüße", ""))),
            ("emai", None),
            ("", None),
            ("%ff", None),
        ];
        for (path, expected) in cases {
            let found = table.longest(path);
            let found = found.as_ref().map(|found| (&*found.function, found.tail));
            assert_eq!(found, expected, "{path}");
        }
    }
}
