//! The HTTP front: everything that apps and browsers reach.
//!
//! ```text
//!   app, SDK, curl ──HTTP──► gateway ──gRPC──► store      records, rules, accounts
//!                              │   └───gRPC──► runner     where is function f?
//!                              ├────HTTP─────► deno       the function itself, streamed
//!                              ├────HTTP─────► frontend   the project's own pages, streamed
//!                              └────HTTPS────► platform   what is not served here
//! ```
//!
//! * `app` lists every route; `layers` is what each request passes first; `error` is how anything fails.
//! * `state::Setup` is what the last `Configure` said: clients, keys and the table of functions.
//! * `session` knows tokens; `proxy` knows functions; neither knows what an entity, a rule or a schema is.
//! * `link` carries operations on single records to the store; everything longer is a call of its own.
//! * `realtime` passes the store's changes on to sockets, each as its listener may see it.
//! * `frontend` passes pages to the project's own development server.
//! * `files` holds uploads for this run; `forward` is the only way out of this machine.
//!
//! A record passes through here as bytes: this crate never parses one.

mod api;
mod app;
mod control;
mod endpoints;
mod error;
mod extract;
mod files;
mod forward;
mod frontend;
mod held;
mod json;
mod layers;
mod limits;
mod link;
mod listen;
mod proxy;
mod realtime;
mod session;
mod state;
mod traffic;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use proto::{
    Failure,
    host::{Host, HostArgs},
    token::Require,
    v1::gateway_server::{GatewayServer, SERVICE_NAME},
};
use tonic::service::{Routes, interceptor::InterceptedService};

use crate::{
    control::Control,
    listen::Listeners,
    state::{AppState, Site},
};

/// Options of the gateway.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What all services share.
    #[command(flatten)]
    pub host: HostArgs,

    /// Where to serve HTTP; without it, on both loopback addresses
    #[arg(long, value_name = "ADDR")]
    pub http_host: Option<IpAddr>,

    /// Port to serve HTTP on; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub http_port: u16,

    /// Take the next free port when that one is busy
    #[arg(long)]
    pub http_port_fallback: bool,

    /// Accept this Host header besides loopback names; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
}

/// Runs the gateway until it is told to end.
///
/// # Errors
///
/// `CONFLICT` when an address is taken, `BAD_REQUEST` when this machine does not have it.
pub async fn run(args: Args) -> Result<(), Failure> {
    limits::raise_open_files();
    let host = Host::bind("gateway", args.host.clone()).await?;
    let listeners = Listeners::bind(&args).await?;
    let address = listeners.address();
    // What it finds is of no interest to anybody who waits.
    drop(tokio::task::spawn_blocking(files::remove_left_behind));
    let site = Site::new(address.port(), args.http_host, &args.allow_host);
    let state = AppState::new(site, host.token().cloned(), host.shutdown());

    let control = GatewayServer::new(Control::new(state.clone()));
    let control = InterceptedService::new(control, Require::new(host.token()));
    let stop = host.shutdown();
    let http = listeners.serve(app::router(state.clone()), stop.clone());
    let grpc = async {
        let ended = host
            .serve(SERVICE_NAME, Routes::new(control), Some(address))
            .await;
        stop.cancel();
        ended
    };
    let (ended, ()) = tokio::join!(grpc, http);
    state.realtime().ended().await;
    state.files().clear();
    ended
}
