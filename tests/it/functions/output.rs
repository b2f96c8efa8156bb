//! What functions print, as a developer and a program see it.

use serde_json::Value;
use tests::tools::Clients;

use super::{offline, project_with, with_functions};

#[tokio::test]
async fn what_a_function_prints_is_on_the_terminal() {
    let source = "Deno.serve(() => { console.log('one line'); console.error('another'); return new Response(); });";
    let Some((_project, server)) = with_functions(&[("chatty", source)]).await else {
        return;
    };
    assert_eq!(server.get("/functions/chatty").await.status, 200);
    server.says("one line").await;
    server.says("another").await;
    let output = server.output();
    let line = output
        .stderr
        .iter()
        .find(|line| line.contains("one line"))
        .expect("it is on standard error");
    assert!(line.starts_with("chatty"), "{line}");
}

#[tokio::test]
async fn programs_get_each_line_with_its_function_level_and_request() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let source = r#"
        Deno.serve(() => {
          console.log("two\nlines");
          console.error("an error");
          queueMicrotask(() => console.warn("a warning"));
          return new Response();
        });
    "#;
    let project = project_with(&[("email/send", source)]);
    let launch = offline(&project, &clients).args(&["--log-format", "json", "-v"]);
    let server = launch.start().await;
    let answer = server.get("/functions/email/send").await;
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    server.says("a warning").await;
    server.says("GET /functions/email/send 200").await;
    let lines = server.output().stdout;
    let entries: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (level, message) in [
        ("info", "two"),
        ("info", "lines"),
        ("error", "an error"),
        ("warn", "a warning"),
    ] {
        let entry = entries.iter().find(|entry| entry["message"] == message);
        let entry = entry.unwrap_or_else(|| panic!("{message} in {lines:#?}"));
        let seen = (&entry["level"], &entry["function"], &entry["request_id"]);
        assert!(
            seen == (&level.into(), &"email/send".into(), &id.clone().into()),
            "{entry}"
        );
    }
    let cold = entries.iter().find(|entry| {
        let message = entry["message"].as_str().unwrap_or_default();
        entry["function"] == "email/send"
            && message.starts_with("started in ")
            && message.ends_with(" ms")
    });
    assert!(cold.is_some(), "{lines:#?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_of_output_neither_blocks_nor_is_kept() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let source = r#"
        const line = "x".repeat(1000);
        Deno.serve(() => {
          for (let n = 0; n < 100_000; n++) console.log(line);
          console.log("the end");
          return new Response("flooded");
        });
    "#;
    let project = project_with(&[
        ("flood", source),
        ("small", "Deno.serve(() => new Response());"),
    ]);
    let launch = offline(&project, &clients).args(&["-q"]);
    let server = launch.start().await;
    assert_eq!(server.get("/functions/small").await.status, 200);
    let runner = crate::process::pid_of(&launch, "runner").await;
    let before = super::resident_kib(runner);
    assert_eq!(server.get("/functions/flood").await.text, "flooded");
    // What is kept: some lines of each function, and those that a reader of the log may be behind.
    let growth = super::resident_kib(runner).saturating_sub(before);
    assert!(growth < 40 * 1024, "{growth} KiB for 100 MB of output");
}
