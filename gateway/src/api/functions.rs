//! Calls of functions: under the app, under `/api/functions`, and under `/functions` as deployed apps have them.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use proto::Code;

use super::fallback;
use crate::{
    error::Problem,
    extract::Scope,
    proxy::{self, Call},
    state::AppState,
};

/// `/api/apps/{app}/functions/{name}[/tail]`.
pub(crate) async fn in_app(state: State<AppState>, scope: Scope, request: Request) -> Response {
    call(state, scope, request, 5).await
}

/// `/api/functions/{name}[/tail]`, which the SDK's `functions.fetch` calls.
pub(crate) async fn at_api_root(
    state: State<AppState>,
    scope: Scope,
    request: Request,
) -> Response {
    call(state, scope, request, 3).await
}

/// `/functions/{name}[/tail]`, as webhooks call a deployed app. Taken for names that exist only: an app may have pages
/// of its own there.
pub(crate) async fn at_site_root(
    state: State<AppState>,
    scope: Scope,
    request: Request,
) -> Response {
    call(state, scope, request, 2).await
}

/// Calls the function whose name begins after `slashes` slashes of the path.
async fn call(
    State(state): State<AppState>,
    scope: Scope,
    request: Request,
    slashes: usize,
) -> Response {
    let path = request.uri().path().to_owned();
    let rest = after(&path, slashes);
    let found = match scope.setup.endpoints.find(rest).await {
        Ok(found) => found,
        Err(failure) => return Problem::from(failure).into_response(),
    };
    match found {
        Some(found) => {
            let call = Call {
                setup: &scope.setup,
                identity: &scope.identity,
                port: state.site().port,
                function: found.function,
                tail: found.tail,
            };
            let answer = proxy::call(&state, call, request).await;
            answer.unwrap_or_else(IntoResponse::into_response)
        }
        None if slashes == 2 => fallback::not_found(State(state), request)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        None => unknown(rest).into_response(),
    }
}

fn unknown(path: &str) -> Problem {
    Problem::new(Code::NotFound, format!("Function \"{path}\" not found"))
}

/// What follows the `slashes`th slash.
fn after(path: &str, slashes: usize) -> &str {
    path.splitn(slashes + 1, '/').nth(slashes).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_mount_is_cut_off() {
        assert_eq!(after("/api/apps/a/functions/email/send", 5), "email/send");
        assert_eq!(after("/api/functions/email/", 3), "email/");
        assert_eq!(after("/functions/a", 2), "a");
        assert_eq!(after("/functions", 2), "");
    }
}
