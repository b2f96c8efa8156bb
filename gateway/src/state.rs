//! What handlers share: what the last configuration said, and what outlives configurations.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use proto::{
    Code, Failure,
    client::{RunnerClient, StoreClient},
    token::LaunchToken,
    v1::ConfigureRequest,
};
use tokio_util::sync::CancellationToken;

use crate::{
    endpoints::Endpoints,
    files::Files,
    forward::Upstream,
    frontend::{self, Address, Place},
    link::Link,
    proxy,
    realtime::{Pace, Realtime},
    session::{Keys, Strangers, Vouchers},
    traffic::Traffic,
};

/// Bytes that a signing key must have at least, as many as the signature has.
const KEY_LENGTH: usize = 32;

/// Where this server is, as the command line said.
#[derive(Debug)]
pub(crate) struct Site {
    /// Port of the HTTP side.
    pub(crate) port: u16,
    /// Host names to accept besides loopback ones.
    pub(crate) hosts: Vec<String>,
}

impl Site {
    pub(crate) fn new(port: u16, host: Option<IpAddr>, allowed: &[String]) -> Self {
        let own = host.filter(|ip| !ip.is_unspecified()).map(|ip| match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
        let hosts = own.into_iter().chain(allowed.iter().cloned()).collect();
        Self { port, hosts }
    }

    /// The address for people: `http://localhost:4400`.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

/// What one configuration made.
pub(crate) struct Setup {
    pub(crate) config: ConfigureRequest,
    pub(crate) store: StoreClient,
    /// The same store, for operations on single records.
    pub(crate) link: Arc<Link>,
    pub(crate) runner: RunnerClient,
    pub(crate) keys: Keys,
    pub(crate) endpoints: Arc<Endpoints>,
    /// Belongs to one platform, one app and the users of one store.
    pub(crate) vouchers: Arc<Vouchers>,
    other_app: Arc<AtomicBool>,
}

/// Without the configuration itself, which holds secrets.
impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.debug_struct("Setup")
            .field("app_id", &config.app_id)
            .field("store", &config.store_address)
            .field("runner", &config.runner_address)
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// True once: for the first request that names another app.
    pub(crate) fn is_first_other_app(&self) -> bool {
        !self.other_app.swap(true, Ordering::Relaxed)
    }
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct AppState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    site: Site,
    launch: Option<LaunchToken>,
    setup: ArcSwapOption<Setup>,
    /// Held while a configuration is put in force, so that two do not mix.
    configuring: Mutex<()>,
    traffic: Arc<Traffic>,
    functions: proxy::Client,
    frontend: Address,
    pages: proxy::Client,
    files: Files,
    upstream: Upstream,
    realtime: Realtime,
    strangers: Strangers,
    shutdown: CancellationToken,
}

impl AppState {
    pub(crate) fn new(
        site: Site,
        launch: Option<LaunchToken>,
        shutdown: CancellationToken,
    ) -> Self {
        Self::with_pace(site, launch, shutdown, Pace::default())
    }

    /// With silences of another length on sockets.
    pub(crate) fn with_pace(
        site: Site,
        launch: Option<LaunchToken>,
        shutdown: CancellationToken,
        pace: Pace,
    ) -> Self {
        Self(Arc::new(Shared {
            site,
            launch,
            setup: ArcSwapOption::empty(),
            configuring: Mutex::new(()),
            traffic: Traffic::new(),
            functions: proxy::client(proxy::IDLE),
            frontend: Address::default(),
            pages: proxy::client(frontend::IDLE),
            files: Files::default(),
            upstream: Upstream::default(),
            realtime: Realtime::new(&shutdown, pace),
            strangers: Strangers::default(),
            shutdown,
        }))
    }

    pub(crate) fn site(&self) -> &Site {
        &self.0.site
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.0.traffic
    }

    pub(crate) fn functions(&self) -> &proxy::Client {
        &self.0.functions
    }

    /// Where the project's own frontend is.
    pub(crate) fn frontend(&self) -> &Address {
        &self.0.frontend
    }

    /// Connections to the frontend.
    pub(crate) fn pages(&self) -> &proxy::Client {
        &self.0.pages
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    pub(crate) fn strangers(&self) -> &Strangers {
        &self.0.strangers
    }

    pub(crate) fn realtime(&self) -> &Realtime {
        &self.0.realtime
    }

    pub(crate) fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    pub(crate) fn setup(&self) -> Option<Arc<Setup>> {
        self.0.setup.load_full()
    }

    /// Puts `config` in force; false when it is already. What did not change keeps its connections.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` when an address is none or the key is too short; what was in force stays then.
    pub(crate) fn configure(&self, config: ConfigureRequest) -> Result<bool, Failure> {
        let _alone = self.0.configuring.lock();
        let old = self.setup();
        if old.as_ref().is_some_and(|old| old.config == config) {
            return Ok(false);
        }
        let place = Place::of(&config)?;
        let setup = self.build(config, old.as_deref())?;
        if old.is_none_or(|old| !Arc::ptr_eq(&old.link, &setup.link)) {
            self.0.realtime.follow(setup.store.clone());
        }
        self.0.setup.store(Some(Arc::new(setup)));
        self.0.frontend.set(place);
        self.upstream().credentials().tell();
        Ok(true)
    }

    fn build(&self, config: ConfigureRequest, old: Option<&Setup>) -> Result<Setup, Failure> {
        if config.signing_key.len() < KEY_LENGTH {
            let message = format!("the signing key must have at least {KEY_LENGTH} bytes");
            return Err(Failure::new(Code::BadRequest, message));
        }
        let launch = self.0.launch.as_ref();
        let same_store = old.filter(|old| old.config.store_address == config.store_address);
        let (store, link) = if let Some(old) = same_store {
            (old.store.clone(), old.link.clone())
        } else {
            let store = StoreClient::new(&config.store_address, launch)?;
            let link = Link::new(store.clone());
            (store, Arc::new(link))
        };
        let same_runner = old.filter(|old| old.config.runner_address == config.runner_address);
        let (runner, endpoints) = if let Some(old) = same_runner {
            (old.runner.clone(), old.endpoints.clone())
        } else {
            let runner = RunnerClient::new(&config.runner_address, launch)?;
            let endpoints = Endpoints::watch(runner.clone(), self.shutdown());
            (runner, Arc::new(endpoints))
        };
        let same_app = old.filter(|old| {
            old.config.store_address == config.store_address
                && old.config.app_id == config.app_id
                && old.config.upstream_url == config.upstream_url
        });
        Ok(Setup {
            vouchers: same_app.map_or_else(Arc::default, |old| old.vouchers.clone()),
            other_app: same_app.map_or_else(Arc::default, |old| old.other_app.clone()),
            keys: Keys::new(&config.signing_key),
            config,
            store,
            link,
            runner,
            endpoints,
        })
    }
}
