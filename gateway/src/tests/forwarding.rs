//! What leaves the machine, as a fake platform sees it, and what does not.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use tokio::net::TcpListener;

use super::{Harness, as_service, as_user, functions::serve_http};

/// What reached the platform: request line, headers, body.
type Seen = Arc<Mutex<Vec<(String, http::HeaderMap, String)>>>;

async fn answer(State(seen): State<Seen>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    let text = String::from_utf8_lossy(&body).into_owned();
    seen.lock().push((line, parts.headers, text));
    let headers = [
        ("set-cookie", "a=b"),
        ("access-control-allow-origin", "https://base44.app"),
        ("location", "https://elsewhere.example/"),
    ];
    (http::StatusCode::FOUND, headers, "from afar").into_response()
}

async fn platform() -> (String, Seen) {
    let seen = Seen::default();
    let app = Router::new().fallback(answer).with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_http(listener, app));
    (url, seen)
}

async fn linked() -> (Harness, Seen) {
    let (url, seen) = platform().await;
    let harness = Harness::with(|config| {
        config.upstream_url = url;
        config.upstream_token = "dev-token".to_owned();
    })
    .await;
    (harness, seen)
}

#[tokio::test]
async fn a_call_arrives_as_it_was_without_our_credentials() {
    let (harness, seen) = linked().await;
    let developer = as_user("dev@example.com");
    let other = as_user("a@b.c");
    let service = as_service();
    let cases = [
        (developer.as_str(), "Bearer dev-token"),
        (service.as_str(), "Bearer dev-token"),
        (other.as_str(), ""),
        ("authorization: Bearer foreign", ""),
        ("accept: */*", ""),
    ];
    for (credential, expected) in cases {
        let headers = [
            credential,
            "base44-service-authorization: Bearer ours",
            "on-behalf-of: Bearer ours",
            "cookie: a=b",
            "x-app-id: app-1",
            "connection: x-hop",
            "x-hop: 1",
        ];
        let line = "POST /api/apps/app-1/integration-endpoints/Core/InvokeLLM?a=%20b";
        let got = harness.call(line, &headers, r#"{"prompt":"x"}"#).await;
        assert_eq!((got.status.as_u16(), got.text()), (302, "from afar"));
        assert_eq!(got.header("location"), "https://elsewhere.example/");
        assert_eq!(
            (
                got.header("set-cookie"),
                got.header("access-control-allow-origin")
            ),
            ("", "")
        );

        let (seen_line, headers, body) = seen.lock().pop().unwrap();
        assert_eq!(
            (seen_line.as_str(), body.as_str()),
            (line, r#"{"prompt":"x"}"#)
        );
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        assert_eq!(header("authorization"), expected, "{credential}");
        assert_eq!(header("x-app-id"), "app-1");
        assert_eq!(header("content-length"), "14");
        for name in [
            "base44-service-authorization",
            "on-behalf-of",
            "cookie",
            "x-hop",
        ] {
            assert_eq!(header(name), "", "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_served_here_is_sent_away() {
    let (harness, seen) = linked().await;
    let lines = [
        "PATCH /api/apps/a/entities/Task/1",
        "GET /api/apps/a/entities/Task/1/2",
        "POST /api/apps/a/functions/unknown",
        "POST /api/functions/unknown",
        "POST /functions/unknown",
        "PUT /api/apps/a/auth/login",
        "POST /api/apps/a/auth/reset-password",
        "POST /api/apps/a/analytics/track/batch",
        "GET /api/apps/a/actors/x",
        "GET /media/x",
        "GET /login",
        "GET /",
    ];
    for line in lines {
        harness.call(line, &[], "{}").await;
        assert!(seen.lock().is_empty(), "{line}");
    }
    harness.get("/api/apps/a/agents/conversations").await;
    assert_eq!(seen.lock().len(), 1);
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_a_bad_gateway() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let harness = Harness::with(|config| config.upstream_url = format!("http://{gone}")).await;
    let answer = harness.get("/api/apps/a/agents").await;
    assert_eq!(answer.status, 502);
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with(&format!("http://{gone} could not be reached: ")),
        "{message}"
    );
}

#[tokio::test]
async fn what_was_forwarded_once_is_not_forwarded_again() {
    let (harness, seen) = linked().await;
    let stamped = ["base44-dev-forwarded: 1"];
    let answer = harness.call("GET /api/apps/a/agents", &stamped, "").await;
    assert_eq!(answer.status, 508);
    let upgrade = ["connection: upgrade", "upgrade: websocket"];
    let answer = harness.call("GET /api/apps/a/agents", &upgrade, "").await;
    assert_eq!(answer.status, 501);
    assert!(seen.lock().is_empty());
}
