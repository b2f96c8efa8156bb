//! The HTTP API as any client sees it: signing in, the entity routes, and the one shape of every error.

use reqwest::Method;
use serde_json::json;
use tests::{
    http::{self, Answer},
    project::Project,
    server::Server,
};

use crate::{DEVELOPER, TASKS, add_task, backlot, sign_in, titles};

const ME: &str = "/api/apps/local/entities/User/me";

/// Signed with the secret that the official server has in its source, for the local developer, valid until 2100.
const SIGNED_BY_OFFICIAL_SERVER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiJkZXZlbG9wZXJAZXhhbXBsZS5jb20iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.\
    1xYYVuUZ3hBIH_saAWD7nb9dUbHOBMRXgSkpfsYOlVE";

async fn me(server: &Server, token: &str) -> Answer {
    Answer::to(server.request(Method::GET, ME).bearer_auth(token)).await
}

/// Checks the shape that all errors share, and answers the message.
fn error(answer: &Answer, status: u16) -> String {
    let body = answer.expect(status);
    let message = body["message"]
        .as_str()
        .unwrap_or_else(|| panic!("no message: {body}"));
    assert!(!message.is_empty(), "{body}");
    for key in ["detail", "error"] {
        assert_eq!(body[key], body["message"], "{body}");
    }
    assert!(
        body["error_type"].is_string() && body["request_id"].is_string(),
        "{body}"
    );
    assert_eq!(body["traceback"], "", "{body}");
    assert_eq!(answer.headers["content-type"], "application/json");
    message.to_owned()
}

#[tokio::test]
async fn the_developer_signs_in_with_any_password() {
    for (project, email, name) in [
        (Project::new(), DEVELOPER, "Local Developer"),
        (
            Project::new().login("Ada@Example.com", "Ada Lovelace"),
            "ada@example.com",
            "Ada Lovelace",
        ),
    ] {
        let server = backlot(&project).start().await;
        let token = sign_in(&server, email).await;
        let user = me(&server, &token).await.expect(200);
        assert_eq!(
            (&user["email"], &user["full_name"], &user["role"]),
            (&json!(email), &json!(name), &json!("admin"))
        );
        // The terminal tells who signs in.
        server.says(email).await;
    }
}

#[tokio::test]
async fn nobody_is_signed_in_without_a_token_of_this_project() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let token = sign_in(&server, DEVELOPER).await;
    let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let forged = format!(
        "{}.{claims}.{}",
        token.split('.').next().unwrap(),
        signature.chars().rev().collect::<String>()
    );
    for bad in [
        none.as_str(),
        &forged,
        SIGNED_BY_OFFICIAL_SERVER,
        "nonsense",
        "",
    ] {
        error(&me(&server, bad).await, 401);
        // Elsewhere such a token means nobody.
        let list = Answer::to(server.request(Method::GET, TASKS).bearer_auth(bad)).await;
        assert_eq!((list.status, list.text.as_str()), (200, "[]"), "{bad}");
    }
    server
        .says("a token was not signed by this server; whoever sends it is nobody")
        .await;
    error(&server.get(ME).await, 401);
    let stranger = json!({ "email": "stranger@example.com", "password": "x" });
    assert_eq!(
        error(
            &server
                .send(Method::POST, "/api/apps/local/auth/login", &stranger)
                .await,
            401
        ),
        "Unauthorized"
    );
}

#[tokio::test]
async fn a_token_outlives_a_restart() {
    let project = Project::new();
    let mut server = backlot(&project).start().await;
    let token = sign_in(&server, DEVELOPER).await;
    assert_eq!(server.interrupt().await, 0);
    let server = backlot(&project).start().await;
    assert_eq!(me(&server, &token).await.status, 200);
}

#[tokio::test]
async fn a_record_is_made_read_changed_and_removed() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let token = sign_in(&server, DEVELOPER).await;

    let create = server
        .request(Method::POST, TASKS)
        .bearer_auth(&token)
        .json(&json!({ "title": "Buy bread" }));
    let task = Answer::to(create).await.expect(201);
    let id = task["id"].as_str().unwrap();
    assert!(
        id.len() == 24
            && id
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)),
        "{id}"
    );
    assert_eq!(
        (&task["title"], &task["done"], &task["created_by"]),
        (&json!("Buy bread"), &json!(false), &json!(DEVELOPER))
    );
    for stamp in ["created_date", "updated_date"] {
        let text = task[stamp].as_str().unwrap();
        assert!(
            text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.',
            "{text}"
        );
    }

    let one = format!("{TASKS}/{id}");
    assert_eq!(server.get(&one).await.expect(200), task);
    let changed = server
        .send(Method::PUT, &one, &json!({ "done": true }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["done"], &changed["title"], &changed["id"]),
        (&json!(true), &json!("Buy bread"), &task["id"])
    );
    assert_eq!(server.get(&one).await.expect(200)["done"], true);

    assert_eq!(
        Answer::to(server.request(Method::DELETE, &one))
            .await
            .status,
        200
    );
    let missing = format!("Entity Task with ID {id} not found");
    assert_eq!(error(&server.get(&one).await, 404), missing);
    assert_eq!(
        error(&server.send(Method::PUT, &one, &json!({})).await, 404),
        missing
    );
    assert_eq!(
        error(&Answer::to(server.request(Method::DELETE, &one)).await, 404),
        missing
    );
}

#[tokio::test]
async fn a_list_is_sorted_paged_and_filtered() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    for (title, priority, done) in [
        ("a", 2, false),
        ("b", 1, true),
        ("c", 3, false),
        ("d", 1, false),
    ] {
        let task = json!({ "title": title, "priority": priority, "done": done });
        let _ = server.send(Method::POST, TASKS, &task).await.expect(201);
    }
    type Query = [(&'static str, &'static str)];
    let cases: [(&Query, &[&str]); 9] = [
        (&[], &["d", "c", "b", "a"]),
        (&[("sort", "title")], &["a", "b", "c", "d"]),
        (&[("sort", "-title")], &["d", "c", "b", "a"]),
        (&[("sort", "created_date")], &["a", "b", "c", "d"]),
        (&[("sort", "priority"), ("limit", "2")], &["b", "d"]),
        (
            &[("sort", "title"), ("limit", "2"), ("skip", "1")],
            &["b", "c"],
        ),
        (
            &[("q", r#"{"done":false}"#), ("sort", "title")],
            &["a", "c", "d"],
        ),
        (&[("q", r#"{"priority":1,"done":false}"#)], &["d"]),
        (&[("q", r#"{"title":"nobody"}"#)], &[]),
    ];
    for (query, expected) in cases {
        let answer = Answer::to(server.request(Method::GET, TASKS).query(query)).await;
        assert_eq!(titles(&answer.expect(200)), expected, "{query:?}");
    }
    let fields = Answer::to(
        server
            .request(Method::GET, TASKS)
            .query(&[("fields", "title"), ("limit", "1")]),
    )
    .await;
    let keys: Vec<_> = fields.expect(200)[0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert!(
        keys.len() == 2 && keys.contains(&"id".to_owned()) && keys.contains(&"title".to_owned()),
        "{keys:?}"
    );
}

#[tokio::test]
async fn every_error_has_one_shape_and_says_what_is_wrong() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let cases: [(Method, &str, &str, u16, &str); 8] = [
        (
            Method::GET,
            "/api/apps/local/entities/Nothing",
            "",
            404,
            "Nothing",
        ),
        (Method::POST, TASKS, "{\"title\": ", 400, ""),
        (Method::POST, TASKS, "[1]", 400, ""),
        (Method::POST, TASKS, r#"{"title": 5}"#, 422, "title"),
        (
            Method::GET,
            "/api/apps/local/entities/Task/000000000000000000000000",
            "",
            404,
            "Task",
        ),
        (
            Method::GET,
            "/api/apps/local/entities/Task?q=%7B%22title%22%3A%7B%22%24near%22%3A1%7D%7D",
            "",
            400,
            "$near",
        ),
        (Method::PATCH, TASKS, "{}", 405, ""),
        (
            Method::POST,
            "/api/apps/local/auth/login",
            "{}",
            422,
            "email",
        ),
    ];
    for (method, path, body, status, part) in cases {
        let request = server
            .request(method, path)
            .header("content-type", "application/json")
            .body(body);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let message = error(&answer, status);
        assert!(message.contains(part), "{path}: {message}");
    }
}

#[tokio::test]
async fn only_local_names_and_origins_are_served() {
    let project = Project::new().with_tasks();
    let server = backlot(&project)
        .args(&["--allow-host", "tunnel.example.com"])
        .start()
        .await;
    for (host, status) in [
        ("localhost", 200),
        ("app.localhost", 200),
        ("tunnel.example.com", 200),
        ("evil.example.com", 421),
    ] {
        let answer = Answer::to(server.request(Method::GET, TASKS).header("host", host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
    for (origin, status) in [
        ("http://localhost:5173", 201),
        ("https://evil.example.com", 403),
        ("null", 403),
    ] {
        let request = server
            .request(Method::POST, TASKS)
            .header("origin", origin)
            .json(&json!({ "title": "x" }));
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{origin}");
        let granted = answer
            .headers
            .get("access-control-allow-origin")
            .is_some_and(|value| value == origin);
        assert_eq!(granted, status == 201, "{origin}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn both_loopback_addresses_are_served_and_any_app_id_addresses_the_app() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let task = add_task(&server, "here").await;
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let addresses = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    for url in &addresses[..2 + usize::from(has_ipv6)] {
        let url = format!("{url}:{}/api/apps/another/entities/task", server.port());
        assert_eq!(
            Answer::to(http::client().get(&url)).await.expect(200),
            json!([task]),
            "{url}"
        );
    }
}
