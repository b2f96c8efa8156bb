//! Functions, called: the request streams to the function's process and the answer back, with nothing kept in between.

pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod upgrade;

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use http::{
    HeaderMap, Method, StatusCode, Uri, Version,
    uri::{Authority, PathAndQuery},
};
use hyper::body::{Body as _, Incoming};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proto::{Code, Failure};
use tokio::time::timeout;

use self::body::{Outgoing, Sent};
pub(crate) use self::headers::drop_hop_by_hop;
use crate::{
    endpoints::Target,
    error::Problem,
    extract::FILE_LIMIT,
    layers::stalled,
    session::Identity,
    state::{AppState, Setup},
    traffic::AnsweredBy,
};

/// How long a process on this machine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a function may take to begin its answer; the platform stops functions far earlier. What it streams after that
/// may last as long as its caller waits.
const ANSWER: Duration = Duration::from_secs(300);

/// How long an unused connection to a function is kept. Shorter than what Deno allows, so that we close it, not the other
/// side just as a request goes out.
pub(crate) const IDLE: Duration = Duration::from_secs(15);

/// Bytes of the largest request body: a file of 50 MiB and the form around it.
const BODY_LIMIT: usize = FILE_LIMIT + 1024 * 1024;

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Connections to functions, or to the frontend.
pub(crate) type Client = legacy::Client<HttpConnector, Outgoing>;

/// A client without connections yet, which keeps one for `idle` when it is done with it.
pub(crate) fn client(idle: Duration) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle)
        .build(connector)
}

/// Whom to call, and on whose behalf.
pub(crate) struct Call<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) identity: &'a Identity,
    /// Our own.
    pub(crate) port: u16,
    pub(crate) function: Arc<str>,
    /// What follows the function's name in the path: empty, or `/` and more.
    pub(crate) tail: &'a str,
}

/// What is sent, as often as it takes.
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) target: PathAndQuery,
    pub(crate) headers: HeaderMap,
}

impl Head {
    pub(crate) fn request(&self, to: &Authority, body: Outgoing) -> http::Request<Outgoing> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(http::uri::Scheme::HTTP);
        uri.authority = Some(to.clone());
        uri.path_and_query = Some(self.target.clone());
        let mut request = http::Request::new(body);
        *request.uri_mut() = Uri::from_parts(uri).expect("scheme, authority and path are all set");
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Calls a function.
///
/// No function sees the same call twice but for one that asks and changes nothing. So a call is made once more only when
/// its process was not there to take it, or when it is a GET, HEAD or OPTIONS without a body whose process ended before
/// it answered.
pub(crate) async fn call(
    state: &AppState,
    call: Call<'_>,
    mut request: Request,
) -> Result<Response, Problem> {
    check_size(&request)?;
    let upgrade = upgrade::requested(&mut request);
    let head = Head {
        method: request.method().clone(),
        target: target(&call, request.uri())?,
        headers: headers::outgoing(&call, &request, upgrade.is_some()),
    };
    let response = send(state, &call, &head, request.into_body()).await?;
    let response = match upgrade {
        Some(client) => upgrade::join(client, response, state.shutdown()),
        None => response,
    };
    Ok(incoming(response, call.function))
}

/// The function's answer, once it begins.
async fn ask(
    state: &AppState,
    call: &Call<'_>,
    request: http::Request<Outgoing>,
) -> Result<Result<http::Response<Incoming>, legacy::Error>, Failure> {
    let answer = timeout(ANSWER, state.functions().request(request)).await;
    answer.map_err(|_elapsed| {
        let (function, limit) = (&call.function, ANSWER.as_secs());
        let message = format!("Function \"{function}\" did not begin to answer within {limit} s");
        Failure::new(Code::Timeout, message)
            .with_hint("let it answer first, with a stream, and work after that")
    })
}

async fn send(
    state: &AppState,
    call: &Call<'_>,
    head: &Head,
    body: Body,
) -> Result<http::Response<Incoming>, Problem> {
    let (body, sent) = body::outgoing(body, BODY_LIMIT);
    let endpoints = &call.setup.endpoints;
    let first = match endpoints.known(&call.function) {
        Some(target) => target,
        None => endpoints.acquire(&call.function, 0).await?,
    };
    let answer = ask(state, call, head.request(&first.authority, body)).await?;
    let error = match answer {
        Ok(response) => return Ok(response),
        Err(error) => error,
    };
    let Some(body) = once_more(&head.method, &error, &sent) else {
        return Err(died(&call.function, &error, &sent));
    };
    let second = instead_of(call, &first).await?;
    let answer = ask(state, call, head.request(&second.authority, body)).await?;
    answer.map_err(|error| died(&call.function, &error, &sent))
}

/// The body of a second try, where there may be one.
fn once_more(method: &Method, error: &legacy::Error, sent: &Sent) -> Option<Outgoing> {
    let asks_only = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    (error.is_connect() || asks_only)
        .then(|| sent.untouched())
        .flatten()
}

/// The function's process after `first`, which is gone.
async fn instead_of(call: &Call<'_>, first: &Target) -> Result<Target, Failure> {
    let endpoints = &call.setup.endpoints;
    let known = endpoints.known(&call.function);
    match known.filter(|known| known.generation != first.generation) {
        Some(swapped) => Ok(swapped),
        None => endpoints.acquire(&call.function, first.generation).await,
    }
}

fn check_size(request: &Request) -> Result<(), Failure> {
    let announced = request.body().size_hint().lower();
    match usize::try_from(announced) {
        Ok(bytes) if bytes <= BODY_LIMIT => Ok(()),
        Ok(_) | Err(_) => Err(too_large()),
    }
}

fn too_large() -> Failure {
    let message = format!("The body is larger than {} MiB", FILE_LIMIT / (1024 * 1024));
    Failure::new(Code::TooLarge, message)
}

/// `/name[/tail][?query]`: what the function sees of the address.
fn target(call: &Call<'_>, uri: &Uri) -> Result<PathAndQuery, Failure> {
    let name = utf8_percent_encode(&call.function, PATH);
    let tail = call.tail;
    let text = match uri.query() {
        Some(query) => format!("/{name}{tail}?{query}"),
        None => format!("/{name}{tail}"),
    };
    PathAndQuery::try_from(text)
        .map_err(|_| Failure::new(Code::BadRequest, "The path is malformed"))
}

/// The function's answer, as it is but for what belongs to the connection.
fn incoming(response: http::Response<Incoming>, function: Arc<str>) -> Response {
    let is_switch = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let mut response = response.map(Body::new);
    headers::incoming(response.headers_mut(), is_switch);
    *response.version_mut() = Version::HTTP_11;
    response.extensions_mut().insert(AnsweredBy(function));
    response
}

/// The process went away under the call.
fn died(function: &str, error: &legacy::Error, sent: &Sent) -> Problem {
    if sent.is_too_large() {
        return too_large().into();
    }
    if let Some(failure) = stalled(error) {
        return failure.into();
    }
    let why = chain(error);
    let failure = Failure::new(Code::BadGateway, "Failed to proxy request to function")
        .with_detail(format!("function {function}: {why}"))
        .with_hint("its output in the terminal may say why it ended");
    Problem::from(failure).with("details", why)
}

/// The path and query of a request, as they came.
pub(crate) fn target_of(uri: &Uri) -> PathAndQuery {
    let target = uri.path_and_query().cloned();
    target.unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
