//! Engine.IO 4, the protocol under Socket.IO: sessions over polls and websockets, and a pulse that shows who is gone.
//!
//! * `session` is one client's; `polling` and `websocket` are the ways to it, `packet` is what it says.
//! * `outbox` is what it is sent, by `link` when there is a websocket. `frames` are written once for all who get them, and
//!   wait in a `queue` while the client does not read.
//!
//! The protocol is <https://socket.io/docs/v4/engine-io-protocol/>; where it is silent, what its authors' server does.

mod frames;
mod link;
mod outbox;
mod packet;
mod polling;
mod queue;
mod session;
mod websocket;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use http::Method;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;
use proto::{Code, Failure, uuid};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::{
    session::{Session, Transport},
    websocket::PARTING,
};
use super::hub::Hub;
use crate::{error::Problem, session::Identity};

pub(super) use self::{frames::Frames, outbox::Outbox, session::Broken};

/// Most bytes that a client may send in one message or post. They send names of rooms.
const INCOMING: usize = 100_000;

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

/// What the authors' server has; clients are told of `ping` and `pong` at the beginning.
impl Default for Pace {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(20),
            greeting: Duration::from_secs(45),
        }
    }
}

/// Why a request is no part of the protocol; with the code and the message that clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Transport,
    Session,
    Method,
    Request,
    Version,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = match refusal {
            Refusal::Transport => (0, "Transport unknown"),
            Refusal::Session => (1, "Session ID unknown"),
            Refusal::Method => (2, "Bad handshake method"),
            Refusal::Request => (3, "Bad request"),
            Refusal::Version => (5, "Unsupported protocol version"),
        };
        Self::new(Code::BadRequest, message).with("code", code)
    }
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Engine {
    hub: Arc<Hub>,
    pace: Pace,
    /// Those that began with a poll, by their ids. The others are known to their connections only.
    polled: Arc<Mutex<HashMap<String, Arc<Session>>>>,
    /// One or two for each session.
    tasks: TaskTracker,
}

impl Engine {
    pub(super) fn new(hub: Arc<Hub>, pace: Pace) -> Self {
        Self {
            hub,
            pace,
            polled: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Waits at the end for clients to go, but not for long.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        let _ = timeout(2 * PARTING, self.tasks.wait()).await;
    }

    /// The session that a request names.
    fn session(&self, id: &str) -> Result<Arc<Session>, Refusal> {
        let session = self.polled.lock().get(id).cloned();
        let session = session.filter(|session| !session.is_over());
        session.ok_or(Refusal::Session)
    }

    fn new_session(
        &self,
        transport: Transport,
        identity: Identity,
    ) -> Result<Arc<Session>, Problem> {
        let id = uuid::random().map_err(|error| {
            Failure::new(Code::Internal, "No session could be opened")
                .with_detail(error.to_string())
        })?;
        let owner = (&self.hub, identity);
        Ok(Arc::new(Session::open(id, transport, owner, self.pace)))
    }

    /// A session that begins with a poll, which is answered.
    pub(super) fn begin_polling(
        &self,
        method: &Method,
        identity: Identity,
    ) -> Result<Response, Problem> {
        if method != Method::GET {
            return Err(Refusal::Method.into());
        }
        let session = self.new_session(Transport::Polling, identity)?;
        let stopping = || Problem::new(Code::Unavailable, "The server is stopping");
        let opening = session.outbox().payload().ok_or_else(stopping)?;
        self.polled
            .lock()
            .insert(session.id().to_owned(), session.clone());
        self.tasks
            .spawn(keep(session, self.polled.clone(), self.pace));
        Ok(polling::payload(opening))
    }

    /// A poll or a post.
    pub(super) async fn poll(&self, id: &str, request: Request<Body>) -> Result<Response, Problem> {
        let session = self.session(id)?;
        if !session.is_polled() {
            return Err(Refusal::Request.into());
        }
        polling::answer(&session, request).await
    }

    /// A websocket: a new session, or another way for the one that polls under this id.
    pub(super) fn switch(
        &self,
        mut request: Request<Body>,
        id: Option<&str>,
        identity: Identity,
    ) -> Result<Response, Problem> {
        if request.method() != Method::GET {
            return Err(Refusal::Method.into());
        }
        let known = id.map(|id| self.session(id)).transpose()?;
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let answer = websocket::switching(request.headers());
        let (Some(upgrade), Some(answer)) = (upgrade, answer) else {
            return Err(Refusal::Request.into());
        };
        if let Some(session) = known {
            self.tasks.spawn(websocket::take_over(upgrade, session));
        } else {
            let session = self.new_session(Transport::Websocket, identity)?;
            let serving = websocket::begin(upgrade, session, self.pace);
            self.tasks.spawn(serving);
        }
        Ok(answer)
    }
}

/// As long as the session's client is there.
async fn keep(
    session: Arc<Session>,
    polled: Arc<Mutex<HashMap<String, Arc<Session>>>>,
    pace: Pace,
) {
    tokio::select! {
        () = session.pulse(pace) => {}
        () = session.over() => {}
    }
    session.end();
    polled.lock().remove(session.id());
}
