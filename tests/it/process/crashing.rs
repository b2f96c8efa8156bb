//! Services that are killed: who comes back, with what, and what callers see meanwhile.

use nix::sys::signal::Signal;
use reqwest::Method;
use tests::{
    http::Answer,
    process::send,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{NO_HANG, PATIENCE, eventually, that},
};
use tokio::time::timeout;

use super::{everything, kill, pid_of, start_everything, start_spinning};
use crate::{DEVELOPER, TASKS, add_task, backlot, sign_in};

/// Asks for the tasks; whatever is down, an answer comes.
async fn tasks_without_a_hang(server: &Server) -> Answer {
    let asked = timeout(NO_HANG, server.get(TASKS)).await;
    asked.expect("a request hung")
}

#[tokio::test]
async fn a_killed_gateway_comes_back_on_its_port() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut server = launch.start().await;
    let token = sign_in(&server, DEVELOPER).await;
    add_task(&server, "kept").await;
    kill(&launch, "gateway").await;
    eventually("the gateway answers again", PATIENCE, async || {
        let request = server.request(Method::GET, TASKS).bearer_auth(&token);
        let answer = Answer::try_to(request)
            .await
            .map_err(|error| error.to_string())?;
        that(
            answer.status == 200 && answer.text.contains("kept"),
            answer.text,
        )
    })
    .await;
    server.says("the gateway is back").await;
    assert_eq!(server.interrupt().await, 0);
}

#[tokio::test]
async fn a_killed_runner_comes_back_and_functions_with_it() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = everything();
    let launch = backlot(&project).clients(&clients);
    let server = start_everything(&launch).await;
    start_spinning(&server).await;
    let deno_of_old = server
        .processes()
        .into_iter()
        .filter(|process| process.arguments.contains("deno"));
    let deno_of_old: Vec<i32> = deno_of_old.map(|process| process.pid).collect();
    kill(&launch, "runner").await;
    eventually("the function answers again", PATIENCE, async || {
        let answer = server.get("/functions/hello").await;
        assert!(
            answer.status == 200 || answer.status == 503 || answer.status == 502,
            "{answer:?}"
        );
        that(
            answer.text == "hello" && server.output().says("the runner is back"),
            answer.text,
        )
    })
    .await;
    eventually(
        "the old function processes are gone",
        PATIENCE,
        async || {
            let left: Vec<_> = server
                .processes()
                .into_iter()
                .filter(|process| deno_of_old.contains(&process.pid))
                .collect();
            that(left.is_empty(), format!("{left:?}"))
        },
    )
    .await;
}

#[tokio::test]
async fn a_killed_store_comes_back_empty_with_its_schemas_and_its_user_and_says_so() {
    let project = Project::new().with_tasks().login("ada@example.com", "Ada");
    let launch = backlot(&project);
    let server = launch.start().await;
    let token = sign_in(&server, "ada@example.com").await;
    add_task(&server, "lost").await;
    kill(&launch, "store").await;
    eventually("the store answers again, empty", PATIENCE, async || {
        let answer = tasks_without_a_hang(&server).await;
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        }
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        that(answer.text == "[]", answer.text)
    })
    .await;
    server
        .says("all records and accounts it held are gone")
        .await;
    // The token still says who it is, and the account is there again.
    let me = server
        .request(Method::GET, "/api/apps/local/entities/User/me")
        .bearer_auth(token);
    assert_eq!(Answer::to(me).await.expect(200)["email"], "ada@example.com");
}

#[tokio::test]
async fn requests_are_refused_at_once_while_a_service_is_away() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    // One that is attached is not brought back, so that it stays away.
    let store = launch.spawn_other(&["store", "--listen", "127.0.0.1:0"]);
    let address = crate::grpc::announced(&store).await;
    let server = launch
        .args(&["--attach", &format!("store={address}")])
        .start()
        .await;
    add_task(&server, "there").await;
    store.signal(Signal::SIGKILL);
    eventually("the store is missed", PATIENCE, async || {
        let answer = tasks_without_a_hang(&server).await;
        that(answer.status == 503, format!("{answer:?}"))?;
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        assert!(
            !answer.json()["message"]
                .as_str()
                .unwrap_or_default()
                .is_empty(),
            "{answer:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_save_reaches_the_services_that_are_there_while_another_is_away() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().with_tasks();
    let launch = backlot(&project).clients(&clients);
    let store = launch.spawn_other(&["store", "--listen", "127.0.0.1:0"]);
    let address = crate::grpc::announced(&store).await;
    let server = launch
        .args(&["--attach", &format!("store={address}")])
        .start()
        .await;
    store.signal(Signal::SIGKILL);
    project.save("base44/entities/note.jsonc", r#"{"name":"Note"}"#);
    project.save(
        "base44/functions/hello/entry.ts",
        "Deno.serve(() => new Response('hello'));",
    );
    server.says("the store cannot be told what to serve").await;
    eventually("the function is served", PATIENCE, async || {
        let answer = server.get("/api/functions/hello").await;
        that(answer.text == "hello", answer.text)
    })
    .await;
}

#[tokio::test]
async fn a_service_that_keeps_crashing_ends_the_server() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut server = launch.start().await;
    let mut last = 0;
    for _ in 0..4 {
        let pid = eventually(
            "the store runs, as another process than before",
            PATIENCE,
            async || {
                let pid = pid_of(&launch, "store").await;
                that(pid != last, format!("pid {pid}")).map(|()| pid)
            },
        )
        .await;
        send(pid, Signal::SIGKILL);
        last = pid;
    }
    assert_eq!(server.ended().await, 1);
    server
        .says("the store failed more than three times within a minute")
        .await;
    server.nothing_left().await;
}
