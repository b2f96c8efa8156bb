//! `integration-endpoints/Core`: the endpoints about files, which are served here.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, State},
    response::Response,
};
use http::request::Parts;
use proto::{Code, Failure};
use serde::Deserialize;

use crate::{
    error::Problem,
    extract::{Form, Payload, Scope},
    files::Access,
    json,
    layers::origin,
    state::AppState,
};

/// Seconds for which a signed address is good when the caller does not say.
const EXPIRES_IN: u64 = 300;

/// The longest that a caller may ask for: a week, as common object stores have it.
const LONGEST: u64 = 7 * 24 * 60 * 60;

type Answer = Result<Response, Problem>;

/// Where callers reach this server, for addresses that they are given. Taken before the body is.
pub(crate) struct Here(String);

impl FromRequestParts<AppState> for Here {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(origin::base_url(
            &parts.uri,
            &parts.headers,
            state.site().port,
        )))
    }
}

/// `UploadFile`: anyone who has the address may fetch the file.
pub(crate) async fn upload_file(
    State(state): State<AppState>,
    Here(here): Here,
    _scope: Scope,
    form: Form,
) -> Answer {
    let upload = form.file().await?;
    let name = state.files().keep(upload, Access::Public).await?;
    Ok(json::ok(format!(r#"{{"file_url":"{here}/media/{name}"}}"#)))
}

/// `UploadPrivateFile`: the file is fetched by signed addresses only.
pub(crate) async fn upload_private_file(
    State(state): State<AppState>,
    _scope: Scope,
    form: Form,
) -> Answer {
    let upload = form.file().await?;
    let name = state.files().keep(upload, Access::Signed).await?;
    Ok(json::ok(format!(r#"{{"file_uri":"{name}"}}"#)))
}

#[derive(Deserialize)]
struct Sign {
    file_uri: Option<String>,
    expires_in: Option<i64>,
}

/// `CreateFileSignedUrl`.
pub(crate) async fn sign_file_url(
    State(state): State<AppState>,
    Here(here): Here,
    scope: Scope,
    payload: Payload,
) -> Answer {
    let body: Sign = payload.parse()?;
    let uri = body.file_uri.filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| Failure::new(Code::BadRequest, "file_uri is required"))?;
    if state.files().find(&uri, Access::Signed).is_none() {
        return Err(Problem::new(Code::NotFound, "File not found"));
    }
    let lifetime = seconds(body.expires_in)?;
    let token = scope.setup.keys.file(&uri, lifetime).token;
    Ok(json::ok(format!(
        r#"{{"signed_url":"{here}/media/private/{uri}?token={token}"}}"#
    )))
}

fn seconds(asked: Option<i64>) -> Result<u64, Failure> {
    let asked = asked.map_or(Ok(EXPIRES_IN), u64::try_from);
    match asked {
        Ok(seconds) if seconds > 0 => Ok(seconds.min(LONGEST)),
        Ok(_) | Err(_) => {
            let message = "expires_in must be a positive number of seconds";
            Err(Failure::new(Code::BadRequest, message))
        }
    }
}
