//! `users/invite-user`: noted here, mailed to nobody.

use axum::response::Response;
use proto::v1::InviteUserRequest;
use serde::Deserialize;

use crate::{
    error::Problem,
    extract::{Payload, Scope, required},
    json,
};

#[derive(Deserialize)]
struct Invitation {
    user_email: Option<String>,
    role: Option<String>,
}

/// Both routes of the SDK, for apps and for their users.
pub(crate) async fn invite(scope: Scope, payload: Payload) -> Result<Response, Problem> {
    let body: Invitation = payload.parse()?;
    let email = required(body.user_email, "user_email")?;
    let role = required(body.role, "role")?;
    let (setup, caller) = scope.split();
    let request = InviteUserRequest {
        caller,
        email: email.clone(),
        role: role.clone(),
    };
    setup.store.invite_user(request).await?;
    tracing::warn!(
        email,
        role,
        "invitation noted, no mail is sent: whoever registers with this address gets the role"
    );
    Ok(json::ok(r#"{"success":true}"#))
}
