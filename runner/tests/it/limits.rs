//! What a process gets no more time for: each limit, made short.

use std::time::Duration;

use proto::{Code, v1::log_line::Level};
use runner::pool::Settings;

use crate::project::{Project, alive, eventually};

const SHORT: Duration = Duration::from_millis(200);

/// Answers with its process id, and hangs when it is asked to.
const HANGS: &str = "Deno.serve((req) => {
    if (!req.url.endsWith('?hang')) return new Response(String(Deno.pid));
    console.log('hanging');
    return new Promise(() => {});
})";

#[tokio::test]
async fn a_module_that_never_loads_is_given_up_and_ended() {
    let code =
        "console.log('pid', Deno.pid); setInterval(() => {}, 1000); await new Promise(() => {})";
    let short = |settings: &mut Settings| settings.limits.ready = SHORT;
    let Some(project) = Project::with(&[("never", code)], short).await else {
        return;
    };
    let failure = proto::Failure::from(project.acquire("never").await.unwrap_err());
    assert_eq!(failure.code(), Code::Timeout);
    let expected =
        "Function \"never\" was not ready within 0.2 s: its module is still being loaded";
    assert!(
        failure.message().starts_with(expected),
        "{}",
        failure.message()
    );
    let lines = project.lines("never");
    let pid = lines
        .iter()
        .find_map(|line| line.message.strip_prefix("pid "));
    // A busy machine may not have come as far as the first line.
    if let Some(pid) = pid.map(|pid| pid.parse().unwrap()) {
        eventually("it is ended", async || !alive(pid)).await;
    }
    project.stop().await;
}

#[tokio::test]
async fn a_request_that_runs_for_long_is_warned_of_once() {
    let short = |settings: &mut Settings| settings.limits.slow = SHORT;
    let Some(project) = Project::with(&[("f", HANGS)], short).await else {
        return;
    };
    let url = format!("{}?hang", project.url("f").await);
    let request = project.client.get(url).header("x-request-id", "r1");
    let calling = tokio::spawn(request.send());
    let warning =
        "a request has been running for 0.2 s; a deployed function may be stopped by then";
    let warnings = || {
        let lines = project.lines("f").into_iter();
        let of_it = lines.filter(|line| line.message == warning);
        of_it
            .map(|line| (line.level(), line.request_id))
            .collect::<Vec<_>>()
    };
    eventually("it is warned of", async || !warnings().is_empty()).await;
    assert_eq!(warnings(), [(Level::Warn, "r1".to_owned())]);
    project.stop().await;
    calling.abort();
}

#[tokio::test]
async fn a_version_that_was_replaced_is_ended_with_what_it_never_finishes() {
    let short = |settings: &mut Settings| settings.limits.replaced = SHORT;
    let Some(project) = Project::with(&[("f", HANGS)], short).await else {
        return;
    };
    let old: u32 = project.get("f").await.1.parse().unwrap();
    let url = format!("{}?hang", project.url("f").await);
    let calling = tokio::spawn(project.client.post(url).send());
    eventually("the request arrives", async || {
        project.printed("f", "hanging")
    })
    .await;
    project
        .save("f", &HANGS.replace("String(Deno.pid)", "'new'"))
        .await;
    eventually("the new version serves", async || {
        project.get("f").await.1 == "new"
    })
    .await;
    eventually("the old one is ended", async || !alive(old)).await;
    assert!(calling.await.unwrap().is_err());
    project.stop().await;
}
