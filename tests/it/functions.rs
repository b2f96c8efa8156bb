//! Functions: started by their first call, found under their names, and given what the platform gives them.

mod bodies;
#[cfg(target_os = "linux")]
mod dying;
mod errors;
mod imports;
mod output;
mod recent;
mod saving;
mod sdk;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    http::Answer,
    launch::Launch,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::{DEVELOPER, add_task, backlot, sign_in};

/// Answers what it was sent, and what it sees.
const ECHO: &str = r#"
    Deno.serve(async (request) => {
      const url = new URL(request.url);
      return Response.json({
        method: request.method,
        path: url.pathname,
        query: url.search,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
        app: Deno.env.get("BASE44_APP_ID"),
        setting: Deno.env.get("SETTING"),
        token: Deno.env.get("BACKLOT_TOKEN") ?? null,
      }, { status: 207, headers: { "x-answer": "yes" } });
    });
"#;

/// Starts a server with these functions; nothing where there is no Deno.
async fn with_functions(functions: &[(&str, &str)]) -> Option<(Project, Server)> {
    let clients = Clients::get().await?;
    let project = project_with(functions);
    let server = offline(&project, &clients).start().await;
    Some((project, server))
}

fn project_with(functions: &[(&str, &str)]) -> Project {
    let project = Project::new()
        .with_tasks()
        .file(".env", "SETTING=from the file\n");
    functions.iter().fold(project, |project, (name, source)| {
        project.function(name, source)
    })
}

fn offline<'a>(project: &'a Project, clients: &Clients) -> Launch<'a> {
    backlot(project).clients(clients).args(&["--offline"])
}

/// Kibibytes of memory that a process has, besides what is swapped out.
#[cfg(target_os = "linux")]
fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}

/// The process ids of Deno, the one in waiting included.
#[cfg(target_os = "linux")]
fn deno_of(server: &Server) -> Vec<i32> {
    let processes = server.processes().into_iter();
    let deno = processes.filter(|process| process.arguments.contains("deno run"));
    deno.map(|process| process.pid).collect()
}

#[tokio::test]
async fn a_function_is_started_by_its_first_call_and_reached_under_every_mount() {
    let Some((_project, server)) = with_functions(&[("echo", ECHO), ("email/send", ECHO)]).await
    else {
        return;
    };
    for (path, seen) in [
        ("/api/apps/local/functions/echo?a=1", "/echo?a=1"),
        ("/api/functions/echo", "/echo"),
        ("/functions/echo/deep/er?b", "/echo/deep/er?b"),
        ("/api/apps/local/functions/email/send", "/email/send"),
        ("/api/apps/local/functions/email%2Fsend", "/email/send"),
        ("/functions/email/send/now", "/email/send/now"),
    ] {
        let answer = Answer::to(server.request(Method::PATCH, path).body("hello")).await;
        let body = answer.expect(207);
        assert_eq!(
            format!(
                "{}{}",
                body["path"].as_str().unwrap(),
                body["query"].as_str().unwrap()
            ),
            seen,
            "{path}"
        );
        assert_eq!(
            (&body["method"], &body["body"]),
            (&json!("PATCH"), &json!("hello"))
        );
        assert_eq!(answer.headers["x-answer"], "yes");
    }
}

#[tokio::test]
async fn a_function_gets_the_platforms_headers_and_nobody_elses_word_for_them() {
    let Some((_project, server)) = with_functions(&[("echo", ECHO)]).await else {
        return;
    };
    let request = server
        .request(Method::POST, "/api/apps/local/functions/echo")
        .header("Base44-App-Id", "forged")
        .header("Base44-Api-Url", "https://evil.example.com")
        .header("Base44-Service-Authorization", "Bearer forged")
        .header("X-Mine", "kept");
    let body = Answer::to(request.try_clone().unwrap()).await.expect(207);
    let headers = &body["headers"];
    assert_eq!(headers["base44-app-id"], "local");
    assert_eq!(headers["base44-api-url"], server.url());
    assert_eq!(headers["x-mine"], "kept");
    assert_eq!(headers.get("authorization"), None, "{headers}");
    let service = headers["base44-service-authorization"].as_str().unwrap();
    assert!(service.starts_with("Bearer ey"), "{service}");

    let token = sign_in(&server, DEVELOPER).await;
    let body = Answer::to(request.bearer_auth(&token).header("X-App-Id", "app-7"))
        .await
        .expect(207);
    assert_eq!(body["headers"]["authorization"], format!("Bearer {token}"));
    assert_eq!(body["headers"]["base44-app-id"], "app-7");
    assert_ne!(
        body["headers"]["base44-service-authorization"],
        format!("Bearer {token}")
    );
}

#[tokio::test]
async fn a_function_sees_its_settings_and_no_secret_of_the_server() {
    let Some((_project, server)) = with_functions(&[("echo", ECHO)]).await else {
        return;
    };
    let body = server.get("/functions/echo").await.expect(207);
    assert_eq!(
        (&body["app"], &body["setting"], &body["token"]),
        (&json!("local"), &json!("from the file"), &Value::Null)
    );
}

#[tokio::test]
async fn a_function_reads_records_as_its_caller_and_as_the_service() {
    let source = r#"
        Deno.serve(async (request) => {
          const header = (name) => request.headers.get(name);
          const url = `${header("base44-api-url")}/api/apps/${header("base44-app-id")}/entities/`;
          const get = async (path, authorization) =>
            (await fetch(url + path, authorization ? { headers: { authorization } } : {})).json();
          return Response.json({
            tasks: await get("Task", header("base44-service-authorization")),
            caller: (await get("User/me", header("authorization"))).email ?? null,
          });
        });
    "#;
    let Some((_project, server)) = with_functions(&[("look", source)]).await else {
        return;
    };
    let task = add_task(&server, "seen").await;
    let token = sign_in(&server, DEVELOPER).await;
    let request = server.request(Method::POST, "/functions/look");
    let seen = Answer::to(request.try_clone().unwrap().bearer_auth(token))
        .await
        .expect(200);
    assert_eq!(seen, json!({ "tasks": [task], "caller": DEVELOPER }));
    assert_eq!(Answer::to(request).await.expect(200)["caller"], Value::Null);
}

#[tokio::test]
async fn many_first_calls_start_one_process() {
    let source = "const born = crypto.randomUUID(); Deno.serve(() => new Response(born));";
    let Some((_project, server)) = with_functions(&[("born", source)]).await else {
        return;
    };
    let server = Arc::new(server);
    let calls = (0..8).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.get("/functions/born").await.text })
    });
    let answers = futures_util::future::join_all(calls).await;
    let first = answers[0].as_ref().unwrap();
    assert!(
        first.len() == 36
            && answers
                .iter()
                .all(|answer| answer.as_ref().unwrap() == first),
        "{answers:?}"
    );
}

#[tokio::test]
async fn functions_of_another_folder_and_of_plugins_are_called_by_their_names() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let shared =
        "import { word } from '../../../shared/word.ts'; Deno.serve(() => new Response(word));";
    let project = project_with(&[("elsewhere", ECHO)])
        .config(&json!({ "name": "x", "functionsDir": "code/fns", "plugins": [{ "source": "../shop" }] }))
        .file("base44/code/fns/deep/down/entry.js", shared)
        .file("base44/code/shared/word.ts", "export const word: string = 'shared';")
        .file("base44/code/fns/named/function.json", r#"{ "name": "other/name" }"#)
        .file("base44/code/fns/named/entry.ts", "export default () => new Response('named');")
        .file("shop/base44/config.jsonc", r#"{ "name": "shop", "plugin": { "namespace": "shop" } }"#)
        .file("shop/base44/functions/cart/add/entry.ts", "export default () => new Response('added');");
    let server = offline(&project, &clients).start().await;
    for (name, status, text) in [
        ("deep/down", 200, "shared"),
        ("other/name", 200, "named"),
        ("shop__cart/add", 200, "added"),
        ("named", 404, ""),
        ("elsewhere", 404, ""),
    ] {
        let answer = server.get(&format!("/api/functions/{name}")).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(status == 404 || answer.text == text, "{name}: {answer:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn fifty_functions_cost_one_process_in_waiting_until_they_are_called() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project_with(&[("first", ECHO)]);
    for number in 1..50 {
        project.save(&format!("base44/functions/f{number}/entry.ts"), ECHO);
    }
    let server = offline(&project, &clients).start().await;
    for (called, processes) in [(false, 1), (true, 2)] {
        if called {
            let _ = server.get("/functions/first").await.expect(207);
        }
        eventually("as many processes as are needed", PATIENCE, async || {
            let running = deno_of(&server);
            that(running.len() == processes, format!("{running:?}"))
        })
        .await;
    }
    assert!(
        !server.output().says("warning:"),
        "{}",
        server.output().text()
    );
}
