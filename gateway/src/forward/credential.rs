//! As whom a call is sent on. The developer's own token is asked of the command line when a call first needs it, and again
//! when the platform refuses it: nothing is fetched for somebody who forwards nothing.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use tokio::{sync::watch, time::timeout};

use crate::{
    session::{Identity, Keys, bearer},
    state::{AppState, Setup},
};

/// How long a call waits for the developer's token before it is sent without.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who asks for the token, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    /// How often it was asked for.
    asked: watch::Sender<u64>,
    told: watch::Sender<()>,
}

impl Credentials {
    /// How often the token was asked for; zero when nobody needed it yet.
    pub(crate) fn requests(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }

    /// Says that there is another configuration.
    pub(crate) fn tell(&self) {
        self.told.send_replace(());
    }

    /// Asks for the token, or for another one.
    pub(super) fn ask(&self) {
        self.asked.send_modify(|times| *times += 1);
    }
}

/// Waits until it is known whether the developer has a token, if that matters to this caller.
pub(super) async fn settled(
    state: &AppState,
    setup: Arc<Setup>,
    identity: &Identity,
) -> Arc<Setup> {
    let credentials = state.upstream().credentials();
    if is_known(&setup) || !is_developer(&setup, identity) {
        return setup;
    }
    let mut told = credentials.told.subscribe();
    credentials.ask();
    let waiting = async {
        loop {
            match state.setup() {
                Some(now) if is_known(&now) => return Some(now),
                Some(_) | None => told.changed().await.ok()?,
            }
        }
    };
    match timeout(PATIENCE, waiting).await {
        Ok(Some(now)) => now,
        Ok(None) | Err(_) => setup,
    }
}

fn is_known(setup: &Setup) -> bool {
    let config = &setup.config;
    !config.upstream_token.is_empty() || !config.upstream_token_off_reason.is_empty()
}

/// The service role acts for the developer, whose code has it.
fn is_developer(setup: &Setup, identity: &Identity) -> bool {
    match identity {
        Identity::Anonymous => false,
        Identity::User { email, .. } => email.eq_ignore_ascii_case(&setup.config.developer_email),
        Identity::Service { .. } => true,
    }
}

/// As whom the platform gets a call.
pub(super) enum Sender<'a> {
    Developer {
        email: &'a str,
        token: &'a str,
    },
    /// Somebody who signed in through the platform, with its own token for them.
    Visitor {
        email: &'a str,
        token: &'a str,
    },
    /// For this reason, where it is one that the developer can do something about.
    Nobody(&'a str),
}

impl<'a> Sender<'a> {
    pub(super) fn of(setup: &'a Setup, identity: &'a Identity, given: &'a HeaderMap) -> Self {
        let config = &setup.config;
        match (identity, bearer(given)) {
            // The caller is known although the token was not signed here: the platform vouched for it.
            (Identity::User { email, .. }, Some(token)) if is_foreign(&setup.keys, token) => {
                Self::Visitor { email, token }
            }
            _ if !is_developer(setup, identity) => Self::Nobody(""),
            _ if config.upstream_token.is_empty() => {
                Self::Nobody(&config.upstream_token_off_reason)
            }
            _ => Self::Developer {
                email: &config.developer_email,
                token: &config.upstream_token,
            },
        }
    }

    /// `as ada@example.com`, or why as nobody.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Developer { email, .. } | Self::Visitor { email, .. } => format!("as {email}"),
            Self::Nobody("") => "without credentials".to_owned(),
            Self::Nobody(reason) => format!("without credentials: {reason}"),
        }
    }

    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let token = match self {
            Self::Developer { token, .. } | Self::Visitor { token, .. } => token,
            Self::Nobody(_) => return None,
        };
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        bearer.set_sensitive(true);
        Some(bearer)
    }

    pub(super) const fn is_developer(&self) -> bool {
        matches!(self, Self::Developer { .. })
    }

    /// Puts the credential in the place of the caller's.
    pub(super) fn sign(&self, headers: &mut HeaderMap) {
        if let Some(bearer) = self.authorization() {
            headers.insert(header::AUTHORIZATION, bearer);
        }
    }
}

fn is_foreign(keys: &Keys, token: &str) -> bool {
    keys.verify(token).is_err()
}
