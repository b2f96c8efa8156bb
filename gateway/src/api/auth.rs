//! `/api/apps/{app}/auth`: accounts, and the sign-in routes of others.
//!
//! Nothing is mailed: what would have been is a log line, which the command line shows.

use axum::{
    body::Body,
    extract::OriginalUri,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use proto::{
    Code, Failure,
    v1::{
        ChangePasswordRequest, LoginRequest, RegisterRequest, RequestPasswordResetRequest,
        ResendCodeRequest, ResetPasswordRequest, UserResponse, VerifyCodeRequest,
    },
};
use serde::Deserialize;

use crate::{
    error::Problem,
    extract::{Params, Payload, Scope, required},
    json,
    layers::origin,
};

type Answer = Result<Response, Problem>;

#[derive(Deserialize)]
struct Credentials {
    email: Option<String>,
    password: Option<String>,
}

/// `POST /login`.
pub(crate) async fn login(scope: Scope, payload: Payload) -> Answer {
    let body: Credentials = payload.parse()?;
    let request = LoginRequest {
        email: required(body.email, "email")?,
        password: required(body.password, "password")?,
    };
    let user = scope.setup.store.login(request).await?;
    let token = json::string(&scope.setup.keys.user(&user.email).token);
    let record = record(&user);
    Ok(json::ok(format!(
        r#"{{"access_token":{token},"success":true,"user":{record}}}"#
    )))
}

/// The user record as the store wrote it.
fn record(user: &UserResponse) -> &str {
    match std::str::from_utf8(&user.record_json) {
        Ok(record) if !record.is_empty() => record,
        Ok(_) | Err(_) => "{}",
    }
}

/// `POST /register`.
pub(crate) async fn register(scope: Scope, payload: Payload) -> Answer {
    let body: Credentials = payload.parse()?;
    let email = required(body.email, "email")?;
    let request = RegisterRequest {
        email: email.clone(),
        password: required(body.password, "password")?,
    };
    let pending = scope.setup.store.register(request).await?;
    show_code(&email, &pending.code);
    let (id, minutes) = (json::string(&pending.id), pending.expires_in_minutes);
    Ok(json::ok(format!(
        r#"{{"id":{id},"message":"Registration successful. Please check your email for the verification code.","otp_expires_in_minutes":{minutes}}}"#
    )))
}

/// In place of a mail. Scripts read the sentence, so it stays as the official server has it.
fn show_code(email: &str, code: &str) {
    tracing::warn!(
        target: proto::telemetry::CODE,
        title = format!("Verification code for {email}"),
        email,
        code,
        "In order to complete registration use this verification code: {code}"
    );
}

#[derive(Deserialize)]
struct Verification {
    email: Option<String>,
    otp_code: Option<String>,
}

/// `POST /verify-otp`.
pub(crate) async fn verify_code(scope: Scope, payload: Payload) -> Answer {
    let body: Verification = payload.parse()?;
    let request = VerifyCodeRequest {
        email: required(body.email, "email")?,
        code: required(body.otp_code, "otp_code")?,
    };
    let user = scope.setup.store.verify_code(request).await?;
    let token = json::string(&scope.setup.keys.user(&user.email).token);
    let id = json::string(&user.id);
    Ok(json::ok(format!(
        r#"{{"id":{id},"access_token":{token},"message":"Email verified successfully. You are now logged in.","success":true}}"#
    )))
}

#[derive(Deserialize)]
struct Address {
    email: Option<String>,
}

/// `POST /resend-otp`.
pub(crate) async fn resend_code(scope: Scope, payload: Payload) -> Answer {
    let body: Address = payload.parse()?;
    let email = required(body.email, "email")?;
    let request = ResendCodeRequest {
        email: email.clone(),
    };
    let pending = scope.setup.store.resend_code(request).await?;
    show_code(&email, &pending.code);
    let minutes = pending.expires_in_minutes;
    Ok(json::ok(format!(
        r#"{{"message":"A new verification code has been sent to your email.","otp_expires_in_minutes":{minutes},"success":true}}"#
    )))
}

/// `POST /reset-password-request`. The answer does not tell whether there is such an account.
pub(crate) async fn request_password_reset(scope: Scope, payload: Payload) -> Answer {
    let body: Address = payload.parse()?;
    let email = required(body.email, "email")?;
    let request = RequestPasswordResetRequest {
        email: email.clone(),
    };
    let token = scope
        .setup
        .store
        .request_password_reset(request)
        .await?
        .token;
    if token.is_empty() {
        tracing::info!(
            email,
            "password reset asked for an address without an account"
        );
    } else {
        tracing::warn!(
            target: proto::telemetry::CODE,
            title = format!("Password reset token for {email}"),
            email,
            code = token,
            "In order to reset the password use this token: {token}"
        );
    }
    Ok(json::ok(
        r#"{"message":"If an account with this email exists, a password reset link has been sent.","success":true}"#,
    ))
}

#[derive(Deserialize)]
struct Reset {
    reset_token: Option<String>,
    new_password: Option<String>,
}

/// `POST /reset-password`.
pub(crate) async fn reset_password(scope: Scope, payload: Payload) -> Answer {
    let body: Reset = payload.parse()?;
    let request = ResetPasswordRequest {
        token: required(body.reset_token, "reset_token")?,
        new_password: required(body.new_password, "new_password")?,
    };
    scope.setup.store.reset_password(request).await?;
    Ok(json::ok(
        r#"{"message":"Password has been reset successfully.","success":true}"#,
    ))
}

#[derive(Deserialize)]
struct Change {
    user_id: Option<String>,
    current_password: Option<String>,
    new_password: Option<String>,
}

/// `POST /change-password`.
pub(crate) async fn change_password(scope: Scope, payload: Payload) -> Answer {
    let body: Change = payload.parse()?;
    let (setup, caller) = scope.split();
    let request = ChangePasswordRequest {
        caller,
        user_id: required(body.user_id, "user_id")?,
        current_password: required(body.current_password, "current_password")?,
        new_password: required(body.new_password, "new_password")?,
    };
    setup.store.change_password(request).await?;
    Ok(json::ok(
        r#"{"message":"Password changed successfully.","success":true}"#,
    ))
}

/// OAuth, social and single sign-on logins happen at the platform.
pub(crate) async fn provider_login(scope: Scope, OriginalUri(uri): OriginalUri) -> Answer {
    let config = &scope.setup.config;
    if config.upstream_url.is_empty() {
        let reason = &config.upstream_off_reason;
        let message = format!("Signing in with another provider needs the platform: {reason}");
        return Err(Failure::new(Code::BadGateway, message).into());
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let upstream = config.upstream_url.trim_end_matches('/');
    redirect(&format!("{upstream}{target}"))
}

/// `GET /api/apps/auth/logout`: nothing is kept here to end, so it goes back to where the caller came from, if that is on
/// this machine. Anywhere else would make this server a springboard to foreign pages.
pub(crate) async fn logout(params: Params) -> Response {
    let back = params.get("from_url").filter(|url| is_local(url));
    let back = back.and_then(|url| redirect(url).ok());
    back.unwrap_or_else(|| json::ok(r#"{"success":true,"message":"Logged out"}"#))
}

fn is_local(url: &str) -> bool {
    origin::is_page_at(url, origin::is_loopback)
}

fn redirect(target: &str) -> Answer {
    let location = HeaderValue::from_str(target)
        .map_err(|_| Failure::new(Code::BadRequest, "The address to go to is malformed"))?;
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::FOUND, headers, Body::empty()).into_response())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_pages_on_this_machine_are_gone_back_to() {
        for url in [
            "http://localhost:5173/a?b#c",
            "https://127.0.0.1/",
            "http://[::1]:80",
            "http://app.localhost/",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "https://evil.example",
            "http://localhost@evil.example/",
            "//localhost/",
            "/relative",
            "javascript:alert(1)",
            "http://localhost.evil.example",
            "http://localhost\\@evil.example",
            "",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
