//! Life and death of the processes: what starts, what a signal does, who comes back, and that nothing is left behind.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tests::{
    http::Answer,
    launch::Launch,
    process::send,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{eventually, that},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{DEVELOPER, TASKS, add_task, backlot, sign_in};

/// After this long, nothing of a killed server may be left.
const ORPHANS: Duration = Duration::from_secs(3);

/// How long a service may be away after a crash, on a busy machine.
const COMEBACK: Duration = Duration::from_secs(20);

/// A project that starts whatever can be started: a function, and a frontend with children of its own.
fn everything() -> Project {
    with_frontend("sleep 600 & sleep 601")
}

fn with_frontend(command: &str) -> Project {
    let project = Project::new().with_tasks().frontend(command);
    let spin = "Deno.serve(() => { console.log('spinning'); for (;;); });";
    project
        .function("hello", "Deno.serve(() => new Response('hello'));")
        .function("spin", spin)
}

/// Calls the function that never gives its process back, and returns once it does that.
async fn start_spinning(server: &Server) {
    tokio::spawn(server.request(Method::GET, "/functions/spin").send());
    server.says("spinning").await;
}

/// Starts it, has the function's process started, and checks that all of it runs.
async fn start_everything(launch: &Launch<'_>) -> Server {
    let server = launch.start().await;
    assert_eq!(server.get("/functions/hello").await.text, "hello");
    eventually(
        "services, Deno and the frontend's children run",
        COMEBACK,
        async || {
            let processes = server.processes();
            let all = [
                " store ",
                " runner ",
                " gateway ",
                "deno",
                "sleep 600",
                "sleep 601",
            ];
            let missing = all.iter().find(|part| {
                !processes
                    .iter()
                    .any(|process| process.arguments.contains(**part))
            });
            that(
                missing.is_none(),
                format!("{missing:?} is not among {processes:?}"),
            )
        },
    )
    .await;
    server
}

/// Process id of a service, from `backlot status`.
async fn pid_of(launch: &Launch<'_>, service: &str) -> i32 {
    let status = launch.status().await;
    let pid = status["services"][service]["pid"]
        .as_i64()
        .unwrap_or_else(|| panic!("{status}"));
    i32::try_from(pid).unwrap()
}

async fn kill(launch: &Launch<'_>, service: &str) {
    send(pid_of(launch, service).await, Signal::SIGKILL);
}

async fn is_closed(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_err()
        && TcpStream::connect(("::1", port)).await.is_err()
}

/// A request whose body never comes, and of which we know that it is being served.
async fn hanging_request(port: u16) -> TcpStream {
    let mut request = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\
         expect: 100-continue\r\n\r\n"
    );
    request.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    request.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    request
}

#[tokio::test]
async fn a_signal_ends_everything_in_order_and_leaves_nothing() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let project = everything();
        let launch = backlot(&project).clients(&clients);
        let mut server = start_everything(&launch).await;
        let port = server.port();
        server.signal(signal);
        assert_eq!(server.ended().await, 0, "{signal}");
        server.nothing_left(Duration::from_secs(1)).await;
        assert!(is_closed(port).await);
        assert_eq!(project.entries_of_user("tmp"), [""; 0]);
        assert_eq!(project.entries_of_user("run/backlot"), [""; 0]);
        let output = server.output();
        assert_eq!(
            output.stdout,
            [format!(
                "Dev server is available at http://localhost:{port}"
            )],
            "{}",
            output.text()
        );
        assert!(
            !output.says("error:") && !output.says("warning:"),
            "{}",
            output.text()
        );
    }
}

#[tokio::test]
async fn a_second_interrupt_cuts_a_hanging_drain_short() {
    let project = Project::new().with_tasks();
    let mut server = backlot(&project).start().await;
    let port = server.port();
    let _request = hanging_request(port).await;
    server.signal(Signal::SIGINT);
    eventually("the first signal closes the port", COMEBACK, async || {
        that(is_closed(port).await, "open")
    })
    .await;
    assert_eq!(server.interrupt().await, 130);
    server.nothing_left(ORPHANS).await;
}

#[tokio::test]
async fn an_interrupt_during_the_start_leaves_nothing_either() {
    // Each time a little further: before the services, among them, and when all are there.
    for processes in 1..=4 {
        let project = everything();
        let mut server = backlot(&project).env("PATH", project.user("empty")).spawn();
        eventually("so many processes run", COMEBACK, async || {
            let running = server.processes();
            that(running.len() >= processes, format!("{running:?}"))
        })
        .await;
        let code = server.interrupt().await;
        // At the very beginning nobody handles signals yet, and the system does what it always did.
        assert!(
            code == 0 || (code == 130 && processes == 1),
            "{code}: {}",
            server.output().text()
        );
        server.nothing_left(ORPHANS).await;
        assert_eq!(project.entries_of_user("tmp"), [""; 0]);
    }
}

#[tokio::test]
async fn a_function_that_never_ends_does_not_keep_the_server() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = everything();
    let mut server = backlot(&project).clients(&clients).start().await;
    start_spinning(&server).await;
    let begin = Instant::now();
    assert_eq!(server.interrupt().await, 0);
    assert!(
        begin.elapsed() < Duration::from_secs(12),
        "it took {:?}",
        begin.elapsed()
    );
    server.nothing_left(Duration::from_secs(1)).await;
    assert_eq!(project.entries_of_user("tmp"), [""; 0]);
}

#[tokio::test]
async fn a_killed_command_takes_everything_with_it() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    // Not even what does not want to end, or has something to finish, holds it up.
    let project = with_frontend("trap '' TERM; sleep 600 & sleep 601");
    let launch = backlot(&project).clients(&clients);
    let mut server = start_everything(&launch).await;
    let _request = hanging_request(server.port()).await;
    start_spinning(&server).await;
    server.signal(Signal::SIGKILL);
    assert_eq!(server.ended().await, 137);
    server.nothing_left(ORPHANS).await;
    assert_eq!(project.entries_of_user("tmp"), [""; 0]);
    // Its descriptor is still there, and nobody believes it.
    assert_eq!(launch.status().await, json!({ "running": false }));
}

#[tokio::test]
async fn a_killed_command_takes_an_installation_with_it() {
    // An npm that never finishes, and no Deno.
    let project = everything();
    let folder = project.user("bin");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("npm"), "#!/bin/sh\n/bin/sleep 602\n").unwrap();
    std::fs::set_permissions(folder.join("npm"), Permissions::from_mode(0o755)).unwrap();
    let server = backlot(&project).env("PATH", folder).start().await;
    eventually("npm runs", COMEBACK, async || {
        let processes = server.processes();
        let runs = processes
            .iter()
            .any(|process| process.arguments.contains("sleep 602"));
        that(runs, format!("{processes:?}"))
    })
    .await;
    server.signal(Signal::SIGKILL);
    server.nothing_left(ORPHANS).await;
}

#[tokio::test]
async fn a_killed_gateway_comes_back_on_its_port() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut server = launch.start().await;
    let token = sign_in(&server, DEVELOPER).await;
    add_task(&server, "kept").await;
    kill(&launch, "gateway").await;
    eventually("the gateway answers again", COMEBACK, async || {
        let request = server.request(Method::GET, TASKS).bearer_auth(&token);
        let answer = Answer::try_to(request)
            .await
            .map_err(|error| error.to_string())?;
        that(
            answer.status == 200 && answer.text.contains("kept"),
            answer.text,
        )
    })
    .await;
    server.says("the gateway is back").await;
    assert_eq!(server.interrupt().await, 0);
}

#[tokio::test]
async fn a_killed_runner_comes_back_and_functions_with_it() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = everything();
    let launch = backlot(&project).clients(&clients);
    let server = start_everything(&launch).await;
    let deno_of_old = server
        .processes()
        .into_iter()
        .filter(|process| process.arguments.contains("deno"));
    let deno_of_old: Vec<i32> = deno_of_old.map(|process| process.pid).collect();
    kill(&launch, "runner").await;
    eventually("the function answers again", COMEBACK, async || {
        let answer = server.get("/functions/hello").await;
        assert!(
            answer.status == 200 || answer.status == 503 || answer.status == 502,
            "{answer:?}"
        );
        that(
            answer.text == "hello" && server.output().says("the runner is back"),
            answer.text,
        )
    })
    .await;
    eventually("the old function processes are gone", ORPHANS, async || {
        let left: Vec<_> = server
            .processes()
            .into_iter()
            .filter(|process| deno_of_old.contains(&process.pid))
            .collect();
        that(left.is_empty(), format!("{left:?}"))
    })
    .await;
}

#[tokio::test]
async fn a_killed_store_comes_back_empty_with_its_schemas_and_its_user_and_says_so() {
    let project = Project::new().with_tasks().login("ada@example.com", "Ada");
    let launch = backlot(&project);
    let server = launch.start().await;
    let token = sign_in(&server, "ada@example.com").await;
    add_task(&server, "lost").await;
    kill(&launch, "store").await;
    eventually("the store answers again, empty", COMEBACK, async || {
        let begin = Instant::now();
        let answer = server.get(TASKS).await;
        assert!(
            begin.elapsed() < Duration::from_secs(8),
            "a request hung for {:?}",
            begin.elapsed()
        );
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        }
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        that(answer.text == "[]", answer.text)
    })
    .await;
    server
        .says("all records and accounts it held are gone")
        .await;
    // The token still says who it is, and the account is there again.
    let me = server
        .request(Method::GET, "/api/apps/local/entities/User/me")
        .bearer_auth(token);
    assert_eq!(Answer::to(me).await.expect(200)["email"], "ada@example.com");
}

#[tokio::test]
async fn requests_are_refused_at_once_while_a_service_is_away() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    // One that is attached is not brought back, so that it stays away.
    let store = launch.spawn_other(&["store", "--listen", "127.0.0.1:0"]);
    let address = crate::grpc::announced(&store).await;
    let server = launch
        .args(&["--attach", &format!("store={address}")])
        .start()
        .await;
    add_task(&server, "there").await;
    store.signal(Signal::SIGKILL);
    eventually("the store is missed", COMEBACK, async || {
        let begin = Instant::now();
        let answer = server.get(TASKS).await;
        assert!(
            begin.elapsed() < Duration::from_secs(8),
            "a request hung for {:?}",
            begin.elapsed()
        );
        that(answer.status == 503, format!("{answer:?}"))?;
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        assert!(
            !answer.json()["message"]
                .as_str()
                .unwrap_or_default()
                .is_empty(),
            "{answer:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_service_that_keeps_crashing_ends_the_server() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut server = launch.start().await;
    let mut last = 0;
    for _ in 0..4 {
        let pid = eventually(
            "the store runs, as another process than before",
            COMEBACK,
            async || {
                let pid = pid_of(&launch, "store").await;
                that(pid != last, format!("pid {pid}")).map(|()| pid)
            },
        )
        .await;
        send(pid, Signal::SIGKILL);
        last = pid;
    }
    assert_eq!(server.ended().await, 1);
    server
        .says("the store failed more than three times within a minute")
        .await;
    server.nothing_left(ORPHANS).await;
}
