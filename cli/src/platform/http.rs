//! One exchange with the platform: its address, its headers, its limits. Whose credential is sent is decided above.

use std::{net::IpAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Credential, DEFAULT_URL, Unsent, failure};
use crate::output::{CommandError, ErrorCode};

/// How long the platform may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a call may take that says nothing else.
const TOTAL: Duration = Duration::from_secs(60);

/// How long a stream may be silent: the platform sends a comment every few seconds, and the official tool waits as long.
const SILENCE: Duration = Duration::from_secs(60);

/// The largest answer that is read, in bytes: all functions of a project with room to spare.
const ANSWER_LIMIT: usize = 64 << 20;

/// What the official tool calls itself; the platform may tell clients by it.
const USER_AGENT: &str = "Base44 CLI";

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What JavaScript's `encodeURIComponent` leaves alone.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// A random UUID. Without randomness the id is a poor one, and nothing else.
pub(super) fn request_id() -> String {
    proto::uuid::random().unwrap_or_else(|_| "00000000-0000-4000-8000-000000000000".to_owned())
}

/// What to ask.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: Method,
    /// Below the platform's address, without a slash in front.
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Body>,
    /// What cannot be done when it fails: "list the secrets".
    purpose: String,
    limit: Duration,
}

#[derive(Clone, Debug)]
enum Body {
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            purpose: purpose.into(),
            limit: TOTAL,
        }
    }

    pub(crate) fn get(path: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self::new(Method::GET, path, purpose)
    }

    /// One more parameter.
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// A JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).expect("bodies have string keys only");
        self.body = Some(Body::Json(body));
        self
    }

    /// A form as the body.
    pub(crate) fn form(mut self, fields: Vec<(&'static str, String)>) -> Self {
        self.body = Some(Body::Form(fields));
        self
    }

    /// How long it may take altogether.
    pub(crate) const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn under(mut self, folder: &str) -> Self {
        self.path.insert_str(0, folder);
        self
    }

    pub(super) fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Whether doing it twice is the same as doing it once.
    pub(super) fn may_be_repeated(&self) -> bool {
        self.method != Method::POST
    }
}

/// A whole answer, of whatever status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The platform's id of the request, or ours where it named none.
    pub(super) request_id: String,
    purpose: String,
}

impl Answer {
    /// The body, as what it has to be.
    ///
    /// # Errors
    ///
    /// `API_ERROR` when it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CommandError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let purpose = &self.purpose;
            let message =
                format!("cannot {purpose}: the platform's answer makes no sense: {error}");
            CommandError {
                status_code: Some(self.status.as_u16()),
                request_id: Some(self.request_id.clone()),
                ..CommandError::new(ErrorCode::Api, message)
            }
            .with_hint("check that BASE44_API_URL, where it is set, is the platform's address")
        })
    }
}

/// The way to the platform.
pub(crate) struct Http {
    client: reqwest::Client,
    base: String,
}

impl Http {
    /// For the platform at `url`; the public one where that is empty.
    pub(super) fn open(url: &str) -> Result<Self, CommandError> {
        let url = url.trim().trim_end_matches('/');
        let base = if url.is_empty() { DEFAULT_URL } else { url };
        let parsed = reqwest::Url::parse(base).ok();
        if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            let message = format!("BASE44_API_URL is no HTTP address: `{base}`");
            let hint = format!("unset it, or set it to an address like {DEFAULT_URL}");
            return Err(CommandError::input(message).with_hint(hint));
        }
        // Only the first of a process counts; a second one changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect could carry a workspace key to somebody else.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| {
                let message = format!("cannot set up HTTPS: {}", innermost(&error));
                CommandError::new(ErrorCode::Internal, message)
            })?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }

    /// Sends a call and reads the whole answer.
    pub(super) async fn exchange(
        &self,
        call: &Call,
        id: &str,
        credential: Option<&Credential>,
    ) -> Result<Answer, Unsent> {
        let request = self.request(call, id, credential).timeout(call.limit);
        let answer = self.read(call, id, request);
        answer
            .await
            .map_err(|reason| self.unreachable(call, &reason))
    }

    /// Sends a call whose answer comes bit by bit.
    pub(super) async fn stream(
        &self,
        call: &Call,
        credential: Option<&Credential>,
    ) -> Result<reqwest::Response, Unsent> {
        let request = self.request(call, &request_id(), credential);
        let request = request.header(header::ACCEPT, "text/event-stream");
        match tokio::time::timeout(call.limit.min(SILENCE), request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreachable(call, &innermost(&error))),
            Err(_elapsed) => Err(self.unreachable(call, "no answer in time")),
        }
    }

    fn request(
        &self,
        call: &Call,
        id: &str,
        credential: Option<&Credential>,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}/{}", self.base, call.path);
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .header(REQUEST_ID, id);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        request = match &call.body {
            None => request,
            Some(Body::Json(body)) => request.json(body),
            Some(Body::Form(fields)) => request.form(fields),
        };
        if let Some(Credential { name, value }) = credential {
            request = request.header(name, value);
        }
        request
    }

    async fn read(
        &self,
        call: &Call,
        id: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, String> {
        let mut response = request.send().await.map_err(|error| innermost(&error))?;
        let named = response.headers().get(REQUEST_ID);
        let named = named.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| innermost(&error))? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_LIMIT {
                return Err(format!("its answer has more than {ANSWER_LIMIT} bytes"));
            }
        }
        Ok(Answer {
            status,
            headers,
            body,
            request_id: named.unwrap_or_else(|| id.to_owned()),
            purpose: call.purpose.clone(),
        })
    }

    fn unreachable(&self, call: &Call, reason: &str) -> Unsent {
        Unsent::Connection(failure::unreachable(call, &self.base, reason))
    }
}

impl Credential {
    /// `None` when the value cannot stand in a header.
    pub(super) fn new(name: HeaderName, value: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some(Self { name, value })
    }
}

/// Whether the login may go to `url` whoever names it: it is Base44's, or does not leave this machine.
pub(super) fn is_trusted(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url.trim()) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let is_base44 = host == "base44.com" || host.ends_with(".base44.com");
    is_here || (is_base44 && url.scheme() == "https")
}

/// What is at the bottom of an error: "connection refused" rather than "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(cause) = reason.source() {
        reason = cause;
    }
    reason.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Http, is_trusted, request_id, segment};

    #[test]
    fn names_are_encoded_as_javascript_encodes_them() {
        assert_eq!(segment("tasks/tidy"), "tasks%2Ftidy");
        assert_eq!(segment("ü ?#%+&=:@"), "%C3%BC%20%3F%23%25%2B%26%3D%3A%40");
        assert_eq!(segment("a-_.!~*'()"), "a-_.!~*'()");
    }

    #[test]
    fn request_ids_are_random_uuids() {
        let id = request_id();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(
            id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]),
            "{id}"
        );
        assert_ne!(id, request_id());
    }

    #[test]
    fn only_base44_and_this_machine_are_trusted_with_the_login_by_themselves() {
        for (url, expected) in [
            ("https://app.base44.com", true),
            (" https://base44.com/x", true),
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:4000", true),
            ("http://localhost:1", true),
            ("http://app.base44.com", false),
            ("https://app.base44.com.example.com", false),
            ("https://app.base44.com@example.com", false),
            ("https://notbase44.com", false),
            ("https://localhost.example.com", false),
            ("nothing", false),
        ] {
            assert_eq!(is_trusted(url), expected, "{url}");
        }
    }

    #[test]
    fn only_http_addresses_are_platforms() {
        for (given, used) in [
            ("", "https://app.base44.com"),
            ("http://localhost:1/", "http://localhost:1"),
            (" https://x.example/sub ", "https://x.example/sub"),
        ] {
            assert_eq!(Http::open(given).ok().unwrap().base, used);
        }
        for wrong in ["app.base44.com", "ftp://x", "https://", "localhost:1"] {
            assert!(Http::open(wrong).is_err(), "{wrong}");
        }
    }
}
