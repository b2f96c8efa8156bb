//! What leaves the machine with a forwarded call, and what comes back: no token of ours, no cookie.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{STAMP, credential::Sender};
use crate::{proxy::drop_hop_by_hop, session::Keys};

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
pub(super) fn outgoing(sender: &Sender<'_>, given: &HeaderMap, keys: &Keys) -> HeaderMap {
    let mut headers = given.clone();
    drop_hop_by_hop(&mut headers);
    for name in KEPT_BACK {
        headers.remove(name);
    }
    // The address of a page to which somebody has just come back from signing in, for one, holds their token.
    let telling = headers
        .iter()
        .filter(|(_, value)| carries_ours(value.as_bytes(), keys));
    let telling: Vec<_> = telling.map(|(name, _)| name.clone()).collect();
    for name in telling {
        headers.remove(name);
    }
    headers.insert(STAMP, HeaderValue::from_static("1"));
    sender.sign(&mut headers);
    headers
}

/// Whether a token that was signed here stands anywhere in a text.
pub(super) fn carries_ours(text: &[u8], keys: &Keys) -> bool {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.split(|byte| !is_of_token(byte))
        .filter(|word| word.iter().filter(|byte| **byte == b'.').count() == 2)
        .any(|word| std::str::from_utf8(word).is_ok_and(|word| keys.signed(word)))
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
