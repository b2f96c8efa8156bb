//! The store as its clients see it: through gRPC, on a real socket.

#![expect(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod accounts;
mod bulk;
mod harness;
mod pages;
mod records;
mod rules;
mod schemas;
mod users;
mod watch;
