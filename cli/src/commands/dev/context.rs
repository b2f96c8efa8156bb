//! What a start depends on, read once: project, login, key, Deno.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{task::JoinHandle, time::interval};

use super::types::FreshTypes;
use crate::{
    deno,
    desired::{DenoState, Desired, FrontendState, Surroundings, UpstreamToken},
    login::Developer,
    places::{self, Places},
    platform::{Environment, remember},
    project::{Diagnostic, Project, ReadError, snapshot::Snapshot},
    settings::Settings,
    ui::{self, Entry, Level, Problem, Terminal},
};

/// What the desired state is made from.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) settings: Settings,
    /// As it lies on disk.
    pub(super) snapshot: Snapshot,
    /// Its configuration is not there at the moment.
    pub(super) is_gone: bool,
    /// As it is served: what cannot be used on disk is what it was before.
    pub(super) project: Project,
    pub(super) developer: Developer,
    pub(super) signing_key: [u8; 32],
    pub(super) deno: DenoState,
    pub(super) frontend: FrontendState,
    /// What the frontend was started with; absent when none is run.
    pub(super) frontend_command: Option<String>,
    pub(super) upstream_token: UpstreamToken,
    types: FreshTypes,
    pub(super) terminal: Arc<Terminal>,
}

impl Context {
    /// Reads everything that a start depends on; mistakes that do not stop it are shown.
    pub(super) fn read(
        settings: Settings,
        places: &Places,
        terminal: &Arc<Terminal>,
    ) -> Result<Self, Problem> {
        let snapshot =
            Snapshot::read(&settings.folder).map_err(|error| unreadable(&error, terminal))?;
        let project = snapshot.project();
        for diagnostic in &project.diagnostics {
            show(diagnostic, terminal);
        }
        let environment = Environment::with(project.env.clone());
        let login_file = places.login_file();
        // Other commands of this project look there for whose account it is.
        remember(&environment, &login_file);
        let (developer, complaint) = Developer::find(&environment, &login_file);
        if let Some(complaint) = complaint {
            terminal.entry(&Entry::of_cli(Level::Warn, complaint));
        }
        let signing_key = signing_key(&places.signing_key(&project.layout.root))?;
        let path = std::env::var_os("PATH");
        let deno = settings
            .deno
            .clone()
            .or_else(|| deno::find(places, path.as_deref()));
        let frontend_command = frontend_command(&project, &settings);
        let frontend = match frontend_command {
            Some(_) => FrontendState::Starting,
            None => FrontendState::None,
        };
        Ok(Self {
            frontend,
            frontend_command,
            deno: deno.map_or_else(|| without_deno(&settings, &project), DenoState::Found),
            settings,
            snapshot,
            is_gone: false,
            project,
            upstream_token: match developer.logged_in {
                true => UpstreamToken::NotAskedFor,
                false => UpstreamToken::Off("nobody is logged in to Base44".to_owned()),
            },
            developer,
            signing_key,
            types: FreshTypes::default(),
            terminal: Arc::clone(terminal),
        })
    }

    /// Brings the project's TypeScript types up to date, in the background.
    pub(super) fn refresh_types(&self) {
        if self.settings.types {
            self.types.refresh(&self.project, &self.terminal);
        }
    }

    /// What the services should be.
    pub(super) fn desired(&self) -> Desired {
        let around = Surroundings {
            settings: &self.settings,
            developer: &self.developer,
            signing_key: self.signing_key,
            deno: &self.deno,
            frontend: &self.frontend,
            upstream_token: &self.upstream_token,
        };
        Desired::of(&self.project, around)
    }

    /// Aligns the terminal's labels for the functions there are.
    pub(super) fn align(&self) {
        let names = self.project.functions.iter();
        self.terminal
            .align(names.map(|function| function.name.as_str()));
    }

    /// A line of this command itself.
    pub(super) fn say(&self, level: Level, message: String) {
        self.terminal.entry(&Entry::of_cli(level, message));
    }
}

/// The command that serves the project's frontend, when it is to be run.
fn frontend_command(project: &Project, settings: &Settings) -> Option<String> {
    let site = project.layout.config.site.as_ref()?;
    site.serve_command.clone().filter(|_| settings.frontend)
}

fn signing_key(path: &Path) -> Result<[u8; 32], Problem> {
    places::secret(path).map_err(|error| {
        let message = format!(
            "cannot keep the key of the sessions in {}: {error}",
            path.display()
        );
        Problem::broken(message)
            .with_hint("check that the folder can be written, or set XDG_STATE_HOME to another")
    })
}

/// What to do about functions when there is no Deno.
fn without_deno(settings: &Settings, project: &Project) -> DenoState {
    let path = std::env::var_os("PATH");
    if project.functions.is_empty() {
        DenoState::Missing("Deno is required to run backend functions locally".to_owned())
    } else if settings.upstream.is_none() {
        DenoState::Missing("there is no Deno, and --offline forbids installing it".to_owned())
    } else if deno::on_path("npm", path.as_deref()).is_none() {
        DenoState::Missing("there is neither Deno nor npm to install it".to_owned())
    } else {
        DenoState::Installing
    }
}

/// Installs Deno while everything else is served already.
pub(super) fn install_deno(
    places: Places,
    terminal: &Arc<Terminal>,
) -> JoinHandle<Result<PathBuf, String>> {
    let terminal = Arc::clone(terminal);
    tokio::spawn(async move {
        let say = |message| terminal.entry(&Entry::of_cli(Level::Info, message));
        let version = deno::VERSION;
        let begin = Instant::now();
        let path = std::env::var_os("PATH");
        let npm = deno::on_path("npm", path.as_deref()).ok_or_else(|| "npm is gone".to_owned())?;
        let installing = format!("installing Deno {version} for the functions, once");
        if !terminal.shows_progress() {
            say(installing.clone());
        }
        let installed = tokio::select! {
            installed = deno::install(&places, &npm) => installed,
            never = show_progress(&terminal, &installing, begin) => match never {},
        };
        terminal.progress(None);
        let installed = installed?;
        let seconds = begin.elapsed().as_secs();
        say(format!("Deno {version} is ready ({seconds} s)"));
        Ok(installed)
    })
}

/// Says every second how long it has taken so far.
async fn show_progress(terminal: &Terminal, what: &str, begin: Instant) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        let line = format!("{what} … {} s", begin.elapsed().as_secs());
        terminal.progress(Some(&line));
    }
}

/// Shows what is wrong with a project that cannot be read.
pub(super) fn unreadable(error: &ReadError, terminal: &Terminal) -> Problem {
    if let ReadError::Config { diagnostics, .. } = error {
        for diagnostic in diagnostics {
            show(diagnostic, terminal);
        }
    }
    Problem::usage(error.to_string()).with_hint(error.hint())
}

/// Shows a mistake in a file, with a code frame.
pub(super) fn show(diagnostic: &Diagnostic, terminal: &Terminal) {
    let level = if diagnostic.is_error() {
        Level::Error
    } else {
        Level::Warn
    };
    let mut entry = Entry::of_cli(level, diagnostic.to_string());
    let place = diagnostic.place.map(|place| (place.line, place.column));
    entry.tell_mistake(&diagnostic.file, place);
    entry.tell("problem", diagnostic.message.as_str());
    for (name, text) in [
        ("expected", &diagnostic.expected),
        ("hint", &diagnostic.hint),
    ] {
        if let Some(text) = text {
            entry.tell(name, text.as_str());
        }
    }
    terminal.frame(&entry, &diagnostic.frame(ui::columns(), true));
}
