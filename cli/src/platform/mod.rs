//! The Base44 platform's own API, as the official command line tool speaks it: who is logged in, and what they may ask.
//!
//! ```text
//!   command ──► App ──► Platform ──► Http ──HTTPS──► app.base44.com
//!                          │  └── oauth: login, refresh
//!                          └── credentials ◄── login file, environment
//! ```
//!
//! Nothing here prints, except that a wait is noted where an [`Output`] was given.

mod app;
mod credentials;
mod environment;
mod failure;
pub(crate) mod functions;
mod http;
pub(crate) mod jwt;
pub(crate) mod login_file;
pub(crate) mod logs;
pub(crate) mod oauth;
mod secrets;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use ::http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use tokio::sync::Mutex;

pub(crate) use self::{
    app::App,
    credentials::{Credentials, Found, remember},
    environment::{Environment, Surroundings},
    failure::is_transient,
    http::{Answer, Call},
    login_file::Login,
};
use self::{
    credentials::{Renewal, Source},
    http::Http,
};
use crate::{
    output::{CommandError, ErrorCode, Output},
    places::Places,
};

/// Where the platform is, unless `BASE44_API_URL` says otherwise.
const DEFAULT_URL: &str = "https://app.base44.com";

/// How often a call is repeated that the platform could not serve just then, as the official tool does.
const REPEATS: u32 = 2;

/// The wait before the first repetition; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest wait that the platform may ask for; beyond it, the user is told.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often, and how far apart, the login file is looked at for what another command has renewed.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(100);

/// A session with the platform.
pub(crate) struct Platform {
    http: Http,
    found: Mutex<Found>,
    login_file: PathBuf,
    /// Where the project's own files say that the platform is, if they do.
    address_of_project: Option<String>,
    output: Option<Output>,
}

impl Platform {
    /// Opens a session for whoever is logged in; nothing is sent yet, and being logged in is not required yet.
    ///
    /// # Errors
    ///
    /// `INVALID_INPUT` when `BASE44_API_URL` is no HTTP URL.
    pub(crate) fn open(environment: &Environment) -> Result<Self, CommandError> {
        let url = environment.get("BASE44_API_URL").unwrap_or_default();
        Ok(Self {
            address_of_project: environment.of_project("BASE44_API_URL"),
            ..Self::at(&url, environment)?
        })
    }

    /// The same with the platform at `url`; the public one where that is empty.
    ///
    /// # Errors
    ///
    /// `INVALID_INPUT` when `url` is no HTTP URL.
    pub(crate) fn at(url: &str, environment: &Environment) -> Result<Self, CommandError> {
        let login_file = Places::of_this_user().login_file();
        remember(environment, &login_file);
        Ok(Self {
            http: Http::open(url)?,
            found: Mutex::new(Found::find(environment, &login_file)),
            login_file,
            address_of_project: None,
            output: None,
        })
    }

    /// Notes on standard error: when the platform asks to wait, and when it is where a file of the project says.
    pub(crate) fn with_notes(self, output: Output) -> Self {
        if let Some(address) = &self.address_of_project {
            output.note(&format!(
                "the platform is {address}, as the project's env files say"
            ));
        }
        Self {
            output: Some(output),
            ..self
        }
    }

    /// The login file.
    pub(crate) fn login_file(&self) -> &Path {
        &self.login_file
    }

    /// Calls without credentials: the login itself.
    pub(super) const fn http(&self) -> &Http {
        &self.http
    }

    /// Who is logged in, as far as this machine knows.
    pub(crate) async fn credentials(&self) -> Credentials {
        self.found.lock().await.credentials.clone()
    }

    /// Makes a call and returns its answer, which is a success.
    ///
    /// A token about to expire is renewed first, and once after a 401. A call other than POST is repeated twice when
    /// the platform is busy or the connection breaks, after the wait that the platform asks for.
    ///
    /// # Errors
    ///
    /// `AUTH_REQUIRED`, `AUTH_EXPIRED`, or `API_ERROR` with what the platform said.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, CommandError> {
        let mut pause = FIRST_PAUSE;
        let mut repeats = if call.may_be_repeated() { REPEATS } else { 0 };
        loop {
            let wait = match self.send_once(call).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    let asked = failure::retry_after(&answer.headers, Timestamp::now());
                    let wait = asked.unwrap_or(pause);
                    if repeats == 0 || !is_transient(answer.status.as_u16()) || wait > LONGEST_PAUSE
                    {
                        return Err(self.refusal(call, &answer, asked).await);
                    }
                    wait
                }
                Err(Unsent::Connection(_)) if repeats > 0 => pause,
                Err(Unsent::Connection(error) | Unsent::Session(error)) => return Err(error),
            };
            self.wait(wait).await;
            repeats -= 1;
            pause *= 2;
        }
    }

    /// Opens a stream of events. The answer may be a refusal: what that means is the caller's to say.
    ///
    /// # Errors
    ///
    /// As [`Self::send`]; nothing is repeated but a call with a token that was refused.
    pub(crate) async fn stream(&self, call: &Call) -> Result<reqwest::Response, Unsent> {
        let credential = self.credential().await?;
        let response = self.http.stream(call, Some(&credential)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.renew(&credential).await? {
            return Ok(response);
        }
        let credential = self.credential().await?;
        self.http.stream(call, Some(&credential)).await
    }

    async fn wait(&self, wait: Duration) {
        if let Some(output) = self.output.filter(|_| wait >= Duration::from_secs(1)) {
            let seconds = wait.as_secs();
            output.note(&format!(
                "the platform is busy: trying again in {seconds} s"
            ));
        }
        tokio::time::sleep(wait).await;
    }

    /// One call, and a second one with another token where the first one's was refused.
    async fn send_once(&self, call: &Call) -> Result<Answer, Unsent> {
        let id = http::request_id();
        let credential = self.credential().await?;
        let answer = self.http.exchange(call, &id, Some(&credential)).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.renew(&credential).await? {
            return Ok(answer);
        }
        let credential = self.credential().await?;
        self.http.exchange(call, &id, Some(&credential)).await
    }

    /// What a request is signed with, renewed where it is about to expire.
    async fn credential(&self) -> Result<Credential, Unsent> {
        let mut found = self.found.lock().await;
        self.may_have(found.source)?;
        if let Credentials::Login(login) = &found.credentials
            && login.is_expiring(Timestamp::now())
        {
            let login = login.clone();
            self.renew_login(&mut found, login).await?;
        }
        found.credentials.header().map_err(Unsent::Session)
    }

    /// Whether credentials from `source` may go where this platform is: not the user's own to an address that a file of
    /// the project names, unless that is Base44's or this machine's.
    fn may_have(&self, source: Source) -> Result<(), Unsent> {
        match &self.address_of_project {
            Some(address) if source == Source::User && !http::is_trusted(address) => {
                let message = format!(
                    "the project's env files would send your login to {address}, which is not Base44's"
                );
                let error = CommandError::new(ErrorCode::ConfigInvalid, message).with_hint(
                    "remove BASE44_API_URL from them, or set it in the environment if it is right",
                );
                Err(Unsent::Session(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// After a refusal of `refused`: whether there is another token to try.
    async fn renew(&self, refused: &Credential) -> Result<bool, Unsent> {
        let mut found = self.found.lock().await;
        let now = found.credentials.header().map_err(Unsent::Session)?;
        let Credentials::Login(login) = &found.credentials else {
            return Ok(false);
        };
        if now != *refused {
            // Somebody else of this process was quicker.
            return Ok(true);
        }
        // An older token is the reason for the refusal whatever its date says.
        let mut login = login.clone();
        login.expire();
        match self.renew_login(&mut found, login).await {
            Ok(()) => Ok(true),
            Err(Unsent::Connection(_)) => Ok(false),
            Err(error @ Unsent::Session(_)) => Err(error),
        }
    }

    /// Renews `login`, of these credentials, and keeps it. The login file stays whatever happens: only a login or a
    /// logout replaces it.
    async fn renew_login(&self, found: &mut Found, mut login: Login) -> Result<(), Unsent> {
        if let Some(newer) = self.renewed_by_somebody_else(&login) {
            return self.adopt(found, newer);
        }
        match oauth::renew(&self.http, &login.refresh_token).await {
            Ok(tokens) => {
                login.take(tokens, Timestamp::now());
                self.keep(found, &login);
                found.credentials = Credentials::Login(login);
                Ok(())
            }
            Err(Renewal::Refused(error)) => match self.awaited_renewal(&login).await {
                Some(newer) => self.adopt(found, newer),
                None => Err(Unsent::Session(error)),
            },
            // The token has a minute left: the call itself will tell.
            Err(Renewal::Failed(_)) if !login.has_expired(Timestamp::now()) => Ok(()),
            Err(Renewal::Failed(error)) => Err(Unsent::Connection(error)),
        }
    }

    /// Goes on with the login file's login, which is the user's own wherever the tokens before it came from.
    fn adopt(&self, found: &mut Found, login: Login) -> Result<(), Unsent> {
        self.may_have(Source::User)?;
        *found = Found {
            credentials: Credentials::Login(login),
            source: Source::User,
        };
        Ok(())
    }

    /// After a refusal: a refresh token serves once, and another command may be about to write what it got for it.
    async fn awaited_renewal(&self, login: &Login) -> Option<Login> {
        for _ in 0..LOOKS {
            if let Some(newer) = self.renewed_by_somebody_else(login) {
                return Some(newer);
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    /// The login file's login, where another process has renewed it since.
    fn renewed_by_somebody_else(&self, login: &Login) -> Option<Login> {
        let stored = login_file::read(&self.login_file).ok().flatten()?;
        (stored.email == login.email
            && stored.refresh_token != login.refresh_token
            && !stored.is_expiring(Timestamp::now()))
        .then_some(stored)
    }

    fn keep(&self, found: &Found, login: &Login) {
        let written = login_file::read(&self.login_file)
            .map_err(io::Error::other)
            .and_then(|stored| {
                // Whoever may not have the user's login may not give one.
                if self.may_have(Source::User).is_ok() && found.may_replace(stored.as_ref(), login)
                {
                    login_file::write(&self.login_file, login)
                } else {
                    Err(io::Error::other("it is for another login"))
                }
            });
        if let Err(error) = written
            && let Some(output) = self.output
        {
            let file = self.login_file.display();
            output.note(&format!(
                "warning: the renewed login is not kept in {file}: {error}"
            ));
        }
    }

    async fn refusal(&self, call: &Call, answer: &Answer, wait: Option<Duration>) -> CommandError {
        let with_key = matches!(
            self.found.lock().await.credentials,
            Credentials::WorkspaceKey(_)
        );
        failure::refused(call, answer, with_key, wait)
    }
}

/// A header, whose value is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    name: HeaderName,
    value: HeaderValue,
}

/// Why a call got no answer.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The platform could not be reached, or went away: another try may succeed.
    Connection(CommandError),
    /// Nobody is logged in, or not any more.
    Session(CommandError),
}

impl From<Unsent> for CommandError {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Connection(error) | Unsent::Session(error) => error,
        }
    }
}
