//! What the API says of users in place of records: `me`, who must be signed in, and which writes are ignored.

use axum::response::Response;
use proto::{
    Code, Failure,
    v1::{GetMeRequest, UpdateMeRequest},
};

use crate::{
    error::Problem,
    extract::{Payload, Scope},
    json,
};

/// What the official server tells an anonymous caller who would write.
pub(super) const UNAUTHORIZED: &str = "Unauthorized";

/// Whether a path names the users. The platform's own routes are matched without regard to case.
pub(super) fn is_user(entity: &str) -> bool {
    entity.eq_ignore_ascii_case("User")
}

pub(super) fn is_me(entity: &str, id: &str) -> bool {
    id == "me" && is_user(entity)
}

/// Routes of users are for those who are signed in.
pub(super) fn guard(entity: &str, scope: &Scope, message: &str) -> Result<(), Failure> {
    if is_user(entity) && scope.identity.is_anonymous() {
        return Err(Failure::new(Code::Unauthenticated, message));
    }
    Ok(())
}

/// The official answer to bulk creation and deletion of users, which do nothing.
pub(super) fn ignored() -> Response {
    json::ok("{}")
}

/// `GET /User/me`.
pub(super) async fn me(scope: Scope) -> Result<Response, Problem> {
    let (setup, caller) = scope.split();
    let answer = setup.store.get_me(GetMeRequest { caller }).await?;
    Ok(json::ok(answer.record_json))
}

/// `PUT /User/me`.
pub(super) async fn update_me(scope: Scope, payload: Payload) -> Result<Response, Problem> {
    let (setup, caller) = scope.split();
    let request = UpdateMeRequest {
        caller,
        changes_json: payload.bytes()?,
    };
    let answer = setup.store.update_me(request).await?;
    Ok(json::ok(answer.record_json))
}
