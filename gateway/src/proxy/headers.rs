//! Headers between caller and function: ours are set, theirs pass, those of the connection stop here.

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use proto::request_id;

use super::Call;
use crate::layers::{REQUEST_ID, origin};

pub(crate) const APP_ID: HeaderName = HeaderName::from_static("base44-app-id");
pub(crate) const API_URL: HeaderName = HeaderName::from_static("base44-api-url");
pub(crate) const SERVICE: HeaderName = HeaderName::from_static("base44-service-authorization");
const GIVEN_APP_ID: HeaderName = HeaderName::from_static("x-app-id");

/// Headers of one connection, besides those that `Connection` names (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    header::UPGRADE,
];

/// Removes what belongs to a connection and not to the message.
pub(crate) fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().cloned();
    for named in named.collect::<Vec<_>>() {
        let named = named.to_str().unwrap_or_default();
        for name in named.split(',').map(str::trim) {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// What comes back. A connection that becomes something else says so to both sides.
pub(crate) fn incoming(headers: &mut HeaderMap, is_switch: bool) {
    let protocol = headers.remove(header::UPGRADE).filter(|_| is_switch);
    drop_hop_by_hop(headers);
    if let Some(protocol) = protocol {
        switch_to(headers, protocol);
    }
}

fn switch_to(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::UPGRADE, protocol);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
}

/// What a request says beyond its connection. The client library names the address it goes to; the wait for
/// `100 Continue` ended here.
pub(crate) fn of_message(given: &HeaderMap, is_upgrade: bool) -> HeaderMap {
    let mut headers = given.clone();
    let protocol = headers.remove(header::UPGRADE);
    drop_hop_by_hop(&mut headers);
    if let (true, Some(protocol)) = (is_upgrade, protocol) {
        switch_to(&mut headers, protocol);
    }
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    headers
}

/// What the function is sent: everything the caller sent, and who and where this server is. A caller's own word on the
/// latter does not count.
pub(super) fn outgoing(call: &Call<'_>, request: &Request, is_upgrade: bool) -> HeaderMap {
    let given = request.headers();
    let mut headers = of_message(given, is_upgrade);
    drop_empty_authorization(&mut headers);

    let app = given.get(GIVEN_APP_ID).filter(|id| !id.is_empty()).cloned();
    let app = app.or_else(|| HeaderValue::from_str(&call.setup.config.app_id).ok());
    set(&mut headers, APP_ID, app);
    let url = origin::base_url(request.uri(), given, call.port);
    let url = HeaderValue::from_str(&url).ok();
    set(&mut headers, API_URL, url);
    let service = call.setup.keys.service_bearer(call.identity.email());
    headers.insert(SERVICE, service);
    if let Some(id) = request_id::current() {
        headers.insert(REQUEST_ID, id.header());
    }
    headers
}

/// Sets a header, or removes it where there is nothing to say.
pub(crate) fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

/// The SDK inside the function throws on a header without a token, where it takes none at all for a guest.
fn drop_empty_authorization(headers: &mut HeaderMap) {
    let is_empty = |value: &HeaderValue| {
        let value = value.as_bytes().trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"bearer")
    };
    if headers.get(header::AUTHORIZATION).is_some_and(is_empty) {
        headers.remove(header::AUTHORIZATION);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{drop_empty_authorization, drop_hop_by_hop};

    #[test]
    fn headers_of_the_connection_stop_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Mine"),
            ("connection", "x-second"),
            ("x-second", "2"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("x-mine", "1"),
            ("content-type", "text/plain"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        drop_hop_by_hop(&mut headers);
        let left: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        assert_eq!(left, ["content-type"]);
    }

    #[test]
    fn an_authorization_without_a_token_is_dropped() {
        for (value, stays) in [
            ("", false),
            ("Bearer ", false),
            ("Bearer x", true),
            ("Basic x", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            drop_empty_authorization(&mut headers);
            assert_eq!(!headers.is_empty(), stays, "{value}");
        }
    }
}
