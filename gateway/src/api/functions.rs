//! Calls of functions: under the app, under `/api/functions`, and under `/functions` as deployed apps have them.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use proto::{Code, Failure};

use super::fallback;
use crate::{
    error::Problem,
    extract::Scope,
    proxy::{self, Call},
    state::AppState,
};

/// Where the names of functions begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mount {
    /// `/api/apps/{app}/functions/`
    App,
    /// `/api/functions/`
    Api,
    /// `/functions/`
    Site,
}

impl Mount {
    /// What follows it in `path`.
    fn rest(self, path: &str) -> &str {
        let slashes = match self {
            Self::App => 5,
            Self::Api => 3,
            Self::Site => 2,
        };
        path.splitn(slashes + 1, '/').nth(slashes).unwrap_or("")
    }
}
/// How many functions are named to a caller who asks for another.
const NAMED: usize = 20;

/// `/api/apps/{app}/functions/{name}[/tail]`.
pub(crate) async fn in_app(state: State<AppState>, scope: Scope, request: Request) -> Response {
    call(state, scope, request, Mount::App).await
}

/// `/api/functions/{name}[/tail]`, which the SDK's `functions.fetch` calls.
pub(crate) async fn at_api_root(
    state: State<AppState>,
    scope: Scope,
    request: Request,
) -> Response {
    call(state, scope, request, Mount::Api).await
}

/// `/functions/{name}[/tail]`, as webhooks call a deployed app. Taken for names that exist only: an app may have pages
/// of its own there.
pub(crate) async fn at_site_root(
    state: State<AppState>,
    scope: Scope,
    request: Request,
) -> Response {
    call(state, scope, request, Mount::Site).await
}

async fn call(
    State(state): State<AppState>,
    scope: Scope,
    request: Request,
    mount: Mount,
) -> Response {
    let path = request.uri().path().to_owned();
    let rest = mount.rest(&path);
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
        None if mount == Mount::Site => fallback::not_found(State(state), request)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        None => {
            let failure = unknown(rest, &scope.setup.endpoints.names());
            // Clients show their users the status only.
            tracing::warn!("{}; {}", failure.message(), failure.hint());
            Problem::from(failure).into_response()
        }
    }
}

fn unknown(path: &str, known: &[Arc<str>]) -> Failure {
    let hint = match known {
        [] => "the project has no functions".to_owned(),
        [..] if known.len() <= NAMED => format!("the project has: {}", known.join(", ")),
        [first @ .., _] => {
            let first = &first[..NAMED.min(first.len())];
            let more = known.len() - first.len();
            format!("the project has: {} and {more} more", first.join(", "))
        }
    };
    let message = format!("Function \"{path}\" not found");
    Failure::new(Code::NotFound, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::{Mount, NAMED, Problem, unknown};
    use axum::{body::to_bytes, response::IntoResponse};

    #[test]
    fn the_mount_is_cut_off() {
        assert_eq!(
            Mount::App.rest("/api/apps/a/functions/email/send"),
            "email/send"
        );
        assert_eq!(Mount::Api.rest("/api/functions/email/"), "email/");
        assert_eq!(Mount::Site.rest("/functions/a"), "a");
        assert_eq!(Mount::Site.rest("/functions"), "");
    }

    #[tokio::test]
    async fn who_asks_for_an_unknown_function_hears_which_there_are() {
        for (count, expected) in [
            (0, "the project has no functions"),
            (2, "the project has: f0, f1\""),
            (NAMED + 2, "f18, f19 and 2 more\""),
        ] {
            let names: Vec<_> = (0..count)
                .map(|number| format!("f{number}").into())
                .collect();
            let answer = Problem::from(unknown("g", &names)).into_response();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains(expected), "{text}");
        }
    }
}
