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
    /// `BAD_REQUEST` for a token that cannot travel and for an address that this machine does not have, `CONFLICT` when
    /// the address is taken, `INTERNAL` when the system refuses something else.
    pub async fn bind(name: &'static str, args: HostArgs) -> Result<Self, Failure> {
        telemetry::init(args.log_format, args.log_level);
        let token = args.token.map(LaunchToken::parse).transpose()?;
        let (shutdown, orphaned) = (CancellationToken::new(), CancellationToken::new());
        if args.lifeline {
            watch_lifeline(orphaned.clone())
                .map_err(|error| internal("watch standard input", &error))?;
            end_when_orphaned(orphaned.clone(), shutdown.clone());
        }
        end_on_signal(shutdown.clone())?;
        let listener = bind(args.listen, "--listen").await?;
        Ok(Self {
            name,
            listener,
            token,
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
        report(&health, service, ServingStatus::Serving).await;
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
    report(&health, service, ServingStatus::NotServing).await;
}

/// Tells those who ask for the service and those who ask for the process, whose name is empty in the health protocol.
async fn report(health: &HealthReporter, service: &str, status: ServingStatus) {
    for name in [service, ""] {
        health.set_service_status(name, status).await;
    }
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

/// Binds a TCP listener; shared by gRPC and HTTP so that a taken address is told in one way. `option` is what chooses
/// another one, for the hint.
///
/// # Errors
///
/// `CONFLICT` when the address is taken, `BAD_REQUEST` when this machine does not have it or may not use it.
pub async fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Failure::new(
                Code::Conflict,
                format!("Port {} is already in use", address.port()),
            )
            .with_hint(format!(
                "stop the other process, or choose another port with `{option}`"
            )),
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
    // While a service starts, nothing but its addresses can be taken.
    let reason = match failure.code() == Code::Conflict {
        true => FailReason::AddressInUse,
        false => FailReason::Other,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{net::TcpListener, time::timeout};
    use tokio_util::sync::CancellationToken;
    use tonic::{service::Routes, transport::Endpoint};
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };

    use super::{Code, Host, bind};

    /// Far more than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    const SERVICE: &str = "backlot.v1.Store";

    async fn host() -> Host {
        Host {
            name: "store",
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            token: None,
            shutdown: CancellationToken::new(),
            orphaned: CancellationToken::new(),
        }
    }

    #[tokio::test]
    async fn whoever_watches_the_process_or_its_service_is_told_of_its_end() {
        let host = host().await;
        let stop = host.shutdown();
        let address = host.listener.local_addr().unwrap();
        let serving = tokio::spawn(host.serve(SERVICE, Routes::default(), None));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut client = HealthClient::new(endpoint.connect().await.unwrap());
        let mut watches = Vec::new();
        for name in ["", SERVICE] {
            let service = name.to_owned();
            let watch = client.watch(HealthCheckRequest { service }).await.unwrap();
            watches.push(watch.into_inner());
        }
        for watch in &mut watches {
            while watch.message().await.unwrap().unwrap().status() != ServingStatus::Serving {}
        }
        stop.cancel();
        for watch in &mut watches {
            let told = timeout(LONG, watch.message()).await.unwrap();
            let told = told.unwrap().unwrap();
            assert_eq!(told.status(), ServingStatus::NotServing);
        }
        drop((watches, client));
        let ended = timeout(LONG, serving).await.unwrap().unwrap();
        assert!(ended.is_ok());
    }

    #[tokio::test]
    async fn a_taken_address_is_told_with_the_option_that_chooses_another() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = bind(taken.local_addr().unwrap(), "--listen").await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::Conflict);
        assert!(refused.hint().contains("`--listen`"));
    }
}
