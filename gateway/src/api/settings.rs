//! Answers that need nothing behind them: public settings, analytics, logs, actors.

use axum::response::Response;
use proto::Code;

use crate::{
    error::Problem,
    extract::{PathVars, Scope},
    json,
};

/// `GET /api/apps/public/prod/public-settings/by-id/{app}`: what app templates ask before they render.
pub(crate) async fn public_settings(
    scope: Scope,
    PathVars(app): PathVars<String>,
) -> Result<Response, Problem> {
    let (settings, is_private) = match scope.setup.config.visibility.as_str() {
        "private" => ("private_with_login", true),
        "workspace" => ("workspace_with_login", true),
        _ => ("public_without_login", false),
    };
    if is_private && scope.identity.is_anonymous() {
        let problem = Problem::new(Code::Forbidden, "You must be logged in to access this app");
        return Err(problem.with("extra_data", serde_json::json!({"reason": "auth_required"})));
    }
    let id = json::string(&app);
    Ok(json::ok(format!(
        r#"{{"id":{id},"public_settings":"{settings}"}}"#
    )))
}

/// Analytics and the app's visit log: taken and forgotten, so that development does not count in production.
pub(crate) async fn swallow() -> Response {
    json::ok(r#"{"success":true}"#)
}

/// `/api/apps/{app}/actors`: 404, because the SDK gives up on that one, and tries again forever on 500.
pub(crate) async fn actors() -> Problem {
    Problem::new(
        Code::NotFound,
        "Actors are not available in local development",
    )
}
