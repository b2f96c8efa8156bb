//! Calls that this server has no answer for, sent on to the platform: streamed both ways, with no credential of ours.

mod headers;
mod notice;

use std::{error::Error as _, sync::Arc, sync::OnceLock, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use futures_util::TryStreamExt;
use http::{HeaderName, Uri, header};
use hyper::body::Body as _;
use proto::{Code, Failure};

use crate::{error::Problem, session::Identity, state::Setup, traffic::ForwardedTo};

/// How long the platform may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the platform may be silent: language models think for minutes.
const SILENCE: Duration = Duration::from_secs(300);

/// Marks what was forwarded, so that a server whose upstream leads back to itself notices.
pub(crate) const STAMP: HeaderName = HeaderName::from_static("base44-dev-forwarded");

/// The client, made at the first call: reading the system's certificates would slow every start.
#[derive(Debug, Default)]
pub(crate) struct Upstream(OnceLock<reqwest::Client>);

impl Upstream {
    pub(crate) fn client(&self) -> &reqwest::Client {
        self.0.get_or_init(|| {
            // Only the first of a process counts; a second one changes nothing.
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("the options are constant and the provider is installed")
        })
    }
}

/// A call to forward.
pub(crate) struct Forward<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) identity: &'a Identity,
    /// Our own port, by which addresses of local files are recognised.
    pub(crate) port: u16,
}

/// Sends a request on and returns the platform's answer.
///
/// # Errors
///
/// `BAD_GATEWAY` when there is no platform to send it to, or none that answers.
pub(crate) async fn forward(
    upstream: &Upstream,
    call: Forward<'_>,
    request: Request,
) -> Result<Response, Problem> {
    let config = &call.setup.config;
    let feature = notice::feature(request.method(), request.uri().path());
    if config.upstream_url.is_empty() {
        return Err(no_upstream(&feature, &config.upstream_off_reason).into());
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
    let base = config.upstream_url.trim_end_matches('/');
    tracing::warn!("{feature} is not available locally: sent to {base}");
    let target = target(base, request.uri());
    let mut headers = headers::outgoing(&call, request.headers());
    if let Some(length) = request.body().size_hint().exact() {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let mut outgoing = upstream
        .client()
        .request(request.method().clone(), target)
        .headers(headers);
    if !request.body().is_end_stream() {
        outgoing = outgoing.body(body(request.into_body(), call.port, feature));
    }
    let answer = outgoing.send().await;
    let answer = answer.map_err(|error| unreachable(base, &error))?;
    Ok(incoming(answer, base))
}

fn target(base: &str, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{base}{path}")
}

fn body(body: Body, port: u16, feature: String) -> reqwest::Body {
    let mut notice = notice::LocalFiles::new(port, feature);
    let pieces = body.into_data_stream();
    reqwest::Body::wrap_stream(pieces.inspect_ok(move |piece| notice.look(piece)))
}

fn incoming(answer: reqwest::Response, base: &str) -> Response {
    let answer: http::Response<reqwest::Body> = answer.into();
    let mut answer = answer.map(Body::new);
    headers::incoming(answer.headers_mut());
    *answer.version_mut() = http::Version::HTTP_11;
    answer.extensions_mut().insert(ForwardedTo(Arc::from(base)));
    answer
}

fn no_upstream(feature: &str, reason: &str) -> Failure {
    let reason = if reason.is_empty() {
        "there is no upstream"
    } else {
        reason
    };
    let message = format!("{feature} is not available locally and was not forwarded: {reason}");
    Failure::new(Code::BadGateway, message)
}

fn unreachable(base: &str, error: &reqwest::Error) -> Failure {
    let mut reason: &dyn std::error::Error = error;
    while let Some(cause) = reason.source() {
        reason = cause;
    }
    let message = format!("{base} could not be reached: {reason}");
    let failure = match error.is_timeout() && !error.is_connect() {
        true => Failure::new(Code::Timeout, format!("{base} did not answer in time")),
        false => Failure::new(Code::BadGateway, message),
    };
    failure.with_detail(error.source().map_or_else(String::new, ToString::to_string))
}
