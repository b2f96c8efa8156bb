//! What pages of other origins may read: everything, if they live on this machine; nothing otherwise.

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::origin::{self, Allowed};

const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS");

/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What the page behind a request is granted.
pub(super) enum Grant {
    /// The request comes from no page, or from one of the same origin that says so only by its address.
    NoOrigin,
    Foreign,
    /// The origin to name in the answer.
    Allowed(HeaderValue),
}

impl Grant {
    pub(super) fn for_request(request: &Request, allowed: Allowed<'_>) -> Self {
        match origin::of(request.headers()) {
            None => Self::NoOrigin,
            Some(origin) if allowed.origin(origin) => Self::Allowed(origin.clone()),
            Some(_) => Self::Foreign,
        }
    }

    /// Adds the grant. A function that answers with a grant of its own knows better.
    pub(super) fn apply(self, headers: &mut HeaderMap) {
        if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Self::Allowed(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("x-request-id, retry-after, x-base44-connector-error"),
            );
        }
    }
}

/// Whether a browser asks what it may do, rather than doing something.
pub(super) fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer for every path, those of functions included. Without the grant that [`Grant::apply`] adds it permits nothing.
pub(super) fn preflight(request: &Request) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers.append(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Headers"),
    );
    if let Some(asked) = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}
