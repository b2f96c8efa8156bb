//! Tokens of the platform: who vouches for them, and how often it is asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::get};
use futures_util::future::join_all;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    time::{advance, pause, resume},
};

use super::{Harness, functions::serve_http};
use crate::session::Keys;

type Asked = Arc<AtomicUsize>;

async fn me(State(asked): State<Asked>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    asked.fetch_add(1, Ordering::Relaxed);
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap();
    let identity = Keys::new(&[9; 32]).verify(token);
    let identity = identity.map_err(|_| StatusCode::UNAUTHORIZED)?;
    let email = identity.email().unwrap();
    if let Ok(status) = email.split_once('@').unwrap().0.parse() {
        return Err(StatusCode::from_u16(status).unwrap());
    }
    Ok(Json(
        json!({"email": email, "full_name": "Far Away", "role": "admin"}),
    ))
}

async fn linked() -> (Harness, Asked) {
    let asked = Asked::default();
    let route = "/api/apps/app-1/entities/User/me";
    let app = Router::new()
        .route(route, get(me))
        .with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_http(listener, app));
    (
        Harness::with(|config| config.upstream_url = url).await,
        asked,
    )
}

const TASK: &str = "GET /api/apps/app-1/entities/Task/1";

fn bearer(secret: [u8; 32], email: &str) -> String {
    format!(
        "authorization: Bearer {}",
        Keys::new(&secret).user(email).token
    )
}

#[tokio::test]
async fn whom_the_platform_knows_is_signed_in_and_it_is_asked_once() {
    let (harness, asked) = linked().await;
    let token = bearer([9; 32], "far@b.c");
    let headers = [token.as_str()];
    join_all((0..5).map(|_| harness.call(TASK, &headers, ""))).await;
    let mut calls = harness.store.calls();
    assert_eq!(calls.remove(0), "vouch_user far@b.c Far Away");
    assert_eq!(calls, ["get Task far@b.c 1"; 5]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let me = "GET /api/apps/app-1/entities/User/me";
    assert_eq!(harness.call(me, &headers, "").await.status, 200);
}

#[tokio::test]
async fn whom_it_does_not_know_is_nobody_and_rubbish_is_not_asked_about() {
    let (harness, asked) = linked().await;
    let unknown = bearer([8; 32], "far@b.c");
    for (token, times) in [
        (unknown.as_str(), 1),
        (unknown.as_str(), 1),
        ("authorization: Bearer null", 1),
        ("authorization: Bearer a.b.c", 1),
    ] {
        harness.call(TASK, &[token], "").await;
        assert_eq!(harness.store.calls(), ["get Task anonymous 1"]);
        assert_eq!(asked.load(Ordering::Relaxed), times, "{token}");
    }
    let me = "GET /api/apps/app-1/entities/User/me";
    assert_eq!(harness.call(me, &[&unknown], "").await.status, 401);
}

/// A platform that has trouble of its own has not said no.
#[tokio::test]
async fn only_a_no_of_the_platform_is_remembered_for_long() {
    let (harness, asked) = linked().await;
    for (status, times) in [
        (401, 1),
        (403, 1),
        (404, 1),
        (302, 2),
        (429, 2),
        (500, 2),
        (503, 2),
    ] {
        let token = bearer([9; 32], &format!("{status}@b.c"));
        asked.store(0, Ordering::Relaxed);
        for wait in [0, 1, 30] {
            pause();
            advance(Duration::from_secs(wait)).await;
            resume();
            harness.call(TASK, &[&token], "").await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), times, "{status}");
        assert_eq!(harness.store.calls(), ["get Task anonymous 1"; 3]);
    }
}
