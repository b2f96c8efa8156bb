//! Keeps the three services going: starts them, tells them what they should be, starts them again when they end, and
//! stops them in order.

mod apply;
mod attached;
mod change;
pub(crate) mod child;
mod failure;
pub(crate) mod follow;
pub(crate) mod frontend;
mod lines;
pub(crate) mod plan;
mod policy;
pub(crate) mod service;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitStatus,
    sync::Arc,
    time::Instant,
};

use futures_util::{FutureExt as _, future::select_all};
use proto::{
    Failure,
    client::{GatewayClient, RunnerClient, StoreClient},
    token::LaunchToken,
    v1::GatewayStatusRequest,
};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use self::{
    policy::{CrashPolicy, Verdict},
    service::{Component, Service, describe},
};
use crate::{
    descriptor,
    desired::Desired,
    settings::Settings,
    ui::{Entry, Level, Problem, Terminal},
};

/// Something that happened to a service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Incident {
    /// One of ours ended without having been asked to.
    Ended(Component, ExitStatus),
    /// An attached one went away and is there again.
    Returned(Component),
}

/// The running services, and what they should be.
#[derive(Debug)]
pub(crate) struct Supervisor {
    settings: Settings,
    terminal: Arc<Terminal>,
    token: LaunchToken,
    desired: Desired,
    own: BTreeMap<Component, Service>,
    /// What brings their streams to the terminal; that of a service ends when another takes its place.
    following: BTreeMap<Component, JoinSet<Infallible>>,
    policies: BTreeMap<Component, CrashPolicy>,
    /// Attached services that went away and came back, and have to be told everything again.
    returned: mpsc::Receiver<Component>,
    /// Told whenever the gateway needs the developer's token.
    wanting: mpsc::Sender<()>,
    /// Where the gateway speaks HTTP; kept over its restarts.
    url: String,
    port: u16,
}

impl Supervisor {
    /// Starts what is not attached, all at once, and tells every service what it should be.
    ///
    /// The gateway starts with the others: it answers 503 until it is configured, which happens last.
    pub(crate) async fn start(
        settings: Settings,
        desired: Desired,
        token: LaunchToken,
        terminal: Arc<Terminal>,
        wanting: mpsc::Sender<()>,
    ) -> Result<Self, Problem> {
        let own = start_all(&settings, &token, &terminal).await?;
        let returned = attached::watch(&settings);
        let mut supervisor = Self {
            settings,
            returned,
            wanting,
            terminal,
            token,
            desired,
            own,
            following: BTreeMap::new(),
            policies: BTreeMap::new(),
            url: String::new(),
            port: 0,
        };
        for component in Component::ALL {
            supervisor.tell(component).await?;
        }
        supervisor.learn_url().await?;
        for component in Component::ALL {
            supervisor.follow(component);
        }
        Ok(supervisor)
    }

    /// `http://localhost:4400`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where clients reach the gateway.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The services as `backlot status` shows them.
    pub(crate) fn services(&self) -> BTreeMap<String, descriptor::Service> {
        let entry = |component: Component| {
            let service = descriptor::Service {
                grpc: self
                    .grpc(component)
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
                pid: self.own.get(&component).map(Service::pid),
            };
            (component.name().to_owned(), service)
        };
        Component::ALL.into_iter().map(entry).collect()
    }

    /// Waits until a service ends by itself, or an attached one is back.
    pub(crate) async fn next_incident(&mut self) -> Incident {
        let mut ends = vec![];
        for (component, service) in &self.own {
            let ended = async move { Incident::Ended(*component, service.ended().await) };
            ends.push(ended.boxed());
        }
        // Never the only one, and the channel closes when nothing is attached.
        ends.push(std::future::pending().boxed());
        tokio::select! {
            Some(component) = self.returned.recv() => Incident::Returned(component),
            (incident, ..) = select_all(ends) => incident,
        }
    }

    /// Does what an incident calls for.
    pub(crate) async fn handle(&mut self, incident: Incident) -> Result<(), Problem> {
        match incident {
            Incident::Ended(component, status) => self.recover(component, status).await,
            Incident::Returned(component) => {
                self.tell_again(component).await;
                Ok(())
            }
        }
    }

    /// Brings a service back that has ended, and tells it and its neighbours what they should be.
    async fn recover(&mut self, component: Component, status: ExitStatus) -> Result<(), Problem> {
        let tail = self
            .own
            .remove(&component)
            .map(|service| service.tail())
            .unwrap_or_default();
        let mut reason = describe(status);
        loop {
            let verdict = self
                .policies
                .entry(component)
                .or_default()
                .ended(Instant::now());
            let Verdict::Restart(wait) = verdict else {
                return Err(failure::too_often(component, &reason, &tail));
            };
            self.report_end(component, &reason);
            sleep(wait).await;
            match self.restart(component).await {
                Ok(()) => return Ok(()),
                Err(problem) => reason = problem.message,
            }
        }
    }

    /// Stops the services: first the one that takes requests, last the one that holds the data.
    pub(crate) async fn stop(&mut self) {
        for component in Component::ALL.into_iter().rev() {
            if let Some(service) = self.own.remove(&component) {
                service.stop().await;
            }
        }
    }

    /// It is somebody else's to mend when an attached service does not take what it is told.
    async fn tell_again(&mut self, component: Component) {
        let entry = match self.tell(component).await {
            Ok(()) => Entry::of_cli(
                Level::Info,
                format!("the attached {component} is back, and was told what to serve"),
            ),
            Err(problem) => Entry::of_cli(Level::Error, problem.message),
        };
        self.terminal.entry(&entry);
        self.follow(component);
    }

    fn report_end(&self, component: Component, reason: &str) {
        let loss = match component {
            Component::Store => {
                "; all records and accounts it held are gone, and it starts again empty"
            }
            Component::Runner | Component::Gateway => "; it starts again",
        };
        let message = format!("the {component} failed: {reason}{loss}");
        self.terminal.entry(&Entry::of_cli(Level::Error, message));
    }

    async fn restart(&mut self, component: Component) -> Result<(), Problem> {
        let arguments = match component {
            Component::Gateway => plan::gateway_again(&self.settings, self.port),
            Component::Store | Component::Runner => plan::arguments(component, &self.settings),
        };
        let service = Service::start(component, arguments, &self.token, &self.terminal)
            .await
            .map_err(|failure| failure::to_start(&failure, self.port))?;
        self.own.insert(component, service);
        self.tell(component).await?;
        // Where it is now. A gateway that is down as well is told when it is back itself.
        let _ = self.configure().await;
        self.follow(component);
        self.terminal.entry(&Entry::of_cli(
            Level::Info,
            format!("the {component} is back"),
        ));
        Ok(())
    }

    /// Tells a service what it should be.
    async fn tell(&self, component: Component) -> Result<(), Problem> {
        let told = match component {
            Component::Store => apply::store(&self.store()?, &self.desired, &self.terminal).await,
            Component::Runner => apply::runner(&self.runner()?, &self.desired).await,
            Component::Gateway => return self.configure().await,
        };
        told.map_err(|failure| apply::problem(component, &failure))
    }

    /// Tells the gateway its configuration, with the addresses of the others as they are now.
    async fn configure(&self) -> Result<(), Problem> {
        let mut configuration = self.desired.configuration.clone();
        configuration.store_address = self.grpc(Component::Store)?.to_string();
        configuration.runner_address = self.grpc(Component::Runner)?.to_string();
        let configured = self.gateway()?.configure(configuration).await;
        configured
            .map(drop)
            .map_err(|failure| apply::problem(Component::Gateway, &failure))
    }

    /// A gateway of ours announced its address; an attached one is asked.
    async fn learn_url(&mut self) -> Result<(), Problem> {
        let own = self
            .own
            .get(&Component::Gateway)
            .and_then(|service| service.addresses.http);
        let port = if let Some(address) = own {
            Some(address.port())
        } else {
            let status = self
                .gateway()?
                .gateway_status(GatewayStatusRequest {})
                .await;
            let status = status.map_err(|failure| apply::problem(Component::Gateway, &failure))?;
            status
                .url
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok())
        };
        self.port =
            port.ok_or_else(|| Problem::broken("the gateway does not say where it serves HTTP"))?;
        self.url = match self.settings.host {
            Some(host) if !is_localhost(host) => {
                format!("http://{}", SocketAddr::new(host, self.port))
            }
            _ => format!("http://localhost:{}", self.port),
        };
        Ok(())
    }

    fn follow(&mut self, component: Component) {
        let mut following = JoinSet::new();
        match component {
            Component::Store => {}
            Component::Runner => {
                if let Ok(runner) = self.runner() {
                    following.spawn(follow::function_output(runner, Arc::clone(&self.terminal)));
                }
            }
            Component::Gateway => {
                let Ok(gateway) = self.gateway() else { return };
                let wanting = self.wanting.clone();
                following.spawn(follow::credential_requests(gateway.clone(), wanting));
                if self.settings.verbose {
                    following.spawn(follow::requests(gateway, Arc::clone(&self.terminal)));
                }
            }
        }
        self.following.insert(component, following);
    }

    fn grpc(&self, component: Component) -> Result<SocketAddr, Problem> {
        let own = self
            .own
            .get(&component)
            .map(|service| service.addresses.grpc);
        own.or_else(|| self.settings.attachments.get(component))
            .ok_or_else(|| Problem::broken(format!("the {component} is not up")))
    }

    fn store(&self) -> Result<StoreClient, Problem> {
        self.client(Component::Store, StoreClient::new)
    }

    pub(crate) fn runner(&self) -> Result<RunnerClient, Problem> {
        self.client(Component::Runner, RunnerClient::new)
    }

    fn gateway(&self) -> Result<GatewayClient, Problem> {
        self.client(Component::Gateway, GatewayClient::new)
    }

    fn client<C>(
        &self,
        component: Component,
        make: impl Fn(&str, Option<&LaunchToken>) -> Result<C, Failure>,
    ) -> Result<C, Problem> {
        let address = self.grpc(component)?.to_string();
        make(&address, Some(&self.token)).map_err(|failure| apply::problem(component, &failure))
    }
}

async fn start_all(
    settings: &Settings,
    token: &LaunchToken,
    terminal: &Arc<Terminal>,
) -> Result<BTreeMap<Component, Service>, Problem> {
    let mut starting = JoinSet::new();
    for component in Component::ALL {
        if settings.attachments.get(component).is_some() {
            continue;
        }
        let arguments = plan::arguments(component, settings);
        let (token, terminal) = (token.clone(), Arc::clone(terminal));
        starting.spawn(async move {
            (
                component,
                Service::start(component, arguments, &token, &terminal).await,
            )
        });
    }
    let mut services = BTreeMap::new();
    while let Some(started) = starting.join_next().await {
        let (component, service) = started.map_err(|error| Problem::broken(error.to_string()))?;
        services.insert(
            component,
            service.map_err(|failure| failure::to_start(&failure, settings.port.first()))?,
        );
    }
    Ok(services)
}

/// Whether the name `localhost` reaches a server that listens here, everywhere: some systems take it for IPv4 only.
fn is_localhost(host: IpAddr) -> bool {
    host.is_unspecified() || host == Ipv4Addr::LOCALHOST
}
