//! How a start goes: what is printed and with which status it ends, for what a developer's machine has in store.

mod surroundings;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod watching;

use std::{net::TcpListener, time::Duration};

use serde_json::{Value, json};
use tests::{command::Finished, project::Project, server::Server, tools::Clients};

use crate::{TASKS, backlot};

/// How long npm may take to install Deno, which is forty megabytes.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// A failed start says one thing, and how to go on, on standard error.
fn assert_failed(finished: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(finished.code, code, "{finished}");
    assert_eq!(finished.stdout, "", "{finished}");
    for part in parts {
        assert!(
            finished.stderr.contains(part),
            "`{part}` is missing: {finished}"
        );
    }
    let errors = finished.stderr.matches("error:").count();
    assert_eq!(errors, 1, "{finished}");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_a_usage_error() {
    let project = Project::new();
    for (arguments, parts) in [
        (["--nonsense", ""].as_slice(), ["--nonsense", "--help"]),
        (&["--port", "none"], ["--port", "none"]),
        (
            &["--attach", "shop=127.0.0.1:1"],
            ["--attach", "store, runner or gateway"],
        ),
        (&["--attach", "store=nowhere"], ["--attach", "NAME=ADDR"]),
        (&["--deno", "/missing/deno"], ["/missing/deno", "hint:"]),
        (&["--upstream", "example.com"], ["example.com", "hint:"]),
        (
            &["--allow-host", "https://x.example"],
            ["x.example", "hint:"],
        ),
    ] {
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .filter(|argument| !argument.is_empty())
            .collect();
        let finished = backlot(&project)
            .default_port()
            .args(&arguments)
            .fail()
            .await;
        assert_failed(&finished, 2, &parts);
    }
}

#[tokio::test]
async fn a_folder_without_a_project_is_a_usage_error_that_says_what_to_do() {
    let project = Project::empty();
    let finished = backlot(&project).fail().await;
    assert_failed(&finished, 2, &["config.jsonc", "hint:"]);
}

#[tokio::test]
async fn a_broken_config_stops_the_start_with_its_place() {
    let project = Project::empty().file(
        "base44/config.jsonc",
        "{\n  \"name\": \"x\",\n  \"site\": [,\n}\n",
    );
    let finished = backlot(&project).fail().await;
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (2, ""),
        "{finished}"
    );
    assert!(
        finished.stderr.contains("base44/config.jsonc:3:"),
        "{finished}"
    );
}

#[tokio::test]
async fn a_broken_entity_is_reported_with_its_place_and_everything_else_starts() {
    let project = Project::new()
        .with_tasks()
        .file("base44/entities/bad.jsonc", "{\n  \"name\": \n}\n");
    let server = backlot(&project).start().await;
    assert_eq!(server.get(TASKS).await.text, "[]");
    server.says("base44/entities/bad.jsonc:").await;
}

#[tokio::test]
async fn a_busy_port_that_was_asked_for_is_an_error_that_names_who_has_it() {
    let project = Project::new();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    let finished = backlot(&project).port(port).fail().await;
    assert_failed(
        &finished,
        1,
        &[&format!("Port {port} is already in use"), "hint:"],
    );
    if cfg!(target_os = "linux") {
        assert!(
            finished
                .stderr
                .contains(&format!("(pid {})", std::process::id())),
            "{finished}"
        );
    }
}

#[tokio::test]
async fn a_busy_default_port_means_the_next_free_one() {
    let (project, other) = (Project::new(), Project::new());
    let first = backlot(&project).default_port().start().await;
    let second = backlot(&other).default_port().start().await;
    let (port, next) = (first.port(), second.port());
    // Others of this machine may have some of them, and leave them in between.
    for port in [port, next] {
        assert!((4400..=4420).contains(&port), "{port}");
    }
    assert_ne!(port, next);
    if port == 4400 {
        second.says("4400").await;
    }
    if cfg!(target_os = "linux") && port == 4400 {
        // The one to stop, and not the gateway, which would only be started again.
        second.says(&format!("dev (pid {})", first.pid())).await;
    }
}

#[tokio::test]
async fn servers_of_one_project_all_serve_and_status_shows_the_one_that_has_run_longest() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut first = launch.start().await;
    let second = launch.start().await;
    for server in [&first, &second] {
        assert_eq!(server.get(TASKS).await.text, "[]");
    }
    second.says("another server of this project runs").await;
    assert_eq!(launch.status().await["port"], first.port());
    assert_eq!(first.interrupt().await, 0);
    assert_eq!(second.get(TASKS).await.status, 200);
    assert_eq!(launch.status().await["port"], second.port());
    let third = launch.start().await;
    third.says("another server of this project runs").await;
    assert_eq!(launch.status().await["port"], second.port());
}

#[tokio::test]
async fn status_tells_where_the_server_is_while_it_runs() {
    let project = Project::new();
    let launch = backlot(&project);
    assert_eq!(launch.status().await, json!({ "running": false }));
    let mut server = launch.start().await;
    let status = launch.status().await;
    assert_eq!(
        (&status["running"], &status["url"]),
        (&json!(true), &json!(server.url()))
    );
    assert_eq!(
        (&status["port"], &status["pid"]),
        (&json!(server.port()), &json!(server.pid()))
    );
    assert_eq!(status["app_id"], "local");
    for service in ["store", "runner", "gateway"] {
        let service = &status["services"][service];
        assert!(
            service["pid"].is_u64() && service["grpc"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{status}"
        );
    }
    assert_eq!(status["token"].as_str().unwrap().len(), 32, "{status}");
    let text = launch
        .run(&["status", &project.root().to_string_lossy()])
        .await
        .success("status");
    assert!(
        text.stdout.contains(server.url())
            && !text.stdout.contains(status["token"].as_str().unwrap()),
        "{text}"
    );
    assert_eq!(server.interrupt().await, 0);
    assert_eq!(launch.status().await, json!({ "running": false }));
}

#[tokio::test]
async fn under_json_everything_on_standard_output_is_an_object() {
    let project = Project::new()
        .with_tasks()
        .file("base44/entities/bad.jsonc", "{")
        .frontend("echo built; exec sleep 600");
    let mut server = backlot(&project)
        .args(&["--log-format", "json"])
        .start()
        .await;
    server.says("\"message\":\"built\"").await;
    assert_eq!(server.interrupt().await, 0);
    let output = server.output();
    let lines: Vec<Value> = output
        .stdout
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let ready: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "ready")
        .collect();
    assert_eq!(ready.len(), 1, "{lines:?}");
    assert_eq!(
        (&ready[0]["url"], &ready[0]["entities"]),
        (&json!(server.url()), &json!(["Task"]))
    );
    for line in lines.iter().filter(|line| line["event"] != "ready") {
        for key in ["time", "level", "component", "message"] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
    }
    assert!(
        lines
            .iter()
            .any(|line| line["component"] == "frontend" && line["message"] == "built"),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line["message"]
            .as_str()
            .unwrap_or_default()
            .contains("bad.jsonc")),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["exit"]), (&json!("end"), &json!(0)));
    assert_eq!(output.stderr, [""; 0]);
}

#[tokio::test]
async fn under_json_a_failed_start_is_an_object_too() {
    let project = Project::empty();
    let finished = backlot(&project)
        .args(&["--log-format", "json"])
        .fail()
        .await;
    assert_eq!(
        (finished.code, finished.stderr.as_str()),
        (2, ""),
        "{finished}"
    );
    let line: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (&line["level"], &line["component"]),
        (&json!("error"), &json!("backlot")),
        "{finished}"
    );
}

#[tokio::test]
async fn a_frontend_that_ends_takes_the_server_with_it_and_hands_on_its_status() {
    for (command, code) in [("exit 7", 7), ("true", 0)] {
        let project = Project::new().frontend(command).file("package.json", "{}");
        let mut server = backlot(&project).start().await;
        assert_eq!(
            server.ended().await,
            code,
            "{command}: {}",
            server.output().text()
        );
        assert!(
            server.output().says("the frontend ended"),
            "{}",
            server.output().text()
        );
        let hint = "there is no node_modules: run `npm install`";
        assert_eq!(
            server.output().says(hint),
            code != 0,
            "{}",
            server.output().text()
        );
    }
}

#[tokio::test]
async fn the_frontend_is_told_where_the_backend_is_and_may_be_left_out() {
    let command = "echo at $VITE_BASE44_APP_BASE_URL for $VITE_BASE44_APP_ID; exec sleep 600";
    let project = Project::new()
        .frontend(command)
        .file("base44/.app.jsonc", r#"{ "id": "app-1" }"#);
    let server = backlot(&project).args(&["--offline"]).start().await;
    server.says(&format!("at {} for app-1", server.url())).await;
    drop(server);
    let mut server = backlot(&project)
        .args(&["--offline", "--no-frontend"])
        .start()
        .await;
    assert_eq!(server.interrupt().await, 0);
    assert!(!server.output().says("for app-1"));
}

/// A `PATH` on which there is nothing.
fn without_programs(project: &Project) -> std::path::PathBuf {
    project.user("empty")
}

#[tokio::test]
async fn without_deno_all_but_functions_works_and_a_call_says_how_to_get_it() {
    let project = Project::new()
        .with_tasks()
        .function("hello", "Deno.serve(() => new Response('hello'));");
    let nothing = without_programs(&project);
    for arguments in [["--offline"].as_slice(), &[]] {
        let server = backlot(&project)
            .args(arguments)
            .env("PATH", &nothing)
            .start()
            .await;
        assert_eq!(server.get(TASKS).await.text, "[]");
        let answer = server.get("/functions/hello").await;
        let body = answer.expect(503);
        let message = body["message"].as_str().unwrap();
        assert!(
            message.contains("install Deno") && message.contains("https://docs.deno.com"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_missing_deno_is_installed_once_with_npm_while_everything_else_is_served() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new()
        .with_tasks()
        .function("hello", "Deno.serve(() => new Response('hello'));");
    let launch = backlot(&project)
        .clients(&clients)
        .env("PATH", npm_without_deno(&project));
    let server = launch.start().await;
    server.says("installing Deno").await;
    assert_eq!(server.get(TASKS).await.text, "[]");
    called(&server).await;
    drop(server);
    // The copy is there now.
    let server = launch.args(&["--offline"]).start().await;
    called(&server).await;
}

/// Links to what npm needs, and to nothing else.
fn npm_without_deno(project: &Project) -> std::path::PathBuf {
    let folder = project.user("bin");
    std::fs::create_dir(&folder).unwrap();
    for name in ["node", "npm", "sh", "env"] {
        let target = tests::tools::on_path(name).unwrap_or_else(|| panic!("there is no {name}"));
        std::os::unix::fs::symlink(std::fs::canonicalize(target).unwrap(), folder.join(name))
            .unwrap();
    }
    folder
}

async fn called(server: &Server) {
    tests::wait::eventually("the function answers", INSTALL_LIMIT, async || {
        let answer = server.get("/functions/hello").await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        tests::wait::that(answer.text == "hello", answer.text)
    })
    .await;
}
