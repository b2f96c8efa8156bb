//! The project's own frontend: its output, its address, its end, and that nothing of it is left.

use reqwest::Method;
use tests::{
    http::Answer,
    project::Project,
    tools::{self, Clients},
    wait::{PATIENCE, eventually, that},
};

use crate::{TASKS, backlot};

#[tokio::test]
async fn its_lines_arrive_whole_and_before_the_word_of_its_end() {
    let command = "printf on; printf 'e\\n'; head -c 100000 /dev/zero | tr '\\0' x; echo; \
                   seq 1 5000; printf 'no end'; exit 4";
    let project = Project::new().frontend(command);
    let mut server = backlot(&project).start().await;
    assert_eq!(server.ended().await, 4);
    let output = server.output();
    let label = |line: &String| {
        line.strip_prefix("frontend")
            .map(|text| text.trim().to_owned())
    };
    let lines: Vec<String> = output.stderr.iter().filter_map(label).collect();
    let mut expected = vec!["one".to_owned(), "x".repeat(100_000)];
    expected.extend((1..=5000).map(|number| number.to_string()));
    expected.push("no end".to_owned());
    assert!(
        lines == expected,
        "{} lines: {:?}",
        lines.len(),
        lines.last()
    );
    let last = output
        .stderr
        .iter()
        .position(|line| line.ends_with("no end"));
    let end = output
        .stderr
        .iter()
        .position(|line| line.contains("the frontend ended"));
    assert!(last < end, "{last:?} {end:?}");
}

#[tokio::test]
async fn what_it_leaves_behind_at_its_end_ends_too() {
    for (command, code) in [
        ("(trap '' TERM; /bin/sleep 600) & exit 3", 3),
        ("/bin/sleep 600 & kill -9 $$", 137),
    ] {
        let project = Project::new().frontend(command);
        let mut server = backlot(&project).start().await;
        assert_eq!(server.ended().await, code, "{command}");
        server.nothing_left().await;
    }
}

#[tokio::test]
async fn its_pages_are_under_our_own_address_wherever_it_goes() {
    let Some(_clients) = Clients::get().await else {
        return;
    };
    let script = tools::workspace().join("tests/clients/frontend.mjs");
    let command = format!("exec node {}", script.display());
    let project = Project::new().with_tasks().frontend(&command);
    let mut server = backlot(&project).start().await;
    // It is not there yet; the request waits for it.
    let first = server.get("/a/page?b=c").await.expect(200);
    assert_eq!(first["url"], "/a/page?b=c");
    assert_eq!(
        first["headers"]["host"],
        format!("localhost:{}", server.port())
    );
    assert_eq!(first["headers"]["base44-app-id"], "local");
    assert_eq!(first["headers"]["base44-api-url"], server.url());
    assert!(first["headers"]["base44-service-authorization"].is_null());
    server
        .says(&format!("the whole app is at {}", server.url()))
        .await;
    assert_eq!(server.get(TASKS).await.text, "[]");

    assert_eq!(server.get("/move").await.text, "moving");
    eventually("it is found where it went", PATIENCE, async || {
        let answer = Answer::try_to(server.request(Method::GET, "/")).await;
        let answer = answer.map_err(|error| error.to_string())?;
        that(
            answer.status == 200 && answer.json()["port"] != first["port"],
            answer.text,
        )
    })
    .await;
    assert_eq!(server.interrupt().await, 0);
    server.nothing_left().await;
}
