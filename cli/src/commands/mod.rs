//! One file a sub-command, and `running.rs`, which those have in common that ask a running server.

pub(crate) mod account;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod entities;
pub(crate) mod exec;
pub(crate) mod functions;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod new;
mod running;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod types;
