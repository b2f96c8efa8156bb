//! Function processes and runners that die under their callers: everybody gets an answer, and the next call works.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use nix::sys::signal::Signal;
use reqwest::Method;
use tests::{
    http::Answer,
    process::send,
    tools::Clients,
    wait::{NO_HANG, PATIENCE, eventually, that},
};
use tokio::{task::JoinSet, time::timeout};

use super::{offline, project_with, with_functions};

const HANGS: &str = r#"
    Deno.serve((request) => {
      if (!request.url.endsWith("/hang")) return new Response(String(Deno.pid));
      console.log("hanging");
      return new Promise(() => {});
    });
"#;

#[tokio::test]
async fn a_call_whose_process_is_killed_is_a_bad_gateway_and_the_next_one_works() {
    let Some((_project, server)) = with_functions(&[("dies", HANGS)]).await else {
        return;
    };
    let first: i32 = server.get("/functions/dies").await.text.parse().unwrap();
    let request = server.request(Method::POST, "/functions/dies/hang");
    let call = tokio::spawn(Answer::to(request.body("{}")));
    server.says("hanging").await;
    send(first, Signal::SIGKILL);
    let body = call.await.unwrap().expect(502);
    assert_eq!(body["message"], "Failed to proxy request to function");
    assert_eq!(body["error"], body["message"]);
    assert!(!body["details"].as_str().unwrap().is_empty(), "{body}");
    let second: i32 = server.get("/functions/dies").await.text.parse().unwrap();
    assert_ne!(first, second);
    server.says("process ended: signal: 9 (SIGKILL)").await;
}

#[tokio::test]
async fn calls_get_an_answer_while_the_runner_is_killed_under_them() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project_with(&[("busy", "Deno.serve(() => new Response('busy'));")]);
    let launch = offline(&project, &clients);
    let server = Arc::new(launch.start().await);
    assert_eq!(server.get("/functions/busy").await.text, "busy");
    let calling = Arc::new(AtomicBool::new(true));
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let (server, calling) = (Arc::clone(&server), Arc::clone(&calling));
        callers.spawn(async move {
            while calling.load(Ordering::Relaxed) {
                let answer = timeout(NO_HANG, server.get("/functions/busy")).await;
                let answer = answer.expect("an answer in time");
                match answer.status {
                    200 => assert_eq!(answer.text, "busy"),
                    // Its process died with the runner.
                    502 => drop(answer.json()),
                    503 => assert!(answer.headers.contains_key("retry-after"), "{answer:?}"),
                    _ => panic!("{answer:?}"),
                }
            }
        });
    }
    for _ in 0..2 {
        let pid = crate::process::pid_of(&launch, "runner").await;
        send(pid, Signal::SIGKILL);
        eventually("another runner serves", PATIENCE, async || {
            let now = crate::process::pid_of(&launch, "runner").await;
            let answer = server.get("/functions/busy").await;
            that(now != pid && answer.text == "busy", answer.text)
        })
        .await;
    }
    calling.store(false, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.expect("every call gets an answer");
    }
}
