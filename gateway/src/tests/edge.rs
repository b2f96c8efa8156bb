//! What every request passes: hosts, origins, preflights, ids, the shape of errors.

use serde_json::json;

use super::Harness;

const TASK: &str = "/api/apps/app-1/entities/Task";

#[tokio::test]
async fn before_it_is_configured_everything_is_unavailable() {
    let harness = Harness::unconfigured().await;
    let lines = [
        "GET /api/apps/a/entities/Task",
        "POST /api/apps/a/auth/login",
        "POST /api/apps/a/functions/f",
        "GET /api/unknown",
        "GET /",
    ];
    for line in lines {
        let answer = harness.call(line, &[], "{}").await;
        assert_eq!(answer.status, 503, "{line}");
        assert_eq!(answer.header("retry-after"), "1", "{line}");
        assert_eq!(answer.json()["message"], "The server is starting");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_and_nothing_hangs() {
    let harness = Harness::with(|config| {
        // Nothing can listen on port 0.
        config.store_address = "127.0.0.1:0".to_owned();
    })
    .await;
    for path in [TASK, &format!("{TASK}/1")] {
        let answer = harness.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("retry-after"), "1");
        let message = answer.json()["message"].clone();
        assert_eq!(message, "The store is not available right now");
    }
}

#[tokio::test]
async fn every_error_has_the_same_shape() {
    let harness = Harness::new().await;
    let id = ["x-request-id: r-1"];
    let answer = harness
        .call("GET /api/apps/a/entities/Missing/1", &id, "")
        .await;
    let message = "Entity Missing not found";
    let expected = json!({
        "message": message,
        "detail": message,
        "error_type": "HTTPException",
        "request_id": "r-1",
        "traceback": "",
        "error": message,
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("x-request-id"), "r-1");

    let answer = harness.get(TASK).await;
    assert_eq!(answer.header("x-request-id").len(), 16);

    // What is refused before anything is served names its request as well.
    for refused in ["host: evil.example", "origin: https://evil.example"] {
        let headers = [refused, "x-request-id: r-2"];
        let answer = harness.call(&format!("POST {TASK}"), &headers, "{}").await;
        assert_eq!(answer.json()["request_id"], "r-2", "{refused}");
    }
}

#[tokio::test]
async fn only_names_of_this_machine_and_allowed_ones_are_answered_for() {
    let harness = Harness::new().await;
    let cases = [
        ("host: localhost:1", 200),
        ("host: my.localhost", 200),
        ("host: 127.0.0.1:4400", 200),
        ("host: [::1]:4400", 200),
        ("host: tunnel.example", 200),
        ("host: TUNNEL.example:443", 200),
        ("host: evil.example", 421),
        ("host: localhost.evil.example", 421),
        ("host: 10.0.0.1", 421),
        ("host: a b", 400),
        ("host: ", 400),
    ];
    for (host, status) in cases {
        let answer = harness.call(&format!("GET {TASK}"), &[host], "").await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
}

#[tokio::test]
async fn pages_of_this_machine_may_do_everything_and_others_nothing() {
    let harness = Harness::new().await;
    let cases = [
        ("origin: http://localhost:5173", true),
        ("origin: https://127.0.0.1", true),
        ("origin: http://[::1]:3000", true),
        ("origin: capacitor://localhost", true),
        ("origin: https://tunnel.example", true),
        ("origin: https://evil.example", false),
        ("origin: http://localhost.evil.example", false),
        ("origin: null", false),
    ];
    for (origin, allowed) in cases {
        let value = origin.split_once(": ").unwrap().1;
        let grant = if allowed { value } else { "" };

        let read = harness.call(&format!("GET {TASK}"), &[origin], "").await;
        assert_eq!(read.status, 200, "{origin}");
        assert_eq!(read.header("access-control-allow-origin"), grant);

        let write = harness.call(&format!("POST {TASK}"), &[origin], "{}").await;
        assert_eq!(write.status, if allowed { 201 } else { 403 }, "{origin}");
        assert_eq!(write.header("access-control-allow-origin"), grant);
        assert!(write.header("vary").contains("Origin"));
    }
}

#[tokio::test]
async fn preflights_are_answered_for_every_path() {
    let harness = Harness::new().await;
    for path in [TASK, "/api/apps/a/functions/f", "/nowhere"] {
        let headers = [
            "origin: http://localhost:5173",
            "access-control-request-method: PATCH",
            "access-control-request-headers: x-app-id, content-type",
        ];
        let answer = harness.call(&format!("OPTIONS {path}"), &headers, "").await;
        assert_eq!(answer.status, 204);
        let granted = answer.header("access-control-allow-origin");
        assert_eq!(granted, "http://localhost:5173");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("PATCH")
        );
        let granted = answer.header("access-control-allow-headers");
        assert_eq!(granted, "x-app-id, content-type");
    }
    let plain = harness.call(&format!("OPTIONS {TASK}"), &[], "").await;
    assert_eq!(plain.status, 204);
    assert_eq!(plain.header("allow"), "GET,HEAD,POST,DELETE");
}

#[tokio::test]
async fn tunnels_echoes_and_unknown_codings_are_not_taken() {
    let harness = Harness::new().await;
    let cases = [
        (format!("CONNECT {TASK}"), "accept: */*", 405),
        (format!("TRACE {TASK}"), "accept: */*", 405),
        ("TRACE /api/functions/f".to_owned(), "accept: */*", 405),
        (
            format!("POST {TASK}"),
            "transfer-encoding: gzip, chunked",
            501,
        ),
        (format!("POST {TASK}"), "transfer-encoding: Chunked", 201),
        ("OPTIONS *".to_owned(), "accept: */*", 204),
        ("GET *".to_owned(), "accept: */*", 400),
    ];
    for (line, header, status) in cases {
        let answer = harness.call(&line, &[header], "{}").await;
        assert_eq!(answer.status, status, "{line} {header}: {}", answer.text());
    }
}

#[tokio::test]
async fn configuring_twice_changes_nothing_and_a_bad_one_is_refused() {
    let harness = Harness::new().await;
    assert!(!harness.state.configure(harness.config.clone()).unwrap());
    let mut short = harness.config.clone();
    short.signing_key = vec![1; 31].into();
    assert!(harness.state.configure(short).is_err());
    let mut other = harness.config.clone();
    other.app_id = "app-2".to_owned();
    assert!(harness.state.configure(other).unwrap());
    assert_eq!(harness.get(TASK).await.status, 200);
}
