//! The contract between Backlot's processes, and the one way in which a process of ours starts and stops.
//!
//! ```text
//!   cli ──spawns, configures──► gateway ──► store
//!    │                             └──────► runner ──► deno
//!    └── all of them: messages and clients from here, host and process protocol from here
//! ```
//!
//! * [`v1`] holds the generated messages, clients and servers of package `backlot.v1`.
//! * [`Code`] and [`Failure`] are the errors that cross a process border, with their three kinds of status.
//! * [`client`] has a typed client for each service, with a deadline on every call.
//! * [`process`] is what parent and child say to each other; [`host`] binds, announces, serves and drains.
//! * [`run_folder`] is a service's temporary folder, and how the next run finds those of killed ones.
//! * [`request_id`] follows a request through all of them.
//!
//! This crate depends on no other crate of ours, and holds no logic of any service.

pub mod client;
pub mod code;
pub mod failure;
pub mod hex;
pub mod host;
pub mod process;
pub mod request_id;
mod rpc_status;
pub mod run_folder;
pub mod telemetry;
pub mod token;
pub mod uuid;

pub use code::Code;
pub use failure::Failure;

/// Generated from `schema/backlot/v1`; the comments there are the reference.
#[allow(
    unused_qualifications,
    clippy::pedantic,
    clippy::restriction,
    clippy::nursery,
    clippy::perf,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("backlot.v1");
}

/// The schema as an encoded `FileDescriptorSet`, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Bytes of the longest gRPC message that any of our services sends or takes.
///
/// The HTTP side takes JSON bodies of 16 MiB; the answer to a bulk write repeats them with ids and dates.
pub const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;
