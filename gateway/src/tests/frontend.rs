//! One origin: what is passed to the project's own frontend, what of it is ours to say, and what a browser sees while
//! there is nobody to pass it to.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
};
use futures_util::stream;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Harness, as_user,
    fake_runner::endpoint,
    functions::{echo, upgrading},
    sockets::{listen, mirror, read_until},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// With a frontend that listens there.
async fn with_frontend(address: &str) -> Harness {
    Harness::with(|config| {
        config.has_frontend = true;
        config.frontend_url = format!("http://{address}");
    })
    .await
}

/// An address where nobody listens as long as the socket is kept.
fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[tokio::test]
async fn every_path_that_is_not_ours_is_passed() {
    let harness = with_frontend(&echo().await).await;
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", "127.0.0.1:1", 1)]);
    for (line, passed) in [
        ("GET /", true),
        ("GET /src/App.jsx?t=1", true),
        ("POST /@vite/x", true),
        ("DELETE /a%20b//c", true),
        ("GET /functions", true),
        ("GET /functions/mine", true),
        ("GET /login/other", true),
        ("GET /apis", true),
        ("GET /login", false),
        ("GET /functions/f", false),
        ("GET /media/missing.png", false),
        ("GET /media/a/b", false),
        ("GET /api", false),
        ("GET /api/unknown", false),
        ("GET /api/functions/mine", false),
        ("GET /api/apps/app-1/entities/Missing", false),
        ("GET /ws-user-apps/other", false),
    ] {
        let answer = harness.call(line, &[], "").await;
        let (method, path) = line.split_once(' ').unwrap();
        let seen = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        let seen = (&seen["request"]["method"], &seen["request"]["url"]);
        let is_passed = seen == (&json!(method), &json!(path));
        assert_eq!(is_passed, passed, "{line}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_frontend_hears_from_us_who_and_where_we_are() {
    let address = echo().await;
    let harness = with_frontend(&address).await;
    let user = as_user("a@b.c");
    let sent = [
        user.as_str(),
        "base44-app-id: spoofed",
        "base44-api-url: http://evil.example",
        "base44-service-authorization: Bearer spoofed",
        "base44-state: s",
        "base44-functions-version: v",
        "x-base44-app-url: http://evil.example",
        "x-data-env: prod",
        "cookie: a=b",
        "connection: keep-alive, x-hop",
        "x-hop: 1",
        "x-request-id: r-1",
    ];
    let answer = harness.call("POST /form", &sent, "a=b").await;
    let seen = answer.json()["request"]["headers"].clone();
    let expected = json!({
        "authorization": user.split_once(": ").unwrap().1,
        "cookie": "a=b",
        "base44-app-id": "app-1",
        "base44-api-url": "http://localhost:4400",
        "base44-dev-forwarded": "1",
        "content-length": "3",
        "host": "localhost:4400",
        "x-request-id": "r-1",
    });
    assert_eq!(seen, expected);
    assert_eq!(
        (answer.json()["body"].as_str(), answer.header("x-mine")),
        (Some("a=b"), "yes")
    );

    let tunnel = ["host: tunnel.example", "x-forwarded-proto: https"];
    let answer = harness.call("GET /", &tunnel, "").await;
    let seen = answer.json()["request"]["headers"].clone();
    assert_eq!(seen["host"], json!(address));
    assert_eq!(seen["x-forwarded-host"], "tunnel.example");
    assert_eq!(seen["base44-api-url"], "https://tunnel.example");
}

#[tokio::test]
async fn what_was_passed_on_once_and_came_back_is_a_loop() {
    let harness = with_frontend(&echo().await).await;
    let answer = harness
        .call("GET /", &["base44-dev-forwarded: 1"], "")
        .await;
    assert_eq!(answer.status, 508);
    assert_eq!(answer.json()["error_type"], "LoopDetected");
    assert!(answer.json()["hint"].as_str().unwrap().contains("`/api`"));
}

#[tokio::test]
async fn a_request_waits_for_a_frontend_that_is_on_its_way_and_follows_one_that_moves() {
    let harness = Harness::with(|config| config.has_frontend = true).await;
    let early = {
        let router = harness.router.clone();
        let request = super::request("GET /early", &[], "");
        tokio::spawn(tower::ServiceExt::oneshot(router, request))
    };
    for path in ["/early", "/late"] {
        let mut config = harness.config.clone();
        config.frontend_url = format!("http://{}", echo().await);
        harness.state.configure(config).unwrap();
        assert_eq!(harness.get(path).await.json()["request"]["url"], path);
    }
    let early = timeout(PATIENCE, early).await.unwrap().unwrap().unwrap();
    assert_eq!(early.status(), 200);
}

#[tokio::test]
async fn a_frontend_that_is_down_is_an_error_that_a_browser_asks_about_again() {
    let (_nobody, gone) = nobody();
    let harness = with_frontend(&gone).await;
    let answer = harness.call("POST /x", &["accept: */*"], "{}").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("refresh"), "");
    let message = format!("The frontend at http://{gone} does not answer");
    assert_eq!(answer.json()["message"], message);
    let page = ["accept: text/html,application/xhtml+xml"];
    let answer = harness.call("GET /x", &page, "").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("refresh"), "2");

    let mut config = harness.config.clone();
    config.frontend_url = format!("https://{gone}");
    harness.state.configure(config).unwrap();
    let answer = harness.get("/").await;
    assert_eq!(answer.status, 502);
    assert!(answer.json()["message"].as_str().unwrap().contains("HTTPS"));
}

#[tokio::test]
async fn a_page_is_asked_for_again_when_its_connection_went_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let harness = with_frontend(&listener.local_addr().unwrap().to_string()).await;
    let serving = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let _ = first.read(&mut [0; 1024]).await.unwrap();
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        let _ = second.read(&mut [0; 1024]).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        second.write_all(answer).await.unwrap();
    });
    assert_eq!(harness.get("/").await.text(), "ok");
    serving.await.unwrap();
}

#[tokio::test]
async fn pieces_pass_both_ways_as_they_come_whatever_their_sum() {
    let (sender, mut gone) = mpsc::channel(1);
    let app = Router::new().fallback(mirror).with_state(sender);
    let stop = CancellationToken::new();
    let (address, _) = listen(app, &stop).await;
    let harness = with_frontend(&address.to_string()).await;
    let piece = Bytes::from(vec![b'x'; 1024 * 1024]);
    let pieces = std::iter::repeat_n(piece, 64);
    let pieces = stream::iter(pieces.map(Ok::<_, std::io::Error>));
    let request = Request::post("/upload").header("host", "localhost");
    let request = request.body(Body::from_stream(pieces)).unwrap();
    let answer = tower::ServiceExt::oneshot(harness.router.clone(), request)
        .await
        .unwrap();
    let mut body = answer.into_body();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!(read, 64 * 1024 * 1024);
    timeout(PATIENCE, gone.recv()).await.unwrap();

    let (address, _) = listen(harness.router.clone(), &stop).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = "POST /events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut client, "one").await;
    drop(client);
    let told = timeout(PATIENCE, gone.recv()).await;
    assert!(
        told.is_ok(),
        "the frontend was not told that its caller is gone"
    );
}

#[tokio::test]
async fn an_upgraded_connection_is_joined_with_the_frontends() {
    let harness = with_frontend(&upgrading().await).await;
    let stop = CancellationToken::new();
    let (address, _) = listen(harness.router.clone(), &stop).await;
    let upgrade = |more: &str| {
        format!(
            "GET /?token=x HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: echo\r\n{more}\r\n"
        )
    };
    let mut foreign = TcpStream::connect(address).await.unwrap();
    let head = upgrade("origin: https://evil.example\r\n");
    foreign.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut foreign, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");

    let mut client = TcpStream::connect(address).await.unwrap();
    let head = upgrade("origin: http://localhost:4400\r\nsec-websocket-protocol: vite-hmr\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    client.write_all(b"ping").await.unwrap();
    read_until(&mut client, "ping").await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_the_old_one_stays() {
    let harness = with_frontend(&echo().await).await;
    for url in ["localhost:5173", "ftp://localhost:1", "/"] {
        let mut config = harness.config.clone();
        config.frontend_url = url.to_owned();
        assert!(harness.state.configure(config).is_err(), "{url}");
    }
    assert_eq!(harness.get("/x").await.status, 200);
}
