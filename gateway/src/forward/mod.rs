//! Calls that this server has no answer for, sent on to the platform: streamed both ways, with no credential of ours.

mod client;
mod credential;
mod failure;
mod headers;
mod notice;

use std::sync::Arc;

use axum::{body::Body, extract::Request, response::Response};
use futures_util::TryStreamExt;
use http::{HeaderName, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use proto::{Code, Failure};

pub(crate) use self::client::Upstream;
use self::credential::Sender;
use crate::{error::Problem, extract::Scope, session::Keys, state::AppState, traffic::ForwardedTo};

/// Marks what was forwarded, so that a server whose upstream leads back to itself notices.
pub(crate) const STAMP: HeaderName = HeaderName::from_static("base44-dev-forwarded");

/// Sends a request on and returns the platform's answer.
///
/// # Errors
///
/// `BAD_GATEWAY` when there is no platform to send it to, or none that answers.
pub(crate) async fn forward(
    state: &AppState,
    scope: Scope,
    request: Request,
) -> Result<Response, Problem> {
    let feature = notice::feature(request.method(), request.uri().path());
    check(&scope, &feature, &request)?;
    let setup = credential::settled(state, scope.setup, &scope.identity).await;
    let base = setup.config.upstream_url.trim_end_matches('/');
    let (parts, body) = request.into_parts();
    let sender = Sender::of(&setup, &scope.identity, &parts.headers);
    let whom = sender.describe();
    tracing::warn!("{feature} is not available locally: sent to {base} {whom}");
    let mut headers = headers::outgoing(&sender, &parts.headers, &setup.keys);
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let client = state.upstream().client();
    let mut outgoing = client
        .request(parts.method, target(base, &parts.uri, &setup.keys))
        .headers(headers);
    if !body.is_end_stream() {
        outgoing = outgoing.body(outgoing_body(body, state.site().port, feature));
    }
    let answer = outgoing.send().await;
    let answer = answer.map_err(|error| failure::of(base, &error))?;
    if answer.status() == StatusCode::UNAUTHORIZED && sender.is_developer() {
        state.upstream().credentials().ask();
    }
    Ok(incoming(answer, base))
}

/// What can be refused before anything is sent.
fn check(scope: &Scope, feature: &str, request: &Request) -> Result<(), Problem> {
    let config = &scope.setup.config;
    if config.upstream_url.is_empty() {
        return Err(failure::no_upstream(feature, &config.upstream_off_reason).into());
    }
    if request.headers().contains_key(STAMP) {
        let message = "The upstream leads back to this server";
        let failure = Failure::new(Code::Loop, message);
        return Err(failure.with_hint("set another `--upstream`").into());
    }
    if request.headers().contains_key(header::UPGRADE) {
        let message =
            format!("{feature} is not available locally, and connections are not forwarded");
        return Err(Problem::new(Code::Unimplemented, message));
    }
    Ok(())
}

/// The same address there. The links that the SDK makes carry a token in their query; one of ours stays here.
fn target(base: &str, uri: &Uri, keys: &Keys) -> String {
    let path = uri.path();
    let is_ours = |part: &&str| headers::carries_ours(part.as_bytes(), keys);
    match uri.query() {
        Some(query) if is_ours(&query) => {
            let kept: Vec<_> = query.split('&').filter(|part| !is_ours(part)).collect();
            let mark = if kept.is_empty() { "" } else { "?" };
            format!("{base}{path}{mark}{}", kept.join("&"))
        }
        Some(query) => format!("{base}{path}?{query}"),
        None => format!("{base}{path}"),
    }
}

fn outgoing_body(body: Body, port: u16, feature: String) -> reqwest::Body {
    let mut notice = notice::LocalFiles::new(port, feature);
    let pieces = body.into_data_stream();
    reqwest::Body::wrap_stream(pieces.inspect_ok(move |piece| notice.look(piece)))
}

/// An answer that breaks off breaks off for the caller as well: its status has been sent by then.
fn incoming(answer: reqwest::Response, base: &str) -> Response {
    let base: Arc<str> = Arc::from(base);
    let answer: http::Response<reqwest::Body> = answer.into();
    let from = Arc::clone(&base);
    let mut answer = answer.map(|body| {
        Body::new(body.map_err(move |error| {
            let reason = failure::root(&error);
            tracing::warn!("the answer of {from} broke off: {reason}");
            error
        }))
    });
    headers::incoming(answer.headers_mut());
    *answer.version_mut() = http::Version::HTTP_11;
    answer.extensions_mut().insert(ForwardedTo(base));
    answer
}
