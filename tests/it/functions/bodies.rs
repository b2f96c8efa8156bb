//! What passes between a caller and a function: piece by piece in both directions, of any size, or as a socket.

use futures_util::StreamExt as _;
use reqwest::{Body, Method};
use serde_json::json;
use tests::{http::Answer, server::Server, wait::PATIENCE};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use super::with_functions;

/// Sends one chunk, and the second only when somebody calls `…/go`.
const TWO_CHUNKS: &str = r#"
    const { promise, resolve } = Promise.withResolvers();
    Deno.serve((request) => {
      if (request.url.endsWith("/go")) {
        resolve();
        return new Response("going");
      }
      const encoder = new TextEncoder();
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(encoder.encode("one"));
          await promise;
          controller.enqueue(encoder.encode("two"));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
"#;

/// Sends every chunk back as it comes.
const MIRROR: &str = "Deno.serve((request) => new Response(request.body));";

async fn next_text(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<impl AsRef<[u8]>>> + Unpin),
) -> String {
    let chunk = stream
        .next()
        .await
        .expect("the answer goes on")
        .expect("the answer does not break off");
    String::from_utf8(chunk.as_ref().to_vec()).expect("text")
}

#[tokio::test]
async fn an_answer_arrives_chunk_by_chunk() {
    let Some((_project, server)) = with_functions(&[("two", TWO_CHUNKS)]).await else {
        return;
    };
    let response = server
        .request(Method::GET, "/functions/two")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut chunks = response.bytes_stream();
    assert_eq!(next_text(&mut chunks).await, "one");
    assert_eq!(server.get("/functions/two/go").await.text, "going");
    assert_eq!(next_text(&mut chunks).await, "two");
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn a_request_arrives_chunk_by_chunk() {
    let Some((_project, server)) = with_functions(&[("mirror", MIRROR)]).await else {
        return;
    };
    let (sender, receiver) = mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    sender.send(Ok("one")).await.unwrap();
    let request = server
        .request(Method::POST, "/functions/mirror")
        .body(Body::wrap_stream(body));
    let mut chunks = request.send().await.unwrap().bytes_stream();
    assert_eq!(next_text(&mut chunks).await, "one");
    sender.send(Ok("two")).await.unwrap();
    assert_eq!(next_text(&mut chunks).await, "two");
    drop(sender);
    assert!(chunks.next().await.is_none());
}

/// Counts what it is sent, without keeping it.
const COUNT: &str = r#"
    Deno.serve(async (request) => {
      let bytes = 0;
      for await (const chunk of request.body) bytes += chunk.length;
      return Response.json({ bytes, announced: request.headers.get("content-length") });
    });
"#;

#[tokio::test]
async fn a_body_of_fifty_megabytes_arrives_whole() {
    let Some((_project, server)) = with_functions(&[("count", COUNT), ("mirror", MIRROR)]).await
    else {
        return;
    };
    let size = 50 * 1024 * 1024;
    let body = vec![7_u8; size];
    let request = server.request(Method::POST, "/api/functions/count");
    let seen = Answer::to(request.body(body.clone())).await.expect(200);
    assert_eq!(
        seen,
        json!({ "bytes": size, "announced": size.to_string() })
    );
    let request = server.request(Method::POST, "/api/functions/mirror");
    let answer = request.body(body.clone()).send().await.unwrap();
    assert!(answer.bytes().await.unwrap() == body);
}

#[tokio::test]
async fn a_caller_who_goes_away_aborts_the_request() {
    let source = r#"
        Deno.serve((request) => {
          request.signal.addEventListener("abort", () => console.log("it was aborted"));
          if (request.url.endsWith("/answering")) return new Response(new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
            cancel: () => console.log("it was cancelled"),
          }));
          console.log("it began");
          return new Promise(() => {});
        });
    "#;
    let Some((_project, server)) = with_functions(&[("waits", source)]).await else {
        return;
    };
    let call = tokio::spawn(server.request(Method::GET, "/functions/waits").send());
    server.says("it began").await;
    call.abort();
    server.says("it was aborted").await;

    let request = server.request(Method::GET, "/functions/waits/answering");
    let mut chunks = request.send().await.unwrap().bytes_stream();
    assert_eq!(next_text(&mut chunks).await, "first");
    drop(chunks);
    server.says("it was cancelled").await;
}

#[tokio::test]
async fn a_function_that_grants_origins_itself_is_not_doubled_and_preflights_are_answered_here() {
    let functions = [
        (
            "open",
            "Deno.serve(() => new Response('', { headers: { 'access-control-allow-origin': '*' } }));",
        ),
        (
            "silent",
            "Deno.serve((r) => { console.log('called by', r.method); return new Response(); });",
        ),
    ];
    let Some((_project, server)) = with_functions(&functions).await else {
        return;
    };
    let page = "http://localhost:5173";
    let call = async |method, path: &str| {
        let request = server
            .request(method, path)
            .header("origin", page)
            .header("access-control-request-method", "PUT");
        let answer = Answer::to(request).await;
        let grants = answer.headers.get_all("access-control-allow-origin");
        let grants: Vec<_> = grants
            .iter()
            .map(|grant| grant.to_str().unwrap().to_owned())
            .collect();
        (answer.status, grants)
    };
    let own = (200, vec!["*".to_owned()]);
    assert_eq!(call(Method::GET, "/functions/open").await, own);
    let preflight = (204, vec![page.to_owned()]);
    assert_eq!(call(Method::OPTIONS, "/functions/silent").await, preflight);
    let ours = (200, vec![page.to_owned()]);
    assert_eq!(call(Method::PUT, "/functions/silent").await, ours);
    server.says("called by PUT").await;
    assert!(!server.output().says("called by OPTIONS"));
    // Without an origin it is no preflight, and the function's business.
    assert_eq!(
        Answer::to(server.request(Method::OPTIONS, "/functions/silent"))
            .await
            .status,
        200
    );
    server.says("called by OPTIONS").await;
}

/// Asks for a socket, and returns it with everything up to the end of the answer's head read.
async fn socket(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        answer.push(byte.unwrap().unwrap());
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    // As the protocol's own example has it.
    assert!(
        answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{answer}"
    );
    stream
}

async fn frame(stream: &mut TcpStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    let read = timeout(PATIENCE, stream.read_exact(&mut got)).await;
    read.expect("a frame in time").unwrap();
    assert_eq!(got, expected);
}

#[tokio::test]
async fn a_socket_is_passed_through_and_told_when_the_function_is_saved() {
    let source = r#"
        Deno.serve((request) => {
          const { socket, response } = Deno.upgradeWebSocket(request);
          socket.onmessage = ({ data }) => socket.send(`${data}!`);
          return response;
        });
    "#;
    let Some((project, server)) = with_functions(&[("talk", source)]).await else {
        return;
    };
    let mut stream = socket(&server, "/api/functions/talk").await;
    // "hi" in a frame whose mask is zero, and the answer in one without.
    stream.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    frame(&mut stream, b"\x81\x03hi!").await;
    project.save(
        "base44/functions/talk/entry.ts",
        "Deno.serve(() => new Response('saved'));",
    );
    // A close frame; the rest of it says why.
    frame(&mut stream, b"\x88").await;
}
