//! Clients that do not do their part: they read nothing, or never finish what they began to say.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{launch::Launch, project::Project, server::Server, wait::PATIENCE};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::serves;
use crate::{TASKS, backlot, process::pid_of};

const RECORDS: usize = 5_000;
/// Clients that ask for all of them and read nothing.
const READERS: usize = 24;
/// Bytes of each record's title.
const TITLE: usize = 2_000;
/// Kibibytes by which both services may grow together. All answers in memory would be ten times as much.
const GROWTH: u64 = 64 * 1024;

async fn fill(server: &Server) {
    let titles = (0..RECORDS / 500).map(|batch| {
        let record = |n| json!({ "title": format!("{batch}-{n}-{}", "x".repeat(TITLE)) });
        (0..500).map(record).collect::<Vec<_>>()
    });
    for records in titles {
        let path = format!("{TASKS}/bulk");
        let made = server
            .send(Method::POST, &path, &Value::from(records))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
}

async fn say(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

fn list() -> String {
    format!("GET {TASKS}?limit={RECORDS} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

async fn memory(launch: &Launch<'_>) -> u64 {
    let mut sum = 0;
    for service in ["gateway", "store"] {
        let pid = pid_of(launch, service).await;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.unwrap().trim().trim_end_matches(" kB");
        sum += number.parse::<u64>().unwrap();
    }
    sum
}

/// Reads to the end, a little at a time.
async fn crawl(mut stream: TcpStream) -> Vec<u8> {
    let (mut answer, mut piece) = (Vec::new(), vec![0; 4 * 1024]);
    loop {
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap();
        match read.unwrap() {
            0 => return answer,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
}

#[tokio::test]
async fn readers_at_a_crawl_hold_up_nobody_and_cost_no_memory() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project);
    let mut server = launch.start().await;
    fill(&server).await;
    // Once as it should be, so that what a list costs anyway is there before.
    assert_eq!(
        server.get(&format!("{TASKS}?limit={RECORDS}")).await.status,
        200
    );
    let before = memory(&launch).await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = say(&server, &list()).await;
        let mut line = [0; 15];
        timeout(PATIENCE, reader.read_exact(&mut line))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&line, b"HTTP/1.1 200 OK");
        readers.push(reader);
    }
    serves(&server).await;
    let grown = memory(&launch).await.saturating_sub(before);
    assert!(grown < GROWTH, "{grown} KiB for {READERS} readers");
    // Whoever goes on reading gets it all.
    let answer = crawl(readers.pop().unwrap()).await;
    let records = answer.windows(9).filter(|bytes| bytes == b"\"title\":\"");
    assert_eq!(records.count(), RECORDS);
    drop(readers);
    serves(&server).await;
    assert_eq!(server.interrupt().await, 0);
}

#[tokio::test]
async fn half_said_requests_hold_up_nobody_and_do_not_keep_the_server() {
    let project = Project::new().with_tasks();
    let mut server = backlot(&project).start().await;
    let halves = [
        String::new(),
        "GET / HT".to_owned(),
        format!("GET {TASKS} HTTP/1.1\r\nhost: localhost\r\nx-slow: "),
        format!("POST {TASKS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{{\"title\":"),
        "GET /ws-user-apps/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n\
         connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\u{1}"
            .to_owned(),
    ];
    let mut open = Vec::new();
    for _ in 0..60 {
        for half in &halves {
            open.push(say(&server, half).await);
        }
    }
    serves(&server).await;
    // Those that are said after all are answered.
    let mut late = open.swap_remove(2);
    late.write_all(b"1\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = String::from_utf8(crawl(late).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(server.interrupt().await, 0);
    server.nothing_left().await;
}
