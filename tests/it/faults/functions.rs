//! Functions that hang, end and leave others' work undone: each call has an answer, and each save mends what it can.

use std::sync::Arc;

use reqwest::Method;
use tests::{
    http::Answer,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{NO_HANG, PATIENCE, eventually, that},
};
use tokio::{task::JoinSet, time::timeout};

use super::serves;
use crate::backlot;

const WELL: &str = "Deno.serve(() => new Response('well'));";

async fn with(functions: &[(&str, &str)]) -> Option<(Project, Arc<Server>)> {
    let clients = Clients::get().await?;
    let project = Project::new().with_tasks();
    let project = functions.iter().fold(project, |project, (name, source)| {
        project.function(name, source)
    });
    let launch = backlot(&project).clients(&clients).args(&["--offline"]);
    let server = launch.start().await;
    Some((project, Arc::new(server)))
}

/// A call that may wait.
fn call(server: &Arc<Server>, path: &str) -> tokio::task::JoinHandle<Answer> {
    let request = server.request(Method::POST, path).body("{}");
    tokio::spawn(Answer::to(request))
}

async fn is_well(server: &Server, name: &str) {
    let path = format!("/functions/{name}");
    let answer = timeout(NO_HANG, server.get(&path)).await;
    assert_eq!(answer.expect("an answer in time").text, "well");
}

#[tokio::test]
async fn a_function_that_never_loads_holds_up_no_other_and_a_save_mends_it() {
    let busy = "console.log('loading'); for (;;);";
    let waits = "console.log('loading'); setInterval(() => {}, 1000); await new Promise(() => {});";
    for source in [busy, waits] {
        let Some((project, server)) = with(&[("stuck", source), ("fine", WELL)]).await else {
            return;
        };
        let waiting = call(&server, "/functions/stuck");
        server.says("loading").await;
        is_well(&server, "fine").await;
        serves(&server).await;
        assert!(!waiting.is_finished());
        project.save("base44/functions/stuck/entry.ts", WELL);
        eventually("the saved version serves", PATIENCE, async || {
            let answer = server.get("/functions/stuck").await;
            that(answer.text == "well", answer.text)
        })
        .await;
        let answer = timeout(PATIENCE, waiting).await;
        let answer = answer
            .expect("who waited for the old version is told")
            .unwrap();
        assert!(
            answer.text == "well" || answer.json()["message"].is_string(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_call_that_never_ends_holds_up_neither_others_nor_the_next_version() {
    let source = r#"
        Deno.serve((request) => {
          if (!request.url.endsWith("/hang")) return new Response("well");
          console.log("hanging");
          return new Promise(() => {});
        });
    "#;
    let Some((project, server)) = with(&[("odd", source)]).await else {
        return;
    };
    let hanging = call(&server, "/functions/odd/hang");
    server.says("hanging").await;
    is_well(&server, "odd").await;
    let next = source.replace("\"well\"", "\"saved\"");
    project.save("base44/functions/odd/entry.ts", &next);
    eventually("the saved version serves", PATIENCE, async || {
        let answer = server.get("/functions/odd").await;
        that(answer.text == "saved", answer.text)
    })
    .await;
    hanging.abort();
    serves(&server).await;
}

#[tokio::test]
async fn a_function_that_ends_at_random_answers_every_call_or_says_that_it_died() {
    let source = r#"
        const life = 1 + Math.floor(Math.random() * 6);
        let calls = 0;
        Deno.serve(async () => {
          calls += 1;
          if (calls >= life) Deno.exit(7);
          await new Promise((done) => setTimeout(done, 5));
          return new Response("well");
        });
    "#;
    let Some((_project, server)) = with(&[("mortal", source), ("fine", WELL)]).await else {
        return;
    };
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let server = Arc::clone(&server);
        callers.spawn(async move {
            let mut died = 0;
            for _ in 0..8 {
                let answer = timeout(NO_HANG, server.get("/functions/mortal")).await;
                let answer = answer.expect("an answer in time");
                match answer.status {
                    200 => assert_eq!(answer.text, "well"),
                    502 | 503 => {
                        assert!(answer.json()["message"].is_string(), "{answer:?}");
                        died += 1;
                    }
                    _ => panic!("{answer:?}"),
                }
            }
            died
        });
    }
    let mut died = 0;
    while let Some(caller) = callers.join_next().await {
        died += caller.unwrap();
    }
    assert!(died > 0, "it never died");
    is_well(&server, "fine").await;
    server.says("process ended").await;
}
