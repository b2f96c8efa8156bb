//! How anything fails: the one shape of an error body, and the one place where failures become HTTP.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use proto::{
    Code, Failure,
    request_id::{self, RequestId},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Seconds after which a caller should try again what was not up yet.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What a handler returns instead of an answer.
#[derive(Debug)]
pub(crate) struct Problem {
    failure: Box<Failure>,
    extra: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Failure::new(code, message).into()
    }

    /// Adds a key to the body, for the few answers where clients read more than the shape that all have.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            failure: Box::new(failure),
            extra: Map::new(),
        }
    }
}

/// The body. `message` and `detail` are the platform's, of which the SDK shows the first; `error` is the key that
/// scripts written for the official development server read.
#[derive(Serialize)]
struct Shape<'a> {
    message: &'a str,
    detail: &'a str,
    error_type: &'a str,
    request_id: Option<&'a str>,
    traceback: &'static str,
    error: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    hint: &'a str,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        log(&self.failure);
        let id = request_id::current();
        let body = body(&self.failure, id.as_deref(), &self.extra);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.failure.code().http())
            .expect("the table of codes holds valid statuses");
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if self.failure.code() == Code::Unavailable {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

fn body(failure: &Failure, id: Option<&str>, extra: &Map<String, Value>) -> Vec<u8> {
    let message = failure.message();
    let shape = Shape {
        message,
        detail: message,
        error_type: failure.error_type(),
        request_id: id,
        traceback: "",
        error: message,
        hint: failure.hint(),
        extra,
    };
    serde_json::to_vec(&shape).expect("text and plain values always serialise")
}

/// A whole answer in the place of the bare one that the HTTP parser gives to what is no request.
pub(crate) fn refusal(bare: &[u8]) -> Bytes {
    let line = bare.split(|byte| *byte == b'\r').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let status = line
        .split_once(' ')
        .map_or("400 Bad Request", |(_, status)| status);
    let message = match status.get(..3) {
        Some("414") => "The address of the request is too long",
        Some("431") => "The headers of the request are too large",
        Some(_) | None => "This is not a valid HTTP request",
    };
    tracing::debug!("request refused: {message}");
    let id = RequestId::of(&HeaderMap::new());
    let body = body(
        &Failure::new(Code::BadRequest, message),
        Some(&id),
        &Map::new(),
    );
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nx-request-id: {}\r\nconnection: close\r\n\r\n",
        body.len(),
        id.as_str(),
    );
    [head.into_bytes(), body].concat().into()
}

/// Once, where it is handled. What a caller did wrong is the caller's to read; what is ours goes to the terminal.
fn log(failure: &Failure) {
    let (code, message) = (failure.code(), failure.message());
    let detail = failure.detail();
    match code {
        Code::Internal => tracing::error!(detail, "request failed: {message}"),
        Code::BadGateway | Code::Loop | Code::Timeout => {
            tracing::warn!(detail, "request failed: {message}");
        }
        Code::BadRequest
        | Code::Invalid
        | Code::Unauthenticated
        | Code::Forbidden
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::TooLarge
        | Code::Misdirected
        | Code::RateLimited
        | Code::Unavailable
        | Code::FunctionFailed
        | Code::Unimplemented => {
            tracing::debug!(code = code.name(), detail, "request refused: {message}");
        }
    }
}
