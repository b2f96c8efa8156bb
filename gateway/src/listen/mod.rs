//! The HTTP listeners: bound before anything is announced, drained before the process ends.

mod connection;
mod wire;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use bytes::Bytes;
use futures_util::future::join_all;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
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

use self::{connection::Signals, wire::Wire};
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
    /// To ask for something, when somebody else waits for the place.
    crowd: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            stall: Duration::from_secs(300),
            crowd: Duration::from_secs(1),
        }
    }
}

/// Connections that speak HTTP at the same time. More wait to be accepted, and take the places of those that ask for
/// nothing. One that became a websocket does not count any more: ten thousand idle listeners are fine, and the system's limit
/// of open files bounds them.
const CONNECTIONS: usize = 4096;

/// How often the others are told that somebody waits for a place.
const NUDGE: Duration = Duration::from_millis(100);

/// Pause after the system had no connection to give, for lack of descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The connection under an upgrade, and what its client has already sent on it; none when it is no connection of ours.
pub(crate) fn reclaim(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<Wire<TcpStream>>>().ok()?;
    // A copy, because the few bytes would keep the whole buffer that they were read into.
    let early = Bytes::copy_from_slice(&parts.read_buf);
    Some((parts.io.into_inner().into_inner(), early))
}

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
        let server = Server::new(router, stop, CONNECTIONS, Patience::default());
        self.serve_with(server).await;
    }

    async fn serve_with(self, server: Server) {
        let (connections, cut) = (server.connections.clone(), server.cut.clone());
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
    patience: Patience,
    signals: Signals,
    /// Not even the rest of old requests.
    cut: CancellationToken,
}

impl Server {
    fn new(router: Router, stop: CancellationToken, most: usize, patience: Patience) -> Self {
        Self {
            router,
            connections: TaskTracker::new(),
            places: Arc::new(Semaphore::new(most)),
            patience,
            signals: Signals {
                stop,
                crowd: Arc::default(),
            },
            cut: CancellationToken::new(),
        }
    }

    async fn accept(&self, socket: &TcpListener) {
        let accepting = async {
            loop {
                let place = self.place().await;
                match socket.accept().await {
                    Ok((stream, _peer)) => self.connect(stream, place),
                    Err(error) => {
                        tracing::debug!(%error, "no connection to accept");
                        self.signals.crowd.notify_waiters();
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        self.signals.stop.run_until_cancelled(accepting).await;
    }

    /// A place for one more connection, as soon as there is one.
    async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            let place = timeout(NUDGE, self.places.clone().acquire_owned()).await;
            if let Ok(place) = place {
                return place.expect("the semaphore is never closed");
            }
            self.signals.crowd.notify_waiters();
        }
    }

    fn connect(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Latency only: a connection without the option works as well.
        let _ = stream.set_nodelay(true);
        let (router, signals, patience) =
            (self.router.clone(), self.signals.clone(), self.patience);
        let serving = async move {
            connection::serve(stream, router, signals, patience).await;
            drop(place);
        };
        let serving = self.cut.clone().run_until_cancelled_owned(serving);
        self.connections.spawn(serving);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc, time::Duration};

    use axum::{Router, routing::get};
    use proto::Code;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::{Semaphore, watch},
        task::{JoinHandle, yield_now},
        time::timeout,
    };
    use tokio_util::sync::CancellationToken;

    use super::{Listeners, Patience, Server};

    const LIMIT: Duration = Duration::from_secs(30);

    /// A connection on which a request has been sent.
    async fn asking(address: SocketAddr, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        // It may be closed again by then.
        let _ = stream.write_all(request.as_bytes()).await;
        stream
    }

    /// What is said next; nothing when the connection has ended.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 1024];
        let read = timeout(LIMIT, stream.read(&mut buffer)).await.unwrap();
        String::from_utf8_lossy(&buffer[..read.unwrap_or(0)]).into_owned()
    }

    /// A server with two places. `/held` is answered when the semaphore has permits, and `/` says whether it had any.
    struct Small {
        address: SocketAddr,
        held: Arc<Semaphore>,
        asked: watch::Receiver<u32>,
        stop: CancellationToken,
        serving: JoinHandle<()>,
    }

    impl Small {
        async fn start(crowd: Duration) -> Self {
            let listeners = Listeners::bind_port("127.0.0.1".parse().ok(), 0).await;
            let listeners = listeners.unwrap();
            let address = listeners.address();
            let held = Arc::new(Semaphore::new(0));
            let (count, asked) = watch::channel(0);
            let (open, waiting) = (Arc::clone(&held), Arc::clone(&held));
            let is_open = move || async move { format!("open: {}", open.available_permits() > 0) };
            let wait = move || async move {
                count.send_modify(|count| *count += 1);
                let _ = waiting.acquire().await.unwrap();
                "held"
            };
            let router = Router::new()
                .route("/", get(is_open))
                .route("/held", get(wait));
            let stop = CancellationToken::new();
            let patience = Patience {
                crowd,
                ..Patience::default()
            };
            let server = Server::new(router, stop.clone(), 2, patience);
            let serving = tokio::spawn(listeners.serve_with(server));
            Self {
                address,
                held,
                asked,
                stop,
                serving,
            }
        }

        async fn ends(self) {
            self.stop.cancel();
            timeout(LIMIT, self.serving).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn connections_over_the_limit_wait_until_one_that_is_answered_ends() {
        let mut small = Small::start(Duration::ZERO).await;
        let mut first = asking(small.address, "/held").await;
        let second = asking(small.address, "/held").await;
        timeout(LIMIT, small.asked.wait_for(|asked| *asked == 2))
            .await
            .unwrap()
            .unwrap();
        let mut third = asking(small.address, "/").await;
        // Long enough for it to be accepted, were there a place.
        for _ in 0..1000 {
            yield_now().await;
        }
        small.held.add_permits(2);
        assert!(answer(&mut first).await.ends_with("held"));
        drop((first, second));
        assert!(answer(&mut third).await.ends_with("open: true"));
        drop(third);
        small.ends().await;
    }

    #[tokio::test]
    async fn whoever_asks_takes_the_place_of_those_who_do_not() {
        let small = Small::start(Duration::ZERO).await;
        let mut idle = [
            TcpStream::connect(small.address).await.unwrap(),
            TcpStream::connect(small.address).await.unwrap(),
        ];
        for silent in &mut idle {
            assert_eq!(answer(silent).await, "");
        }
        // One that has not begun to ask may be taken for another idle one.
        let answered = async {
            while !answer(&mut asking(small.address, "/").await)
                .await
                .ends_with("open: false")
            {}
        };
        timeout(LIMIT, answered).await.unwrap();
        small.ends().await;
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
