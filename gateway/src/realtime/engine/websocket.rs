//! A session over a websocket, from the first on or after polls.

use std::{future::pending, io::Cursor, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, Chain, Join, join},
    net::tcp::OwnedReadHalf,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    INCOMING, Pace,
    frames::Frames,
    link::{Link, Replies},
    session::{Broken, Session},
};
use crate::{listen, proxy::upgrade::names_upgrade};

/// Bytes read at once from a socket, which each has a place for: names of rooms are short, and pages are many.
const READ: usize = 1024;

/// Bytes that the system takes before the client does; it doubles them for its own needs.
const UNDERWAY: usize = 128 * 1024;

/// How long a websocket may take to show that it works.
const UPGRADING: Duration = Duration::from_secs(10);

/// How long a client that is sent away may take to go.
pub(super) const PARTING: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<Join<Chain<Cursor<Bytes>, OwnedReadHalf>, Replies>>;

/// The answer that switches protocols; none unless the request is a complete handshake (RFC 6455, 4.2.1).
pub(super) fn switching(headers: &HeaderMap) -> Option<Response> {
    let is = |name, expected: &str| {
        let value: Option<&HeaderValue> = headers.get(name);
        value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
    };
    let complete = names_upgrade(headers)
        && is(header::UPGRADE, "websocket")
        && is(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| complete)?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()?;
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Some((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// Serves a session that begins with this connection, to its end.
pub(super) async fn begin(upgrade: OnUpgrade, session: Arc<Session>, pace: Pace) {
    if let Some((socket, link)) = accept(upgrade, &session).await {
        session.outbox().open(link.clone());
        converse(socket, link, &session, session.pulse(pace)).await;
    }
    session.end();
}

/// Takes a session over from its polls, when the client says so in time; the session's pulse goes on where it is. Another
/// websocket than its first is closed.
pub(super) async fn take_over(upgrade: OnUpgrade, session: Arc<Session>) {
    let Some((mut socket, link)) = accept(upgrade, &session).await else {
        return;
    };
    let taken = tokio::select! {
        taken = timeout(UPGRADING, probe(&mut socket, &link, &session)) => taken == Ok(Ok(())),
        () = link.drain() => false,
        () = session.over() => false,
    };
    if taken {
        converse(socket, link, &session, pending()).await;
    } else {
        farewell(socket).await;
    }
}

/// Until either side has enough, or `pulse` ends.
async fn converse(
    mut socket: Socket,
    link: Link,
    session: &Session,
    pulse: impl Future<Output = ()>,
) {
    tokio::select! {
        () = listen_to(&mut socket, session) => {}
        () = link.drain() => {}
        () = pulse => {}
        () = session.over() => {}
    }
    session.end();
    // Behind what a slow client has not taken nothing arrives any more.
    if link.waiting() == 0 {
        farewell(socket).await;
    }
}

/// The connection, once it has been told that it is a websocket.
async fn accept(upgrade: OnUpgrade, session: &Session) -> Option<(Socket, Link)> {
    let upgraded = tokio::select! {
        upgraded = upgrade => upgraded.ok()?,
        () = session.over() => return None,
    };
    let (stream, early) = listen::reclaim(upgraded)?;
    // With more, a client that reads steadily but slowly would seem to read nothing for long, and be asked late whether it
    // is there. It works without as well.
    let _ = SockRef::from(&stream).set_send_buffer_size(UNDERWAY);
    let (reading, writing) = stream.into_split();
    let link = Link::new(writing);
    let reading = Cursor::new(early).chain(reading);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_message_size(Some(INCOMING))
        .max_frame_size(Some(INCOMING));
    let both = join(reading, Replies(link.clone()));
    let socket = WebSocketStream::from_raw_socket(both, Role::Server, Some(config)).await;
    Some((socket, link))
}

/// The client asks whether the way works, and then goes it.
async fn probe(socket: &mut Socket, link: &Link, session: &Session) -> Result<(), Broken> {
    if !session.is_polled() {
        return Err(Broken);
    }
    expect(socket, "2probe").await?;
    let probe = session.probe()?;
    link.send(Frames::text("3probe")).map_err(|_| Broken)?;
    expect(socket, "5").await?;
    probe.keep(link.clone());
    Ok(())
}

async fn expect(socket: &mut Socket, packet: &str) -> Result<(), Broken> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) if text == packet => return Ok(()),
            // Either side may send these at any time (RFC 6455, 5.5).
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return Err(Broken),
        }
    }
}

/// Until the client has gone, or must go.
async fn listen_to(socket: &mut Socket, session: &Session) {
    while let Some(Ok(message)) = socket.next().await {
        let taken = match message {
            Message::Text(text) => session.receive(&text),
            Message::Binary(_) => session.receive_binary(),
            // The library answers these.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        };
        if taken.is_err() {
            return;
        }
    }
}

/// Asks the client to close, and gives it time to: what it has not read yet would be lost with the connection.
async fn farewell(mut socket: Socket) {
    // One that is gone already hears nothing, and does not matter.
    let _ = socket.close(None).await;
    let parting = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = timeout(PARTING, parting).await;
}
