//! The store as its clients see it: through gRPC, on a real socket.

mod bulk;
mod harness;
mod pages;
mod records;
mod rules;
mod schemas;
mod users;
mod watch;
