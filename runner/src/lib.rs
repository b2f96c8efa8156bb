//! The function service: one Deno process a function, started when it is first called.
//!
//! ```text
//!   gRPC ──► service ──► driver ──asks──► pool (pure)         deno (one a function)
//!                          │                                    ▲ control connection, pipes, group
//!                          └──launches──► launcher ──► worker ──┘
//! ```
//!
//! * [`pool`] decides: a state machine without a clock, a runtime or processes.
//! * [`driver`] carries out, through a [`launcher::Launcher`]: [`deno`] or, in tests, a scripted one.
//! * [`graph`] knows which files a function consists of; [`logs`] keeps what functions print.
//!
//! No request body passes through here but those of `Invoke`: whoever calls a function asks where it is and speaks HTTP to
//! it. What a project looks like on disk is not known here either.

mod control;
pub mod deno;
pub mod driver;
pub mod graph;
mod graphs;
mod handle;
mod invoke;
pub mod launcher;
pub mod logs;
mod output;
pub mod pool;
mod reaper;
mod scan;
pub mod service;
mod url;
mod worker;

use std::{pin::pin, sync::Arc};

use proto::{
    Code, Failure, MESSAGE_LIMIT,
    host::{Host, HostArgs},
    token::Require,
    v1::runner_server::{RunnerServer, SERVICE_NAME},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, interceptor::InterceptedService};

use self::{deno::DenoLauncher, driver::Driver, logs::Logs, service::Service};

/// The options of the function service.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What all services have in common.
    #[command(flatten)]
    pub host: HostArgs,

    /// Do not keep a booted Deno process in waiting: less memory, slower first calls
    #[arg(long)]
    pub no_standby: bool,
}

/// Serves until told to end; then every process of every function is gone.
///
/// # Errors
///
/// When the address, the temporary folder or the server itself fails.
pub async fn run(args: Args) -> Result<(), Failure> {
    let host = Host::bind("runner", args.host).await?;
    let logs = Arc::new(Logs::new(jiff::Timestamp::now));
    let launcher = DenoLauncher::open(Arc::clone(&logs), !args.no_standby).await;
    let launcher = launcher.map_err(|error| {
        Failure::new(
            Code::Internal,
            format!("cannot prepare function processes: {error}"),
        )
        .with_hint("check that the temporary folder can be written, or set `TMPDIR`")
    })?;
    let folder = launcher.folder().to_owned();
    let (driver, handle) = Driver::new(Arc::new(launcher), Arc::clone(&logs));
    // Without a parent there is nobody left whose requests could be finished.
    let driving = tokio::spawn(driver.run(host.shutdown(), host.orphaned()));

    let service = RunnerServer::new(Service::new(handle, logs, host.shutdown()))
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let service = InterceptedService::new(service, Require::new(host.token()));
    let stop = host.shutdown();
    let serving = host.serve(SERVICE_NAME, Routes::new(service), None);
    let ended = together(serving, driving, stop).await;
    // Tasks that have nothing left to do may still hold it, and the process does not wait for them.
    let _ = std::fs::remove_dir_all(folder);
    ended
}

/// Waits for the server and the driver. Neither is of use without the other: where one breaks, both end.
async fn together(
    serving: impl Future<Output = Result<(), Failure>>,
    mut driving: JoinHandle<()>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let mut serving = pin!(serving);
    let (served, driven) = tokio::select! {
        served = &mut serving => {
            stop.cancel();
            (served, driving.await)
        }
        driven = &mut driving => {
            stop.cancel();
            (serving.await, driven)
        }
    };
    driven.map_err(|error| {
        Failure::new(Code::Internal, "the functions' driver broke off")
            .with_detail(error.to_string())
    })?;
    served
}

#[cfg(test)]
mod tests {
    use proto::{Code, Failure};
    use tokio_util::sync::CancellationToken;

    use super::together;

    #[tokio::test]
    async fn a_runner_ends_when_a_part_of_it_breaks() {
        let stop = CancellationToken::new();
        let serving = async {
            stop.cancelled().await;
            Ok(())
        };
        let driving = tokio::spawn(async { panic!("a mistake of ours") });
        let failure = together(serving, driving, stop.clone()).await.unwrap_err();
        assert_eq!(failure.code(), Code::Internal);

        let stop = CancellationToken::new();
        let serving = async { Err(Failure::new(Code::Unavailable, "no socket")) };
        let driving = tokio::spawn(stop.clone().cancelled_owned());
        let failure = together(serving, driving, stop).await.unwrap_err();
        assert_eq!(failure.code(), Code::Unavailable);
    }
}
