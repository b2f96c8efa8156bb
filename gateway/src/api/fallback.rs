//! What no route takes.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use proto::Code;

use crate::{error::Problem, extract::Scope, forward, frontend, state::AppState};

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
    if request.uri().path() == "*" {
        return server_wide(&request);
    }
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
    forward::forward(&state, scope, request).await
}

/// `OPTIONS *` asks whether there is a server (RFC 9110, section 9.3.7); nothing else can be asked of all of it.
fn server_wide(request: &Request) -> Result<Response, Problem> {
    match *request.method() {
        Method::OPTIONS => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(Problem::new(Code::BadRequest, "`*` is for OPTIONS only")),
    }
}

/// Whether a path can be one of the frontend's pages. What lies below our own roots is not, whether it exists or not.
fn is_page(path: &str) -> bool {
    let first = path.split('/').nth(1);
    !matches!(first, Some("api" | "media" | "ws-user-apps"))
}

/// Whether a path is the platform's rather than ours. What lies below the roots that are served here never leaves the
/// machine: a call that is misspelt must not reach the live app, whichever way its path is written.
fn is_forwardable(path: &str) -> bool {
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return false;
    };
    let path = path.to_lowercase();
    let segments: Vec<&str> = path
        .split(['/', '\\'])
        .filter(|segment| !matches!(*segment, "" | "."))
        .collect();
    match segments[..] {
        // Whoever resolves it ends up elsewhere than what it looks like.
        _ if segments.contains(&"..") => false,
        ["api", "apps", _, "auth", "sso", ..] => true,
        ["api", "apps", _, "users", "invite-user"]
        | ["api", "apps", _, "runtime", "users", "invite-user"] => false,
        ["api", "apps", _, root, ..] => !LOCAL_ROOTS.contains(&root),
        ["api", root, ..] => !["functions", "app-logs"].contains(&root),
        _ => false,
    }
}

/// What is served here of an app, with all that lies below.
const LOCAL_ROOTS: [&str; 5] = ["actors", "analytics", "auth", "entities", "functions"];

#[cfg(test)]
mod tests {
    use super::{is_forwardable, is_page};

    #[test]
    fn everything_but_our_own_roots_can_be_a_page() {
        for path in ["/", "/src/main.jsx", "/apis", "/functions", "/login/x", ""] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/api", "/api/x", "/media/x/y", "/ws-user-apps/x"] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn what_is_served_here_is_never_forwarded_however_it_is_written() {
        for path in [
            "/api/apps/a/entities/Task/x/y",
            "/api/apps/a/entities",
            "/api/apps/a/functions",
            "/api/apps/a/auth/unknown",
            "/api/functions",
            "/api/apps/a/%65ntities/Task",
            "/api/apps/a/Entities/Task",
            "/api/apps/a/agents/../entities/Task",
            "/api/apps/a/agents/%2e%2e/entities/Task",
            "/api/apps/a/agents/..%2fentities/Task",
            "/api/apps/a/./entities/Task",
            "/api/apps/a//entities/Task",
            "/api//apps/a/entities/Task",
            "/api/apps/a%2fentities/Task",
            "/api/apps/a\\entities/Task",
            "/api/apps/a/runtime/users/invite%2Duser",
            "/api/%ff",
            "/media/x",
            "/login",
            "/",
        ] {
            assert!(!is_forwardable(path), "{path}");
        }
        for path in [
            "/api/apps/a/integration-endpoints/Core/InvokeLLM",
            "/api/apps/a/integrations/custom/crm/get:/contacts/%7Bid%7D",
            "/api/apps/a/agents/a%2Fb/whatsapp",
            "/api/apps/a/auth/sso/idtoken/1",
            "/api/apps/a",
            "/api/x",
        ] {
            assert!(is_forwardable(path), "{path}");
        }
    }
}
