//! What no route takes.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use proto::Code;

use crate::{
    error::Problem,
    extract::Scope,
    forward::{self, Forward},
    frontend,
    state::AppState,
};

/// The path exists, the method does not. A plain `OPTIONS` asks just that, and the `Allow` header says it.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(
        Code::MethodNotAllowed,
        format!("{method} is not allowed on {path}"),
    )
    .into_response()
}

/// No route at all: the frontend's, the platform's, if they are there, or nobody's.
pub(crate) async fn not_found(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    if is_page(request.uri().path()) && state.frontend().exists() {
        let setup = state.setup().expect("a frontend is a part of it");
        return Ok(frontend::pass(&state, &setup, request).await);
    }
    let (mut parts, body) = request.into_parts();
    let scope = Scope::from_request_parts(&mut parts, &state).await?;
    let (method, path) = (&parts.method, parts.uri.path());
    if !is_forwardable(path) {
        let message = format!("Nothing is served at {method} {path}");
        return Err(Problem::new(Code::NotFound, message));
    }
    let request = Request::from_parts(parts, body);
    let call = Forward {
        setup: &scope.setup,
        identity: &scope.identity,
        port: state.site().port,
    };
    forward::forward(state.upstream(), call, request).await
}

/// Whether a path can be one of the frontend's pages. What lies below our own roots is not, whether it exists or not.
fn is_page(path: &str) -> bool {
    let first = path.split('/').nth(1);
    !matches!(first, Some("api" | "media" | "ws-user-apps"))
}

/// Whether a path is the platform's rather than ours. What lies below the roots that are served here never leaves the
/// machine: a call that is misspelt must not reach the live app.
fn is_forwardable(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/") else {
        return false;
    };
    let mut segments = path.split('/');
    match segments.next() {
        Some("functions") => false,
        Some("apps") => !matches!(segments.nth(1), Some("entities" | "functions")),
        Some(_) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_forwardable, is_page};

    #[test]
    fn everything_but_our_own_roots_can_be_a_page() {
        for path in [
            "/",
            "/src/main.jsx",
            "/apis",
            "/functions",
            "/login/x",
            "*",
            "",
        ] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/api", "/api/x", "/media/x/y", "/ws-user-apps/x"] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn what_is_served_here_is_never_forwarded() {
        for path in [
            "/api/apps/a/entities/Task/x/y",
            "/api/apps/a/entities",
            "/api/apps/a/functions",
            "/api/functions",
            "/media/x",
            "/login",
            "/",
        ] {
            assert!(!is_forwardable(path), "{path}");
        }
        for path in [
            "/api/apps/a/integration-endpoints/Core/InvokeLLM",
            "/api/apps/a/auth/sso/idtoken/1",
            "/api/apps/a",
            "/api/x",
        ] {
            assert!(is_forwardable(path), "{path}");
        }
    }
}
