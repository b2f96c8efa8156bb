//! What leaves the machine, as a platform in the test's own process sees it: which calls, with whose credentials, and what
//! comes back. And what happens when that platform is not as it should be.

mod credentials;
#[cfg(target_os = "linux")]
mod https;
mod modules;
mod trouble;

use reqwest::{Method, header::AUTHORIZATION};
use serde_json::json;
use tests::{
    http::Answer,
    launch::Launch,
    project::Project,
    server::Server,
    upstream::{Upstream, VISITOR, VISITOR_TOKEN},
};

use crate::{backlot, register, sign_in};

const ADA: &str = "ada@example.com";

/// The command for a linked project, with this platform.
fn linked<'a>(project: &'a Project, upstream: &str) -> Launch<'a> {
    backlot(project).args(&["--upstream", upstream])
}

/// A linked project of somebody who has logged in on the command line.
fn project() -> Project {
    Project::new()
        .with_tasks()
        .linked("app-1")
        .login(ADA, "Ada Lovelace")
}

/// What the platform serves and this server does not: each with the name that the terminal gives it.
const FORWARDED: [(&str, &str); 9] = [
    (
        "POST /api/apps/app-1/integration-endpoints/Core/InvokeLLM?a=%20b",
        "Core.InvokeLLM",
    ),
    (
        "POST /api/apps/app-1/integration-endpoints/installable/pkg/integration-endpoints/ep",
        "pkg.ep",
    ),
    (
        "POST /api/apps/app-1/integrations/custom/crm/get:/contacts/%7Bid%7D",
        "POST /api/apps/app-1/integrations/custom/crm/get:/contacts/%7Bid%7D",
    ),
    (
        "GET /api/apps/app-1/agents/conversations?q[agent_name]=a",
        "GET /api/apps/app-1/agents/conversations",
    ),
    (
        "POST /api/apps/app-1/agents/conversations/v2/1/messages",
        "POST /api/apps/app-1/agents/conversations/v2/1/messages",
    ),
    (
        "GET /api/apps/app-1/external-auth/tokens/slack",
        "GET /api/apps/app-1/external-auth/tokens/slack",
    ),
    (
        "POST /api/apps/app-1/connectors/slack/call",
        "POST /api/apps/app-1/connectors/slack/call",
    ),
    (
        "POST /api/apps/app-1/ai/openai/v1/chat/completions",
        "POST /api/apps/app-1/ai/openai/v1/chat/completions",
    ),
    (
        "GET /api/apps/app-1/auth/sso/accesstoken/u1",
        "GET /api/apps/app-1/auth/sso/accesstoken/u1",
    ),
];

/// A request with every header that must not leave the machine.
fn loaded(server: &Server, line: &str, token: Option<&str>) -> reqwest::RequestBuilder {
    let (method, path) = line.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let mut request = server
        .request(method.clone(), path)
        .header("base44-service-authorization", "Bearer local-secret")
        .header("on-behalf-of", "Bearer local-secret")
        .header("base44-api-url", "http://localhost:1/local-secret")
        .header("cookie", "session=local-secret")
        .header("x-bypass-rls", "true")
        .header("x-app-id", "app-1")
        .header("x-data-env", "dev");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    match method == Method::POST {
        true => request.json(&json!({ "prompt": "hello" })),
        false => request,
    }
}

#[tokio::test]
async fn what_is_not_local_reaches_the_platform_as_it_is_and_as_whom_it_may() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    let other = register(&server, "eve@example.com").await;
    assert!(upstream.take().is_empty(), "a start asks nothing");

    // The first call of the developer has their token fetched.
    let _ = Answer::to(loaded(&server, FORWARDED[0].0, Some(&developer))).await;
    let lines: Vec<_> = upstream.take().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["GET /api/apps/app-1/auth/token", FORWARDED[0].0]);
    let app_token = upstream.app_token().unwrap();

    for (line, name) in FORWARDED {
        for (token, credential, whom) in [
            (
                Some(&developer),
                format!("Bearer {app_token}"),
                "as ada@example.com",
            ),
            (Some(&other), String::new(), "without credentials"),
            (None, String::new(), "without credentials"),
        ] {
            let answer = Answer::to(loaded(&server, line, token.map(String::as_str))).await;
            assert_eq!(answer.expect(200), json!({ "from": "afar" }));
            let call = upstream.one();
            assert_eq!(call.line, line);
            assert_eq!(call.header("authorization"), credential, "{line}");
            assert_eq!(call.header("x-data-env"), "dev");
            assert_eq!(
                call.header("host"),
                upstream.url().split_once("//").unwrap().1
            );
            let body = if line.starts_with("POST") {
                r#"{"prompt":"hello"}"#
            } else {
                ""
            };
            assert_eq!(call.body, body);
            let everything = format!("{call:?}");
            for secret in ["local-secret", "bypass", developer.as_str(), &other] {
                assert!(
                    !everything.contains(secret),
                    "{secret} left the machine: {everything}"
                );
            }
            server
                .says(&format!(
                    "{name} is not available locally: sent to {} {whom}",
                    upstream.url()
                ))
                .await;
        }
    }
}

#[tokio::test]
async fn nothing_that_is_served_here_is_ever_sent_away() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    for (line, status) in [
        ("PATCH /api/apps/app-1/entities/Task/1", 405),
        ("GET /api/apps/app-1/entities/Task/1/2/3", 404),
        ("DELETE /api/apps/app-1/entities", 404),
        ("DELETE /api/apps/app-1/%65ntities/Task", 404),
        ("DELETE /api/apps/app-1//entities/Task", 404),
        ("POST /api/apps/app-1/functions/unknown/tail", 404),
        ("POST /api/functions/unknown", 404),
        ("POST /functions/unknown", 404),
        ("GET /api/apps/app-1/auth/login", 405),
        ("POST /api/apps/app-1/auth/unknown", 404),
        ("PUT /api/apps/app-1/users/invite-user", 405),
        ("GET /api/apps/app-1/actors/chat", 404),
        ("POST /api/apps/app-1/analytics/track/batch", 200),
        ("POST /api/app-logs/app-1/log-user-in-app/Home", 200),
        ("GET /api/apps/public/prod/public-settings/by-id/app-1", 200),
        ("GET /media/unknown.png", 404),
        ("GET /login", 200),
        ("GET /login/unknown", 404),
        ("GET /", 404),
    ] {
        let answer = Answer::to(loaded(&server, line, Some(&developer))).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.text);
        if status >= 400 {
            let error = answer.json();
            assert_eq!(error["message"], error["error"], "{line}");
        }
    }
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn provider_logins_are_redirected_and_a_logout_stays_here() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    for path in [
        "/api/apps/auth/login?app_id=app-1&from_url=http%3A%2F%2Flocalhost%3A5173%2F",
        "/api/apps/auth/microsoft/login?app_id=app-1",
        "/api/apps/app-1/auth/sso/login?app_id=app-1",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 302, "{path}");
        assert_eq!(
            answer.headers["location"],
            format!("{}{path}", upstream.url())
        );
    }
    let logout = "/api/apps/auth/logout?from_url=";
    let back = server
        .get(&format!("{logout}http%3A%2F%2Flocalhost%3A5173%2Fa"))
        .await;
    assert_eq!(
        (back.status, &back.headers["location"]),
        (302, &"http://localhost:5173/a".parse().unwrap())
    );
    let stays = server
        .get(&format!("{logout}https%3A%2F%2Fevil.example"))
        .await;
    assert_eq!((stays.status, stays.headers.get("location")), (200, None));
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn whom_the_platform_vouches_for_is_signed_in_here() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let me = "/api/apps/app-1/entities/User/me";
    let ask = async |token: &str| {
        let request = server.request(Method::GET, me).bearer_auth(token);
        Answer::to(request).await
    };
    for _ in 0..2 {
        let user = ask(VISITOR_TOKEN).await.expect(200);
        assert_eq!(
            (&user["email"], &user["role"]),
            (&json!(VISITOR), &json!("user"))
        );
    }
    let asked = upstream.one();
    assert_eq!(asked.line, format!("GET {me}"));
    assert_eq!(
        asked.header("authorization"),
        format!("Bearer {VISITOR_TOKEN}")
    );

    let task = server
        .request(Method::POST, "/api/apps/app-1/entities/Task")
        .bearer_auth(VISITOR_TOKEN)
        .json(&json!({ "title": "from afar" }));
    assert_eq!(Answer::to(task).await.expect(201)["created_by"], VISITOR);
    // What they do there is done as themselves.
    let agents = server
        .request(Method::GET, "/api/apps/app-1/agents")
        .bearer_auth(VISITOR_TOKEN);
    assert_eq!(Answer::to(agents).await.status, 200);
    assert_eq!(
        upstream.one().header("authorization"),
        format!("Bearer {VISITOR_TOKEN}")
    );

    // The same claims, with another signature.
    let unknown = VISITOR_TOKEN.replace("c29tZWJvZHk", "bm9ib2R5");
    for _ in 0..2 {
        assert_eq!(ask(&unknown).await.status, 401);
    }
    assert_eq!(upstream.take().len(), 1, "a no is remembered as well");
}

#[tokio::test]
async fn the_address_of_a_local_file_is_pointed_out() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let body = json!({ "file_urls": [format!("{}/media/x.png", server.url())] });
    let path = "/api/apps/app-1/integration-endpoints/Core/InvokeLLM";
    assert_eq!(server.send(Method::POST, path, &body).await.status, 200);
    server
        .says(
            "Core.InvokeLLM was sent the address of a local file, which the platform cannot fetch",
        )
        .await;
    assert_eq!(upstream.one().body, body.to_string());
}
