//! Over real sockets: streaming both ways, broken-off calls, upgrades, the drain.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Harness, fake_runner::endpoint, functions};
use crate::{Args, listen::Listeners};

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

pub(super) async fn listen(
    router: Router,
    stop: &CancellationToken,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let line = <Line as clap::Parser>::parse_from(["gateway"]);
    let listeners = Listeners::bind(&line.args).await.unwrap();
    let address = listeners.address();
    (address, tokio::spawn(listeners.serve(router, stop.clone())))
}

/// Says back every piece of the request as it comes, and reports when its caller is gone.
pub(super) async fn mirror(State(gone): State<mpsc::Sender<()>>, request: Request) -> Response {
    struct Report(mpsc::Sender<()>);
    impl Drop for Report {
        fn drop(&mut self) {
            let _ = self.0.try_send(());
        }
    }
    let report = Report(gone);
    let pieces = request.into_body().into_data_stream().map(move |piece| {
        let _held = &report;
        piece
    });
    Response::new(Body::from_stream(pieces))
}

struct Mirror {
    harness: Harness,
    gone: mpsc::Receiver<()>,
}

async fn mirrored() -> Mirror {
    let (sender, gone) = mpsc::channel(1);
    let app = Router::new().fallback(mirror).with_state(sender);
    let stop = CancellationToken::new();
    let (address, _) = listen(app, &stop).await;
    let harness = Harness::new().await;
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", &address.to_string(), 1)]);
    Mirror { harness, gone }
}

pub(super) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(end) {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
        let read = read
            .unwrap_or_else(|_| panic!("no {end:?} after {text:?}"))
            .unwrap();
        assert!(read > 0, "closed before {end:?}: {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

#[tokio::test]
async fn pieces_pass_both_ways_as_they_come_and_an_abort_reaches_the_function() {
    let mut mirror = mirrored().await;
    let stop = CancellationToken::new();
    let (address, _) = listen(mirror.harness.router.clone(), &stop).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head =
        "POST /functions/f HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(b"3\r\none\r\n").await.unwrap();
    let answer = read_until(&mut client, "one").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    client.write_all(b"3\r\ntwo\r\n").await.unwrap();
    read_until(&mut client, "two").await;

    drop(client);
    let gone = timeout(PATIENCE, mirror.gone.recv()).await;
    assert!(
        gone.is_ok(),
        "the function was not told that its caller is gone"
    );
}

#[tokio::test]
async fn an_upgraded_connection_is_left_alone() {
    let harness = functions::with_upgrade().await;
    let stop = CancellationToken::new();
    let (address, _) = listen(harness.router.clone(), &stop).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = "GET /functions/f HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.contains("connection: upgrade\r\n"), "{answer}");
    assert!(answer.contains("upgrade: echo\r\n"), "{answer}");
    client.write_all(b"ping").await.unwrap();
    read_until(&mut client, "ping").await;
}

/// Browsers let every page open a websocket anywhere, and ask nobody.
#[tokio::test]
async fn an_upgrade_for_a_page_of_a_foreign_origin_is_refused() {
    let harness = functions::with_upgrade().await;
    let stop = CancellationToken::new();
    let (address, _) = listen(harness.router.clone(), &stop).await;
    let cases = [
        ("/functions/f", "https://evil.example", "403"),
        ("/functions/f", "null", "403"),
        ("/api/functions/f", "https://evil.example", "403"),
        ("/api/apps/a/functions/f", "https://evil.example", "403"),
        // The one connection that the function takes.
        ("/functions/f", "http://localhost:5173", "101"),
    ];
    for (path, origin, status) in cases {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: echo\r\n\
             origin: {origin}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let answer = read_until(&mut client, "\r\n\r\n").await;
        let expected = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&expected), "{path} {origin}: {answer}");
    }
}

/// The sender would see a broken pipe instead of the answer.
#[tokio::test]
async fn a_body_that_nobody_reads_is_taken_to_its_end() {
    let harness = Harness::new().await;
    let stop = CancellationToken::new();
    let (address, _) = listen(harness.router.clone(), &stop).await;
    let body = vec![b'x'; 4 * 1024 * 1024];
    let paths = [
        ("functions/nobody", "404"),
        ("entities/Task/5", "405"),
        ("entities/User/import", "401"),
    ];
    for (path, status) in paths {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /api/apps/a/{path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\
             content-type: multipart/form-data; boundary=b\r\n\r\n",
            body.len()
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let answer = read_until(&mut client, "\r\n\r\n").await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        client.write_all(&body).await.unwrap();
        // The connection is good for another request.
        let next = b"GET /api/apps/a/none HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        client.write_all(next).await.unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains("HTTP/1.1 "), "{path}: {rest}");
    }
}

#[tokio::test]
async fn a_drain_waits_for_open_requests_and_takes_no_new_ones() {
    let mirror = mirrored().await;
    let stop = CancellationToken::new();
    let (address, served) = listen(mirror.harness.router.clone(), &stop).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = "POST /functions/f HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut client, "one").await;

    stop.cancel();
    client.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut client, "two").await;
    timeout(PATIENCE, served).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Whether its length is known or not.
#[tokio::test]
async fn the_log_has_an_entry_when_a_streamed_answer_ends() {
    for length in [None, Some("1")] {
        logged(length).await;
    }
}

async fn logged(length: Option<&'static str>) {
    let app = Router::new().fallback(async move |request: Request| {
        let mut response = Response::new(request.into_body());
        if let Some(length) = length {
            let length = HeaderValue::from_static(length);
            response.headers_mut().insert("content-length", length);
        }
        response
    });
    let (address, _) = listen(app, &CancellationToken::new()).await;
    let harness = Harness::new().await;
    let endpoints = vec![endpoint("f", &address.to_string(), 1)];
    harness.runner.publish(&["f"], endpoints);
    let mut entries = harness.state.traffic().subscribe();
    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
    let request = http::Request::post("/functions/f")
        .header("host", "localhost")
        .body(Body::from_stream(pieces))
        .unwrap();
    let router = harness.router.clone();
    let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert!(entries.try_recv().is_err());
    assert_eq!(harness.state.traffic().in_flight(), 1);
    answer.into_body().collect().await.unwrap();
    let entry = entries.try_recv().unwrap();
    assert_eq!((entry.status, entry.function.as_str()), (200, "f"));
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str()),
        ("POST", "/functions/f")
    );
    assert_eq!(harness.state.traffic().in_flight(), 0);
}

#[tokio::test]
async fn a_busy_port_is_skipped_when_that_is_allowed() {
    let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let line = <Line as clap::Parser>::parse_from([
        "gateway",
        "--http-port",
        &port,
        "--http-port-fallback",
    ]);
    let listeners = Listeners::bind(&line.args).await.unwrap();
    assert_ne!(listeners.address().port().to_string(), port);
    let strict = <Line as clap::Parser>::parse_from(["gateway", "--http-port", &port]);
    let failure = Listeners::bind(&strict.args).await.unwrap_err();
    assert!(failure.message().contains(&port), "{failure:?}");
}
