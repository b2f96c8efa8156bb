//! `/login`: a sign-in page of our own, so that apps which send their visitors there work without the platform.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};

use crate::{
    extract::{Params, Scope},
    layers::origin::{self, Allowed},
    state::AppState,
};

const PAGE: &str = include_str!("../login/page.html");
const SCRIPT: &str = include_str!("../login/login.js");
const STYLE: &str = include_str!("../login/login.css");

/// Nothing but the page's own parts; and no other page may put it in a frame, where a click could be stolen.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /login?from_url=…`.
pub(crate) async fn page(State(state): State<AppState>, scope: Scope, params: Params) -> Response {
    let config = &scope.setup.config;
    let from = params.get("from_url").unwrap_or_default();
    let return_to = match is_allowed(&state, from) {
        true => from,
        // The app's own pages, where there are any.
        false if config.has_frontend => "/",
        false => "",
    };
    let name = match config.app_name.as_str() {
        "" => "your app",
        name => name,
    };
    let page = PAGE
        .replace("{{app_name}}", &escape(name))
        .replace("{{app_id}}", &escape(&config.app_id))
        .replace("{{developer}}", &escape(&config.developer_email))
        .replace("{{return_to}}", &escape(return_to));
    let mut response = text("text/html; charset=utf-8", page);
    let policy = HeaderValue::from_static(POLICY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The page's script.
pub(crate) async fn script() -> Response {
    text("text/javascript; charset=utf-8", SCRIPT)
}

/// The page's style.
pub(crate) async fn style() -> Response {
    text("text/css; charset=utf-8", STYLE)
}

fn text(kind: &'static str, body: impl Into<Body>) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body.into()).into_response()
}

/// A token goes to pages of this machine and of names that were let in, to nobody else.
fn is_allowed(state: &AppState, url: &str) -> bool {
    origin::is_page_at(url, |host| Allowed(state).host(host))
}

/// For text between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // A later placeholder must not be filled inside an earlier value.
            '{' => out.push_str("&#123;"),
            other => out.push(other),
        }
    }
    out
}
