//! Saves while functions are called: nobody notices but by the new answer, and nothing is left of the old versions.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    http::Answer,
    project::Project,
    server::Server,
    wait::{PATIENCE, eventually, that},
};
use tokio::task::JoinSet;

use super::with_functions;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 500;

const STEADY: &str = "Deno.serve(() => Response.json({ pid: Deno.pid }));";

fn version(number: usize) -> String {
    format!(
        "Deno.serve(async (request) => {{
           const sent = await request.text();
           return Response.json({{ version: {number}, pid: Deno.pid, sent: sent.length }});
         }});"
    )
}

fn save(project: &Project, text: &str) {
    project.save("base44/functions/saved/entry.ts", text);
}

/// Waits until calls get that version.
async fn serves(server: &Server, number: usize) -> Value {
    eventually(
        &format!("version {number} is served"),
        PATIENCE,
        async || {
            let body = server.get("/functions/saved").await.expect(200);
            that(body["version"] == json!(number), body.to_string()).map(|()| body)
        },
    )
    .await
}

/// Calls the function on so many connections until `calling` is unset, and counts.
fn callers(
    server: &Arc<Server>,
    calling: &Arc<AtomicBool>,
    done: &Arc<AtomicUsize>,
) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (server, calling, done) = (Arc::clone(server), Arc::clone(calling), Arc::clone(done));
        callers.spawn(async move {
            while calling.load(Ordering::Relaxed) {
                let request = server.request(Method::POST, "/functions/saved");
                let body = Answer::to(request.body("x".repeat(2000))).await.expect(200);
                assert_eq!(body["sent"], 2000);
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    callers
}

#[tokio::test]
async fn no_request_fails_while_a_function_is_saved_ten_times() {
    let first = version(0);
    let Some((project, server)) = with_functions(&[("saved", &first), ("steady", STEADY)]).await
    else {
        return;
    };
    let steady = server.get("/functions/steady").await.text;
    let mut last = serves(&server, 0).await;
    let server = Arc::new(server);
    let (calling, done) = (Arc::new(AtomicBool::new(true)), Arc::default());
    let mut callers = callers(&server, &calling, &done);
    for number in 1..=10 {
        save(&project, &version(number));
        let now = serves(&server, number).await;
        assert_ne!(now["pid"], last["pid"]);
        last = now;
    }
    eventually(
        "as many requests are answered as were promised",
        PATIENCE,
        async || {
            let done = done.load(Ordering::Relaxed);
            that(done >= REQUESTS, format!("{done}"))
        },
    )
    .await;
    calling.store(false, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.expect("every request is answered as it should be");
    }
    assert_eq!(server.get("/functions/steady").await.text, steady);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_saves_leave_no_process_and_no_memory_behind() {
    use super::{deno_of, offline, project_with, resident_kib};

    let Some(clients) = tests::tools::Clients::get().await else {
        return;
    };
    let project = project_with(&[("saved", &version(0)), ("steady", STEADY)]);
    let launch = offline(&project, &clients);
    let server = launch.start().await;
    let steady = server.get("/functions/steady").await.text;
    serves(&server, 0).await;
    let settled = async |what: &str| {
        // The two functions, and the process in waiting.
        eventually(what, PATIENCE, async || {
            let running = deno_of(&server);
            that(running.len() == 3, format!("{running:?}"))
        })
        .await;
    };
    settled("everything is up").await;
    let runner = crate::process::pid_of(&launch, "runner").await;
    // The first few make room that is used again by the others.
    let mut before = 0;
    for number in 1..=100 {
        save(&project, &version(number));
        serves(&server, number).await;
        if number == 10 {
            before = resident_kib(runner);
        }
    }
    settled("the old versions are gone").await;
    let growth = resident_kib(runner).saturating_sub(before);
    assert!(growth < 30 * 1024, "the runner grew by {growth} KiB");
    assert_eq!(server.get("/functions/steady").await.text, steady);
}

#[tokio::test]
async fn a_save_that_breaks_a_function_is_its_answer_until_the_next_one() {
    let first = version(1);
    let Some((project, server)) = with_functions(&[("saved", &first)]).await else {
        return;
    };
    serves(&server, 1).await;
    save(&project, "const = 2;");
    eventually("calls get the error", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        let place = answer.text.contains("base44/functions/saved/entry.ts:1:");
        that(answer.status == 500 && place, answer.text)
    })
    .await;
    server.says("1 | const = 2;").await;
    save(&project, &version(3));
    eventually("it is whole again", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        that(
            answer.status == 200 && answer.json()["version"] == 3,
            answer.text,
        )
    })
    .await;
}

#[tokio::test]
async fn a_function_is_said_to_be_reloaded_when_calls_get_the_new_version() {
    let names = ["one", "two", "three"];
    let first = version(0);
    let Some((project, server)) = with_functions(&names.map(|name| (name, &*first))).await else {
        return;
    };
    let file = |name: &str| format!("base44/functions/{name}/entry.ts");
    for name in names {
        assert_eq!(
            server.get(&format!("/functions/{name}")).await.expect(200)["version"],
            0
        );
        let slow = format!(
            "await new Promise((done) => setTimeout(done, 300));\n{}",
            version(1)
        );
        project.save(&file(name), &slow);
        server.says(&format!("reloaded {name} in ")).await;
        assert_eq!(
            server.get(&format!("/functions/{name}")).await.expect(200)["version"],
            1
        );
    }
    project.save(&file("one"), "throw new Error('half done');");
    server.says("failed to start: half done").await;
    project.save(&file("two"), &version(2));
    eventually("the other is reloaded again", PATIENCE, async || {
        let lines = server.output().stderr;
        let of = |name: &str| {
            lines
                .iter()
                .filter(|line| line.contains(&format!("reloaded {name} in ")))
                .count()
        };
        assert_eq!(of("one"), 1, "{lines:#?}");
        that(of("two") == 2, format!("{lines:#?}"))
    })
    .await;
}

#[tokio::test]
async fn a_saved_environment_is_seen_by_the_functions_that_run() {
    let source = "Deno.serve(() => new Response(Deno.env.get('SETTING') + Deno.env.get('OTHER')));";
    let Some((project, server)) = with_functions(&[("saved", source)]).await else {
        return;
    };
    assert_eq!(
        server.get("/functions/saved").await.text,
        "from the fileundefined"
    );
    project.save(".env.local", "OTHER=new\n");
    eventually("the new variable is there", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        that(answer.text == "from the filenew", answer.text)
    })
    .await;
}

#[tokio::test]
async fn functions_come_and_go_with_their_files() {
    let Some((project, server)) = with_functions(&[("kept", STEADY)]).await else {
        return;
    };
    let kept = server.get("/functions/kept").await.text;
    assert_eq!(server.get("/functions/saved").await.status, 404);
    save(&project, &version(1));
    eventually("the new function is there", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        that(answer.status == 200, answer.text)
    })
    .await;
    std::fs::remove_dir_all(project.root().join("base44/functions/saved")).unwrap();
    eventually("the removed function is gone", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        that(answer.status == 404, answer.text)
    })
    .await;
    assert_eq!(server.get("/functions/kept").await.text, kept);
}

#[tokio::test]
async fn what_a_function_imports_is_followed_wherever_in_the_project_it_lies() {
    let import = "import { value } from '../../../src/lib/value.ts';
        Deno.serve(() => Response.json({ value, pid: Deno.pid }));";
    let Some((project, server)) = with_functions(&[("saved", "")]).await else {
        return;
    };
    let value = |text: &str| {
        project.save(
            "src/lib/value.ts",
            &format!("export const value = '{text}';"),
        );
    };
    let answers = async |text: &str| {
        eventually(text, PATIENCE, async || {
            let answer = server.get("/functions/saved").await;
            let is_it = answer.status == 200 && answer.json()["value"] == text;
            that(is_it, answer.text)
        })
        .await;
    };
    value("there when it was imported");
    save(&project, import);
    answers("there when it was imported").await;
    value("saved");
    answers("saved").await;
    std::fs::remove_dir_all(project.root().join("src")).unwrap();
    eventually("the import fails", PATIENCE, async || {
        let answer = server.get("/functions/saved").await;
        that(answer.status == 500, answer.text)
    })
    .await;
    value("come back");
    answers("come back").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_reloaded_when_what_it_leads_to_is_saved() {
    let Some((project, server)) = with_functions(&[("steady", STEADY)]).await else {
        return;
    };
    project.save("packages/saved/entry.ts", &version(1));
    for (target, link) in [
        ("../../../packages/saved/entry.ts", "saved/entry.ts"),
        ("../../packages/saved", "saved"),
    ] {
        let link = project.root().join("base44/functions").join(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &link).unwrap();
        let called = eventually("the new function is there", PATIENCE, async || {
            let answer = server.get("/functions/saved").await;
            that(answer.status == 200, answer.text.clone()).map(|()| answer.json())
        })
        .await;
        let next = called["version"].as_u64().unwrap() + 1;
        project.save(
            "packages/saved/entry.ts",
            &version(next.try_into().unwrap()),
        );
        serves(&server, next.try_into().unwrap()).await;
        std::fs::remove_file(&link).unwrap();
        // The folder that the first one was in.
        let _ = std::fs::remove_dir(link.parent().unwrap());
        eventually("the function is gone", PATIENCE, async || {
            let answer = server.get("/functions/saved").await;
            that(answer.status == 404, answer.text)
        })
        .await;
    }
}
