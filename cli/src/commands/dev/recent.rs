//! Functions that are in use: remembered from run to run, so that the next run has them up before they are called.

use std::{io, path::PathBuf, time::Duration};

use proto::{
    client::RunnerClient,
    v1::{AcquireRequest, WatchEndpointsRequest},
};
use tokio::time::sleep;

use crate::places;

/// How many functions are started without having been called. Each is a process of some fifty megabytes that leaves after
/// the idle limit if nobody calls it after all; who works on an app works on a few of its functions at a time.
const MOST: usize = 4;

/// The page that is being opened, and its first calls, go first.
const AFTER_START: Duration = Duration::from_secs(1);

/// Where a project's functions in use are kept.
#[derive(Clone, Debug)]
pub(super) struct Recent(PathBuf);

impl Recent {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The functions that were called last time, the most recently called first. A file that cannot be read says nothing.
    fn read(&self) -> Vec<String> {
        let text = std::fs::read(&self.0).unwrap_or_default();
        let mut names: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
        names.truncate(MOST);
        names
    }

    fn write(&self, names: &[String]) -> io::Result<()> {
        places::replace_private(&self.0, &serde_json::to_vec(names)?)
    }

    /// Starts those of last time that are still among `functions`, one after the other. What does not start is told to
    /// who calls it.
    pub(super) async fn start(self, runner: RunnerClient, functions: Vec<String>) {
        let names = self.read();
        sleep(AFTER_START).await;
        for function in names {
            if functions.contains(&function) {
                let request = AcquireRequest {
                    function,
                    failed_generation: 0,
                    in_background: true,
                };
                let _ = runner.acquire(request).await;
            }
        }
    }

    /// Keeps the file as the functions of this run are called, until the runner ends. A run that calls none leaves it.
    pub(super) async fn follow(self, runner: RunnerClient) {
        let Ok(mut tables) = runner.watch_endpoints(WatchEndpointsRequest {}).await else {
            return;
        };
        let mut written = Vec::new();
        while let Ok(Some(table)) = tables.message().await {
            let mut recent = table.recent;
            recent.truncate(MOST);
            if !recent.is_empty() && recent != written {
                // It is a convenience; without it, first calls take a little longer.
                let _ = self.write(&recent);
                written = recent;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Recent};

    #[test]
    fn what_was_written_is_read_and_anything_else_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p/recent-functions.json");
        let recent = Recent::at(path.clone());
        assert_eq!(recent.read(), [""; 0]);

        let names: Vec<String> = (0..6).map(|number| format!("f{number}")).collect();
        recent.write(&names).unwrap();
        assert_eq!(recent.read(), names[..MOST]);

        for text in ["", "{}", "[1]", "[\"a\""] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(recent.read(), [""; 0], "{text}");
        }
    }
}
