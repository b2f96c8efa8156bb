//! What no client sends on purpose: headers, paths, forms, packets and tokens of any shape. Every one is answered, never
//! by a failure of ours, and the next request is served as if nothing had been.

mod forms;
mod tokens;

use std::time::Duration;

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, header};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{TestCaseError, TestRunner},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    time::timeout,
};

use self::forms::{CONTENT, form, upload};
use super::{Answer, Harness, realtime::Site};

const TASK: &str = "/api/apps/app-1/entities/Task";
const POLLING: &str = "/ws-user-apps/socket.io/?EIO=4&transport=polling";
const PATIENCE: Duration = Duration::from_secs(60);

/// Cases of a property for which a request is made each time, unless the environment says how many.
fn runner(cases: u32) -> TestRunner {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(if asked {
        config
    } else {
        ProptestConfig { cases, ..config }
    })
}

/// Runs `check` on every value, each as a future.
fn always<S: Strategy, F: Future<Output = Result<(), TestCaseError>>>(
    (runtime, cases): (&Runtime, u32),
    strategy: &S,
    check: impl Fn(S::Value) -> F,
) {
    let ran = runner(cases).run(strategy, |value| runtime.block_on(check(value)));
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// Valid bytes, with others put in, taken out or in their place.
fn spoilt(valid: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\n",
        b"\0",
        b"\"",
        b"--B",
        b"--B--",
        b";",
        b":",
        b"\xff\xfe",
        b"\xc3",
        b"%",
        b"{",
        b"[",
        b"9999999999999999999",
        b"",
    ]);
    let edits = prop::collection::vec((any::<Index>(), 0_usize..4, pieces), 0..4);
    edits.prop_map(move |edits| {
        let mut bytes = valid.to_vec();
        for (place, length, piece) in edits {
            let start = place.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, piece.iter().copied());
        }
        bytes
    })
}

/// A header's value as HTTP allows it, mostly one that means something.
fn value(known: &'static [&'static str]) -> impl Strategy<Value = HeaderValue> {
    let known = (
        prop::sample::select(known),
        "[a-z0-9.,:;=\\[\\]\"@/ -]{0,4}",
        prop::sample::select(known),
    )
        .prop_map(|(one, between, two)| format!("{one}{between}{two}").into_bytes());
    let noise = prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..20);
    prop_oneof![3 => known, 1 => noise].prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

/// What a refusal has to look like.
fn check_shape(answer: &Answer) -> Result<(), TestCaseError> {
    let status = answer.status.as_u16();
    prop_assert!(status < 500, "{status} {:?}", answer.body);
    if status >= 400 {
        let said = serde_json::from_slice::<serde_json::Value>(&answer.body);
        let said =
            said.map_err(|error| TestCaseError::fail(format!("{error}: {:?}", answer.body)))?;
        prop_assert!(
            said["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
    }
    Ok(())
}

fn with_header(path: &str, name: HeaderName, value: HeaderValue) -> Request<Body> {
    let mut request = super::request(&format!("GET {path}"), &[], "");
    request.headers_mut().insert(name, value);
    request
}

#[test]
fn prop_only_names_of_this_machine_are_answered_for_whatever_the_host() {
    const NAMES: &[&str] = &[
        "localhost",
        "evil.example",
        "127.0.0.1",
        "[::1]",
        ".localhost",
        ":4400",
        "",
        "tunnel.example",
        "@",
        "xn--",
    ];
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    always((&runtime, 128), &value(NAMES), async |host: HeaderValue| {
        let answer = harness
            .send(with_header(TASK, header::HOST, host.clone()))
            .await;
        check_shape(&answer)?;
        if answer.status == 200 {
            let host = host.to_str().unwrap().to_ascii_lowercase();
            let name = host.trim_end_matches(|c: char| c.is_ascii_digit());
            let name = name
                .strip_suffix(':')
                .unwrap_or(&host)
                .trim_end_matches('.');
            let ours = ["localhost", "[::1]", "tunnel.example"].contains(&name)
                || name.ends_with(".localhost")
                || (name.starts_with("127.") && name.parse::<std::net::Ipv4Addr>().is_ok());
            prop_assert!(ours, "{host}");
        }
        Ok(())
    });
}

/// Headers that something here reads, with what means something in them.
fn headers() -> [(HeaderName, &'static [&'static str]); 10] {
    [
        (
            header::ORIGIN,
            &[
                "http://",
                "localhost",
                "null",
                "evil.example",
                "://",
                "[::1]:5173",
            ][..],
        ),
        (
            header::RANGE,
            &[
                "bytes=",
                "0-",
                "-5",
                "18446744073709551615",
                "0-0,2-3",
                "items=",
            ],
        ),
        (header::IF_NONE_MATCH, &["W/", "\"", "*", ","]),
        (
            header::AUTHORIZATION,
            &[
                "Bearer ",
                "Basic ",
                "a.b.c",
                "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4NDQ2NzQ0MDczNzA5NTUxNjE1fQ.c2ln",
            ],
        ),
        (
            header::CONTENT_TYPE,
            &[
                "multipart/form-data",
                "boundary=",
                "\"",
                "application/json",
                "charset=utf-16",
            ],
        ),
        (header::CONTENT_ENCODING, &["gzip", "br", "identity"]),
        (header::COOKIE, &["a=b", ";", "token="]),
        (HeaderName::from_static("x-request-id"), &["r-1", "\t"]),
        (
            HeaderName::from_static("x-forwarded-proto"),
            &["https", "javascript:"],
        ),
        (HeaderName::from_static("x-app-id"), &["app-1", "../"]),
    ]
}

#[test]
fn prop_any_origin_range_token_or_kind_of_body_is_answered() {
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    let file = runtime.block_on(upload(&harness, vec![form()])).json();
    let file = file["file_url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:4400")
        .unwrap()
        .to_owned();
    for (name, known) in headers() {
        always((&runtime, 32), &value(known), async |value: HeaderValue| {
            for path in [TASK, file.as_str(), "/api/apps/app-1/entities/User/me"] {
                let answer = harness
                    .send(with_header(path, name.clone(), value.clone()))
                    .await;
                check_shape(&answer)?;
                if answer.status == 206 {
                    prop_assert!(!answer.body.is_empty() && answer.body.len() <= CONTENT.len());
                }
            }
            Ok(())
        });
    }
}

#[test]
fn prop_any_path_and_query_is_answered() {
    let parts = "(/|api|apps|app-1|entities|Task|functions|media|private|login|auth|users|\\.\\.|%2e|%2F|%00|%zz|%ff|[a-z0-9]{1,3}){0,12}";
    let query = "((q|sort|limit|skip|fields|cursor|distinct|token|from_url|EIO|transport|sid)=([a-z0-9+,-]|%7B|%22|%24|%5B|%ff|%|:|//){0,10}&?){0,4}";
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    always(
        (&runtime, 128),
        &(parts, query),
        async |(path, query): (String, String)| {
            let uri = format!("/{path}?{query}");
            let request = Request::builder()
                .uri(&uri)
                .header("host", "localhost")
                .body(Body::empty());
            let Ok(request) = request else { return Ok(()) };
            // A socket's session is opened by a path that is not an error; what it says is the protocol's.
            if path.contains("ws-user-apps") {
                return Ok(());
            }
            let answer = harness.send(request).await;
            // What would be forwarded, if there were a platform to forward it to.
            match answer.status.as_u16() {
                502 => {
                    answer.json();
                    Ok(())
                }
                _ => check_shape(&answer),
            }
        },
    );
}

#[test]
fn prop_any_body_of_ours_is_answered() {
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    let valid = br#"{"email":"a@b.c","password":"correct horse","otp_code":"123456","role":"user","user_email":"a@b.c","events":[]}"#;
    let auth = "POST /api/apps/app-1/auth";
    let lines = [
        format!("{auth}/login"),
        format!("{auth}/register"),
        format!("{auth}/verify-otp"),
        format!("{auth}/reset-password"),
        "POST /api/apps/app-1/users/invite-user".to_owned(),
        "POST /api/apps/app-1/analytics/track/batch".to_owned(),
    ];
    always((&runtime, 32), &spoilt(valid), async |bytes: Vec<u8>| {
        for line in &lines {
            let mut request = super::request(line, &["content-type: application/json"], "");
            *request.body_mut() = Body::from(bytes.clone());
            check_shape(&harness.send(request).await)?;
        }
        Ok(())
    });
}

#[test]
fn prop_any_packets_are_taken_or_end_their_own_session_only() {
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    let packets = prop_oneof![
        "(40|41|42|43|44|45|46|1|2|3|4|5|6|451-|\u{1e}|\\[|\\]|\\{|\\}|\"|join|leave|entities:app-1:Task|,|/x|[0-9]{1,20}|\u{e9}){0,10}",
        ".{0,20}",
    ];
    always((&runtime, 64), &packets, async |packets: String| {
        let open = harness.get(POLLING).await;
        let open: serde_json::Value = serde_json::from_str(&open.text()[1..]).unwrap();
        let session = format!("POST {POLLING}&sid={}", open["sid"].as_str().unwrap());
        let connected = harness.call(&session, &[], "40").await;
        prop_assert_eq!(connected.text(), "ok");
        let answer = harness.call(&session, &[], &packets).await;
        prop_assert!(
            [200, 400].contains(&answer.status.as_u16()),
            "{} {}",
            answer.status,
            answer.text()
        );
        harness.call(&session, &[], "1").await;
        Ok(())
    });
    let site = runtime.block_on(Site::open());
    let frames = prop::collection::vec(packets, 1..4);
    always((&runtime, 32), &frames, async |frames: Vec<String>| {
        let mut socket = site.connect("null").await;
        for frame in frames {
            if !socket.try_send(&frame).await {
                break;
            }
        }
        drop(socket);
        drop(site.connect("null").await);
        Ok(())
    });
}

#[test]
fn prop_bytes_that_are_no_request_are_refused_and_others_served_on() {
    let valid = b"POST /api/apps/app-1/entities/Task HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 2\r\nconnection: close\r\n\r\n{}";
    let runtime = runtime();
    let site = runtime.block_on(Site::open());
    let noise = prop::collection::vec(any::<u8>(), 0..64);
    let bytes = prop_oneof![3 => spoilt(valid), 1 => noise];
    always((&runtime, 96), &bytes, async |bytes: Vec<u8>| {
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        // It may be gone before everything is written.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut said = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        prop_assert!(read.is_ok(), "it hangs");
        let said = String::from_utf8_lossy(&said).into_owned();
        prop_assert!(said.is_empty() || said.starts_with("HTTP/1."), "{said}");
        prop_assert!(!said.contains(" 500 "), "{said}");
        Ok(())
    });
    let answer = runtime.block_on(site.harness.call(
        &format!("POST {TASK}"),
        &[],
        &json!({}).to_string(),
    ));
    assert_eq!(answer.status, 201);
}
