//! Requests and answers pass through a function process as they are, piece by piece.

use std::time::Duration;

use futures_util::StreamExt as _;
use proto::v1::{LogLine, log_line::Level};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::project::{PATIENCE, Project, eventually};

#[tokio::test]
async fn bodies_stream_both_ways() {
    let code = "Deno.serve((req) => new Response(req.body))";
    let Some(project) = Project::new(&[("echo", code)]).await else {
        return;
    };
    let (sender, receiver) = mpsc::channel::<Result<&'static str, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(receiver));
    let request = project.client.post(project.url("echo").await).body(body);
    sender.send(Ok("one")).await.unwrap();
    let response = request.send().await.unwrap();
    let mut answer = response.bytes_stream();
    // The first piece comes back while the request is still being written.
    for piece in ["one", "two"] {
        if piece == "two" {
            sender.send(Ok("two")).await.unwrap();
        }
        let got = tokio::time::timeout(PATIENCE, answer.next()).await.unwrap();
        assert_eq!(got.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert!(answer.next().await.is_none());
    project.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_aborts_the_request() {
    let code = "Deno.serve(async (req) => {
        console.log('began');
        await new Promise((done) => req.signal.addEventListener('abort', done));
        console.log('aborted');
        return new Response();
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    let request = project.client.get(project.url("f").await);
    let calling = tokio::spawn(request.timeout(Duration::from_secs(60)).send());
    eventually("the request arrives", async || {
        project.printed("f", "began")
    })
    .await;
    calling.abort();
    eventually("the request is aborted", async || {
        project.printed("f", "aborted")
    })
    .await;
    project.stop().await;
}

#[tokio::test]
async fn background_work_outlives_the_answer() {
    let code = "import { waitUntil } from 'base44:runtime';
    Deno.serve(() => {
        waitUntil(new Promise((done) => setTimeout(() => { console.log('done'); done() }, 400)));
        waitUntil(Promise.reject(new Error('lost')));
        return new Response('ok');
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    assert_eq!(project.get("f").await, (200, "ok".to_owned()));
    let logs = std::sync::Arc::clone(&project.logs);
    project.stop().await;
    let (lines, _) = logs.tail("f", usize::MAX);
    let has = |part: &str| lines.iter().any(|line| line.1.message.contains(part));
    assert!(
        has("done") && has("Uncaught (in waitUntil) Error: lost"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn output_comes_as_whole_lines_and_a_flood_harms_nobody() {
    let code = "const line = 'x'.repeat(1000);
    Deno.serve(() => {
        for (let n = 0; n < 20000; n++) console.log(line);
        console.error('end');
        return new Response('ok');
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    assert_eq!(project.get("f").await.0, 200);
    eventually("the end is read", async || project.printed("f", "end")).await;
    let lines = project.lines("f");
    assert!(lines.len() <= runner::logs::KEPT);
    for line in lines.iter().filter(|line| line.message.starts_with('x')) {
        assert_eq!(line.message.len(), 1000);
    }
    project.stop().await;
}

#[tokio::test]
async fn lines_carry_their_level_and_the_request_they_belong_to() {
    let code = "Deno.serve(async (req) => {
        console.log('a', { b: 1 }, '\\nc');
        await new Promise((done) => setTimeout(done, 10));
        console.warn('w');
        console.error('%s!', 'e');
        await Deno.stdout.write(new TextEncoder().encode('raw\\n'));
        return new Response(req.headers.get('x-request-id'));
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    let url = project.url("f").await;
    let calls = ["r1", "r2"].map(|id| project.client.get(&url).header("x-request-id", id).send());
    for call in calls {
        call.await.unwrap();
    }
    eventually("everything is read", async || {
        project.lines("f").len() >= 11
    })
    .await;
    let lines = project.lines("f");
    for (id, level, message) in [
        ("r1", Level::Info, "a { b: 1 } "),
        ("r1", Level::Info, "c"),
        ("r2", Level::Info, "c"),
        ("r2", Level::Warn, "w"),
        ("", Level::Error, "e!"),
        ("", Level::Info, "raw"),
    ] {
        let found = lines
            .iter()
            .any(|line| line.request_id == id && line.level() == level && line.message == message);
        assert!(found, "{id} {message} in {lines:#?}");
    }
    project.stop().await;
}

/// What tells requests apart is loaded when they first overlap, because most functions never need it.
#[tokio::test]
async fn lines_of_requests_that_overlap_are_told_apart() {
    let code = "let met;
    Deno.serve(async (req) => {
        const other = met;
        met = other ? undefined : Promise.withResolvers();
        if (other) other.resolve();
        else await met.promise;
        await new Promise((done) => setTimeout(done, 1));
        console.log(`I am ${req.headers.get('x-request-id')}`);
        return new Response('ok');
    })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    let url = project.url("f").await;
    let mut round = 0;
    eventually("both lines of a pair have their own ids", async || {
        round += 1;
        let ids = [format!("one{round}"), format!("two{round}")];
        let [one, two] = ids
            .each_ref()
            .map(|id| project.client.get(&url).header("x-request-id", id).send());
        let (one, two) = tokio::join!(one, two);
        assert!(one.unwrap().status().is_success() && two.unwrap().status().is_success());
        let lines = project.lines("f");
        ids.iter().all(|id| {
            let of_it = |line: &&LogLine| line.message == format!("I am {id}");
            lines
                .iter()
                .find(of_it)
                .is_some_and(|line| line.request_id == *id)
        })
    })
    .await;
    project.stop().await;
}
