//! The developer's own token: where it comes from, that it is renewed, and that a login is never lost over it.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    http::Answer,
    project::Project,
    server::Server,
    tools::Clients,
    upstream::Upstream,
    wait::{PATIENCE, eventually, that},
};

use super::{ADA, linked, project};
use crate::sign_in;

const AGENTS: &str = "/api/apps/app-1/agents";
const TOKEN: &str = "GET /api/apps/app-1/auth/token";

async fn call(server: &Server, token: &str) -> Answer {
    Answer::to(server.request(Method::GET, AGENTS).bearer_auth(token)).await
}

fn login(project: &Project) -> Value {
    serde_json::from_slice(&fs::read(project.login_file()).unwrap()).unwrap()
}

fn lines(upstream: &Upstream) -> Vec<String> {
    upstream.take().into_iter().map(|call| call.line).collect()
}

#[tokio::test]
async fn a_login_about_to_expire_is_renewed_first_and_kept() {
    let upstream = Upstream::start().await;
    let project = Project::new().linked("app-1").login_until(1, ADA, "Ada");
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    assert_eq!(call(&server, &developer).await.status, 200);
    let expected = ["POST /oauth/token", TOKEN, &format!("GET {AGENTS}")];
    assert_eq!(lines(&upstream), expected);
    let kept = login(&project);
    assert_eq!(
        (&kept["accessToken"], &kept["refreshToken"], &kept["email"]),
        (&json!("access-1"), &json!("refresh-1"), &json!(ADA))
    );
}

#[tokio::test]
async fn a_login_that_is_refused_is_renewed_once() {
    let upstream = Upstream::start().await;
    upstream.revoke_access_token();
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    assert_eq!(call(&server, &developer).await.status, 200);
    let expected = [TOKEN, "POST /oauth/token", TOKEN, &format!("GET {AGENTS}")];
    assert_eq!(lines(&upstream), expected);
}

#[tokio::test]
async fn a_login_that_has_ended_costs_the_call_its_credentials_and_nothing_else() {
    let upstream = Upstream::start().await;
    upstream.end_login();
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let before = fs::read(project.login_file()).unwrap();
    let developer = sign_in(&server, ADA).await;
    for _ in 0..2 {
        assert_eq!(call(&server, &developer).await.status, 200);
    }
    server
        .says("without credentials: your login has expired")
        .await;
    let calls = upstream.take();
    let of_app: Vec<_> = calls
        .iter()
        .filter(|call| call.line.ends_with(AGENTS))
        .collect();
    assert_eq!(of_app.len(), 2);
    assert!(
        of_app
            .iter()
            .all(|call| call.header("authorization").is_empty())
    );
    assert!(
        calls.len() <= 2 + 2,
        "it is not tried with every call: {calls:#?}"
    );
    assert_eq!(fs::read(project.login_file()).unwrap(), before);
}

#[tokio::test]
async fn without_a_connection_the_login_stays_as_it_is() {
    let upstream = Upstream::start().await;
    let url = upstream.url().to_owned();
    let project = Project::new().linked("app-1").login_until(1, ADA, "Ada");
    let server = linked(&project, &url).start().await;
    drop(upstream);
    let before = fs::read(project.login_file()).unwrap();
    let developer = sign_in(&server, ADA).await;
    let answer = call(&server, &developer).await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    assert_eq!(fs::read(project.login_file()).unwrap(), before);
}

#[tokio::test]
async fn nobody_logged_in_means_nobody_there() {
    let upstream = Upstream::start().await;
    let project = Project::new().linked("app-1");
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, crate::DEVELOPER).await;
    assert_eq!(call(&server, &developer).await.status, 200);
    assert_eq!(upstream.one().header("authorization"), "");
    server
        .says("without credentials: nobody is logged in to Base44")
        .await;
}

#[tokio::test]
async fn tokens_from_the_environment_are_a_login() {
    let upstream = Upstream::start().await;
    let project = Project::new().linked("app-1");
    // {"sub":"ada@example.com","exp":4102444800}
    let access = "e30.eyJzdWIiOiJhZGFAZXhhbXBsZS5jb20iLCJleHAiOjQxMDI0NDQ4MDB9.x";
    let server = linked(&project, upstream.url())
        .env("BASE44_ACCESS_TOKEN", access)
        .env("BASE44_REFRESH_TOKEN", "r")
        .start()
        .await;
    let developer = sign_in(&server, ADA).await;
    assert_eq!(call(&server, &developer).await.status, 200);
    // The platform does not know that access token, but it does the refresh token.
    let app_token = upstream.app_token().unwrap();
    let calls = upstream.take();
    assert_eq!(
        calls.last().unwrap().header("authorization"),
        format!("Bearer {app_token}")
    );
}

#[tokio::test]
async fn the_service_role_of_a_function_calls_as_the_developer() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let ask = r#"
        import { createClientFromRequest } from "npm:@base44/sdk@0.8.50";
        Deno.serve(async (request) => {
          const base44 = createClientFromRequest(request);
          const asked = { prompt: "hello" };
          await base44.integrations.Core.InvokeLLM(asked);
          return Response.json(await base44.asServiceRole.integrations.Core.InvokeLLM(asked));
        });
    "#;
    let upstream = Upstream::start().await;
    let project = project().function("ask", ask);
    let server = linked(&project, upstream.url())
        .clients(&clients)
        .start()
        .await;
    let eve = crate::register(&server, "eve@example.com").await;
    let request = server.request(Method::POST, "/api/apps/app-1/functions/ask");
    let answer = Answer::to(request.bearer_auth(&eve).json(&json!({}))).await;
    assert_eq!(answer.expect(200), json!({ "from": "afar" }));

    let llm = "POST /api/apps/app-1/integration-endpoints/Core/InvokeLLM";
    let calls = upstream.take();
    let found: Vec<_> = calls
        .iter()
        .map(|call| (call.line.as_str(), call.header("authorization")))
        .collect();
    let developers = format!("Bearer {}", upstream.app_token().unwrap());
    let expected = [(llm, ""), (TOKEN, "Bearer a"), (llm, developers.as_str())];
    assert_eq!(found, expected);
    let everything = format!("{calls:?}");
    assert!(
        !everything.contains(&eve) && !everything.contains("on-behalf-of"),
        "{everything}"
    );
}

#[tokio::test]
async fn other_projects_and_an_offline_start_ask_nobody() {
    let upstream = Upstream::start().await;
    let offline = project();
    let unlinked = Project::new().login(ADA, "Ada");
    for (launch, reason) in [
        (
            linked(&offline, upstream.url()).args(&["--offline"]),
            "--offline",
        ),
        (linked(&unlinked, upstream.url()), "not linked"),
    ] {
        let server = launch.start().await;
        let developer = sign_in(&server, ADA).await;
        for path in [AGENTS, "/api/apps/auth/login"] {
            let request = server.request(Method::GET, path).bearer_auth(&developer);
            let answer = Answer::to(request).await;
            let message = answer.expect(502)["message"].as_str().unwrap().to_owned();
            assert!(message.contains(reason), "{path}: {message}");
        }
    }
    assert!(upstream.take().is_empty());
}

#[tokio::test]
async fn a_token_that_the_platform_refuses_is_replaced_while_the_server_runs() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    assert_eq!(call(&server, &developer).await.status, 200);
    let _ = upstream.take();
    let first = upstream.app_token().unwrap();
    upstream.revoke_app_token();

    // This call is refused, as the app would be, and has another token fetched.
    assert_eq!(call(&server, &developer).await.status, 401);
    eventually("the call is taken", PATIENCE, async || {
        let answer = call(&server, &developer).await;
        that(answer.status == 200, answer.text)
    })
    .await;
    let second = upstream.app_token().unwrap();
    assert_ne!(second, first);
    let calls = upstream.take();
    let fetches = calls.iter().filter(|call| call.line == TOKEN);
    assert_eq!(fetches.count(), 1, "{calls:#?}");
    let of_app: Vec<_> = calls
        .iter()
        .filter(|call| call.line.ends_with(AGENTS))
        .map(|call| call.header("authorization"))
        .collect();
    let (refused, taken) = of_app.split_at(of_app.len() - 1);
    assert!(
        refused
            .iter()
            .all(|bearer| *bearer == format!("Bearer {first}"))
    );
    assert_eq!(taken, [format!("Bearer {second}")]);
}

#[tokio::test]
async fn a_platform_that_refuses_every_token_is_not_asked_for_one_with_every_call() {
    let upstream = Upstream::start().await;
    let project = project();
    let server = linked(&project, upstream.url()).start().await;
    let developer = sign_in(&server, ADA).await;
    upstream.refuse_app_tokens();
    for _ in 0..20 {
        assert_eq!(call(&server, &developer).await.status, 401);
    }
    let calls = lines(&upstream);
    let fetches = calls.iter().filter(|line| **line == TOKEN).count();
    // Two at once, and another one for every minute that this takes.
    assert!((1..10).contains(&fetches), "{fetches}: {calls:#?}");
    // The login is as good as it was.
    assert_eq!(login(&project)["refreshToken"], "r");
}
