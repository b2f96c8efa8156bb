//! The whole system from outside: the real command as a process, driven over HTTP, gRPC, signals, the official SDK and a
//! browser. One file for each side that it shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod benchmark;
mod commands;
mod entities;
mod exec;
#[cfg(target_os = "linux")]
mod faults;
mod forwarding;
mod functions;
mod grpc;
mod judge;
mod pages;
mod platform;
#[cfg(target_os = "linux")]
mod process;
mod realtime;
mod saves;
mod scaffold;
mod scenarios;
mod sdk;
mod startup;
mod tidy;
mod types;
mod uploads;
mod wire;

use serde_json::{Value, json};
use tests::{launch::Launch, project::Project, server::Server};

/// The stand-in for a developer who has not logged in.
const DEVELOPER: &str = "developer@example.com";

/// The entity routes of [`Project::with_tasks`], in a project that is linked to no app.
const TASKS: &str = "/api/apps/local/entities/Task";

/// The command, for this project.
fn backlot(project: &Project) -> Launch<'_> {
    Launch::new(env!("CARGO_BIN_EXE_backlot-under-test"), project)
}

/// Signs in; any password does for the developer.
async fn sign_in(server: &Server, email: &str) -> String {
    let credentials = json!({ "email": email, "password": "anything" });
    let answer = server
        .send(
            reqwest::Method::POST,
            "/api/apps/local/auth/login",
            &credentials,
        )
        .await
        .expect(200);
    answer["access_token"]
        .as_str()
        .expect("a login answers a token")
        .to_owned()
}

/// Registers somebody with the code from the terminal, and signs them in.
async fn register(server: &Server, email: &str) -> String {
    let auth = |route: &str| format!("/api/apps/local/auth/{route}");
    let post = reqwest::Method::POST;
    let earlier = server.output().codes().count();
    let account = json!({ "email": email, "password": "correct horse" });
    let _ = server
        .send(post.clone(), &auth("register"), &account)
        .await
        .expect(200);
    let proof = json!({ "email": email, "otp_code": server.code(earlier).await });
    let answer = server
        .send(post, &auth("verify-otp"), &proof)
        .await
        .expect(200);
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Stores a task and returns its record.
async fn add_task(server: &Server, title: &str) -> Value {
    server
        .send(reqwest::Method::POST, TASKS, &json!({ "title": title }))
        .await
        .expect(201)
}

/// Titles of the tasks in the order of the answer.
fn titles(records: &Value) -> Vec<&str> {
    let records = records.as_array().expect("a list answers an array");
    records
        .iter()
        .map(|record| record["title"].as_str().expect("a task has a title"))
        .collect()
}
