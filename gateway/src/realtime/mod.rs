//! Events of changed records, over Socket.IO as the SDK's `subscribe()` speaks it.
//!
//! ```text
//!   page ──join "entities:app:Task"──► client ──► hub ──Watch(caller, Task)──► store
//!   page ◄──update_model {room,data}── outbox ◄── event, once for a room ◄─────────┘
//! ```
//!
//! * `http` is the door: origin, identity, transport. `engine` carries packets either way; `client` is one socket with its
//!   rooms, `message` what it says.
//! * `hub` holds one watch of the store for each caller and entity, however many sockets listen.
//! * The store decides who sees what; nothing here reads a record.
//!
//! Both protocols are spoken here and not by a library: an event that is written once, and sent by whoever has it, costs a
//! listener one call of the system; BENCHMARKS.md has the figures of either.

mod client;
mod engine;
mod event;
mod http;
mod hub;
mod message;
mod room;

use std::sync::Arc;

use proto::client::StoreClient;
use tokio_util::sync::CancellationToken;

use self::{engine::Engine, hub::Hub};

pub(crate) use self::{engine::Pace, http::serve};

/// Where the SDK connects; a slash at the end may follow.
pub(crate) const PATH: &str = "/ws-user-apps/socket.io";

/// All sockets, and what they listen to.
#[derive(Debug)]
pub(crate) struct Realtime {
    hub: Arc<Hub>,
    engine: Engine,
}

impl Realtime {
    /// Serves until `shutdown`, and closes every socket then.
    pub(crate) fn new(shutdown: &CancellationToken, pace: Pace) -> Self {
        let hub = Arc::new(Hub::new(shutdown));
        let engine = Engine::new(hub.clone(), pace);
        Self { hub, engine }
    }

    /// Waits until every client has gone, after the end of serving, at most two seconds.
    pub(crate) async fn ended(&self) {
        self.engine.ended().await;
    }

    /// Clients with a session, over either transport.
    pub(crate) fn sockets(&self) -> u64 {
        self.hub.sockets()
    }

    /// Watches this store from now on; what is watched already moves there.
    pub(crate) fn follow(&self, store: StoreClient) {
        self.hub.follow(store);
    }
}
