//! What leaves the machine, as a fake platform sees it, and what does not.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::ServiceExt;

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
    (served(app).await, seen)
}

async fn served(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_http(listener, app));
    url
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
        "POST /api/apps/a/auth/unknown",
        "DELETE /api/apps/a/agents/../entities/Task",
        "DELETE /api/apps/a/%65ntities/Task",
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
async fn no_token_of_ours_leaves_in_an_address_or_a_header() {
    let (harness, seen) = linked().await;
    let keys = crate::session::Keys::new(&super::KEY);
    let ours = keys.user("a@b.c").token;
    let theirs = crate::session::Keys::new(&[9; 32]).user("a@b.c").token;
    let page = format!("x-origin-url: http://localhost:5173/?access_token={ours}#top");
    let referer = format!("referer: http://localhost:5173/?a=1&access_token={ours}");
    let kept = format!("x-other: http://localhost:5173/?access_token={theirs}");
    let line = format!("GET /api/apps/a/agents?a=1&token={ours}&b=x,{ours}&c={theirs}");
    harness.call(&line, &[&page, &referer, &kept], "").await;
    let (line, headers, _) = seen.lock().pop().unwrap();
    assert_eq!(line, format!("GET /api/apps/a/agents?a=1&c={theirs}"));
    assert!(headers.contains_key("x-other"));
    assert!(!headers.contains_key("content-length"), "{headers:?}");
    assert!(!format!("{headers:?}").contains(&ours), "{headers:?}");
}

/// What the developer's token is, and why there is none.
fn with_token(harness: &Harness, token: &str, reason: &str) {
    let mut config = harness.config.clone();
    token.clone_into(&mut config.upstream_token);
    reason.clone_into(&mut config.upstream_token_off_reason);
    harness.state.configure(config).unwrap();
}

fn authorization(seen: &Seen) -> String {
    let (_, headers, _) = seen.lock().pop().expect("something was forwarded");
    let value = headers.get("authorization");
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_developers_token_is_asked_for_when_a_call_first_needs_it() {
    let (url, seen) = platform().await;
    let harness = Harness::with(|config| config.upstream_url = url).await;
    let mut asked = harness.state.upstream().credentials().requests();
    let line = "GET /api/apps/app-1/agents";
    let (developer, other) = (as_user("dev@example.com"), as_user("a@b.c"));

    harness.call(line, &[&other], "").await;
    assert_eq!(authorization(&seen), "");
    assert!(!asked.has_changed().unwrap(), "nobody else needs it");

    let headers = [developer.as_str()];
    let answering = async {
        asked.changed().await.unwrap();
        assert!(seen.lock().is_empty(), "the call waits");
        with_token(&harness, "fetched", "");
    };
    tokio::join!(harness.call(line, &headers, ""), answering);
    assert_eq!(authorization(&seen), "Bearer fetched");

    with_token(&harness, "", "nobody is logged in");
    harness.call(line, &[&developer], "").await;
    assert_eq!(authorization(&seen), "");
    assert!(!asked.has_changed().unwrap(), "there is a reason for none");
}

#[tokio::test]
async fn another_token_is_asked_for_when_the_platform_refuses_the_one_there_is() {
    let app = Router::new().fallback(|| async { http::StatusCode::UNAUTHORIZED });
    let url = served(app).await;
    let harness = Harness::with(|config| config.upstream_url = url).await;
    with_token(&harness, "stale", "");
    let mut asked = harness.state.upstream().credentials().requests();
    let line = "GET /api/apps/app-1/agents";
    assert_eq!(harness.call(line, &[], "").await.status, 401);
    assert!(!asked.has_changed().unwrap(), "nobody's call was refused");
    let answer = harness.call(line, &[&as_service()], "").await;
    assert_eq!(answer.status, 401);
    assert!(asked.has_changed().unwrap());
    asked.mark_unchanged();
}

#[tokio::test]
async fn a_visitor_for_whom_the_platform_vouches_keeps_its_token() {
    let seen = Seen::default();
    let me = || async { axum::Json(serde_json::json!({ "email": "far@b.c" })) };
    let app = Router::new()
        .route("/api/apps/app-1/entities/User/me", axum::routing::get(me))
        .fallback(answer)
        .with_state(seen.clone());
    let url = served(app).await;
    let harness = Harness::with(|config| config.upstream_url = url).await;
    let theirs = format!(
        "Bearer {}",
        crate::session::Keys::new(&[9; 32]).user("far@b.c").token
    );
    let header = format!("authorization: {theirs}");
    harness
        .call("GET /api/apps/app-1/agents", &[&header], "")
        .await;
    assert_eq!(authorization(&seen), theirs);
}

/// A server that reads the head of each request and answers with these bytes, then closes.
async fn raw(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn what_a_platform_gets_wrong_is_a_bad_gateway_and_nothing_else() {
    for bytes in [
        "",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    ] {
        let url = raw(bytes).await;
        let harness = Harness::with(|config| config.upstream_url.clone_from(&url)).await;
        let answer = harness.get("/api/apps/a/agents").await;
        assert_eq!(answer.status, 502, "{bytes:?}: {}", answer.text());
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with(&format!("{url} gave no usable answer: ")),
            "{message}"
        );
        assert_eq!(answer.json()["error"], message.as_str());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_caller() {
    let url = raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe beginning").await;
    let harness = Harness::with(|config| config.upstream_url = url).await;
    let request = super::request("GET /api/apps/a/agents", &[], "");
    let response = harness.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "the beginning");
    assert!(body.frame().await.unwrap().is_err());
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
