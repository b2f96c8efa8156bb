//! A platform that is down, leads back here, breaks off or answers garbage; and bodies that take their time, in both
//! directions.

use futures_util::StreamExt as _;
use reqwest::Method;
use tests::{
    http::{self, Answer, Nobody},
    launch::free_port,
    upstream::Upstream,
    wait::PATIENCE,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;

use super::{linked, project};
use crate::TASKS;

const AGENTS: &str = "/api/apps/app-1/agents";

#[tokio::test]
async fn a_project_that_is_not_linked_says_how_to_link_it() {
    let project = tests::project::Project::new().with_tasks();
    let server = linked(&project, "http://127.0.0.1:9").start().await;
    for path in [
        "/api/apps/local/agents",
        "/api/apps/auth/login?provider=google",
    ] {
        let answer = server.get(path).await;
        assert_error(&answer, 502, "to link it, write");
        assert!(answer.text.contains("base44/.app.jsonc"), "{answer:?}");
    }
}

/// The one shape of an error, with this status.
fn assert_error(answer: &Answer, status: u16, part: &str) {
    let error = answer.expect(status);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(part), "{message}");
    assert_eq!(
        (&error["detail"], &error["error"]),
        (&error["message"], &error["message"])
    );
    assert_eq!(error["traceback"], "");
}

#[tokio::test]
async fn a_platform_that_is_down_is_a_bad_gateway_and_all_else_goes_on() {
    let nobody = Nobody::home();
    let url = format!("http://{}", nobody.address());
    let project = project();
    let server = linked(&project, &url).start().await;
    assert_error(&server.get(AGENTS).await, 502, "could not be reached");
    assert_eq!(server.get(TASKS).await.status, 200);
    // A token of the platform cannot be vouched for now; elsewhere than here its bearer is nobody.
    let stranger = server
        .request(Method::GET, TASKS)
        .bearer_auth(tests::upstream::VISITOR_TOKEN);
    assert_eq!(Answer::to(stranger).await.text, "[]");
}

#[tokio::test]
async fn a_platform_that_is_this_very_server_is_noticed() {
    let port = free_port();
    let project = project();
    let server = linked(&project, &format!("http://localhost:{port}"))
        .port(port)
        .start()
        .await;
    assert_error(&server.get(AGENTS).await, 508, "leads back to this server");
}

/// Answers each connection with these bytes after the head of its request, and closes it.
async fn raw(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    url
}

#[tokio::test]
async fn garbage_is_a_bad_gateway_and_half_an_answer_is_not_taken_for_a_whole() {
    let url = raw(b"\x16\x03\x01 not HTTP at all").await;
    let project = project();
    let server = linked(&project, &url).start().await;
    assert_error(&server.get(AGENTS).await, 502, "gave no usable answer");
    drop(server);

    let url = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning").await;
    let server = linked(&project, &url).start().await;
    let broken = Answer::try_to(server.request(Method::GET, AGENTS)).await;
    assert!(broken.is_err(), "{broken:?}");
    server.says("broke off").await;
    assert_eq!(server.get(TASKS).await.status, 200);
}

#[tokio::test]
async fn a_silent_platform_holds_up_neither_other_calls_nor_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let project = project();
    let mut server = linked(&project, &url).start().await;
    let waiting = tokio::spawn(Answer::try_to(server.request(Method::GET, AGENTS)));
    let (_silent, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    for _ in 0..10 {
        assert_eq!(server.get(TASKS).await.status, 200);
    }
    assert_eq!(server.interrupt().await, 0);
    assert!(timeout(PATIENCE, waiting).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn bodies_are_streamed_in_both_directions() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let (sender, receiver) = mpsc::channel::<Result<&'static str, std::io::Error>>(1);
    let request = http::client()
        .post(format!("{}{AGENTS}/echo", server.url()))
        .body(reqwest::Body::wrap_stream(ReceiverStream::new(receiver)));
    sender.send(Ok("one")).await.unwrap();
    // The answer begins before the request has ended, and every piece comes back before the next is sent.
    let answer = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
    let mut pieces = answer.bytes_stream();
    let mut next = async || timeout(PATIENCE, pieces.next()).await.unwrap();
    assert_eq!(next().await.unwrap().unwrap(), "one");
    for piece in ["two", "three"] {
        sender.send(Ok(piece)).await.unwrap();
        assert_eq!(next().await.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert!(next().await.is_none());
}
