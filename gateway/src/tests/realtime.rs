//! Sockets as clients see them: raw frames over real connections, with the fake store behind.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use proto::{Code, Failure, v1::change::Kind};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

use super::{Harness, KEY, sockets::listen};
use crate::session::Keys;

pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const ROOM: &str = "entities:app-1:Task";

/// A gateway that listens.
pub(super) struct Site {
    pub(super) harness: Harness,
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Site {
    pub(super) async fn open() -> Self {
        Self::of(Harness::new().await).await
    }

    pub(super) async fn of(harness: Harness) -> Self {
        let stop = harness.state.shutdown().clone();
        let (address, served) = listen(harness.router.clone(), &stop).await;
        Self {
            harness,
            address,
            stop,
            served,
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn handshake(&self, query: &str, origin: Option<&str>) -> Result<Socket, u16> {
        let query = format!("EIO=4&transport=websocket{query}");
        self.ask(&query, origin).await
    }

    /// A websocket with exactly this query, or the status that refuses it.
    pub(super) async fn ask(&self, query: &str, origin: Option<&str>) -> Result<Socket, u16> {
        let url = format!("ws://localhost/ws-user-apps/socket.io/?{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Connected to the namespace.
    pub(super) async fn connect(&self, token: &str) -> Socket {
        let query = format!("&app_id=app-1&token={token}");
        let mut socket = self.handshake(&query, None).await.unwrap();
        assert!(socket.text().await.starts_with("0{"));
        socket.send("40").await;
        let welcome = socket.text().await;
        assert!(welcome.starts_with("40{"), "{welcome}");
        socket
    }
}

/// The client's end of a websocket.
pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(super) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// What either side of a websocket may send at any time.
    pub(super) async fn control(&mut self) {
        for frame in [Message::Ping(Bytes::new()), Message::Pong(Bytes::new())] {
            self.0.send(frame).await.unwrap();
        }
    }

    /// Whether the connection still takes it.
    pub(super) async fn try_send(&mut self, text: &str) -> bool {
        self.0.send(Message::text(text)).await.is_ok()
    }

    pub(super) async fn emit(&mut self, name: &str, argument: impl Into<Value>) {
        let event = json!([name, argument.into()]);
        self.send(&format!("42{event}")).await;
    }

    pub(super) async fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    /// Answers pings; none when the connection is closed.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            match self.packet().await {
                Some(ping) if ping == "2" => self.send("3").await,
                packet => return packet,
            }
        }
    }

    /// Pings included, which it leaves unanswered.
    pub(super) async fn packet(&mut self) -> Option<String> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap()? {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    pub(super) async fn text(&mut self) -> String {
        self.next().await.expect("the socket is open")
    }

    /// The room and the inner document of the next event.
    pub(super) async fn event(&mut self) -> (String, Value) {
        let text = self.text().await;
        let event: Value = serde_json::from_str(text.strip_prefix("42").unwrap()).unwrap();
        assert_eq!(event[0], "update_model");
        let room = event[1]["room"].as_str().unwrap().to_owned();
        let data = event[1]["data"].as_str().unwrap();
        (room, serde_json::from_str(data).unwrap())
    }
}

fn token(email: &str) -> String {
    Keys::new(&KEY).user(email).token
}

#[tokio::test]
async fn changes_arrive_in_order_under_the_name_that_was_joined() {
    let site = Site::open().await;
    let watches = site.harness.store.watches();
    let mut socket = site.connect("null").await;
    for room in [
        ROOM,
        ROOM,
        "/agent-conversations/1",
        "garbage",
        "entities:x:",
    ] {
        socket.emit("join", room).await;
    }
    socket.emit("join", json!({"not": "a room"})).await;
    watches.until("Task anonymous", 1).await;
    assert_eq!(site.harness.state.realtime().sockets(), 1);
    let kinds = [
        (Kind::Create, "create"),
        (Kind::Update, "update"),
        (Kind::Clear, ""),
        (Kind::Delete, "delete"),
    ];
    for (kind, _) in kinds {
        watches.send("Task anonymous", kind, "1", r#"{"id":"1"}"#);
    }
    for (_, name) in kinds.into_iter().filter(|(_, name)| !name.is_empty()) {
        let data = json!({
            "type": name, "data": {"id": "1"}, "id": "1", "timestamp": "2026-01-01T00:00:00.000Z",
        });
        assert_eq!(socket.event().await, (ROOM.to_owned(), data));
    }
    socket.emit("leave", ROOM).await;
    watches.until("Task anonymous", 0).await;
}

#[tokio::test]
async fn sockets_of_one_caller_share_a_watch_and_callers_do_not() {
    let site = Site::open().await;
    let watches = site.harness.store.watches();
    let mut first = site.connect(&token("a@b.c")).await;
    let mut second = site.connect(&token("a@b.c")).await;
    let mut other = site.connect(&token("x@y.z")).await;
    let mut invalid = site.connect("not.a.token").await;
    for socket in [&mut first, &mut other, &mut invalid] {
        socket.emit("join", ROOM).await;
    }
    second.emit("join", "entities:elsewhere:Task").await;
    for name in ["Task a@b.c", "Task x@y.z", "Task anonymous"] {
        watches.until(name, 1).await;
    }
    // Messages of one socket are taken in order: the room is joined when this watch is.
    second.emit("join", "entities:app-1:Note").await;
    watches.until("Note a@b.c", 1).await;
    watches.send("Task a@b.c", Kind::Create, "1", "{}");
    assert_eq!(first.event().await.0, ROOM);
    assert_eq!(second.event().await.0, "entities:elsewhere:Task");
    watches.send("Task x@y.z", Kind::Delete, "2", "{}");
    assert_eq!(other.event().await.1["id"], "2");

    drop(first);
    second.emit("leave", "entities:elsewhere:Task").await;
    watches.until("Task a@b.c", 0).await;
    watches.until("Note a@b.c", 1).await;
}

#[tokio::test]
async fn a_watch_that_ends_is_begun_again_and_moves_with_the_store() {
    let site = Site::open().await;
    let watches = site.harness.store.watches();
    let mut socket = site.connect("null").await;
    socket.emit("join", ROOM).await;
    watches.until("Task anonymous", 1).await;
    // What came before the end is heard, though it came together with it.
    watches.send("Task anonymous", Kind::Create, "0", "{}");
    let behind = Failure::new(Code::RateLimited, "too far behind");
    watches.fail("Task anonymous", &behind.into());
    assert_eq!(socket.event().await.1["id"], "0");
    watches.until("Task anonymous", 0).await;
    watches.until("Task anonymous", 1).await;
    watches.send("Task anonymous", Kind::Update, "1", "{}");
    assert_eq!(socket.event().await.1["type"], "update");

    let other = Harness::new().await;
    let mut config = site.harness.config.clone();
    config.store_address = other.config.store_address.clone();
    site.harness.state.configure(config).unwrap();
    watches.until("Task anonymous", 0).await;
    let watches = other.store.watches();
    watches.until("Task anonymous", 1).await;
    watches.send("Task anonymous", Kind::Create, "3", "{}");
    assert_eq!(socket.event().await.1["id"], "3");
}

#[tokio::test]
async fn a_socket_that_does_not_read_is_cut_off_and_holds_up_nobody() {
    let site = Site::open().await;
    let watches = site.harness.store.watches();
    let (mut dead, mut live) = (site.connect("null").await, site.connect("null").await);
    dead.emit("join", ROOM).await;
    watches.until("Task anonymous", 1).await;
    live.emit("join", ROOM).await;
    live.emit("join", "entities:app-1:Ready").await;
    watches.until("Ready anonymous", 1).await;
    // Large ones fill the connection, then small ones its packets, then large ones the queue.
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(1024 * 1024));
    let sizes = [(12, large.as_str()), (80, "{}"), (136, large.as_str())];
    let records = sizes.map(|(count, record)| std::iter::repeat_n(record, count));
    let records: Vec<&str> = records.into_iter().flatten().collect();
    for (id, record) in records.iter().enumerate() {
        watches.send("Task anonymous", Kind::Create, &id.to_string(), record);
        assert_eq!(live.event().await.1["id"], id.to_string());
    }
    // What the connection itself held still arrives; then it ends.
    let mut read = 0;
    while dead.next().await.is_some() {
        read += 1;
    }
    assert!(read < records.len(), "{read}");
    watches.send("Task anonymous", Kind::Delete, "1", "{}");
    assert_eq!(live.event().await.1["type"], "delete");
    assert_eq!(site.harness.state.realtime().sockets(), 1);
}

#[tokio::test]
async fn only_pages_of_this_machine_may_connect() {
    let site = Site::open().await;
    for origin in ["https://evil.example", "null"] {
        let refused = site.handshake("", Some(origin)).await;
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    let page = site.handshake("", Some("http://localhost:5173")).await;
    assert!(page.is_ok());
    let garbage = site.handshake("&sid=x", None).await;
    assert_eq!(garbage.err(), Some(400));
    let harness = Harness::unconfigured().await;
    let path = "/ws-user-apps/socket.io/?EIO=4&transport=polling";
    assert_eq!(harness.get(path).await.status, 503);
}

/// Polls until there is more than a ping.
async fn poll(harness: &Harness, session: &str) -> String {
    loop {
        let answer = harness.get(session).await;
        let packets = answer.text().split('\u{1e}');
        let mut packets = packets.filter(|packet| *packet != "2");
        if let Some(packet) = packets.next() {
            return packet.to_owned();
        }
        harness.call(&format!("POST {session}"), &[], "3").await;
    }
}

#[tokio::test]
async fn events_are_polled_without_a_websocket() {
    let harness = Harness::new().await;
    let polling = "/ws-user-apps/socket.io/?EIO=4&transport=polling&token=null";
    let open = harness.get(polling).await;
    let open: Value = serde_json::from_str(open.text().strip_prefix('0').unwrap()).unwrap();
    let session = format!("{polling}&sid={}", open["sid"].as_str().unwrap());
    let post = format!("POST {session}");
    assert_eq!(harness.call(&post, &[], "40").await.text(), "ok");
    assert!(poll(&harness, &session).await.starts_with("40{"));
    let join = format!(r#"42["join","{ROOM}"]"#);
    assert_eq!(harness.call(&post, &[], &join).await.text(), "ok");
    let watches = harness.store.watches();
    watches.until("Task anonymous", 1).await;
    watches.send("Task anonymous", Kind::Create, "1", "{}");
    let event = poll(&harness, &session).await;
    assert!(event.starts_with(r#"42["update_model","#), "{event}");
}

#[tokio::test]
async fn sockets_are_closed_when_the_server_ends() {
    let site = Site::open().await;
    let mut socket = site.connect("null").await;
    socket.emit("join", ROOM).await;
    let watches = site.harness.store.watches();
    watches.until("Task anonymous", 1).await;
    site.stop.cancel();
    while socket.next().await.is_some() {}
    timeout(PATIENCE, site.served).await.unwrap().unwrap();
    watches.until("Task anonymous", 0).await;
}
