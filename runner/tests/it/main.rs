//! The function service from outside: with a scripted launcher, and with real Deno processes where there is a Deno.
//!
//! `BACKLOT_DENO` or `PATH` says where Deno is. Without one, the tests that need it say so and pass, except in CI.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers as well"
)]

mod calls;
mod fake;
mod handlers;
mod life;
mod limits;
mod process;
mod project;
mod swap;
