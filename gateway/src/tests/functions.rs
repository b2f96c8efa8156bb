//! Functions: which one is called, what it sees, and what happens when it is not there.

use axum::{Json, Router, extract::Request, http::HeaderMap, routing::get};
use proto::{Code, Failure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Harness, as_service, as_user, fake_runner::endpoint};
use crate::session::{Identity, Keys};

/// A function or a frontend that answers with what it was sent.
pub(super) async fn echo() -> String {
    let app = Router::new().fallback(async |request: Request| {
        let headers = |headers: &HeaderMap| {
            let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
                (name.to_string(), Value::from(value.to_str().unwrap()))
            };
            headers.iter().map(pair).collect::<serde_json::Map<_, _>>()
        };
        let answer = json!({
            "method": request.method().as_str(),
            "url": request.uri().to_string(),
            "headers": headers(request.headers()),
        });
        let body = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let extra = [
            ("x-mine", "yes"),
            ("access-control-allow-origin", "https://own.example"),
        ];
        (extra, Json(json!({"request": answer, "body": text})))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { serve_http(listener, app).await });
    address
}

/// One connection at a time is enough for a fake.
pub(super) async fn serve_http(listener: TcpListener, app: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let app = app.clone();
        let service = hyper::service::service_fn(move |request| {
            tower::Service::call(&mut app.clone(), request)
        });
        let io = hyper_util::rt::TokioIo::new(stream);
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
    }
}

/// A function that takes `requests` connections, reads from each and goes away without a word.
async fn dying() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    address
}

async fn echoing(functions: &[&str]) -> Harness {
    let harness = Harness::new().await;
    let address = echo().await;
    let up = functions
        .iter()
        .map(|name| endpoint(name, &address, 1))
        .collect();
    harness.runner.publish(functions, up);
    harness
}

#[tokio::test]
async fn a_function_is_found_under_all_three_roots() {
    let harness = echoing(&["email", "email/send", "a b"]).await;
    let cases = [
        ("POST /api/apps/x/functions/email", "POST", "/email"),
        (
            "GET /api/apps/x/functions/email/send?a=%20b",
            "GET",
            "/email/send?a=%20b",
        ),
        (
            "PUT /api/apps/x/functions/email%2Fsend",
            "PUT",
            "/email/send",
        ),
        (
            "DELETE /api/functions/email/tail/%2F",
            "DELETE",
            "/email/tail/%2F",
        ),
        ("PATCH /functions/email/send/", "PATCH", "/email/send/"),
        ("OPTIONS /functions/a%20b", "OPTIONS", "/a%20b"),
    ];
    for (line, method, url) in cases {
        let answer = harness.call(line, &[], "").await;
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
        let request = &answer.json()["request"];
        assert_eq!(
            (&request["method"], &request["url"]),
            (&json!(method), &json!(url)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_function_sees_who_calls_and_where_we_are() {
    let harness = echoing(&["f"]).await;
    let user = as_user("a@b.c");
    let spoofed = [
        user.as_str(),
        "base44-app-id: spoofed",
        "base44-api-url: http://evil.example",
        "base44-service-authorization: Bearer spoofed",
        "x-data-env: dev",
        "connection: keep-alive, x-hop",
        "x-hop: 1",
    ];
    let answer = harness
        .call("POST /api/apps/x/functions/f", &spoofed, r#"{"a":1}"#)
        .await;
    let json = answer.json();
    assert_eq!(json["body"], r#"{"a":1}"#);
    let seen = &json["request"]["headers"];
    assert_eq!(seen["base44-app-id"], "app-1");
    assert_eq!(seen["base44-api-url"], "http://localhost:4400");
    assert_eq!(seen["x-data-env"], "dev");
    assert_eq!(seen["authorization"], user.split_once(": ").unwrap().1);
    assert!(seen["x-hop"].is_null() && seen["connection"].is_null());
    assert_eq!(seen["content-length"], "7");
    let service = seen["base44-service-authorization"].as_str().unwrap();
    let identity = Keys::new(&super::KEY).verify(service.strip_prefix("Bearer ").unwrap());
    let on_behalf_of = Some("a@b.c".to_owned());
    assert_eq!(identity, Ok(Identity::Service { on_behalf_of }));
}

#[tokio::test]
async fn addresses_and_ids_follow_the_caller() {
    let harness = echoing(&["f"]).await;
    let cases = [
        (vec!["x-app-id: other"], "base44-app-id", json!("other")),
        (
            vec!["host: 127.0.0.1:9"],
            "base44-api-url",
            json!("http://127.0.0.1:4400"),
        ),
        (
            vec!["host: tunnel.example:8443"],
            "base44-api-url",
            json!("http://tunnel.example:8443"),
        ),
        (
            vec!["host: tunnel.example", "x-forwarded-proto: https"],
            "base44-api-url",
            json!("https://tunnel.example"),
        ),
        (vec!["authorization: "], "authorization", Value::Null),
        (
            vec!["authorization: Bearer foreign"],
            "authorization",
            json!("Bearer foreign"),
        ),
        (vec![], "authorization", Value::Null),
    ];
    for (headers, name, expected) in cases {
        let answer = harness.call("GET /functions/f", &headers, "").await;
        let json = answer.json();
        let seen = &json["request"]["headers"];
        assert_eq!(seen[name], expected, "{headers:?}");
        assert!(seen["base44-service-authorization"].is_string());
    }
    let token = as_service();
    let answer = harness.call("GET /functions/f", &[&token], "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_answer_passes_as_it_is() {
    let harness = echoing(&["f"]).await;
    let origin = ["origin: http://localhost:5173"];
    let answer = harness.call("POST /functions/f", &origin, "{}").await;
    assert_eq!(answer.header("x-mine"), "yes");
    let granted: Vec<_> = answer
        .headers
        .get_all("access-control-allow-origin")
        .iter()
        .collect();
    assert_eq!(granted, ["https://own.example"]);
}

#[tokio::test]
async fn a_function_that_is_not_up_is_started() {
    let harness = Harness::new().await;
    harness.runner.publish(&["f"], vec![]);
    harness.runner.start(Ok(endpoint("f", &echo().await, 4)));
    let answer = harness.call("POST /api/functions/f", &[], "{}").await;
    assert_eq!(answer.status, 200);
    assert_eq!(harness.runner.acquired(), [("f".to_owned(), 0)]);
}

#[tokio::test]
async fn why_a_function_does_not_run_reaches_the_caller() {
    let cases = [
        (Code::FunctionFailed, 500),
        (Code::Timeout, 504),
        (Code::Unavailable, 503),
    ];
    for (code, status) in cases {
        let harness = Harness::new().await;
        harness.runner.publish(&["f"], vec![]);
        harness
            .runner
            .start(Err(Failure::new(code, "why").with_hint("install it")));
        let answer = harness.call("POST /functions/f", &[], "{}").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["message"], "why");
        assert_eq!(answer.json()["hint"], "install it");
    }
}

#[tokio::test]
async fn an_unknown_function_is_not_found() {
    let harness = echoing(&["f"]).await;
    let cases = [
        ("POST /api/apps/x/functions/g", "Function \"g\" not found"),
        ("POST /api/functions/g/h", "Function \"g/h\" not found"),
        ("GET /functions/g", "Nothing is served at GET /functions/g"),
    ];
    for (line, message) in cases {
        let answer = harness.call(line, &[], "").await;
        assert_eq!(answer.status, 404, "{line}");
        assert_eq!(answer.json()["message"], message, "{line}");
    }
}

#[tokio::test]
async fn a_dead_process_is_replaced_once_when_nothing_was_sent() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let harness = Harness::new().await;
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", &gone, 7)]);
    harness.runner.start(Ok(endpoint("f", &echo().await, 8)));
    // An empty table first: the watch may not have brought this one yet.
    let answer = harness.call("POST /functions/f", &[], r#"{"a":1}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["body"], r#"{"a":1}"#);
}

#[tokio::test]
async fn a_call_that_a_process_died_with_is_made_again_only_if_it_changes_nothing() {
    for (line, body, is_repeated) in [
        ("GET /functions/f", "", true),
        ("HEAD /functions/f", "", true),
        ("OPTIONS /functions/f", "", true),
        ("GET /functions/f", "body", false),
        ("POST /functions/f", r#"{"a":1}"#, false),
        ("POST /functions/f", "", false),
        ("PUT /functions/f", "", false),
        ("DELETE /functions/f", "", false),
    ] {
        let harness = Harness::new().await;
        let (dying, other) = (dying().await, echo().await);
        harness
            .runner
            .publish(&["f"], vec![endpoint("f", &dying, 7)]);
        harness.runner.start(Ok(endpoint("f", &other, 8)));
        harness.knows("f", 7).await;
        let answer = harness.call(line, &[], body).await;
        if is_repeated {
            assert_eq!(answer.status, 200, "{line}: {}", answer.text());
            assert_eq!(harness.runner.acquired(), [("f".to_owned(), 7)], "{line}");
        } else {
            assert_eq!(answer.status, 502, "{line}: {}", answer.text());
            let json = answer.json();
            assert_eq!(json["error"], "Failed to proxy request to function");
            assert!(json["details"].is_string());
            assert_eq!(harness.runner.acquired(), [], "{line}");
        }
    }
}

#[tokio::test]
async fn a_call_that_a_process_died_with_is_not_made_again_because_there_is_a_newer_one() {
    let harness = Harness::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", &address, 7)]);
    harness.knows("f", 7).await;
    let old = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let newer = endpoint("f", &echo().await, 8);
        harness.runner.publish(&["f"], vec![newer]);
        harness.knows("f", 8).await;
    };
    let (answer, ()) = tokio::join!(harness.call("POST /functions/f", &[], "{}"), old);
    assert_eq!(answer.status, 502, "{}", answer.text());
}

#[tokio::test]
async fn an_upload_over_the_limit_never_starts_a_function() {
    let harness = Harness::new().await;
    harness.runner.publish(&["f"], vec![]);
    let body = axum::body::Body::from(vec![0; 52 * 1024 * 1024]);
    let request = Request::post("/functions/f")
        .header("host", "localhost")
        .body(body);
    let answer = harness.send(request.unwrap()).await;
    assert_eq!(answer.status, 413);
    assert!(harness.runner.acquired().is_empty());
}

/// Long work is fine once an answer has begun; the platform stops functions far earlier than this.
#[tokio::test]
async fn a_function_that_does_not_begin_to_answer_in_time_is_a_timeout() {
    let app = Router::new()
        .route("/f/quick", get(async || "here"))
        .route("/f", get(async || std::future::pending::<()>().await));
    let harness = Harness::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve_http(listener, app));
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", &address, 1)]);
    assert_eq!(harness.get("/functions/f/quick").await.status, 200);
    tokio::time::pause();
    let answer = harness.get("/functions/f").await;
    assert_eq!(answer.status, 504);
    let message = "Function \"f\" did not begin to answer within 300 s";
    assert_eq!(answer.json()["message"], message);
}

/// Answers a WebSocket handshake by hand and says everything back.
pub(super) async fn upgrading() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        assert!(String::from_utf8_lossy(&head[..read]).contains("upgrade: echo"));
        let answer =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    address
}

pub(super) async fn with_upgrade() -> Harness {
    let harness = Harness::new().await;
    let address = upgrading().await;
    harness
        .runner
        .publish(&["f"], vec![endpoint("f", &address, 1)]);
    harness
}
