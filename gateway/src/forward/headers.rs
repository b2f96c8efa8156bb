//! What leaves the machine with a forwarded call, and what comes back: no token of ours, no cookie.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{STAMP, credential::Sender};
use crate::proxy::drop_hop_by_hop;

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

/// What the caller sent, without what means nothing or too much elsewhere; as `sender`.
pub(super) fn outgoing(sender: &Sender<'_>, given: &HeaderMap) -> HeaderMap {
    let mut headers = given.clone();
    drop_hop_by_hop(&mut headers);
    for name in KEPT_BACK {
        headers.remove(name);
    }
    headers.insert(STAMP, HeaderValue::from_static("1"));
    sender.sign(&mut headers);
    headers
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
