//! Life and death of the processes: what starts, what a signal does, who comes back, and that nothing is left behind.

mod crashing;
mod ending;
mod frontend;

use nix::sys::signal::Signal;
use reqwest::Method;
use tests::{
    launch::Launch,
    process::send,
    project::Project,
    server::Server,
    wait::{PATIENCE, eventually, that},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::TASKS;

/// A frontend with children that do not end when asked.
const STUBBORN: &str = "trap '' TERM; /bin/sleep 600 & /bin/sleep 601";

/// A project that starts whatever can be started: a function, and a frontend with children of its own.
fn everything() -> Project {
    with_frontend("/bin/sleep 600 & /bin/sleep 601")
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
        PATIENCE,
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
pub(crate) async fn pid_of(launch: &Launch<'_>, service: &str) -> i32 {
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
    let read = timeout(PATIENCE, request.read_exact(&mut answer)).await;
    read.expect("it is being served").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    request
}
