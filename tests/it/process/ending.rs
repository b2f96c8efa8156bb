//! How it ends: signals, a second one, a kill, and that nothing is left behind by any of them.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tests::{
    project::Project,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    STUBBORN, everything, hanging_request, is_closed, start_everything, start_spinning,
    with_frontend,
};
use crate::backlot;

#[tokio::test]
async fn a_signal_ends_everything_in_order_and_leaves_nothing() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let project = everything();
        let launch = backlot(&project).clients(&clients);
        let mut server = start_everything(&launch).await;
        let port = server.port();
        server.signal(signal);
        assert_eq!(server.ended().await, 0, "{signal}");
        server.nothing_left().await;
        assert_eq!(project.entries_of_user("tmp"), [""; 0]);
        assert_eq!(project.entries_of_user("run/backlot"), [""; 0]);
        let output = server.output();
        assert_eq!(
            output.stdout,
            [format!(
                "Dev server is available at http://localhost:{port}"
            )],
            "{}",
            output.text()
        );
        assert!(
            !output.says("error:") && !output.says("warning:"),
            "{}",
            output.text()
        );
    }
}

#[tokio::test]
async fn what_has_begun_is_finished_before_the_end() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let slow = "Deno.serve(async () => {
        console.log('begun');
        await new Promise((done) => setTimeout(done, 2500));
        return new Response('finished');
    });";
    let project = Project::new().with_tasks().function("slow", slow);
    let mut server = backlot(&project).clients(&clients).start().await;
    let port = server.port();
    let call = tokio::spawn(server.request(Method::GET, "/functions/slow").send());
    server.says("begun").await;
    let mut write = hanging_request(port).await;

    server.signal(Signal::SIGINT);
    eventually("the signal closes the port", PATIENCE, async || {
        that(is_closed(port).await, "open")
    })
    .await;
    let record = json!({ "title": "late" }).to_string();
    write
        .write_all(format!("{record:99}").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    write.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 201"), "{answer}");
    let answer = call.await.unwrap().unwrap().text().await.unwrap();
    assert_eq!(answer, "finished");
    assert_eq!(server.ended().await, 0);
}

#[tokio::test]
async fn a_second_interrupt_cuts_a_hanging_drain_short() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = with_frontend(STUBBORN);
    let mut server = start_everything(&backlot(&project).clients(&clients)).await;
    let port = server.port();
    let _request = hanging_request(port).await;
    start_spinning(&server).await;
    server.signal(Signal::SIGINT);
    eventually("the first signal closes the port", PATIENCE, async || {
        that(is_closed(port).await, "open")
    })
    .await;
    server.says("Ctrl-C again ends it at once").await;
    // The status of an end that was cut short; an orderly one has another.
    assert_eq!(server.interrupt().await, 130);
    server.nothing_left().await;
    assert_eq!(project.entries_of_user("tmp"), [""; 0]);
}

#[tokio::test]
async fn an_interrupt_during_the_start_leaves_nothing_either() {
    // Each time a little further: before the services, among them, and when all are there.
    for processes in 1..=4 {
        let project = everything();
        let mut server = backlot(&project).env("PATH", project.user("empty")).spawn();
        eventually("so many processes run", PATIENCE, async || {
            let running = server.processes();
            that(running.len() >= processes, format!("{running:?}"))
        })
        .await;
        let code = server.interrupt().await;
        // At the very beginning nobody handles signals yet, and the system does what it always did.
        assert!(
            code == 0 || (code == 130 && processes == 1),
            "{code}: {}",
            server.output().text()
        );
        server.nothing_left().await;
        assert_eq!(project.entries_of_user("tmp"), [""; 0]);
    }
}

#[tokio::test]
async fn a_function_that_never_ends_does_not_keep_the_server() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = everything();
    let mut server = backlot(&project).clients(&clients).start().await;
    start_spinning(&server).await;
    assert_eq!(server.interrupt().await, 0);
    server.nothing_left().await;
    assert_eq!(project.entries_of_user("tmp"), [""; 0]);
}

#[tokio::test]
async fn a_killed_command_takes_everything_with_it() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    // Not even what does not want to end, or has something to finish, holds it up.
    let project = with_frontend(STUBBORN);
    let launch = backlot(&project).clients(&clients);
    let mut server = start_everything(&launch).await;
    let _request = hanging_request(server.port()).await;
    start_spinning(&server).await;
    server.signal(Signal::SIGKILL);
    assert_eq!(server.ended().await, 137);
    server.nothing_left().await;
    assert_eq!(project.entries_of_user("tmp"), [""; 0]);
    // Its descriptor is still there, and nobody believes it.
    assert_eq!(launch.status().await, json!({ "running": false }));
}

#[tokio::test]
async fn a_killed_command_takes_an_installation_with_it() {
    // An npm that never finishes, and no Deno.
    let project = everything();
    let folder = project.user("bin");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("npm"), "#!/bin/sh\n/bin/sleep 602\n").unwrap();
    std::fs::set_permissions(folder.join("npm"), Permissions::from_mode(0o755)).unwrap();
    let server = backlot(&project).env("PATH", folder).start().await;
    eventually("npm runs", PATIENCE, async || {
        let processes = server.processes();
        let runs = processes
            .iter()
            .any(|process| process.arguments.contains("sleep 602"));
        that(runs, format!("{processes:?}\n{}", server.output().text()))
    })
    .await;
    server.signal(Signal::SIGKILL);
    server.nothing_left().await;
}

#[tokio::test]
async fn the_start_after_a_kill_sees_no_other_server() {
    let project = Project::new();
    let launch = backlot(&project);
    let mut killed = launch.start().await;
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.ended().await, 137);
    let again = launch.start().await;
    assert_eq!(launch.status().await["port"], again.port());
    let output = again.output();
    assert!(!output.says("another server"), "{}", output.text());
}
