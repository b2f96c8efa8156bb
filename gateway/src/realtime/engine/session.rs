//! One session: from its opening to its end, over one transport or two.

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::FutureExt;
use parking_lot::Mutex;
use serde_json::json;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{INCOMING, Pace, frames::Frames, link::Link, outbox::Outbox, packet::Packet};
use crate::{
    realtime::{client::Client, hub::Hub},
    session::Identity,
};

/// How long a poll waits for packets while its session goes over to a websocket, as the authors' server has it.
const NOTHING: Duration = Duration::from_millis(100);

/// A client sent what no client of these protocols sends; its session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) struct Broken;

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Polling,
    /// A websocket shows whether it works. Polls get what waits, and none is kept waiting for more.
    Probing,
    Websocket,
}

/// Over when it is cut: nothing is sent or heeded any more. Gone when nobody holds it any more: then its client has left
/// every room.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    outbox: Outbox,
    client: Client,
    transport: Mutex<Transport>,
    /// Held by the one poll that may wait.
    poll: tokio::sync::Mutex<()>,
    /// The client has answered a ping.
    answered: Notify,
    cut: CancellationToken,
}

impl Session {
    /// With the packet that tells the client about it waiting.
    pub(super) fn open(
        id: String,
        transport: Transport,
        (hub, identity): (&Arc<Hub>, Identity),
        pace: Pace,
    ) -> Self {
        let cut = hub.shutdown().child_token();
        let outbox = Outbox::new(cut.clone());
        outbox.send(&Frames::text(&opening(&id, transport, pace)));
        Self {
            client: Client::new(hub.clone(), identity, outbox.clone()),
            id,
            outbox,
            transport: Mutex::new(transport),
            poll: tokio::sync::Mutex::new(()),
            answered: Notify::new(),
            cut,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(super) fn end(&self) {
        self.cut.cancel();
    }

    pub(super) fn is_over(&self) -> bool {
        self.cut.is_cancelled()
    }

    pub(super) async fn over(&self) {
        self.cut.cancelled().await;
    }

    /// Whether polls count.
    pub(super) fn is_polled(&self) -> bool {
        *self.transport.lock() != Transport::Websocket
    }

    /// Takes the packet of a client.
    pub(super) fn receive(&self, packet: &str) -> Result<(), Broken> {
        match Packet::parse(packet).ok_or(Broken)? {
            Packet::Close => self.close(),
            Packet::Pong => self.answered.notify_one(),
            Packet::Message(text) => return self.client.receive(text),
            Packet::Binary => return self.client.receive_attachment(),
            // The server asks, since version 4 of the protocol.
            Packet::Ping => return Err(Broken),
            Packet::Upgrade | Packet::Noop => {}
        }
        Ok(())
    }

    /// The attachment of an event; none of ours has one.
    pub(super) fn receive_binary(&self) -> Result<(), Broken> {
        self.client.receive_attachment()
    }

    fn close(&self) {
        if self.is_polled() {
            // What the authors' server answers a poll with that still waits.
            self.outbox.send(&Frames::text("6"));
        }
        self.end();
    }

    /// Until the client has not greeted in time, or does not answer any more.
    pub(super) async fn pulse(&self, pace: Pace) {
        let unwelcome = async {
            if timeout(pace.greeting, self.client.greeted()).await.is_ok() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = unwelcome => {}
            () = self.beat(pace) => {}
        }
    }

    async fn beat(&self, pace: Pace) {
        loop {
            sleep(pace.ping).await;
            // An answer to nothing counts for nothing.
            let _ = self.answered.notified().now_or_never();
            self.outbox.send_first(Frames::text("2"));
            if timeout(pace.pong, self.answered.notified()).await.is_err() {
                return;
            }
        }
    }

    /// The payload that a poll is answered with. A second poll at the same time breaks the session, and one that its client
    /// broke off ends it: nobody knows what has arrived.
    pub(super) async fn poll(&self) -> Result<Vec<u8>, Broken> {
        let _turn = self.poll.try_lock().map_err(|_| Broken)?;
        let broken_off = self.cut.clone().drop_guard();
        let payload = self.next_payload().await;
        broken_off.disarm();
        Ok(payload)
    }

    async fn next_payload(&self) -> Vec<u8> {
        loop {
            if let Some(payload) = self.outbox.payload() {
                return payload;
            }
            let transport = *self.transport.lock();
            match transport {
                // The client waits for the end of this poll before it goes over.
                Transport::Websocket => return b"6".to_vec(),
                Transport::Polling | Transport::Probing if self.is_over() => return b"1".to_vec(),
                Transport::Polling | Transport::Probing => {}
            }
            tokio::select! {
                () = self.outbox.filled() => {}
                () = self.over() => {}
                () = sleep(NOTHING), if transport == Transport::Probing => return b"6".to_vec(),
            }
        }
    }

    /// A websocket asks whether it works; one at a time.
    pub(super) fn probe(&self) -> Result<Probe<'_>, Broken> {
        let mut transport = self.transport.lock();
        if *transport != Transport::Polling {
            return Err(Broken);
        }
        *transport = Transport::Probing;
        self.outbox.nudge();
        Ok(Probe(self))
    }
}

/// Until it is dropped, or kept.
#[derive(Debug)]
pub(super) struct Probe<'a>(&'a Session);

impl Probe<'_> {
    /// The session goes over to this websocket.
    pub(super) fn keep(self, link: Link) {
        *self.0.transport.lock() = Transport::Websocket;
        self.0.outbox.open(link);
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let mut transport = self.0.transport.lock();
        if *transport == Transport::Probing {
            *transport = Transport::Polling;
        }
    }
}

fn opening(id: &str, transport: Transport, pace: Pace) -> String {
    let upgrades: &[&str] = match transport {
        Transport::Polling => &["websocket"],
        Transport::Probing | Transport::Websocket => &[],
    };
    let open = json!({
        "sid": id,
        "upgrades": upgrades,
        "pingInterval": u64::try_from(pace.ping.as_millis()).unwrap_or(u64::MAX),
        "pingTimeout": u64::try_from(pace.pong.as_millis()).unwrap_or(u64::MAX),
        "maxPayload": INCOMING,
    });
    format!("0{open}")
}
