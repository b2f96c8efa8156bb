//! What every request passes: an id, the Host and Origin checks, CORS, a count and a log entry, and a net under panics.

pub(crate) mod origin;

mod cors;
mod unread;

pub(crate) use self::unread::{broken_off, stalled};

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, header};
use proto::{
    Code, Failure,
    request_id::{self, RequestId},
};

use self::{
    cors::Grant,
    origin::{Allowed, Host},
};
use crate::{error::Problem, state::AppState, traffic::Visit};

/// Carries the id of a request, from its caller to us, from us to functions, and back.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::KEY);

/// Wraps every request.
pub(crate) async fn edge(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let visit = Visit::begin(&state, &id, &request);
    let grant = Grant::for_request(&request, Allowed(&state));
    let header = id.header();
    let request = unread::read_to_the_end(request);
    // A refusal names the id in its body, so it is written within the scope.
    let answer = async { pass(&state, request, next).await.into_response() };
    let mut response = id.scope(answer).await;
    response.headers_mut().insert(REQUEST_ID, header);
    grant.apply(response.headers_mut());
    visit.end(response)
}

async fn pass(state: &AppState, request: Request, next: Next) -> Result<Response, Problem> {
    check_form(&request)?;
    check_host(&request, Allowed(state))?;
    check_origin(&request, Allowed(state))?;
    if cors::is_preflight(&request) {
        return Ok(cors::preflight(&request));
    }
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    // The panic's own words are in the log already; the caller learns only that it was our fault.
    caught.map_err(|_panic| Problem::new(Code::Internal, "Internal server error"))
}

/// What the HTTP parser lets through and nothing here is made for: tunnels, echoes of headers, and bodies in a coding that
/// nobody would undo.
fn check_form(request: &Request) -> Result<(), Failure> {
    let method = request.method();
    if [Method::CONNECT, Method::TRACE].contains(method) {
        let message = format!("{method} is not allowed here");
        return Err(Failure::new(Code::MethodNotAllowed, message));
    }
    let codings = request.headers().get_all(header::TRANSFER_ENCODING);
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !codings.iter().all(is_chunked) {
        let message = "The only transfer coding that is understood is `chunked`";
        return Err(Failure::new(Code::Unimplemented, message));
    }
    Ok(())
}

/// A name that is not ours means that somebody's DNS points here: a page of theirs would be of the same origin as us.
fn check_host(request: &Request, allowed: Allowed<'_>) -> Result<(), Failure> {
    let Some(host) = Host::of(request) else {
        return Err(Failure::new(
            Code::BadRequest,
            "The Host header is missing or malformed",
        ));
    };
    if allowed.host(host.name) {
        return Ok(());
    }
    let message = format!("This server does not answer for the host `{}`", host.name);
    let hint = format!(
        "start it with `--allow-host {}` if that name is yours",
        host.name
    );
    Err(Failure::new(Code::Misdirected, message).with_hint(hint))
}

/// What a foreign page must not do, even where it could not read the answer: browsers send simple requests without asking,
/// and let every page open a websocket anywhere.
fn check_origin(request: &Request, allowed: Allowed<'_>) -> Result<(), Failure> {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS];
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    if safe.contains(request.method()) && !is_upgrade {
        return Ok(());
    }
    allowed.check_origin(request.headers())
}
