//! The harness of the whole-system tests: temporary projects, the real command as a child process, real clients.
//!
//! ```text
//!   project ──files──► launch ──spawns──► backlot dev ──► store, runner, gateway, Deno, frontend
//!                        │  ▲
//!                  wait ─┘  └── tools: Node scripts with the official SDK, Chromium, buf
//!                              upstream: the platform, faked
//! ```
//!
//! Everything here panics with a sentence when it cannot do what a test needs: there is nobody to handle an error.

pub mod command;
pub mod http;
pub mod launch;
pub mod output;
pub mod platform;
pub mod process;
pub mod project;
pub mod scenario;
pub mod server;
pub mod template;
pub mod terminal;
pub mod tools;
pub mod upstream;
pub mod wait;
