//! What only hand-written bytes can ask of a server: names it does not have, requests that two readers would end in two
//! places, several at once, addresses in disguise.

use serde_json::{Value, json};
use tests::{project::Project, server::Server};

use crate::{TASKS, add_task, backlot};

/// A request whose answer is the last one on its connection.
fn last(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n{body}")
}

/// The answers on a connection, each with its status, headers and body.
fn answers(mut said: &str) -> Vec<(u16, String, String)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = said.split_once("\r\n\r\n") {
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let length = length.min(rest.len());
        found.push((status, head, rest[..length].to_owned()));
        said = &rest[length..];
    }
    assert_eq!(said, "", "after {found:?}");
    found
}

/// The one answer, which has the shape of every error when it is one.
async fn one(server: &Server, request: &str) -> (u16, String) {
    let said = server.raw(request.as_bytes()).await;
    let mut all = answers(&said);
    assert_eq!(all.len(), 1, "{request:?}: {said}");
    let (status, _, body) = all.remove(0);
    if status >= 400 {
        let error: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!(error["message"], error["error"], "{said}");
        assert!(error["request_id"].is_string(), "{said}");
    }
    (status, body)
}

async fn titles(server: &Server) -> String {
    server.get(TASKS).await.text
}

#[tokio::test]
async fn a_server_answers_for_its_own_names_however_they_are_written() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let port = server.port();
    for (host, status) in [
        ("host: localhost", 200),
        ("host: LocalHost.", 200),
        ("host: localhost:1", 200),
        ("Host:localhost", 200),
        ("host: a.b.localhost", 200),
        ("host: 127.0.0.1", 200),
        ("host: [::1]", 200),
        ("host: localhost..", 421),
        ("host: .localhost", 421),
        ("host: 0.0.0.0", 421),
        ("host: 2130706433", 421),
        ("host: [::ffff:127.0.0.1]", 421),
        ("host: evil.example", 421),
        ("host: localhost.evil.example", 421),
        ("host: localhost:x", 400),
        ("host: ::1", 400),
        ("host: a@localhost", 400),
        ("host: localhost, evil.example", 400),
        ("host: localhost/x", 400),
        ("host:", 400),
        ("x-none: 1", 400),
        ("host: localhost\r\nhost: localhost", 400),
        ("host: localhost\r\nhost: evil.example", 400),
        ("host: localhost\r\nx-forwarded-host: evil.example", 200),
    ] {
        let request = format!("GET {TASKS} HTTP/1.1\r\n{host}\r\nconnection: close\r\n\r\n");
        assert_eq!(one(&server, &request).await.0, status, "{host}");
    }
    // An address in the request line counts, and the header does not.
    for (target, host, status) in [
        (format!("http://localhost:{port}"), "evil.example", 200),
        ("http://evil.example".to_owned(), "localhost", 421),
        ("http://localhost@evil.example".to_owned(), "localhost", 400),
    ] {
        let request =
            format!("GET {target}{TASKS} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(one(&server, &request).await.0, status, "{target}");
    }
    let old = format!("GET {TASKS} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    assert_eq!(one(&server, &old).await.0, 200);
}

const BODY: &str = r#"{"title":"x"}"#;

/// Headers and a body of which two readers could make different requests; whether it is refused, and what is made of it
/// otherwise ends the connection.
fn ambiguous() -> Vec<(String, String, u16)> {
    let length = BODY.len();
    let chunks = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let chunked = "transfer-encoding: chunked";
    let case = |headers: &str, body: &str, status| (headers.to_owned(), body.to_owned(), status);
    vec![
        case(
            &format!("content-length: {length}\r\ncontent-length: 3"),
            BODY,
            400,
        ),
        case(&format!("content-length: {length}, 3"), BODY, 400),
        case(&format!("content-length: +{length}"), BODY, 400),
        case("content-length: -1", BODY, 400),
        case("content-length: 0x0d", BODY, 400),
        case("content-length: 99999999999999999999999", BODY, 400),
        case("content-length:", BODY, 400),
        case(&format!("content-length: 4\r\n{chunked}"), &chunks, 201),
        case(&format!("{chunked}\r\ncontent-length: 4"), &chunks, 201),
        case("transfer-encoding: xchunked", &chunks, 400),
        case("transfer-encoding: chunked, identity", &chunks, 400),
        case(
            &format!("{chunked}\r\ntransfer-encoding: identity"),
            &chunks,
            400,
        ),
        case("transfer-encoding : chunked", &chunks, 400),
        case("transfer-encoding:\r\n chunked", &chunks, 400),
        case("transfer-encoding: \x0bchunked", &chunks, 400),
        case("x: a\rtransfer-encoding: chunked", &chunks, 400),
        case("x: a\0b", BODY, 400),
        case("no colon", BODY, 400),
        case(chunked, &format!("zz\r\n{BODY}\r\n0\r\n\r\n"), 400),
        case(chunked, &format!("-1\r\n{BODY}\r\n0\r\n\r\n"), 400),
        case(
            chunked,
            &format!("ffffffffffffffff1\r\n{BODY}\r\n0\r\n\r\n"),
            400,
        ),
        case(chunked, &format!("{length:x}\n{BODY}\n0\n\n"), 400),
        case(chunked, &format!("3\r\n{BODY}\r\n0\r\n\r\n"), 400),
    ]
}

#[tokio::test]
async fn no_second_request_hides_in_the_body_of_a_first() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let hidden = r#"{"title":"hidden"}"#;
    let length = format!("content-length: {}\r\n", hidden.len());
    let hidden = last(&format!("POST {TASKS}"), &length, hidden);
    for (headers, body, status) in ambiguous() {
        let request =
            format!("POST {TASKS} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n{body}{hidden}");
        assert_eq!(
            one(&server, &request).await.0,
            status,
            "{headers:?} {body:?}"
        );
    }
    assert!(!titles(&server).await.contains("hidden"));
    // A coding that nobody here undoes; the request behind it is one.
    let coded = "transfer-encoding: gzip, chunked";
    let request =
        format!("POST {TASKS} HTTP/1.1\r\nhost: localhost\r\n{coded}\r\n\r\n0\r\n\r\n{hidden}");
    let said = server.raw(request.as_bytes()).await;
    let statuses: Vec<_> = answers(&said).iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [501, 201]);
}

#[tokio::test]
async fn requests_on_their_way_together_are_answered_in_their_order() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let post = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let requests = [
        get(&format!("{TASKS}/count")),
        post.clone(),
        get("/nothing"),
        post,
        last(&format!("GET {TASKS}/count"), "", ""),
    ];
    let said = server.raw(requests.concat().as_bytes()).await;
    let all = answers(&said);
    let statuses: Vec<_> = all.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [200, 201, 404, 201, 200]);
    assert_eq!(
        (all[0].2.as_str(), all[4].2.as_str()),
        (r#"{"count":0}"#, r#"{"count":2}"#)
    );

    // What is no request ends the connection, after those before it.
    let said = server
        .raw(format!("{}nonsense\r\n\r\n{}", requests[0], requests[1]).as_bytes())
        .await;
    let statuses: Vec<_> = answers(&said).iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn an_address_means_what_it_says_and_nothing_that_it_could_be_made_into() {
    let project = Project::new()
        .with_tasks()
        .entity("shop.Item", &json!({ "title": { "type": "string" } }));
    let server = backlot(&project).start().await;
    let id = add_task(&server, "here").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let at = "/api/apps/local/entities";
    for (path, status) in [
        (format!("{at}/Task"), 200),
        (format!("{at}/Task/"), 200),
        (format!("{at}/%54ask"), 200),
        (format!("{at}/Task/{id}?x=%zz"), 200),
        (format!("{at}/shop%2EItem"), 200),
        ("/api/apps/a%2Fb/entities/Task".to_owned(), 200),
        (format!("/{at}/Task"), 404),
        (format!("{at}//Task"), 404),
        (format!("{at}/Task//"), 404),
        (format!("{at}/Task%2F{id}"), 404),
        (format!("{at}/Ta%2Fsk"), 404),
        (format!("{at}/Task%00"), 404),
        (format!("{at}/Task%0d%0aset-cookie:a"), 404),
        (format!("{at}/%zz"), 404),
        (format!("{at}/%ff"), 400),
        (format!("{at}/Note/../Task"), 404),
        (format!("{at}/Note/%2e%2e/Task"), 404),
        ("/%61pi/apps/local/entities/Task".to_owned(), 404),
        ("/API/apps/local/entities/Task".to_owned(), 404),
        (r"/api/apps\local\entities\Task".to_owned(), 404),
        ("/api/apps/local/functions/".to_owned(), 404),
        ("/api/apps/local/functions/a%2F..%2Fb".to_owned(), 404),
        ("/login/".to_owned(), 200),
        ("/../../etc/passwd".to_owned(), 404),
        (format!("{at}/{}", "x".repeat(5000)), 404),
        (format!("{at}/Task?q={}", "x".repeat(60_000)), 400),
        (format!("/{}", "x".repeat(70_000)), 414),
    ] {
        let shown = &path[..path.len().min(100)];
        let request = last(&format!("GET {path}"), "", "");
        assert_eq!(one(&server, &request).await.0, status, "{shown}");
    }
    let relative = "GET api/apps HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(one(&server, relative).await.0, 400);
}

#[tokio::test]
async fn every_route_says_what_may_be_done_and_its_head_is_that_of_the_answer() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let app = "/api/apps/local";
    for (path, allowed, status) in [
        (TASKS.to_owned(), "get,head,post,delete", 200),
        (format!("{TASKS}/v2/list"), "get,head", 200),
        (format!("{TASKS}/count"), "get,head", 200),
        (format!("{TASKS}/bulk"), "post,put", 405),
        (format!("{TASKS}/update-many"), "patch", 405),
        (format!("{TASKS}/aggregate"), "post", 405),
        (
            format!("{app}/entities/User/me"),
            "get,head,put,delete",
            401,
        ),
        (format!("{app}/auth/login"), "post", 405),
        (format!("{app}/users/invite-user"), "post", 405),
        (
            format!("{app}/integration-endpoints/Core/UploadFile"),
            "post",
            405,
        ),
        ("/api/apps/auth/logout".to_owned(), "get,head", 200),
        (
            "/api/apps/public/prod/public-settings/by-id/local".to_owned(),
            "get,head",
            200,
        ),
        ("/login".to_owned(), "get,head", 200),
        ("/media/x".to_owned(), "get,head", 404),
    ] {
        let said = server
            .raw(last(&format!("OPTIONS {path}"), "", "").as_bytes())
            .await;
        let (code, head, _) = answers(&said).remove(0);
        assert_eq!(code, 204, "{path}");
        assert!(
            head.contains(&format!("\r\nallow: {allowed}\r\n")),
            "{path}: {head}"
        );

        let said = server
            .raw(last(&format!("HEAD {path}"), "", "").as_bytes())
            .await;
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {head}"
        );
        assert!(
            head.contains("content-length: ") && body.is_empty(),
            "{path}: {said}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let head = last(
        &format!("POST {TASKS}"),
        "content-length: 99999999999\r\n",
        "",
    );
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
        .await
        .unwrap();
    let mut status = [0; 12];
    let read = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut status);
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, read).await.unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
}
