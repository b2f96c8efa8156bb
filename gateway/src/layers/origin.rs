//! Which names this server answers for, and which pages may use it.

use std::net::Ipv4Addr;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority};
use proto::{Code, Failure};

use crate::state::AppState;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The host that a request was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host<'a> {
    /// As the client wrote it, port included.
    pub(crate) text: &'a str,
    /// Without the port; IPv6 addresses keep their brackets.
    pub(crate) name: &'a str,
}

impl<'a> Host<'a> {
    /// From the request target when that names one, else from the Host header.
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        Self::from_parts(request.uri(), request.headers())
    }

    fn from_parts(uri: &'a Uri, headers: &'a HeaderMap) -> Option<Self> {
        if let Some(authority) = uri.authority() {
            return Self::parse(authority.as_str());
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next()?;
        if hosts.next().is_some() {
            return None;
        }
        Self::parse(host.to_str().ok()?)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (name, port) = split_port(text)?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        (digits && !name.is_empty() && name.bytes().all(clean)).then_some(Self { text, name })
    }
}

/// `name[:port]`; the port is empty when there is none.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let end = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => text.find(':').unwrap_or(text.len()),
    };
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Some((name, port)),
        None => rest.is_empty().then_some((name, "")),
    }
}

/// Names that always mean this machine. `*.localhost` resolves to loopback in every browser.
pub(crate) fn is_loopback(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_below_localhost = || {
        let mut labels = name.split('.');
        let is_named = labels.clone().all(|label| !label.is_empty());
        let last = labels.next_back();
        is_named && last.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || is_below_localhost()
}

/// Where callers reach this server: by the name that the request used. A loopback name gets our own port, because a
/// proxy on this machine may have another; a name from outside is right as it is, with its scheme.
pub(crate) fn base_url(uri: &Uri, headers: &HeaderMap, port: u16) -> String {
    match Host::from_parts(uri, headers) {
        Some(host) if !is_loopback(host.name) => {
            let scheme = headers.get(FORWARDED_PROTO).map(HeaderValue::as_bytes);
            let is_https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"));
            let scheme = if is_https { "https" } else { "http" };
            format!("{scheme}://{}", host.text)
        }
        Some(host) => format!("http://{}:{port}", host.name),
        None => format!("http://localhost:{port}"),
    }
}

/// Whether a whole address is that of a web page at one of these hosts, by whatever parser.
pub(crate) fn is_page_at(url: &str, is_ours: impl Fn(&str) -> bool) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority().map(Authority::as_str);
    let host = authority.and_then(Host::parse);
    is_web && host.is_some_and(|host| is_ours(host.name))
}

/// The `Origin` header, if there is one.
pub(crate) fn of(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ORIGIN)
}

/// What the command line and the configuration let in besides loopback names.
#[derive(Clone, Copy)]
pub(crate) struct Allowed<'a>(pub(crate) &'a AppState);

impl Allowed<'_> {
    pub(crate) fn host(self, name: &str) -> bool {
        is_loopback(name) || self.is_listed(name)
    }

    fn is_listed(self, name: &str) -> bool {
        let same = |host: &String| host.eq_ignore_ascii_case(name);
        let configured = || {
            let setup = self.0.setup();
            setup.is_some_and(|setup| setup.config.allowed_hosts.iter().any(same))
        };
        self.0.site().hosts.iter().any(same) || configured()
    }

    /// Refuses what a page of a foreign origin asks.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, with the origin's name.
    pub(crate) fn check_origin(self, headers: &HeaderMap) -> Result<(), Failure> {
        match of(headers) {
            Some(origin) if !self.origin(origin) => {
                let shown = origin.to_str().unwrap_or("?");
                let message = format!("Requests from pages of `{shown}` are not accepted");
                Err(Failure::new(Code::Forbidden, message))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether pages of this origin may use the server. `null` is what sandboxed and local files send: foreign.
    pub(crate) fn origin(self, origin: &HeaderValue) -> bool {
        let host = origin.to_str().ok().and_then(origin_host);
        host.is_some_and(|host| self.host(host))
    }
}

/// The host in `scheme://host[:port]`.
fn origin_host(origin: &str) -> Option<&str> {
    let (scheme, rest) = origin.split_once("://")?;
    let host = Host::parse(rest)?;
    (!scheme.is_empty()).then_some(host.name)
}

#[cfg(test)]
mod tests {
    use super::{Host, is_loopback, origin_host};

    #[test]
    fn loopback_names_are_told_from_lookalikes() {
        for name in [
            "localhost",
            "LOCALHOST",
            "app.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "[::1]",
            "localhost.",
            "a.b.LocalHost.",
        ] {
            assert!(is_loopback(name), "{name}");
        }
        for name in [
            "localhost.evil.example",
            "evil-localhost",
            ".localhost",
            "a..localhost",
            "localhost..",
            ".example",
            "128.0.0.1",
            "[::2]",
            "0.0.0.0",
            "",
        ] {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn a_host_is_split_from_its_port() {
        let cases = [
            ("localhost:4400", Some("localhost")),
            ("[::1]:4400", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("a:b", None),
            ("a:1:2", None),
            ("user@localhost", None),
            ("a/b", None),
            ("", None),
            (":80", None),
        ];
        for (text, name) in cases {
            assert_eq!(Host::parse(text).map(|host| host.name), name, "{text}");
        }
    }

    #[test]
    fn an_origin_without_a_host_is_foreign() {
        assert_eq!(origin_host("null"), None);
        assert_eq!(origin_host("capacitor://localhost"), Some("localhost"));
        assert_eq!(origin_host("http://localhost@evil.example"), None);
    }
}
