//! The identity behind a request, from its headers.

use http::{HeaderMap, header};
use proto::v1::{Caller, caller};

use super::token::Refusal;
use crate::state::{AppState, Setup};

/// Lets the developer's own scripts pass by the rules; the official `exec --privileged` sends it.
const BYPASS: &str = "x-bypass-rls";

/// On whose behalf a request is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    Anonymous,
    User {
        /// Lower case.
        email: String,
        bypass_rules: bool,
    },
    Service {
        on_behalf_of: Option<String>,
    },
}

impl Identity {
    /// The user who signed in, be it behind the service role.
    pub(crate) fn email(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::User { email, .. } => Some(email),
            Self::Service { on_behalf_of } => on_behalf_of.as_deref(),
        }
    }

    pub(crate) const fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

impl From<Identity> for Caller {
    fn from(identity: Identity) -> Self {
        let kind = match identity {
            Identity::Anonymous => caller::Kind::Anonymous(caller::Anonymous {}),
            Identity::User {
                email,
                bypass_rules,
            } => caller::Kind::User(caller::User {
                email,
                bypass_rules,
            }),
            Identity::Service { on_behalf_of } => caller::Kind::Service(caller::Service {
                on_behalf_of: on_behalf_of.unwrap_or_default(),
            }),
        };
        Self { kind: Some(kind) }
    }
}

/// Reads `Authorization`. A token that is no good makes the caller anonymous: routes that need somebody say so themselves.
pub(crate) async fn identify(state: &AppState, setup: &Setup, headers: &HeaderMap) -> Identity {
    let Some(token) = bearer(headers) else {
        return Identity::Anonymous;
    };
    match setup.keys.verify(token) {
        Ok(Identity::User { email, .. }) => Identity::User {
            bypass_rules: may_bypass(setup, &email, headers),
            email,
        },
        verified => settle(state, setup, token, verified).await,
    }
}

/// Reads a token that came by another way than `Authorization`, as those of sockets do.
pub(crate) async fn identify_token(state: &AppState, setup: &Setup, token: &str) -> Identity {
    settle(state, setup, token, setup.keys.verify(token)).await
}

async fn settle(
    state: &AppState,
    setup: &Setup,
    token: &str,
    verified: Result<Identity, Refusal>,
) -> Identity {
    match verified {
        Ok(identity) => identity,
        Err(Refusal::Expired) => {
            if state.strangers().is_new(token) {
                tracing::warn!(
                    "a token has expired; whoever sends it is nobody until they sign in again"
                );
            }
            Identity::Anonymous
        }
        Err(Refusal::Foreign) => foreign(state, setup, token).await,
    }
}

/// A token that was not signed here could be the platform's, for somebody who signed in through it.
async fn foreign(state: &AppState, setup: &Setup, token: &str) -> Identity {
    let vouched = setup.vouchers.vouch(state, setup, token).await;
    let Some(email) = vouched else {
        if state.strangers().is_new(token) {
            tracing::warn!(
                "a token was not signed by this server; whoever sends it is nobody until they sign in here"
            );
        }
        return Identity::Anonymous;
    };
    Identity::User {
        email,
        bypass_rules: false,
    }
}

/// The token in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn may_bypass(setup: &Setup, email: &str, headers: &HeaderMap) -> bool {
    let asked = headers.get(BYPASS).is_some_and(|value| value == "true");
    asked && email.eq_ignore_ascii_case(&setup.config.developer_email)
}
