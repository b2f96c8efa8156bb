//! What a save does, and what it leaves alone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use runner::pool::State;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::project::{PATIENCE, Project, alive, eventually};

const SHARED: &str =
    "import { v } from '../../shared/v.ts'; Deno.serve(() => new Response(v + Deno.pid))";
const OWN: &str = "Deno.serve(() => new Response('own' + Deno.pid))";

async fn pair() -> Option<Project> {
    let project = Project::new(&[("f", SHARED), ("g", OWN)]).await?;
    project.write("base44/shared/v.ts", "export const v = 'one'");
    Some(project)
}

#[tokio::test]
async fn a_save_swaps_the_functions_that_import_the_file_and_no_others() {
    let Some(project) = pair().await else { return };
    let before = (project.get("f").await.1, project.get("g").await.1);
    assert!(before.0.starts_with("one"));
    let path = project.write("base44/shared/v.ts", "export const v = 'two'");
    assert_eq!(project.handle.changed(vec![path]).await.unwrap(), ["f"]);
    eventually("the new version serves", async || {
        project.get("f").await.1.starts_with("two")
    })
    .await;
    assert_eq!(project.get("g").await.1, before.1);
    let old = before.0.trim_start_matches("one").parse().unwrap();
    eventually("the old process ends", async || !alive(old)).await;
    project.stop().await;
}

#[tokio::test]
async fn who_waits_for_a_save_learns_of_the_process_that_serves_it() {
    let Some(project) = pair().await else { return };
    let old = project.acquire("g").await.unwrap();
    let names = ["f", "g"].map(str::to_owned);
    let settled = project.handle.settled(&names).await.unwrap();
    assert_eq!(settled, std::slice::from_ref(&old));
    project
        .save("g", "Deno.serve(() => new Response('new'))")
        .await;
    let settled = project.handle.settled(&names).await.unwrap();
    assert_eq!(settled, [project.acquire("g").await.unwrap()]);
    assert!(settled[0].generation > old.generation);
    project.save("g", "throw new Error('half done')").await;
    assert_eq!(project.handle.settled(&names).await.unwrap(), []);
    project.stop().await;
}

#[tokio::test]
async fn a_version_that_does_not_load_is_answered_until_a_save_repairs_it() {
    let Some(project) = pair().await else { return };
    project.get("g").await;
    project.save("g", "throw new Error('half done')").await;
    eventually("calls get the error", async || {
        project.acquire("g").await.is_err()
    })
    .await;
    let message = project.acquire("g").await.unwrap_err().to_string();
    assert!(
        message.contains("half done (base44/functions/g/entry.ts:1:7)"),
        "{message}"
    );
    assert_eq!(
        project.handle.status().await.unwrap()[1].state,
        State::Broken
    );
    assert!(project.handle.table().borrow().endpoints.is_empty());
    project
        .save("g", "Deno.serve(() => new Response('whole'))")
        .await;
    assert_eq!(project.get("g").await, (200, "whole".to_owned()));
    project.stop().await;
}

#[tokio::test]
async fn a_request_in_flight_survives_a_swap() {
    let slow = "Deno.serve(async () => { console.log('in'); await new Promise((d) => setTimeout(d, 700)); return new Response('old') })";
    let Some(project) = Project::new(&[("f", slow)]).await else {
        return;
    };
    let request = project.client.get(project.url("f").await).send();
    let calling = tokio::spawn(request);
    eventually("the request arrives", async || project.printed("f", "in")).await;
    project
        .save("f", "Deno.serve(() => new Response('new'))")
        .await;
    eventually("the new version serves", async || {
        project.get("f").await.1 == "new"
    })
    .await;
    let response = calling.await.unwrap().unwrap();
    assert_eq!(response.text().await.unwrap(), "old");
    project.stop().await;
}

#[tokio::test]
async fn an_open_socket_is_told_that_the_function_was_reloaded() {
    let code = "Deno.serve((req) => {
        const { socket, response } = Deno.upgradeWebSocket(req);
        socket.onopen = () => socket.send('hi');
        return response;
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    let address = project.acquire("f").await.unwrap().address;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let upgrade = "GET /f HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    let mut buffer = [0; 1024];
    // A text frame, and then a close frame with status 1001.
    for frame in [&b"\x81\x02hi"[..], b"\x03\xe9"] {
        while !got.windows(frame.len()).any(|window| window == frame) {
            let count = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
            let count = count.unwrap().unwrap();
            assert!(
                count > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&got)
            );
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(got.starts_with(b"HTTP/1.1 101 "));
        project.save("f", OWN).await;
    }
    drop(stream);
    project.stop().await;
}

#[tokio::test]
async fn no_call_fails_while_a_file_is_saved_again_and_again() {
    let Some(project) = pair().await else { return };
    project.get("g").await;
    let project = Arc::new(project);
    let saving = Arc::new(AtomicBool::new(true));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (project, saving) = (Arc::clone(&project), Arc::clone(&saving));
            tokio::spawn(async move {
                let mut calls = 0;
                while saving.load(Ordering::Relaxed) {
                    assert_eq!(project.get("g").await.0, 200);
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for version in 0..10 {
        let text = format!("Deno.serve(() => new Response('v{version}'))");
        project.save("g", &text).await;
        let current = format!("v{version}");
        eventually("the saved version serves", async || {
            project.get("g").await.1 == current
        })
        .await;
    }
    saving.store(false, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    Arc::into_inner(project).unwrap().stop().await;
}

#[tokio::test]
async fn a_new_environment_swaps_what_runs() {
    let code = "Deno.serve(() => new Response(Deno.env.get('COLOUR') ?? 'none'))";
    let functions = [("f", code)];
    let Some(mut project) = Project::new(&functions).await else {
        return;
    };
    assert_eq!(project.get("f").await.1, "none");
    project.set_environment("COLOUR", "red", &functions).await;
    eventually("the new value is seen", async || {
        project.get("f").await.1 == "red"
    })
    .await;
    project.stop().await;
}
