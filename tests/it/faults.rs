//! Machines, clients and functions that behave badly: everybody else is served as if nothing were, the trouble is told, and
//! nothing is left of it.

mod clients;
mod disk;
mod functions;

use tests::{server::Server, wait::NO_HANG};
use tokio::time::timeout;

use crate::TASKS;

/// Records are read and written in time.
async fn serves(server: &Server) {
    let made = timeout(NO_HANG, crate::add_task(server, "served")).await;
    let made = made.expect("a record is stored in time");
    let id = made["id"].as_str().unwrap();
    let read = timeout(NO_HANG, server.get(&format!("{TASKS}/{id}"))).await;
    let read = read.expect("a record is read in time");
    assert_eq!(read.expect(200)["title"], "served");
}
