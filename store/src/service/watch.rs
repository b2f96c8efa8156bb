//! Changes as one caller may see them, from the moment the answer starts.

use std::sync::Arc;

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

/// A commit on its way. Each change is written out when the stream asks for it: one request may clear a large entity.
struct Delivery {
    commit: Commit,
    next: usize,
    /// None when the entity is gone, or the caller's account.
    watcher: Option<Watcher>,
}

/// One open watch.
struct Watch {
    state: Arc<State>,
    entity: String,
    caller: Caller,
    commits: Receiver<Commit>,
    delivery: Option<Delivery>,
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
        delivery: None,
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
            if let Some(change) = self.deliver() {
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

    /// Rules and accounts are asked as they are when the commit is delivered, once for all of its changes.
    fn take(&mut self, commit: Commit) {
        let Some(next) = commit.iter().position(|change| self.is_about(change)) else {
            return;
        };
        let watcher = self
            .state
            .read(|database| database.watcher(&self.entity, &self.caller));
        self.delivery = Some(Delivery {
            commit,
            next,
            watcher: watcher.ok(),
        });
    }

    fn is_about(&self, change: &Change) -> bool {
        *change.entity == *self.entity
    }

    /// The next change that the caller may know of.
    fn deliver(&mut self) -> Option<v1::Change> {
        let mut delivery = self.delivery.take()?;
        while let Some(change) = delivery.commit.get(delivery.next) {
            delivery.next += 1;
            if self.is_about(change)
                && let Some(shown) = delivery.show(change)
            {
                self.delivery = Some(delivery);
                return Some(shown);
            }
        }
        None
    }
}

impl Delivery {
    fn show(&self, change: &Change) -> Option<v1::Change> {
        let (id, record_json) = match (change.kind, &self.watcher) {
            (Kind::Clear, _) => Some(Default::default()),
            (Kind::Create | Kind::Update | Kind::Delete, Some(watcher)) => watcher.show(change),
            (Kind::Create | Kind::Update | Kind::Delete, None) => None,
        }?;
        Some(message(change, id, record_json))
    }
}

fn message(change: &Change, id: String, record_json: bytes::Bytes) -> v1::Change {
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
