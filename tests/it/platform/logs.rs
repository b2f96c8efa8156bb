//! `logs --remote`: pages of lines, a stream, and what happens when that breaks.

use serde_json::{Value, json};
use tests::{
    platform::{Reply, Request},
    project::Project,
    server::Server,
    wait::{PATIENCE, eventually, that},
};
use tokio::sync::mpsc;

use super::{Desk, assert_signed};

const STREAM: &str = "functions-mgmt/logs/stream";

fn line(time: &str, level: &str, message: &str) -> Value {
    json!({ "time": time, "level": level, "message": message })
}

fn event(time: &str, message: &str) -> String {
    let line = json!({ "time": time, "level": "log", "function": "a/b", "message": message });
    format!("data: {line}\n\n")
}

async fn desk() -> Desk {
    let desk = Desk::new(Project::new()).await;
    for name in ["a/b", "c"] {
        desk.platform.deploy(name, &[("entry.ts", "")]);
    }
    desk
}

/// A stream that carries these pieces and stays open, or ends when its sender is dropped.
fn stream(pieces: &[String]) -> (mpsc::UnboundedSender<String>, Reply) {
    let (sender, receiver) = mpsc::unbounded_channel();
    for piece in pieces {
        sender.send(piece.clone()).unwrap();
    }
    (sender, Reply::Events(receiver))
}

/// `logs --remote -f` with more arguments, while it runs.
fn following(desk: &Desk, more: &str) -> Server {
    let root = desk.project.root().to_string_lossy().into_owned();
    let arguments = format!("logs --remote -f --app-id app-1 --dir {root} {more}");
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    desk.backlot().spawn_other(&arguments)
}

#[tokio::test]
async fn lines_of_all_functions_are_asked_for_with_every_filter() {
    let desk = desk().await;
    desk.platform.printed(
        "a/b",
        json!([
            line("2026-01-01T00:00:02Z", "warn", "two\n"),
            line("2026-01-01T00:00:00Z", "", "zero")
        ]),
    );
    desk.platform
        .printed("c", json!([line("2026-01-01T00:00:01Z", "log", "one")]));
    let finished = desk.run(&["logs", "--remote"]).await.success("logs");
    let expected = "2026-01-01 00:00:02  WARNING  a/b  two\n2026-01-01 00:00:01  INFO     c  one\n2026-01-01 00:00:00  INFO     a/b  zero\n";
    assert_eq!(finished.stdout, expected);
    let requests = desk.platform.take_requests();
    let calls: Vec<String> = requests.iter().map(Request::call).collect();
    assert_eq!(
        calls,
        [
            "GET backend-functions",
            "GET functions-mgmt/a%2Fb/logs",
            "GET functions-mgmt/c/logs"
        ]
    );
    assert_signed(&requests, "a");

    let filters = "--function a/b --since 2026-01-01 --until 2026-01-02T00:00:00Z --level warning -n 5 --order asc --env prod";
    let filters: Vec<&str> = filters.split(' ').collect();
    let (exit, lines) = desk
        .json(&[&["logs", "--remote"], &filters[..]].concat())
        .await;
    assert_eq!(exit, 0);
    let expected = json!([{ "time": "2026-01-01T00:00:02Z", "level": "warning", "function": "a/b", "message": "two\n" }]);
    assert_eq!(lines, expected);
    let query = "since=2026-01-01T00%3A00%3A00Z&until=2026-01-02T00%3A00%3A00Z&level=warning&limit=5&order=asc&env=prod";
    assert_eq!(
        desk.platform.take_calls(),
        [format!("GET functions-mgmt/a%2Fb/logs?{query}")]
    );
}

#[tokio::test]
async fn functions_and_filters_that_do_not_exist_are_refused() {
    let desk = desk().await;
    let (exit, failure) = desk
        .json(&["logs", "--remote", "--function", "missing"])
        .await;
    assert_eq!((exit, &failure["code"]), (2, &json!("INVALID_INPUT")));
    assert!(failure.to_string().contains("it has: a/b, c"), "{failure}");
    for wrong in [["--since", "yesterday"], ["-n", "0"], ["--lines", "1001"]] {
        let (exit, _) = desk
            .json(&[&["logs", "--remote"], &wrong[..]].concat())
            .await;
        assert_eq!(exit, 2, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_stream_is_followed_and_opened_again_when_it_breaks() {
    let desk = desk().await;
    let (first, first_reply) = stream(&[": ping\n\n".to_owned(), event("1", "one")]);
    let (_second, second_reply) = stream(&[
        event("2", "two"),
        "event:end\ndata:{\"reason\":\"moved\",\"retriable\":true}\n\n".to_owned(),
    ]);
    let (third, third_reply) = stream(&[event("3", "three")]);
    let busy = Reply::Json(503, json!({}));
    let replies = [first_reply, busy, second_reply, third_reply];
    desk.platform.script("GET", STREAM, replies);
    let mut following = following(&desk, "--json --function a/b,c --env preview");
    following.says("one").await;
    drop(first);
    following.says("two").await;
    following.says("three").await;
    third
        .send("event: end\ndata: {\"reason\":\"app deleted\",\"retriable\":false}\n\n".to_owned())
        .unwrap();
    assert_eq!(following.ended().await, 1);
    let output = following.output();
    let messages: Vec<Value> = output
        .stdout
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        messages[0],
        json!({ "time": "1", "level": "info", "function": "a/b", "message": "one" })
    );
    assert!(
        messages[3]["error"]
            .as_str()
            .unwrap()
            .contains("app deleted"),
        "{messages:?}"
    );
    let requests = desk.platform.take_requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!(
            request.call(),
            format!("GET {STREAM}?function=a%2Fb%2Cc&env=preview")
        );
        assert_eq!(request.header("accept"), Some("text/event-stream"));
    }
    assert_signed(&requests, "a");
}

#[tokio::test]
async fn without_a_stream_new_lines_are_asked_for_again_and_again() {
    let desk = desk().await;
    desk.platform
        .script("GET", STREAM, [Reply::Json(404, json!({}))]);
    desk.platform
        .printed("a/b", json!([line("1", "info", "one")]));
    desk.platform.printed("c", json!([]));
    let mut following = following(&desk, "");
    following.says("one").await;
    desk.platform.printed(
        "c",
        json!([line("1", "info", "other one"), line("2", "error", "two")]),
    );
    desk.platform.script(
        "GET",
        "functions-mgmt/a%2Fb/logs",
        [(); 3].map(|()| Reply::Json(500, json!({}))),
    );
    following.says("two").await;
    following.says("other one").await;
    assert_eq!(following.interrupt().await, 130);
    let lines = following.output().stdout;
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.ends_with("a/b  one"))
            .count(),
        1,
        "{lines:?}"
    );
    let calls = desk.platform.take_calls();
    assert_eq!(
        calls[..2],
        ["GET backend-functions".to_owned(), format!("GET {STREAM}")]
    );
    assert!(
        calls.contains(&"GET functions-mgmt/c/logs?since=1&order=asc".to_owned()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_for_a_stream_too() {
    let desk = desk().await;
    desk.platform.revoke();
    let (_kept, reply) = stream(&[event("1", "one")]);
    desk.platform
        .script("GET", STREAM, [Reply::Json(401, json!({})), reply]);
    let mut following = following(&desk, "--function c");
    following.says("one").await;
    assert_eq!(following.interrupt().await, 130);
    let told = eventually("the calls are known", PATIENCE, async || {
        let calls = desk.platform.take_calls();
        that(calls.len() == 3, format!("{calls:?}")).map(|()| calls)
    });
    let stream = format!("GET {STREAM}?function=c");
    assert_eq!(
        told.await,
        [stream.clone(), "POST /oauth/token".to_owned(), stream]
    );
}
