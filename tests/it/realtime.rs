//! Live updates from outside: the official SDK for every kind of caller, a crowd in one room, and one who does not read.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::{
    project::Project,
    server::Server,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{DEVELOPER, TASKS, add_task, backlot, entities::ANN, register, sign_in};

/// Public records are everybody's, others their maker's and the admins'; the secret is the admins'.
const NOTE: &str = r#"{
    "name": "Note",
    "type": "object",
    "properties": {
        "text": { "type": "string" },
        "public": { "type": "boolean", "default": false },
        "group": { "type": "string" },
        "rank": { "type": "number" },
        "secret": { "type": "string", "rls": { "read": { "user_condition": { "role": "admin" } } } }
    },
    "rls": {
        "read": { "$or": [
            { "data.public": true },
            { "created_by": "{{user.email}}" },
            { "user_condition": { "role": "admin" } }
        ] }
    }
}"#;

#[tokio::test]
async fn the_sdk_tells_each_caller_of_what_they_may_read() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().file("base44/entities/note.jsonc", NOTE);
    let server = backlot(&project).start().await;
    let user = register(&server, ANN).await;
    let admin = sign_in(&server, DEVELOPER).await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "local"),
        ("USER_TOKEN", &user),
        ("ADMIN_TOKEN", &admin),
    ];
    let said = clients.run("realtime.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
}

/// So many of the real clients, with these transports, hear everything once and in order.
async fn crowd_hears(sockets: &str, transports: &str) {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "local"),
        ("SOCKETS", sockets),
        ("TRANSPORTS", transports),
        ("WRITES", "100"),
        ("RATE", "50"),
    ];
    let said = clients.run("crowd.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
}

#[tokio::test]
async fn a_crowd_in_one_room_hears_everything_once_and_in_order() {
    crowd_hears("200", "websocket").await;
}

#[tokio::test]
async fn clients_that_poll_or_change_over_hear_everything_once_and_in_order() {
    crowd_hears("20", "polling").await;
    crowd_hears("20", "polling,websocket").await;
}

#[tokio::test]
async fn who_reads_hears_of_each_record_of_a_large_clear() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let variables = [("SERVER_URL", server.url()), ("RECORDS", "20000")];
    let said = clients.run("clear.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
    let text = server.output().text();
    assert!(!text.contains("too slowly"), "{text}");
}

/// A text frame of a client, with a mask of zeroes.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short texts only");
    assert!(length < 126, "short texts only");
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend(text.as_bytes());
    frame
}

/// A socket in the room of the tasks, which reads nothing after that.
async fn deaf(server: &Server) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    let head = "GET /ws-user-apps/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: localhost\r\n\
                connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut said = String::new();
    let mut buffer = [0; 4096];
    let mut send = [frame("40"), frame(r#"42["join","entities:local:Task"]"#)].into_iter();
    for part in ["\"sid\"", "40{\"sid\""] {
        while !said.contains(part) {
            let read = socket.read(&mut buffer).await.unwrap();
            assert!(read > 0, "closed after {said}");
            said.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        socket.write_all(&send.next().unwrap()).await.unwrap();
    }
    // It hears the room once, so that it is known to be there.
    while !said.contains("update_model") {
        let _ = add_task(server, "probe").await;
        let wait = Duration::from_millis(200);
        if let Ok(read) = tokio::time::timeout(wait, socket.read(&mut buffer)).await {
            let read = read.unwrap();
            assert!(read > 0, "closed after {said}");
            said.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    }
    socket
}

#[tokio::test]
async fn a_socket_that_does_not_read_is_dropped_and_the_terminal_says_why() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let _deaf = deaf(&server).await;
    let title = "x".repeat(100_000);
    let tasks = json!(vec![json!({ "title": title }); 20]);
    let what = "a realtime client reads too slowly; it was disconnected and may connect again";
    eventually("it is dropped", 3 * PATIENCE, async || {
        let bulk = format!("{TASKS}/bulk");
        let answer = server.send(Method::POST, &bulk, &tasks).await;
        assert_eq!(answer.status, 201);
        that(server.output().says(what), "it is still there")
    })
    .await;
}
