//! The entity service: schemas, validation, row and field rules, the query language, users and accounts, and the feed of
//! changes.
//!
//! ```text
//!   service/   gRPC: unwrap, convert, call, convert back
//!   state      one lock, the clock, the feed
//!   core/      what a request means for the records; no runtime, no network, no clock
//! ```
//!
//! It is told who asks and answers as that caller may see; it neither knows tokens nor speaks HTTP. Data lives in memory.

mod chunk;
pub mod core;
mod secret;
mod service;
mod state;

use proto::{
    Code, Failure, MESSAGE_LIMIT,
    host::{Host, HostArgs},
    request_id::Tracked,
    token::Require,
    v1::store_server::{SERVICE_NAME, StoreServer},
};
use tonic::service::{Routes, interceptor::InterceptedService};

pub use self::{
    service::Service,
    state::{Clock, SystemClock},
};

/// The options of the entity service.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What every service takes
    #[command(flatten)]
    pub host: HostArgs,
}

/// Serves entities until this process is told to end.
///
/// # Errors
///
/// When the address cannot be had, or the system refuses something else.
pub async fn run(args: Args) -> Result<(), Failure> {
    let host = Host::bind("store", args.host).await?;
    let mut seed = [0_u8; 4];
    getrandom::fill(&mut seed).map_err(|error| {
        Failure::new(Code::Internal, "cannot read randomness").with_detail(error.to_string())
    })?;
    let service = Service::new(seed, Box::new(SystemClock), host.shutdown());
    let service = StoreServer::new(service)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let service = Tracked(InterceptedService::new(service, Require::new(host.token())));
    host.serve(SERVICE_NAME, Routes::new(service), None).await
}
