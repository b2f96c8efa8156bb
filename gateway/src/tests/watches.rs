//! The watches of the fake store: who watches what, and a hand to send changes or to end them.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::Stream;
use proto::v1::{Change, change::Kind};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;

type Sender = mpsc::UnboundedSender<Result<Change, Status>>;

/// Open watches by entity and caller: `Task a@b.c`. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Watches(Arc<watch::Sender<BTreeMap<String, Vec<Sender>>>>);

impl Default for Watches {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Watches {
    pub(super) fn open(
        &self,
        name: String,
    ) -> Pin<Box<dyn Stream<Item = Result<Change, Status>> + Send>> {
        let (sender, changes) = mpsc::unbounded_channel();
        let closed = sender.clone();
        let (all, gone) = (self.0.clone(), name.clone());
        tokio::spawn(async move {
            closed.closed().await;
            all.send_modify(|watches| {
                let open = watches.get_mut(&gone).unwrap();
                open.retain(|sender| !sender.same_channel(&closed));
            });
        });
        self.0
            .send_modify(|watches| watches.entry(name).or_default().push(sender));
        Box::pin(UnboundedReceiverStream::new(changes))
    }

    /// Waits until as many watches of this name are open.
    pub(super) async fn until(&self, name: &str, count: usize) {
        let mut watches = self.0.subscribe();
        let open = |watches: &BTreeMap<_, Vec<_>>| watches.get(name).map_or(0, Vec::len);
        let reached = watches.wait_for(|watches| open(watches) == count);
        let reached = timeout(Duration::from_secs(60), reached).await.is_ok();
        assert!(reached, "{name}: {:?}", self.0.borrow());
    }

    /// Sends a change to everybody who watches under this name.
    pub(super) fn send(&self, name: &str, kind: Kind, id: &str, record: &str) {
        let change = Change {
            kind: kind.into(),
            id: id.to_owned(),
            record_json: record.to_owned().into(),
            timestamp: "2026-01-01T00:00:00.000Z".to_owned(),
            ..Change::default()
        };
        for sender in &self.0.borrow()[name] {
            sender.send(Ok(change.clone())).unwrap();
        }
    }

    /// Ends the streams of this name.
    pub(super) fn fail(&self, name: &str, status: &Status) {
        for sender in &self.0.borrow()[name] {
            sender.send(Err(status.clone())).unwrap();
        }
    }
}
