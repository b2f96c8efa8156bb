//! What no route takes.

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use proto::Code;

use crate::{
    error::Problem,
    extract::Scope,
    forward::{self, Forward},
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

/// No route at all: the platform's, if it is there, or nobody's.
pub(crate) async fn not_found(
    State(state): State<AppState>,
    scope: Scope,
    request: Request,
) -> Result<Response, Problem> {
    let (method, path) = (request.method(), request.uri().path());
    if !is_forwardable(path) {
        let message = format!("Nothing is served at {method} {path}");
        return Err(Problem::new(Code::NotFound, message));
    }
    let call = Forward {
        setup: &scope.setup,
        identity: &scope.identity,
        port: state.site().port,
    };
    forward::forward(state.upstream(), call, request).await
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
    use super::is_forwardable;

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
