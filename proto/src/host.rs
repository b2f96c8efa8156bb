//! How every service of ours lives: bind, announce, report health, serve, drain.

use std::{io, net::SocketAddr, process, time::Duration};

use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tracing::{info, level_filters::LevelFilter, warn};

use crate::{
    Code, DESCRIPTORS, Failure,
    process::{Announcement, FailReason, watch_lifeline},
    telemetry::{self, LogFormat},
    token::LaunchToken,
};

/// How long a service may take to finish what it has begun. Shorter than the five seconds after which the parent kills.
pub const DRAIN: Duration = Duration::from_secs(4);

/// The options that all services share.
#[derive(Clone, Debug, Args)]
pub struct HostArgs {
    /// Where to serve gRPC; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Bearer token to ask of every caller but health and reflection; without it, none is asked for
    #[arg(
        long,
        value_name = "TOKEN",
        env = "BACKLOT_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,

    /// How log lines on standard error look
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// The least level that is logged
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LevelFilter,

    /// End when standard input does: for a parent process, which is gone then
    #[arg(long, hide = true)]
    pub lifeline: bool,
}

/// A service process that has bound its address and not yet begun to serve.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    listener: TcpListener,
    token: Option<LaunchToken>,
    shutdown: CancellationToken,
    orphaned: CancellationToken,
}

impl Host {
    /// Sets up logs, listens for signals and the lifeline, and binds.
    ///
    /// # Errors
    ///
    /// `CONFLICT` when the address is taken, `INTERNAL` when the system refuses something else.
    pub async fn bind(name: &'static str, args: HostArgs) -> Result<Self, Failure> {
        telemetry::init(args.log_format, args.log_level);
        let (shutdown, orphaned) = (CancellationToken::new(), CancellationToken::new());
        if args.lifeline {
            watch_lifeline(orphaned.clone())
                .map_err(|error| internal("watch standard input", &error))?;
            end_when_orphaned(orphaned.clone(), shutdown.clone());
        }
        end_on_signal(shutdown.clone())?;
        let listener = bind(args.listen).await?;
        Ok(Self {
            name,
            listener,
            token: args.token.map(LaunchToken::from),
            shutdown,
            orphaned,
        })
    }

    /// The token to ask for, for [`crate::token::Require`].
    #[must_use]
    pub const fn token(&self) -> Option<&LaunchToken> {
        self.token.as_ref()
    }

    /// Cancelled when this process has to end; everything long-lived should watch it.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Cancelled, together with [`Host::shutdown`], when the parent is gone: nobody waits for anything any more, and
    /// this process is cut off two seconds later. Whoever has started processes ends them now.
    #[must_use]
    pub fn orphaned(&self) -> CancellationToken {
        self.orphaned.clone()
    }

    /// Announces the addresses, serves `routes` with health and reflection, and returns once the process has been told
    /// to end and open calls are finished, at most [`DRAIN`] later. `service` is the full name of the gRPC service, and
    /// `http` where this process also speaks HTTP.
    ///
    /// # Errors
    ///
    /// When the socket or the server breaks.
    pub async fn serve(
        self,
        service: &'static str,
        routes: Routes,
        http: Option<SocketAddr>,
    ) -> Result<(), Failure> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let routes = routes
            .add_service(health_service)
            .add_service(reflection(service)?);
        let address = self.listener.local_addr();
        let grpc = address.map_err(|error| internal("read own address", &error))?;
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let stop = self.shutdown.clone();
        let serving = Server::builder()
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        let serving = tokio::spawn(serving);

        announce(self.name, grpc, http);
        health
            .set_service_status(service, ServingStatus::Serving)
            .await;
        tokio::spawn(report_end(health, service, stop.clone()));
        finish(self.name, &stop, serving).await
    }
}

fn announce(service: &'static str, grpc: SocketAddr, http: Option<SocketAddr>) {
    info!(%grpc, http = http.map(tracing::field::display), "listening");
    let listening = Announcement::Listening {
        service: service.to_owned(),
        grpc,
        http,
        pid: process::id(),
    };
    listening.send();
}

async fn report_end(health: HealthReporter, service: &'static str, stop: CancellationToken) {
    stop.cancelled().await;
    health
        .set_service_status(service, ServingStatus::NotServing)
        .await;
}

/// Waits for the end of serving: as long as it takes before the order to stop, [`DRAIN`] after it.
async fn finish(
    name: &'static str,
    stop: &CancellationToken,
    mut serving: JoinHandle<Result<(), tonic::transport::Error>>,
) -> Result<(), Failure> {
    let ended = tokio::select! {
        ended = &mut serving => Some(ended),
        () = stop.cancelled() => timeout(DRAIN, &mut serving).await.ok(),
    };
    match ended {
        Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(internal("serve gRPC", &error)),
        Some(Err(error)) => Err(internal("serve gRPC", &error)),
        None => {
            warn!(
                service = name,
                "calls were still open at the end of the drain"
            );
            serving.abort();
            Ok(())
        }
    }
}

/// Reflection of exactly one service of ours, beside health and reflection itself.
fn reflection(
    service: &'static str,
) -> Result<ServerReflectionServer<impl ServerReflection>, Failure> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(service)
        .with_service_name("grpc.health.v1.Health")
        .build_v1()
        .map_err(|error| internal("build reflection", &error))
}

/// Binds a TCP listener; shared by gRPC and HTTP so that a taken address is told in one way.
///
/// # Errors
///
/// `CONFLICT` when the address is taken, `BAD_REQUEST` when this machine does not have it or may not use it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Failure::new(
                Code::Conflict,
                format!("Port {} is already in use", address.port()),
            )
            .with_hint("stop the other process, or choose another port with `--port`"),
            io::ErrorKind::AddrNotAvailable => refused(address, &error)
                .with_hint("choose an address that this machine has; `0.0.0.0` means all of them"),
            io::ErrorKind::PermissionDenied => refused(address, &error)
                .with_hint("ports below 1024 are the system's; choose a larger one"),
            _ => internal("bind", &error).with_detail(format!("{address}: {error}")),
        })
}

fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let message = format!("cannot listen on {address}: {error}");
    Failure::new(Code::BadRequest, message)
}

/// Tells the parent why this process is about to end, and turns the failure into an exit status.
pub fn report_failure(failure: &Failure) -> process::ExitCode {
    tracing::error!(
        code = failure.code().name(),
        detail = failure.detail(),
        "{}",
        failure.message()
    );
    let reason = match failure.code() {
        Code::Conflict => FailReason::AddressInUse,
        Code::BadRequest => FailReason::AddressNotAvailable,
        Code::Invalid
        | Code::Unauthenticated
        | Code::Forbidden
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::TooLarge
        | Code::Misdirected
        | Code::RateLimited
        | Code::Timeout
        | Code::Unavailable
        | Code::BadGateway
        | Code::Loop
        | Code::FunctionFailed
        | Code::Unimplemented
        | Code::Internal => FailReason::Other,
    };
    let failed = Announcement::Failed {
        reason,
        message: failure.message().to_owned(),
        hint: failure.hint().to_owned(),
    };
    failed.send();
    process::ExitCode::from(failure.code().exit())
}

/// Runs a service's async `main` to its exit status; the whole body of each thin `main.rs`.
pub fn run_to_exit<F>(service: F) -> process::ExitCode
where
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report_failure(&internal("start the runtime", &error)),
    };
    let ended = runtime.block_on(service);
    // The lifeline's thread and aborted calls must not hold up the end.
    runtime.shutdown_background();
    match ended {
        Ok(()) => process::ExitCode::SUCCESS,
        Err(failure) => report_failure(&failure),
    }
}

fn end_when_orphaned(orphaned: CancellationToken, stop: CancellationToken) {
    tokio::spawn(async move {
        orphaned.cancelled().await;
        stop.cancel();
    });
}

fn end_on_signal(stop: CancellationToken) -> Result<(), Failure> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| internal("watch signals", &error))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(|error| internal("watch signals", &error))?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

fn internal(doing: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::Internal, format!("cannot {doing}: {error}"))
}
