//! The project's own frontend behind our origin: what is neither ours nor the API's is passed to it, hot reload's
//! websocket included, so that one address is the whole app.

mod address;
mod headers;

use std::time::Duration;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use proto::{Code, Failure};
use tokio::time::timeout;

pub(crate) use self::address::{Address, Place};
use crate::{
    error::Problem,
    forward::STAMP,
    layers::stalled,
    proxy::{self, body, upgrade},
    state::{AppState, Setup},
};

/// How long an unused connection is kept. Node's servers close theirs after five seconds; we do first, so that none goes
/// away just as a request goes out.
pub(crate) const IDLE: Duration = Duration::from_secs(4);

/// How long a request waits for the frontend to say where it is. A browser asks again by itself after that.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the frontend may take to begin its answer. A first page is compiled when it is asked for.
const ANSWER: Duration = Duration::from_secs(300);

/// Seconds after which a browser should ask again for a page that could not be had; browsers obey it.
const AGAIN: HeaderValue = HeaderValue::from_static("2");

/// Passes a request to the frontend, streamed both ways.
pub(crate) async fn pass(state: &AppState, setup: &Setup, request: Request) -> Response {
    let is_page = wants_page(request.headers());
    let answer = try_pass(state, setup, request).await;
    answer.unwrap_or_else(|problem| {
        let mut response = problem.into_response();
        let is_early = [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE];
        if is_page && is_early.contains(&response.status()) {
            response.headers_mut().insert(header::REFRESH, AGAIN);
        }
        response
    })
}

/// Whether a browser goes there, rather than a script asking.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

async fn try_pass(
    state: &AppState,
    setup: &Setup,
    mut request: Request,
) -> Result<Response, Problem> {
    if request.headers().contains_key(STAMP) {
        return Err(looped().into());
    }
    let upgrade = upgrade::requested(&mut request);
    let place = state.frontend().get(PATIENCE).await?;
    let head = proxy::Head {
        method: request.method().clone(),
        target: proxy::target_of(request.uri()),
        headers: headers::outgoing(
            &request,
            &place,
            setup,
            upgrade.is_some(),
            state.site().port,
        ),
    };
    let answer = timeout(ANSWER, ask(state, &place, &head, request.into_body())).await;
    let answer = answer.map_err(|_elapsed| silent(&place))?;
    let response = answer.map_err(|error| unreachable(&place, &error))?;
    let response = match upgrade {
        Some(client) => upgrade::join(client, response, state.shutdown()),
        None => response,
    };
    Ok(incoming(response, &place))
}

/// A connection that had gone away is no reason to fail where asking again does no harm.
async fn ask(
    state: &AppState,
    place: &http::uri::Authority,
    head: &proxy::Head,
    body: Body,
) -> Result<http::Response<Incoming>, legacy::Error> {
    let (body, sent) = body::outgoing(body, usize::MAX);
    let first = state.pages().request(head.request(place, body)).await;
    let is_safe = [Method::GET, Method::HEAD].contains(&head.method);
    match first {
        Err(error) if is_safe && !error.is_connect() => match sent.untouched() {
            Some(body) => state.pages().request(head.request(place, body)).await,
            None => Err(error),
        },
        answer => answer,
    }
}

fn incoming(response: http::Response<Incoming>, place: &http::uri::Authority) -> Response {
    let is_switch = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let mut response = response.map(Body::new);
    proxy::headers::incoming(response.headers_mut(), is_switch);
    headers::stay_here(response.headers_mut(), place);
    *response.version_mut() = Version::HTTP_11;
    response
}

fn looped() -> Failure {
    let message = "This request was passed to the frontend before, and came back";
    let hint = "let the frontend pass only `/api` to this server, not its own pages";
    Failure::new(Code::Loop, message).with_hint(hint)
}

fn silent(place: &http::uri::Authority) -> Failure {
    let limit = ANSWER.as_secs();
    let message = format!("The frontend at http://{place} did not answer within {limit} s");
    Failure::new(Code::Timeout, message)
}

fn unreachable(place: &http::uri::Authority, error: &legacy::Error) -> Failure {
    if let Some(failure) = stalled(error) {
        return failure;
    }
    let message = format!("The frontend at http://{place} does not answer");
    Failure::new(Code::BadGateway, message)
        .with_detail(proxy::chain(error))
        .with_hint("its output in the terminal may say why")
}
