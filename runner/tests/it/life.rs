//! How function processes come and go.

use std::time::Duration;

use futures_util::future::join_all;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use proto::{Code, v1::log_line::Level};
use runner::pool::{Deno, Refusal, State};

use crate::project::{Project, alive, eventually};

const PID: &str = "Deno.serve(() => new Response(String(Deno.pid)))";

async fn pid(project: &Project, name: &str) -> u32 {
    project.get(name).await.1.parse().unwrap()
}

#[tokio::test]
async fn first_calls_share_one_start_and_later_ones_the_process() {
    let Some(project) = Project::new(&[("f", PID), ("g", PID)]).await else {
        return;
    };
    let calls = join_all((0..20).map(|_| pid(&project, "f"))).await;
    assert!(calls.iter().all(|pid| *pid == calls[0]), "{calls:?}");
    assert_ne!(pid(&project, "g").await, calls[0]);
    let status = project.handle.status().await.unwrap();
    assert_eq!((status[0].starts, status[0].state), (1, State::Ready));
    assert_eq!(status[0].pid, Some(calls[0]));
    project.stop().await;
    assert!(!alive(calls[0]));
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_fails_quietly_until_a_call_wants_to_know() {
    let Some(project) = Project::new(&[
        ("bad", "console.log('loading'); throw new Error('boom')"),
        ("good", PID),
    ])
    .await
    else {
        return;
    };
    let quiet = |project: &Project| {
        let lines = project.lines("bad");
        !lines.is_empty() && lines.iter().all(|line| line.level() == Level::Debug)
    };
    let prepared = project.handle.prepare("bad".to_owned()).await;
    assert!(matches!(prepared, Err(Refusal::Broken(..))), "{prepared:?}");
    assert!(quiet(&project), "{:?}", project.lines("bad"));
    assert!(project.acquire("bad").await.is_err());
    assert!(!quiet(&project));

    project.handle.prepare("good".to_owned()).await.unwrap();
    let recent = || project.handle.table().borrow().recent.clone();
    assert_eq!(recent(), [""; 0], "only calls count as use");
    pid(&project, "good").await;
    eventually("the call is noticed", async || recent() == ["good"]).await;
    assert_eq!(project.handle.status().await.unwrap()[1].starts, 1);
    project.stop().await;
}

#[tokio::test]
async fn a_process_that_dies_is_replaced_at_the_next_call() {
    let Some(project) = Project::new(&[("f", PID)]).await else {
        return;
    };
    let first = pid(&project, "f").await;
    kill(Pid::from_raw(first.try_into().unwrap()), Signal::SIGKILL).unwrap();
    eventually("the end is noticed", async || {
        project.printed("f", "process ended")
    })
    .await;
    assert_ne!(pid(&project, "f").await, first);
    project.stop().await;
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_replaced_for_the_caller_who_found_out() {
    let Some(project) = Project::new(&[("f", PID)]).await else {
        return;
    };
    let first = project.acquire("f").await.unwrap();
    let again = |failed| project.handle.acquire("f".to_owned(), failed);
    let second = again(Some(first.generation)).await.unwrap();
    assert!(second.generation > first.generation);
    assert_eq!(again(Some(first.generation)).await.unwrap(), second);
    project.stop().await;
}

#[tokio::test]
async fn no_process_of_the_group_survives_its_function() {
    let code = "const child = new Deno.Command('sleep', { args: ['600'] }).spawn();
        Deno.serve(() => new Response(String(child.pid)))";
    let all = |settings: &mut runner::pool::Settings| settings.all_permissions = true;
    let Some(project) = Project::with(&[("f", code)], all).await else {
        return;
    };
    let grandchild = pid(&project, "f").await;
    assert!(alive(grandchild));
    project.apply(&[]).await;
    eventually("the grandchild ends", async || !alive(grandchild)).await;
    project.stop().await;
}

#[tokio::test]
async fn an_idle_process_leaves_and_comes_back_when_called() {
    let soon =
        |settings: &mut runner::pool::Settings| settings.idle = Some(Duration::from_millis(400));
    let Some(project) = Project::with(&[("f", PID)], soon).await else {
        return;
    };
    let first = pid(&project, "f").await;
    eventually("the process leaves", async || !alive(first)).await;
    eventually("its end is noticed", async || {
        project.handle.status().await.unwrap()[0].state == State::Idle
    })
    .await;
    assert!(!project.printed("f", "process ended"));
    assert_ne!(pid(&project, "f").await, first);
    project.stop().await;
}

#[tokio::test]
async fn a_process_that_ignores_the_end_is_killed() {
    let code = "Deno.addSignalListener('SIGTERM', () => {}); let n = 0;
        Deno.serve(() => { setTimeout(() => { console.log('spinning'); for (;;) n++ }); return new Response(String(Deno.pid)) })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    let spinning = pid(&project, "f").await;
    eventually("it hears nothing", async || {
        project.printed("f", "spinning")
    })
    .await;
    project.stop().await;
    assert!(!alive(spinning));
}

#[tokio::test]
async fn unknown_functions_and_a_missing_deno_are_told_apart() {
    let none = |settings: &mut runner::pool::Settings| {
        settings.deno = Deno::Missing("get Deno from deno.com".to_owned());
    };
    let Some(project) = Project::with(&[("f", PID)], none).await else {
        return;
    };
    for (name, code, message) in [
        ("g", Code::NotFound, "Function \"g\" not found"),
        ("f", Code::Unavailable, "get Deno from deno.com"),
    ] {
        let failure = proto::Failure::from(project.acquire(name).await.unwrap_err());
        assert_eq!((failure.code(), failure.message()), (code, message));
    }
    let handle = project.handle.clone();
    project.stop().await;
    assert_eq!(
        handle.acquire("f".to_owned(), None).await,
        Err(Refusal::Stopping)
    );
}
