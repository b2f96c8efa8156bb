//! Headers between a browser and the frontend: who and where this server is, is ours to say, and the service role's
//! token is not among it. Pages are code for browsers, built by other people's tools; what needs that role is a function.

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, header, uri::Authority};
use proto::request_id;

use crate::{
    forward::STAMP,
    layers::{
        REQUEST_ID,
        origin::{self, Host},
    },
    proxy::headers::{API_URL, APP_ID, SERVICE, of_message, set},
    state::Setup,
};

/// What only the platform says to an app's own server, besides what is set here.
const PLATFORM: [HeaderName; 5] = [
    SERVICE,
    HeaderName::from_static("base44-state"),
    HeaderName::from_static("base44-functions-version"),
    HeaderName::from_static("x-base44-app-url"),
    HeaderName::from_static("x-data-env"),
];

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What the frontend is sent.
pub(super) fn outgoing(
    request: &Request,
    place: &Authority,
    setup: &Setup,
    is_upgrade: bool,
    port: u16,
) -> HeaderMap {
    let given = request.headers();
    let mut headers = of_message(given, is_upgrade);
    for name in PLATFORM {
        headers.remove(name);
    }
    let app = HeaderValue::from_str(&setup.config.app_id).ok();
    set(&mut headers, APP_ID, app);
    let url = origin::base_url(request.uri(), given, port);
    set(&mut headers, API_URL, HeaderValue::from_str(&url).ok());
    headers.insert(STAMP, HeaderValue::from_static("1"));
    if let Some(id) = request_id::current() {
        headers.insert(REQUEST_ID, id.header());
    }
    name_host(&mut headers, request, place);
    headers
}

/// Development servers answer for loopback names only, as a page elsewhere could have its name point here. That was
/// checked on the way in: a name that the developer let in is replaced, and handed on beside.
fn name_host(headers: &mut HeaderMap, request: &Request, place: &Authority) {
    let Some(host) = Host::of(request) else {
        return;
    };
    let given = HeaderValue::from_str(host.text).ok();
    if origin::is_loopback(host.name) {
        set(headers, header::HOST, given);
        return;
    }
    set(headers, FORWARDED_HOST, given);
    let own = HeaderValue::from_str(place.as_str()).ok();
    set(headers, header::HOST, own);
}

/// A redirect to the frontend's own address would leave the one address that has everything.
pub(super) fn stay_here(headers: &mut HeaderMap, place: &Authority) {
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let path = location
        .and_then(|location| location.strip_prefix("http://"))
        .and_then(|rest| rest.strip_prefix(place.as_str()));
    let path = match path {
        Some("") => "/",
        Some(path) if path.starts_with(['/', '?']) => path,
        Some(_) | None => return,
    };
    let path = HeaderValue::from_str(path).expect("it is a part of a header's value");
    headers.insert(header::LOCATION, path);
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, uri::Authority};

    use super::stay_here;

    #[test]
    fn redirects_to_the_frontend_itself_become_paths() {
        let place = Authority::from_static("localhost:5173");
        let cases = [
            ("http://localhost:5173/a?b", "/a?b"),
            ("http://localhost:5173", "/"),
            ("http://localhost:51730/a", "http://localhost:51730/a"),
            ("https://example.com/", "https://example.com/"),
            ("/a", "/a"),
        ];
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("location", HeaderValue::from_static(given));
            stay_here(&mut headers, &place);
            assert_eq!(headers["location"], expected, "{given}");
        }
    }
}
