//! One run of the server: everything that was started, from the first process to the last.

mod page;
mod saves;
mod told;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::pending,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use proto::token::LaunchToken;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use self::{
    page::{addressed, ended, uninstalled},
    told::publish,
};
use super::{
    account::Account,
    context::{Context, install_deno},
    ending::{CUT_SHORT, Ending, Signals},
    recent::Recent,
    reload::reload,
};
use crate::{
    deno,
    descriptor::Published,
    desired::{DenoState, app_id},
    places::Places,
    project::{imports::Imports, watch::Watch},
    settings::Settings,
    supervisor::{
        Supervisor,
        frontend::{Address, Frontend},
    },
    ui::{Entry, Level, Problem, Terminal},
};

/// An end that takes longer is explained.
const PROMPT_END: Duration = Duration::from_millis(1500);

/// A server that answers requests.
#[derive(Debug)]
pub(super) struct Session {
    supervisor: Supervisor,
    context: Context,
    frontend: Option<Frontend>,
    /// Where the frontend is; there when the frontend is.
    address: Option<Address>,
    /// Absent when the runtime folder cannot be used.
    published: Option<Published>,
    started_at: String,
    token: LaunchToken,
    account: Account,
    watch: Watch,
    imports: Imports,
    /// The installation of Deno, while it is under way.
    installing: Option<JoinHandle<Result<PathBuf, String>>>,
    recent: Recent,
    /// What starts and keeps the recent functions. Nothing of it outlives this.
    of_recent: JoinSet<()>,
    /// How long the start took.
    took: Duration,
}

impl Session {
    /// Reads the project and starts the services; they answer when this is done.
    pub(super) async fn start(
        settings: Settings,
        terminal: &Arc<Terminal>,
    ) -> Result<Self, Problem> {
        let begin = Instant::now();
        let places = Places::of_this_user();
        let context = Context::read(settings, &places, terminal)?;
        context.align();
        let token = launch_token()?;
        let published = publish(&places, &context);
        let recent = places.recent_functions(&context.project.layout.root);
        let (wanting, wanted) = mpsc::channel(1);
        // Before the services start, so that nothing is missed meanwhile.
        let mut watch = Watch::new();
        let warning = watch.follow(&context.project.layout);
        let supervisor = Supervisor::start(
            context.settings.clone(),
            context.desired(),
            token.clone(),
            Arc::clone(terminal),
            wanting,
        )
        .await?;
        let mut session = Self {
            supervisor,
            context,
            frontend: None,
            address: None,
            published,
            started_at: format!("{:.3}", Timestamp::now()),
            token,
            account: Account::new(wanted),
            watch,
            imports: Imports::default(),
            installing: None,
            recent: Recent::at(recent),
            of_recent: JoinSet::new(),
            took: begin.elapsed(),
        };
        session.tell_of_watching(warning);
        session.describe();
        Ok(session)
    }

    /// Says where everything is, starts the frontend, keeps going until there is a reason to end, and ends in order.
    pub(super) async fn run(mut self, stop: &mut Signals) -> Result<u8, Problem> {
        self.follow_imports(&BTreeSet::new()).await;
        self.introduce();
        self.context.refresh_types();
        self.installing = (self.context.deno == DenoState::Installing)
            .then(|| install_deno(Places::of_this_user(), &self.context.terminal));
        self.start_frontend()?;
        self.start_recent();
        self.remember();
        let ending = tokio::select! {
            ending = self.keep_going() => ending,
            () = stop.next() => Ending::Asked,
        };
        self.leave(ending, stop).await
    }

    /// Ends in order, for this reason; a signal cuts that short.
    pub(super) async fn leave(mut self, ending: Ending, stop: &mut Signals) -> Result<u8, Problem> {
        let terminal = Arc::clone(&self.context.terminal);
        tokio::select! {
            () = self.end() => ending.exit(),
            // Dropping what is left kills it.
            () = stop.next() => Ok(CUT_SHORT),
            never = tell_of_waiting(&terminal) => match never {},
        }
    }

    async fn keep_going(&mut self) -> Ending {
        loop {
            tokio::select! {
                incident = self.supervisor.next_incident() => {
                    if let Err(problem) = self.supervisor.handle(incident).await {
                        return Ending::Broken(problem);
                    }
                    self.describe();
                    // The runner may be another one, and what was started ahead of calls is needed less by now.
                    self.of_recent.abort_all();
                    self.remember();
                }
                status = ended(self.frontend.as_ref()) => {
                    self.context.say(Level::Error, format!("the frontend ended ({status}), and the server with it"));
                    if !status.success() && let Some(hint) = uninstalled(&self.context.project) {
                        self.context.say(Level::Info, hint);
                    }
                    return Ending::Frontend(status);
                }
                url = addressed(self.address.as_mut()) => self.pass_pages_to(url).await,
                batch = self.watch.changed() => {
                    // A folder that came is watched before it is read, so that nothing is missed in between.
                    self.follow_layout();
                    let app = app_id(&self.context.project).to_owned();
                    let saved = reload(batch, &mut self.context, &mut self.supervisor).await;
                    self.follow_imports(&saved).await;
                    if app != app_id(&self.context.project) {
                        self.describe();
                    }
                }
                token = self.account.changed(&self.context) => {
                    self.context.upstream_token = token;
                    self.supervisor.reconfigure(self.context.desired()).await;
                }
                installed = done(&mut self.installing) => {
                    self.installing = None;
                    self.use_deno(installed).await;
                }
            }
        }
    }

    /// Starts the functions of last time in the background.
    fn start_recent(&mut self) {
        let functions = self.context.project.functions.iter();
        let functions = functions.map(|function| function.name.clone()).collect();
        if let Ok(runner) = self.supervisor.runner() {
            let recent = self.recent.clone();
            self.of_recent.spawn(recent.start(runner, functions));
        }
    }

    /// Notes which functions are called, for the next time.
    fn remember(&mut self) {
        if let Ok(runner) = self.supervisor.runner() {
            self.of_recent.spawn(self.recent.clone().follow(runner));
        }
    }

    async fn end(&mut self) {
        if let Some(frontend) = self.frontend.take() {
            tokio::join!(frontend.stop(), self.supervisor.stop());
        } else {
            self.supervisor.stop().await;
        }
        self.published = None;
    }

    async fn use_deno(&mut self, installed: Result<PathBuf, String>) {
        self.context.deno = match installed {
            Ok(path) => DenoState::Found(path),
            Err(reason) => {
                let message = format!(
                    "functions cannot be called: Deno could not be installed: {reason}; {}",
                    deno::HOW_TO
                );
                self.context.say(Level::Error, message);
                DenoState::Missing(format!("Deno could not be installed: {reason}"))
            }
        };
        let desired = self.context.desired();
        let _ = self.supervisor.change(desired, &BTreeSet::new()).await;
    }
}

/// The secret of this launch; one from the environment fits services that were started by hand with it.
fn launch_token() -> Result<LaunchToken, Problem> {
    match std::env::var_os("BACKLOT_TOKEN") {
        Some(token) if !token.is_empty() => {
            // What is not Unicode becomes a character that no token may have.
            let token = LaunchToken::parse(token.to_string_lossy().into_owned());
            token.map_err(|failure| Problem::usage(failure.message()).with_hint(failure.hint()))
        }
        Some(_) | None => LaunchToken::random()
            .map_err(|error| Problem::broken(format!("the system has no randomness: {error}"))),
    }
}

/// Says what an end that takes its time waits for.
async fn tell_of_waiting(terminal: &Terminal) -> Infallible {
    sleep(PROMPT_END).await;
    let message = "waiting for what has begun to finish; Ctrl-C again ends it at once";
    terminal.entry(&Entry::of_cli(Level::Info, message));
    pending().await
}

async fn done(
    installing: &mut Option<JoinHandle<Result<PathBuf, String>>>,
) -> Result<PathBuf, String> {
    match installing {
        Some(installing) => installing
            .await
            .unwrap_or_else(|error| Err(error.to_string())),
        None => pending().await,
    }
}
