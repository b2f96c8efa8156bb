//! The function service from outside: with a scripted launcher, and with real Deno processes where there is a Deno.
//!
//! `BACKLOT_DENO` or `PATH` says where Deno is. Without one, the tests that need it say so and pass, except in CI.

mod calls;
mod fake;
mod handlers;
mod life;
mod process;
mod project;
mod swap;
