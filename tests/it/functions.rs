//! Functions: started by their first call, given what the platform gives them, and streamed through in both directions.

use std::sync::Arc;

use futures_util::StreamExt as _;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use tests::{http::Answer, project::Project, server::Server, tools::Clients};
use tokio::sync::mpsc;

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

/// Sends one chunk, and the second only when somebody calls `…/go`.
const TWO_CHUNKS: &str = r#"
    const { promise, resolve } = Promise.withResolvers();
    Deno.serve((request) => {
      if (request.url.endsWith("/go")) {
        resolve();
        return new Response("going");
      }
      const encoder = new TextEncoder();
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(encoder.encode("one"));
          await promise;
          controller.enqueue(encoder.encode("two"));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
"#;

/// Sends every chunk back as it comes.
const MIRROR: &str = "Deno.serve((request) => new Response(request.body));";

/// Starts a server with these functions; nothing where there is no Deno.
async fn with_functions(functions: &[(&str, &str)]) -> Option<(Project, Server)> {
    let clients = Clients::get().await?;
    let project = Project::new()
        .with_tasks()
        .file(".env", "SETTING=from the file\n");
    let project = functions.iter().fold(project, |project, (name, source)| {
        project.function(name, source)
    });
    let server = backlot(&project)
        .clients(&clients)
        .args(&["--offline"])
        .start()
        .await;
    Some((project, server))
}

async fn next_text(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<impl AsRef<[u8]>>> + Unpin),
) -> String {
    let chunk = stream
        .next()
        .await
        .expect("the answer goes on")
        .expect("the answer does not break off");
    String::from_utf8(chunk.as_ref().to_vec()).expect("text")
}

#[tokio::test]
async fn a_function_is_started_by_its_first_call_and_reached_under_every_mount() {
    let Some((_project, server)) = with_functions(&[("echo", ECHO), ("email/send", ECHO)]).await
    else {
        return;
    };
    let deno = || {
        server
            .processes()
            .iter()
            .filter(|process| process.arguments.contains("deno"))
            .count()
    };
    let before = deno();
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
    assert!(deno() > before, "{:?}", server.processes());
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
async fn an_answer_arrives_chunk_by_chunk() {
    let Some((_project, server)) = with_functions(&[("two", TWO_CHUNKS)]).await else {
        return;
    };
    let response = server
        .request(Method::GET, "/functions/two")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut chunks = response.bytes_stream();
    assert_eq!(next_text(&mut chunks).await, "one");
    assert_eq!(server.get("/functions/two/go").await.text, "going");
    assert_eq!(next_text(&mut chunks).await, "two");
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn a_request_arrives_chunk_by_chunk() {
    let Some((_project, server)) = with_functions(&[("mirror", MIRROR)]).await else {
        return;
    };
    let (sender, receiver) = mpsc::channel::<Result<&str, std::io::Error>>(1);
    let body = futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    sender.send(Ok("one")).await.unwrap();
    let request = server
        .request(Method::POST, "/functions/mirror")
        .body(Body::wrap_stream(body));
    let mut chunks = request.send().await.unwrap().bytes_stream();
    assert_eq!(next_text(&mut chunks).await, "one");
    sender.send(Ok("two")).await.unwrap();
    assert_eq!(next_text(&mut chunks).await, "two");
    drop(sender);
    assert!(chunks.next().await.is_none());
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
async fn what_a_function_prints_is_on_the_terminal() {
    let source = "Deno.serve(() => { console.log('one line'); console.error('another'); return new Response(); });";
    let Some((_project, server)) = with_functions(&[("chatty", source)]).await else {
        return;
    };
    assert_eq!(server.get("/functions/chatty").await.status, 200);
    server.says("one line").await;
    server.says("another").await;
    let output = server.output();
    let line = output
        .stderr
        .iter()
        .find(|line| line.contains("one line"))
        .expect("it is on standard error");
    assert!(line.starts_with("chatty"), "{line}");
}

#[tokio::test]
async fn what_goes_wrong_in_a_function_is_an_error_answer_that_shows_no_stack() {
    let functions = [
        (
            "throws",
            "Deno.serve(() => { throw new Error('the secret reason'); });",
        ),
        ("broken", "Deno.serve(() => { const = 1; });"),
        ("empty", "export const handler = 1;"),
        (
            "fine",
            "export default () => new Response('fine', { status: 503 });",
        ),
    ];
    let Some((project, server)) = with_functions(&functions).await else {
        return;
    };
    for (path, status) in [
        ("/api/apps/local/functions/throws", 500),
        ("/api/apps/local/functions/broken", 500),
        ("/api/apps/local/functions/empty", 500),
        ("/api/apps/local/functions/missing", 404),
        ("/api/functions/missing", 404),
        ("/functions/missing", 404),
    ] {
        let answer = server.get(path).await;
        let body = answer.expect(status);
        assert!(
            !body["message"].as_str().unwrap().is_empty() && body["error"] == body["message"],
            "{path}: {body}"
        );
        let root = project.root().to_string_lossy();
        assert!(
            !answer.text.contains(&*root) && !answer.text.contains("    at "),
            "{path}: {body}"
        );
    }
    assert!(
        server
            .get("/functions/broken")
            .await
            .text
            .contains("base44/functions/broken/entry.ts:1:")
    );
    server.says("the secret reason").await;
    // An answer of a function's own is its own business.
    let fine = server.get("/functions/fine").await;
    assert_eq!((fine.status, fine.text.as_str()), (503, "fine"));
}
