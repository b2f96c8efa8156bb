//! Machines, clients and functions that behave badly: everybody else is served as if nothing were, the trouble is told, and
//! nothing is left of it.

mod clients;
mod disk;
mod functions;

use std::time::{Duration, Instant};

use tests::{http::Answer, server::Server};

use crate::TASKS;

/// Nobody waits longer for an answer than this, whatever others do.
const NO_HANG: Duration = Duration::from_secs(10);

/// Records are read and written in time.
async fn serves(server: &Server) {
    let begin = Instant::now();
    let made = crate::add_task(server, "served").await;
    let id = made["id"].as_str().unwrap();
    let read: Answer = server.get(&format!("{TASKS}/{id}")).await;
    assert_eq!(read.expect(200)["title"], "served");
    assert!(begin.elapsed() < NO_HANG, "{:?}", begin.elapsed());
}
