//! What leaves the machine with a forwarded call, and what comes back: no token of ours, no cookie.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Forward, STAMP};
use crate::{proxy::drop_hop_by_hop, session::Identity};

/// Credentials and addresses that mean something here only, or are nobody else's business.
const KEPT_BACK: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    HeaderName::from_static("base44-api-url"),
    HeaderName::from_static("base44-service-authorization"),
    HeaderName::from_static("on-behalf-of"),
    HeaderName::from_static("x-bypass-rls"),
];

pub(super) fn outgoing(call: &Forward<'_>, given: &HeaderMap) -> HeaderMap {
    let mut headers = given.clone();
    drop_hop_by_hop(&mut headers);
    for name in KEPT_BACK {
        headers.remove(name);
    }
    headers.insert(STAMP, HeaderValue::from_static("1"));
    if let Some(bearer) = credential(call) {
        headers.insert(header::AUTHORIZATION, bearer);
    }
    headers
}

/// The developer's own token, for the developer and for the service role; nobody else has one there.
fn credential(call: &Forward<'_>) -> Option<HeaderValue> {
    let config = &call.setup.config;
    let is_developer = match call.identity {
        Identity::Anonymous => false,
        Identity::User { email, .. } => email.eq_ignore_ascii_case(&config.developer_email),
        Identity::Service { .. } => true,
    };
    if !is_developer || config.upstream_token.is_empty() {
        return None;
    }
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", config.upstream_token)).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// Cookies would be set for this machine's name, and who may read the answer is decided here.
pub(super) fn incoming(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    headers.remove(header::SET_COOKIE);
    let grants = [
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ];
    for name in grants {
        headers.remove(name);
    }
}
