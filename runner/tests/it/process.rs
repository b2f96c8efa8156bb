//! The real program: whatever ends it, nothing is left.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use proto::{client::RunnerClient, process::Announcement, v1};
use tokio::sync::mpsc;

use crate::project::{PATIENCE, alive, deno, environment, eventually};

struct Program {
    child: Child,
    client: RunnerClient,
    announcements: mpsc::UnboundedReceiver<Announcement>,
    temporary: tempfile::TempDir,
    project: tempfile::TempDir,
}

impl Program {
    async fn start() -> Option<Self> {
        let deno = deno().await?;
        let temporary = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let mut child = Command::new(env!("CARGO_BIN_EXE_runner"))
            .arg("--lifeline")
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut announcements = announcements(&mut child);
        let address = loop {
            if let Announcement::Listening { grpc, .. } = next(&mut announcements).await {
                break grpc.to_string();
            }
        };
        let program = Self {
            child,
            client: RunnerClient::new(&address, None).unwrap(),
            announcements,
            temporary,
            project,
        };
        program.apply(&deno).await;
        Some(program)
    }

    async fn apply(&self, deno: &Path) {
        let root = self.project.path().canonicalize().unwrap();
        let entry = root.join("entry.ts");
        std::fs::write(
            &entry,
            "Deno.serve((r) => {
                if (r.url.endsWith('?spin')) setTimeout(() => { for (;;); });
                return new Response('=' + Deno.pid);
            })",
        )
        .unwrap();
        let function = v1::Function {
            name: "f".to_owned(),
            entry: entry.display().to_string(),
            source: "entry.ts".to_owned(),
        };
        let request = v1::ApplyFunctionsRequest {
            functions: vec![function],
            project_root: root.display().to_string(),
            environment: environment().into_iter().collect(),
            deno: deno.display().to_string(),
            ..Default::default()
        };
        self.client.apply_functions(request).await.unwrap();
    }

    async fn call(&self) -> u32 {
        self.call_with("?q=1").await
    }

    async fn call_with(&self, query: &str) -> u32 {
        let request = v1::InvokeRequest {
            function: "f".to_owned(),
            path_and_query: query.to_owned(),
            ..Default::default()
        };
        let response = self.client.invoke(request).await.unwrap();
        assert_eq!(response.status, 200);
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        body.strip_prefix('=').unwrap().parse().unwrap()
    }

    /// The process that serves, 0 when there is none.
    async fn running(&self) -> u32 {
        let request = v1::RunnerStatusRequest {};
        let status = self.client.runner_status(request).await.unwrap();
        status.functions[0].pid
    }

    /// The process in waiting, which is not the one that is `running`.
    async fn spare(&mut self, running: u32) -> u32 {
        loop {
            if let Announcement::GroupStarted { group } = next(&mut self.announcements).await {
                let group = group.unsigned_abs();
                if group != running && alive(group) {
                    return group;
                }
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    async fn ends(&mut self) {
        let child = &mut self.child;
        eventually("the runner ends", async || {
            child.try_wait().unwrap().is_some()
        })
        .await;
    }
}

fn announcements(child: &mut Child) -> mpsc::UnboundedReceiver<Announcement> {
    use std::io::{BufRead as _, BufReader};

    let (sender, receiver) = mpsc::unbounded_channel();
    let out = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let announcement = Announcement::parse(&line).expect("nothing else on standard output");
            let _ = sender.send(announcement);
        }
    });
    receiver
}

async fn next(announcements: &mut mpsc::UnboundedReceiver<Announcement>) -> Announcement {
    let next = tokio::time::timeout(PATIENCE, announcements.recv());
    next.await
        .expect("an announcement in time")
        .expect("an announcement")
}

#[tokio::test]
async fn an_order_to_end_leaves_no_process_and_no_file() {
    for by_lifeline in [false, true] {
        let Some(mut program) = Program::start().await else {
            return;
        };
        let running = program.call().await;
        let spare = program.spare(running).await;
        if by_lifeline {
            drop(program.child.stdin.take());
        } else {
            program.signal(Signal::SIGTERM);
        }
        program.ends().await;
        eventually("its processes are gone", async || {
            !alive(running) && !alive(spare)
        })
        .await;
        let left = std::fs::read_dir(program.temporary.path()).unwrap().count();
        assert_eq!(left, 0, "by lifeline: {by_lifeline}");
    }
}

#[tokio::test]
async fn a_call_takes_the_process_in_waiting_even_while_it_boots() {
    let Some(mut program) = Program::start().await else {
        return;
    };
    for _ in 0..2 {
        let running = program.call().await;
        let spare = program.spare(running).await;
        kill(Pid::from_raw(running.try_into().unwrap()), Signal::SIGKILL).unwrap();
        eventually("the end is noticed", async || {
            program.running().await != running
        })
        .await;
        assert_eq!(program.call().await, spare);
    }
}

#[tokio::test]
async fn a_start_in_the_background_leaves_the_process_in_waiting_to_calls() {
    let Some(mut program) = Program::start().await else {
        return;
    };
    let spare = program.spare(0).await;
    let request = v1::AcquireRequest {
        function: "f".to_owned(),
        in_background: true,
        ..Default::default()
    };
    program.client.acquire(request).await.unwrap();
    let running = program.running().await;
    assert!(running != 0 && running != spare);
    assert_eq!(program.call().await, running);
}

#[tokio::test]
async fn functions_end_when_the_runner_is_killed_even_in_an_endless_loop() {
    for query in ["?q=1", "?spin"] {
        let Some(mut program) = Program::start().await else {
            return;
        };
        let running = program.call_with(query).await;
        let spare = program.spare(running).await;
        program.signal(Signal::SIGKILL);
        program.ends().await;
        for pid in [running, spare] {
            eventually("the process ends", async || !alive(pid)).await;
        }
    }
}
