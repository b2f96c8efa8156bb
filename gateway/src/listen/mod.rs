//! The HTTP listeners: bound before anything is announced, drained before the process ends.

mod connection;
mod wire;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use futures_util::future::join_all;
use proto::{
    Code, Failure,
    host::{self, DRAIN},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::Args;

/// How many ports after a busy one are tried.
const FALLBACKS: u16 = 20;

/// What chooses another port, as the command that people start calls it.
const OPTION: &str = "--port";

/// How often another free port is drawn when the other address family has it taken.
const DRAWS: u16 = 20;

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To send the head of a request; an unused connection is kept as long.
    head: Duration,
    /// To read the next bytes of an answer. A video that is paused reads nothing, and asks again for what it lacks.
    stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            stall: Duration::from_secs(300),
        }
    }
}

/// Connections that are open at the same time; more wait to be accepted.
const CONNECTIONS: usize = 4096;

/// Pause after the system had no connection to give, for lack of descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bound and listening; connections wait until they are served.
#[derive(Debug)]
pub(crate) struct Listeners {
    sockets: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listeners {
    /// Binds what the options ask for.
    ///
    /// # Errors
    ///
    /// `CONFLICT` when the port is taken, `BAD_REQUEST` when this machine does not have the address.
    pub(crate) async fn bind(args: &Args) -> Result<Self, Failure> {
        let last = match (args.http_port, args.http_port_fallback) {
            (0, _) => return Self::bind_any(args.http_host).await,
            (port, true) => port.saturating_add(FALLBACKS),
            (port, false) => port,
        };
        let mut taken = None;
        for port in args.http_port..=last {
            match Self::bind_port(args.http_host, port).await {
                Err(failure) if failure.code() == Code::Conflict => taken = taken.or(Some(failure)),
                settled => return settled,
            }
        }
        Err(taken.expect("the range holds the port itself"))
    }

    async fn bind_any(host: Option<IpAddr>) -> Result<Self, Failure> {
        for _ in 1..DRAWS {
            match Self::bind_port(host, 0).await {
                Err(failure) if failure.code() == Code::Conflict => {}
                settled => return settled,
            }
        }
        Self::bind_port(host, 0).await
    }

    /// One port, on the given address or on both loopback ones: browsers and runtimes differ in which of the two they
    /// take `localhost` for.
    async fn bind_port(host: Option<IpAddr>, port: u16) -> Result<Self, Failure> {
        let first = host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let socket = host::bind(SocketAddr::new(first, port), OPTION).await?;
        let address = socket.local_addr().map_err(|error| {
            Failure::new(Code::Internal, format!("cannot read own address: {error}"))
        })?;
        let mut sockets = vec![socket];
        if host.is_none() {
            let second = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), address.port());
            match host::bind(second, OPTION).await {
                Ok(socket) => sockets.push(socket),
                Err(failure) if failure.code() == Code::Conflict => return Err(failure),
                Err(failure) => tracing::debug!(?failure, "serving without IPv6"),
            }
        }
        Ok(Self { sockets, address })
    }

    /// The address to announce; all listeners share its port.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lets open requests end, at most [`DRAIN`].
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken) {
        self.serve_at_most(CONNECTIONS, router, stop).await;
    }

    async fn serve_at_most(self, most: usize, router: Router, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let server = Server {
            router,
            connections: connections.clone(),
            places: Arc::new(Semaphore::new(most)),
            stop,
            cut: cut.clone(),
        };
        join_all(self.sockets.iter().map(|socket| server.accept(socket))).await;
        drop(self.sockets);
        connections.close();
        if timeout(DRAIN, connections.wait()).await.is_err() {
            tracing::warn!(
                open = connections.len(),
                "requests were still open at the end of the drain"
            );
            cut.cancel();
        }
    }
}

struct Server {
    router: Router,
    connections: TaskTracker,
    places: Arc<Semaphore>,
    /// No new requests.
    stop: CancellationToken,
    /// Not even the rest of old ones.
    cut: CancellationToken,
}

impl Server {
    async fn accept(&self, socket: &TcpListener) {
        let accepting = async {
            loop {
                let place = self.places.clone().acquire_owned().await;
                let place = place.expect("the semaphore is never closed");
                match socket.accept().await {
                    Ok((stream, _peer)) => self.connect(stream, place),
                    Err(error) => {
                        tracing::debug!(%error, "no connection to accept");
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        self.stop.run_until_cancelled(accepting).await;
    }

    fn connect(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Latency only: a connection without the option works as well.
        let _ = stream.set_nodelay(true);
        let (router, stop) = (self.router.clone(), self.stop.clone());
        let serving = async move {
            connection::serve(stream, router, stop, Patience::default()).await;
            drop(place);
        };
        let serving = self.cut.clone().run_until_cancelled_owned(serving);
        self.connections.spawn(serving);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use axum::{Router, routing::get};
    use proto::Code;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };
    use tokio_util::sync::CancellationToken;

    use super::Listeners;

    /// A connection on which a request has been sent.
    async fn asking(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    }

    #[tokio::test]
    async fn connections_over_the_limit_wait_until_another_one_ends() {
        let listeners = Listeners::bind_port("127.0.0.1".parse().ok(), 0).await;
        let listeners = listeners.unwrap();
        let address = listeners.address();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(|| async { "here" }));
        let serving = tokio::spawn(listeners.serve_at_most(2, router, stop.clone()));

        let mut first = asking(address).await;
        let mut second = asking(address).await;
        for stream in [&mut first, &mut second] {
            assert!(answer(stream).await.ends_with("here"));
        }
        let mut third = asking(address).await;
        let early = timeout(Duration::from_millis(100), answer(&mut third));
        assert!(early.await.is_err(), "both places are taken");
        drop(first);
        let late = timeout(Duration::from_secs(10), answer(&mut third)).await;
        assert!(late.unwrap().ends_with("here"));
        drop((second, third));
        stop.cancel();
        timeout(Duration::from_secs(10), serving)
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn both_loopback_addresses_share_a_port() {
        let listeners = Listeners::bind_any(None).await.unwrap();
        let port = listeners.address().port();
        assert!(port > 0);
        for socket in &listeners.sockets {
            assert_eq!(socket.local_addr().unwrap().port(), port);
        }
    }

    #[tokio::test]
    async fn a_busy_port_is_a_conflict() {
        let busy = Listeners::bind_any(None).await.unwrap();
        let SocketAddr::V4(address) = busy.address() else {
            panic!("the first address is IPv4")
        };
        let again = Listeners::bind_port(None, address.port()).await;
        assert_eq!(again.unwrap_err().code(), Code::Conflict);
    }
}
