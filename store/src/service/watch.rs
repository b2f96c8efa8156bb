//! Changes as one caller may see them, from the moment the answer starts.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use proto::{Code, Failure, v1};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Stream, convert};
use crate::{
    core::{
        caller::Caller,
        change::{Change, Commit, Kind},
        database::Watcher,
        fault::Fault,
    },
    state::{State, WatchCount},
};

/// A commit that is being delivered, one change as the reader takes it.
struct Taken {
    commit: Commit,
    /// The place of the next change.
    next: usize,
    /// None when the entity or the account is gone.
    watcher: Option<Watcher>,
}

/// One open watch.
struct Watch {
    state: Arc<State>,
    entity: String,
    caller: Caller,
    commits: Receiver<Commit>,
    taken: Option<Taken>,
    shutdown: CancellationToken,
    ended: bool,
    _count: WatchCount,
}

pub(super) fn watch(
    state: &Arc<State>,
    message: v1::WatchRequest,
    shutdown: CancellationToken,
) -> Result<Stream<v1::Change>, Fault> {
    let caller = convert::caller(message.caller);
    let commits = state.subscribe();
    let entity = state.read(|database| database.watchable(&message.entity, &caller))?;
    let watch = Watch {
        state: Arc::clone(state),
        entity,
        caller,
        commits,
        taken: None,
        shutdown,
        ended: false,
        _count: state.count_watch(),
    };
    let changes = stream::unfold(watch, async |mut watch| {
        let next = watch.next().await?;
        Some((next, watch))
    });
    Ok(changes.boxed())
}

impl Watch {
    async fn next(&mut self) -> Option<Result<v1::Change, Status>> {
        loop {
            if let Some(change) = self.next_shown() {
                return Some(Ok(change));
            }
            if self.ended {
                return None;
            }
            let commit = tokio::select! {
                commit = self.commits.recv() => commit,
                () = self.shutdown.cancelled() => return None,
            };
            match commit {
                Ok(commit) => self.take(commit),
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(missed)) => {
                    self.ended = true;
                    return Some(Err(behind(missed)));
                }
            }
        }
    }

    /// Rules and accounts are asked as they are when the change is delivered, once for all changes of a commit.
    fn take(&mut self, commit: Commit) {
        if !commit.iter().any(|change| *change.entity == *self.entity) {
            return;
        }
        let watcher = self
            .state
            .read(|database| database.watcher(&self.entity, &self.caller));
        self.taken = Some(Taken {
            commit,
            next: 0,
            watcher: watcher.ok(),
        });
    }

    /// The next change of the commit that this caller may know of.
    fn next_shown(&mut self) -> Option<v1::Change> {
        let taken = self.taken.as_mut()?;
        while let Some(change) = taken.commit.get(taken.next) {
            taken.next += 1;
            if *change.entity == *self.entity
                && let Some((id, record_json)) = show(taken.watcher.as_ref(), change)
            {
                return Some(message(change, id, record_json));
            }
        }
        self.taken = None;
        None
    }
}

/// Everybody may know that all records are gone, whatever has become of their account.
fn show(watcher: Option<&Watcher>, change: &Change) -> Option<(String, Bytes)> {
    match change.kind {
        Kind::Clear => Some(Default::default()),
        Kind::Create | Kind::Update | Kind::Delete => watcher?.show(change),
    }
}

fn message(change: &Change, id: String, record_json: Bytes) -> v1::Change {
    let kind = match change.kind {
        Kind::Create => v1::change::Kind::Create,
        Kind::Update => v1::change::Kind::Update,
        Kind::Delete => v1::change::Kind::Delete,
        Kind::Clear => v1::change::Kind::Clear,
    };
    v1::Change {
        kind: kind.into(),
        id,
        record_json,
        timestamp: change.at.to_string(),
        sequence: change.sequence,
        entity: change.entity.to_string(),
    }
}

fn behind(missed: u64) -> Status {
    Failure::new(Code::RateLimited, "This watch fell too far behind")
        .with_detail(format!("{missed} commits were not taken in time"))
        .with_hint("watch again, and read what changed meanwhile")
        .into()
}
