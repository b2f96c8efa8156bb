//! Events of changed records, over Socket.IO as the SDK's `subscribe()` speaks it.
//!
//! ```text
//!   page ──join "entities:app:Task"──► member ──► hub ──Watch(caller, Task)──► store
//!   page ◄──update_model {room,data}── outbox ◄── event, once for a room ◄─────────┘
//! ```
//!
//! * `http` is the door: origin, identity, upgrade. `member` is one socket with its rooms; `outbox` what waits for it.
//! * `hub` holds one watch of the store for each caller and entity, however many sockets listen.
//! * The store decides who sees what; nothing here reads a record.

mod event;
mod http;
mod hub;
mod line;
mod member;
mod outbox;
mod room;

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use axum::Router;
use proto::client::StoreClient;
use socketioxide::{SocketIo, extract::SocketRef, service::SocketIoService};
use tokio_util::sync::CancellationToken;

use self::{http::Handshake, hub::Hub, member::Member};

pub(crate) use self::http::serve;

/// Where the SDK connects; a slash at the end may follow.
pub(crate) const PATH: &str = "/ws-user-apps/socket.io";

/// Most bytes that a client may send in one message. They send names of rooms.
const INCOMING: usize = 100_000;

/// Bytes read at once from a socket, which each has a place for: names of rooms are short, and pages are many.
const READ: usize = 1024;

/// Packets that wait in a connection itself, behind the queue of its socket. A ping that finds no place there ends the
/// connection, so that there must be more than a burst fills at once.
const PACKETS: usize = 64;

/// How long silences may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Between two questions whether the client is still there.
    pub(crate) ping: Duration,
    /// Until the answer.
    pub(crate) pong: Duration,
    /// From the first request until the client connects.
    pub(crate) greeting: Duration,
}

/// The protocol's own, which clients are told at the beginning.
impl Default for Pace {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(20),
            greeting: Duration::from_secs(45),
        }
    }
}

/// All sockets, and what they listen to.
pub(crate) struct Realtime {
    hub: Arc<Hub>,
    engine: SocketIoService<Router>,
}

impl Realtime {
    /// Serves until `shutdown`, and closes every socket then.
    pub(crate) fn new(shutdown: &CancellationToken, pace: Pace) -> Self {
        let hub = Arc::new(Hub::new(shutdown));
        let (engine, io) = SocketIo::builder()
            .req_path(PATH)
            .ping_interval(pace.ping)
            .ping_timeout(pace.pong)
            .connect_timeout(pace.greeting)
            .max_buffer_size(PACKETS)
            .max_payload(u64::try_from(INCOMING).unwrap_or(u64::MAX))
            .ws_read_buffer_size(READ)
            .ws_max_message_size(INCOMING)
            .ws_max_frame_size(INCOMING)
            .build_with_inner_svc(Router::new());
        welcome(&io, &hub);
        let stop = shutdown.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            io.close().await;
        });
        Self { hub, engine }
    }

    /// Sockets that are connected.
    pub(crate) fn sockets(&self) -> u64 {
        self.hub.sockets()
    }

    /// Watches this store from now on; what is watched already moves there.
    pub(crate) fn follow(&self, store: StoreClient) {
        self.hub.follow(store);
    }
}

impl fmt::Debug for Realtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realtime")
            .field("sockets", &self.sockets())
            .finish_non_exhaustive()
    }
}

/// Handlers are registered before the client learns that it is connected: what it sends then finds them.
fn welcome(io: &SocketIo, hub: &Arc<Hub>) {
    let hub = hub.clone();
    let register = move |socket: SocketRef| {
        let handshake = socket.req_parts().extensions.get::<Handshake>();
        // Every request came through the door, which has left a handshake.
        let handshake = handshake.cloned().unwrap_or_default();
        Member::register(&socket, handshake, hub);
        std::future::ready(Ok::<(), Infallible>(()))
    };
    let connected = |socket: SocketRef| {
        tracing::debug!(id = %socket.id, "realtime client connected");
        std::future::ready(())
    };
    io.ns(
        "/",
        socketioxide::handler::ConnectHandler::with(connected, register),
    );
}
