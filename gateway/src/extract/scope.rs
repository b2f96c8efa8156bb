//! The configuration in force and the caller's identity; and the path, decoded.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use proto::{Code, Failure, v1::Caller};
use serde::de::DeserializeOwned;

use crate::{
    error::Problem,
    session::{self, Identity},
    state::{AppState, Setup},
};

/// What every handler needs. Before the first configuration there is none, and the request is answered 503.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) setup: Arc<Setup>,
    pub(crate) identity: Identity,
}

impl Scope {
    /// The configuration, and the caller as the store wants it.
    pub(crate) fn split(self) -> (Arc<Setup>, Option<Caller>) {
        (self.setup, Some(self.identity.into()))
    }
}

impl FromRequestParts<AppState> for Scope {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let setup = state.setup().ok_or_else(not_ready)?;
        let identity = session::identify(state, &setup, &parts.headers).await;
        warn_of_other_app(&setup, parts.uri.path());
        Ok(Self { setup, identity })
    }
}

/// A server serves one app, whatever app a path names; but an app that names another is probably configured wrongly.
fn warn_of_other_app(setup: &Setup, path: &str) {
    let Some(rest) = path.strip_prefix("/api/apps/") else {
        return;
    };
    let named = rest.split('/').next().unwrap_or_default();
    let own = setup.config.app_id.as_str();
    let is_app = !matches!(named, "" | "auth" | "public");
    if is_app && named != own && setup.is_first_other_app() {
        tracing::warn!(
            named,
            own,
            "a request names another app than this one; it is served all the same"
        );
    }
}

/// Nothing has said yet what is to be served.
fn not_ready() -> Failure {
    Failure::new(Code::Unavailable, "The server is starting")
}

/// The variables of the route, percent-decoded.
#[derive(Debug)]
pub(crate) struct PathVars<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathVars<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        let Path(variables) = path.map_err(|rejection| {
            Failure::new(Code::BadRequest, "The path is not valid percent-encoding")
                .with_detail(rejection.body_text())
        })?;
        Ok(Self(variables))
    }
}
