//! The two protocols under realtime, frame by frame: Engine.IO 4 (sessions, transports, heartbeat) and Socket.IO 5
//! (namespaces, events). What the authors of the protocols test of a server is shown here, as far as it is ours.

use std::time::Duration;

use proto::v1::change::Kind;
use serde_json::{Value, json};

use super::{
    Answer, Harness,
    realtime::{ROOM, Site, Socket},
};
use crate::realtime::Pace;

const POLLING: &str = "/ws-user-apps/socket.io/?EIO=4&transport=polling";

/// Packets of one payload are separated by it.
const SEPARATOR: char = '\u{1e}';

/// Pings that a test can wait for, and all the time it wants to answer them.
const PINGING: Pace = Pace {
    ping: Duration::from_millis(200),
    pong: Duration::from_secs(60),
    greeting: Duration::from_secs(60),
};

/// A missing answer that a test can wait for, and the time to say something before.
const IMPATIENT: Pace = Pace {
    pong: Duration::from_secs(4),
    ..PINGING
};

async fn site(pace: Pace) -> Site {
    let harness = Harness::with_pace(pace).await;
    harness.state.configure(harness.config.clone()).unwrap();
    Site::of(harness).await
}

/// A session that polls.
struct Session<'a> {
    harness: &'a Harness,
    id: String,
    path: String,
}

impl<'a> Session<'a> {
    async fn open(harness: &'a Harness) -> Self {
        let open = opening(harness.get(POLLING).await.text());
        let id = open["sid"].as_str().unwrap().to_owned();
        let path = format!("{POLLING}&sid={id}");
        Self { harness, id, path }
    }

    /// Connected to the namespace.
    async fn connected(harness: &'a Harness) -> Self {
        let session = Self::open(harness).await;
        assert_eq!(session.post("40").await.text(), "ok");
        let welcome = session.get().await;
        assert!(welcome.text().starts_with("40{"), "{}", welcome.text());
        session
    }

    async fn get(&self) -> Answer {
        self.harness.get(&self.path).await
    }

    async fn post(&self, packets: &str) -> Answer {
        let line = format!("POST {}", self.path);
        self.harness.call(&line, &[], packets).await
    }

    fn websocket(&self) -> String {
        format!("EIO=4&transport=websocket&sid={}", self.id)
    }
}

/// The document of an open packet.
fn opening(packet: &str) -> Value {
    let open = packet
        .strip_prefix('0')
        .unwrap_or_else(|| panic!("{packet}"));
    serde_json::from_str(open).unwrap()
}

fn assert_opening(packet: &str, upgrades: &Value) {
    let mut open = opening(packet);
    let id = open.as_object_mut().unwrap().remove("sid").unwrap();
    assert!(id.as_str().is_some_and(|id| !id.is_empty()), "{packet}");
    let expected = json!({
        "upgrades": upgrades, "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 100_000,
    });
    assert_eq!(open, expected);
}

/// The connection ends, with a packet that says so or without.
async fn closes(socket: &mut Socket, why: &str) {
    let mut said = socket.next().await;
    if said.as_deref() == Some("1") {
        said = socket.next().await;
    }
    assert_eq!(said, None, "{why}");
}

/// A frame, then the end of the connection.
async fn closes_after(site: &Site, frame: &str) {
    let mut socket = site.connect("null").await;
    socket.send(frame).await;
    closes(&mut socket, frame).await;
}

/// Asks whether the websocket works.
async fn probe(socket: &mut Socket) {
    socket.send("2probe").await;
    assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
}

/// The session takes the websocket, and hears by it.
async fn go_over(site: &Site, socket: &mut Socket) {
    socket.send("5").await;
    socket.emit("join", ROOM).await;
    let watches = site.harness.store.watches();
    watches.until("Task anonymous", 1).await;
    watches.send("Task anonymous", Kind::Create, "1", "{}");
    assert_eq!(socket.event().await.0, ROOM);
}

#[tokio::test]
async fn a_session_opens_over_either_transport() {
    let site = Site::open().await;
    let open = site.harness.get(POLLING).await;
    assert_eq!(open.status, 200);
    assert_opening(open.text(), &json!(["websocket"]));
    let mut socket = site.handshake("", None).await.unwrap();
    assert_opening(&socket.text().await, &json!([]));
}

#[tokio::test]
async fn a_handshake_of_another_protocol_is_refused() {
    let site = Site::open().await;
    let queries = [
        "transport={}",
        "EIO=abc&transport={}",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport={}&sid=unknown",
    ];
    for query in queries {
        let polling = query.replace("{}", "polling");
        let answer = site
            .harness
            .get(&format!("/ws-user-apps/socket.io/?{polling}"))
            .await;
        assert_eq!(answer.status, 400, "{polling}");
        let websocket = query.replace("{}", "websocket");
        let refused = site.ask(&websocket, None).await.err();
        assert_eq!(refused, Some(400), "{websocket}");
    }
    for method in ["POST", "PUT"] {
        let answer = site
            .harness
            .call(&format!("{method} {POLLING}"), &[], "")
            .await;
        assert_eq!(answer.status, 400, "{method}");
    }
}

#[tokio::test]
async fn several_packets_travel_in_one_payload_both_ways() {
    let harness = Harness::new().await;
    let session = Session::connected(&harness).await;
    let joins = format!(r#"42["join","{ROOM}"]{SEPARATOR}42["join","entities:a:Note"]"#);
    assert_eq!(session.post(&joins).await.text(), "ok");
    let watches = harness.store.watches();
    for name in ["Task anonymous", "Note anonymous"] {
        watches.until(name, 1).await;
        watches.send(name, Kind::Create, "1", "{}");
    }
    let mut events = String::new();
    while events.matches("update_model").count() < 2 {
        events.push_str(session.get().await.text());
    }
    let packets = events
        .split(SEPARATOR)
        .flat_map(|packet| packet.split("42[\""));
    let packets: Vec<_> = packets
        .filter(|packet| packet.starts_with("update_model"))
        .collect();
    assert_eq!(packets.len(), 2, "{events}");
}

#[tokio::test]
async fn a_session_ends_with_what_is_no_packet_or_a_second_poll() {
    let harness = Harness::new().await;
    let session = Session::open(&harness).await;
    assert_eq!(session.post("abc").await.status, 400);
    assert_eq!(session.get().await.status, 400);

    let session = Session::open(&harness).await;
    let (first, second) = tokio::join!(session.get(), session.get());
    assert_eq!((first.status.as_u16(), first.text()), (200, "1"));
    assert_eq!(second.status, 400);
    assert_eq!(session.get().await.status, 400);

    let site = Site::open().await;
    let mut socket = site.handshake("", None).await.unwrap();
    assert!(socket.text().await.starts_with('0'));
    socket.send("abc").await;
    closes(&mut socket, "no packet").await;
}

#[tokio::test]
async fn a_session_ends_with_a_poll_that_is_broken_off() {
    let harness = Harness::new().await;
    let session = Session::open(&harness).await;
    let mut poll = Box::pin(session.get());
    assert!(futures_util::poll!(&mut poll).is_pending());
    drop(poll);
    assert_eq!(session.get().await.status, 400);
}

#[tokio::test]
async fn a_client_is_asked_again_and_again_whether_it_is_there() {
    let site = site(PINGING).await;
    let session = Session::open(&site.harness).await;
    let mut socket = site.handshake("", None).await.unwrap();
    assert!(socket.text().await.starts_with('0'));
    let polls = async {
        for _ in 0..3 {
            assert_eq!(session.get().await.text(), "2");
            assert_eq!(session.post("3").await.status, 200);
        }
    };
    let frames = async {
        for _ in 0..3 {
            assert_eq!(socket.packet().await.as_deref(), Some("2"));
            socket.send("3").await;
        }
    };
    tokio::join!(polls, frames);
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_gone() {
    let site = site(IMPATIENT).await;
    let mut socket = site.connect("null").await;
    socket.emit("join", ROOM).await;
    let watches = site.harness.store.watches();
    watches.until("Task anonymous", 1).await;
    assert_eq!(socket.packet().await.as_deref(), Some("2"));
    closes(&mut socket, "no answer").await;
    watches.until("Task anonymous", 0).await;

    let session = Session::open(&site.harness).await;
    // Its ping is taken, and not answered; what comes next is the end.
    assert_eq!(session.get().await.text(), "2");
    let last = session.get().await;
    assert_eq!((last.status.as_u16(), last.text()), (200, "1"));
    assert_eq!(session.get().await.status, 400);
}

#[tokio::test]
async fn a_client_can_end_its_session() {
    let site = Site::open().await;
    let mut socket = site.connect("null").await;
    socket.send("1").await;
    closes(&mut socket, "a close packet").await;

    let session = Session::open(&site.harness).await;
    let (poll, close) = tokio::join!(session.get(), session.post("1"));
    assert_eq!((poll.status.as_u16(), close.status.as_u16()), (200, 200));
    assert_eq!(poll.text(), "6");
    assert_eq!(session.get().await.status, 400);
}

#[tokio::test]
async fn a_polling_session_goes_over_to_a_websocket() {
    let site = Site::open().await;
    let session = Session::connected(&site.harness).await;
    let mut socket = site.ask(&session.websocket(), None).await.unwrap();
    probe(&mut socket).await;
    assert_eq!(session.get().await.text(), "6");
    go_over(&site, &mut socket).await;

    // The old way is closed, and there is no second one.
    assert_eq!(session.get().await.status, 400);
    let mut second = site.ask(&session.websocket(), None).await.unwrap();
    closes(&mut second, "a second websocket").await;
    let watches = site.harness.store.watches();
    watches.send("Task anonymous", Kind::Delete, "1", "{}");
    assert_eq!(socket.event().await.1["type"], "delete");
}

#[tokio::test]
async fn a_second_websocket_neither_gets_a_session_nor_ends_it() {
    let site = Site::open().await;
    let session = Session::connected(&site.harness).await;
    let mut first = site.ask(&session.websocket(), None).await.unwrap();
    let mut second = site.ask(&session.websocket(), None).await.unwrap();
    for (socket, answer) in [(&mut first, Some("3probe")), (&mut second, None)] {
        socket.send("2probe").await;
        assert_eq!(socket.packet().await.as_deref(), answer);
    }
    go_over(&site, &mut first).await;
}

#[tokio::test]
async fn a_websocket_may_ask_and_answer_at_any_time_while_it_shows_that_it_works() {
    let site = Site::open().await;
    let session = Session::connected(&site.harness).await;
    let mut socket = site.ask(&session.websocket(), None).await.unwrap();
    socket.control().await;
    probe(&mut socket).await;
    socket.control().await;
    go_over(&site, &mut socket).await;
}

#[tokio::test]
async fn a_session_that_ends_while_its_transport_changes_ends_the_poll_and_the_websocket() {
    let site = Site::open().await;
    let session = Session::connected(&site.harness).await;
    let mut socket = site.ask(&session.websocket(), None).await.unwrap();
    probe(&mut socket).await;
    let (poll, post) = tokio::join!(session.get(), session.post("no packet"));
    assert_eq!((poll.status.as_u16(), poll.text()), (200, "1"));
    assert_eq!(post.status, 400);
    assert_eq!(socket.packet().await, None);
}

#[tokio::test]
async fn what_happens_while_the_transport_changes_is_heard_once_and_in_order() {
    let site = Site::open().await;
    let session = Session::connected(&site.harness).await;
    session.post(&format!(r#"42["join","{ROOM}"]"#)).await;
    let watches = site.harness.store.watches();
    watches.until("Task anonymous", 1).await;
    let send = |id: &str| watches.send("Task anonymous", Kind::Create, id, "{}");

    let mut socket = site.ask(&session.websocket(), None).await.unwrap();
    // The poll that waits when the client asks is ended with nothing.
    let (polled, ()) = tokio::join!(session.get(), probe(&mut socket));
    assert_eq!(polled.text(), "6");
    send("1");
    let polled = session.get().await;
    assert!(
        polled.text().contains(r#"\"id\":\"1\""#),
        "{}",
        polled.text()
    );
    // The client polls no more: this one waits for the other transport.
    send("2");
    socket.send("5").await;
    assert_eq!(socket.event().await.1["id"], "2");
    send("3");
    assert_eq!(socket.event().await.1["id"], "3");
}

#[tokio::test]
async fn there_is_one_namespace() {
    let site = Site::open().await;
    for hello in ["40", r#"40{"token":"123"}"#] {
        let mut socket = site.handshake("", None).await.unwrap();
        assert!(socket.text().await.starts_with('0'));
        socket.send(hello).await;
        let welcome = socket.text().await;
        let welcome: Value = serde_json::from_str(welcome.strip_prefix("40").unwrap()).unwrap();
        let keys: Vec<_> = welcome.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["sid"], "{hello}");
        socket.send("40/random").await;
        let refused = r#"44/random,{"message":"Invalid namespace"}"#;
        assert_eq!(socket.text().await, refused);
    }
}

#[tokio::test]
async fn a_connection_without_a_greeting_is_closed() {
    let greeting = Duration::from_millis(200);
    let site = site(Pace {
        greeting,
        ..Pace::default()
    })
    .await;
    let mut socket = site.handshake("", None).await.unwrap();
    assert!(socket.text().await.starts_with('0'));
    closes(&mut socket, "no greeting").await;

    let mut socket = site.handshake("", None).await.unwrap();
    assert!(socket.text().await.starts_with('0'));
    socket.send("4abc").await;
    closes(&mut socket, "no packet of Socket.IO").await;
}

#[tokio::test]
async fn a_client_that_leaves_the_namespace_keeps_its_connection_and_may_come_back() {
    let site = site(PINGING).await;
    let watches = site.harness.store.watches();
    let mut socket = site.connect("null").await;
    for _ in 0..2 {
        socket.emit("join", ROOM).await;
        watches.until("Task anonymous", 1).await;
        socket.send("41").await;
        watches.until("Task anonymous", 0).await;
        assert_eq!(socket.packet().await.as_deref(), Some("2"));
        socket.send("3").await;
        socket.send("40").await;
        let welcome = socket.text().await;
        assert!(welcome.starts_with("40{"), "{welcome}");
    }
}

#[tokio::test]
async fn events_of_any_shape_are_taken_and_only_ours_are_heeded() {
    let site = Site::open().await;
    let watches = site.harness.store.watches();
    let mut socket = site.connect("null").await;
    for frame in [
        r#"42["message",1,"2",{"3":[true]}]"#,
        r#"42456["message",1]"#,
        r#"42["join"]"#,
        r#"42["leave","entities:a:Never"]"#,
        r#"452-["join",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    ] {
        socket.send(frame).await;
    }
    socket.send_bytes(&[1, 2, 3]).await;
    socket.send_bytes(&[4, 5, 6]).await;
    // Nobody acknowledges, as the official server does not.
    socket.send(&format!(r#"427["join","{ROOM}"]"#)).await;
    watches.until("Task anonymous", 1).await;
    watches.send("Task anonymous", Kind::Create, "1", "{}");
    assert_eq!(socket.event().await.0, ROOM);
}

#[tokio::test]
async fn a_frame_that_is_no_packet_closes_the_connection() {
    let site = Site::open().await;
    for frame in ["4abc", "42{}", r#"42abc["join","x"]"#, "9", "4"] {
        closes_after(&site, frame).await;
    }
}
