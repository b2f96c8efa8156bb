//! Logging in on the platform: the device flow (RFC 8628) and the renewal of tokens, as the official tool does both.

use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{
    Credential, Platform,
    credentials::Renewal,
    failure,
    http::{Answer, Call, Http, request_id},
};
use crate::output::{CommandError, ErrorCode};

/// The official tool's identity on the platform; there is no other for command lines.
const CLIENT: &str = "base44_cli";

/// What a command line may do.
const SCOPE: &str = "apps:read apps:write sandbox:write";

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a person types into the page that the platform names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DeviceCode {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// The same with the code in it, where the platform offers that.
    pub(crate) verification_uri_complete: Option<String>,
    /// Seconds.
    pub(crate) expires_in: u64,
    /// Seconds between two questions; five where the platform names none.
    #[serde(default = "default_interval")]
    pub(crate) interval: u64,
}

const fn default_interval() -> u64 {
    5
}

/// What the platform grants.
#[derive(Clone, Deserialize)]
pub(crate) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    /// Seconds.
    pub(super) expires_in: i64,
}

/// A person, as the platform knows them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// What became of a code so far.
pub(crate) enum Grant {
    /// Nobody has typed it yet.
    Pending,
    /// The same, and we ask too often.
    SlowDown,
    Granted(Tokens),
}

/// What the token endpoint says when it grants nothing.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl Platform {
    /// Begins a login.
    ///
    /// # Errors
    ///
    /// `API_ERROR`.
    pub(crate) async fn begin_login(&self) -> Result<DeviceCode, CommandError> {
        let call = Call::new(Method::POST, "oauth/device/code", "begin the login");
        let call = call.json(&json!({ "client_id": CLIENT, "scope": SCOPE }));
        let answer = self.http().exchange(&call, &request_id(), None).await?;
        if !answer.status.is_success() {
            return Err(failure::refused(&call, &answer, false, None));
        }
        answer.json()
    }

    /// Asks whether the code of `device` has been confirmed.
    ///
    /// # Errors
    ///
    /// `AUTH_EXPIRED` when it is too late, `AUTH_REQUIRED` when it was declined, `API_ERROR` else.
    pub(crate) async fn ask_for_grant(&self, device: &DeviceCode) -> Result<Grant, CommandError> {
        let call = token_call("finish the login").form(vec![
            ("grant_type", DEVICE_GRANT.to_owned()),
            ("device_code", device.device_code.clone()),
            ("client_id", CLIENT.to_owned()),
        ]);
        let answer = self.http().exchange(&call, &request_id(), None).await?;
        if answer.status.is_success() {
            return answer.json().map(Grant::Granted);
        }
        let Some(refusal) = refusal(&answer) else {
            return Err(failure::refused(&call, &answer, false, None));
        };
        let (code, message) = match refusal.error.as_str() {
            "authorization_pending" => return Ok(Grant::Pending),
            "slow_down" => return Ok(Grant::SlowDown),
            "expired_token" => (ErrorCode::AuthExpired, "the code was not confirmed in time"),
            "access_denied" => (ErrorCode::AuthRequired, "the login was declined"),
            _ => return Err(failure::refused(&call, &answer, false, None)),
        };
        Err(session_error(code, message, &answer))
    }

    /// Who the holder of `tokens` is.
    ///
    /// # Errors
    ///
    /// `API_ERROR`.
    pub(crate) async fn person(&self, tokens: &Tokens) -> Result<Person, CommandError> {
        let call = Call::get("oauth/userinfo", "ask who you are");
        let value = format!("Bearer {}", tokens.access_token);
        let credential = Credential::new(header::AUTHORIZATION, &value);
        let id = request_id();
        let answer = self
            .http()
            .exchange(&call, &id, credential.as_ref())
            .await?;
        if !answer.status.is_success() {
            return Err(failure::refused(&call, &answer, false, None));
        }
        answer.json()
    }
}

/// Exchanges a refresh token for new tokens.
pub(super) async fn renew(http: &Http, refresh_token: &str) -> Result<Tokens, Renewal> {
    let call = token_call("renew the login").form(vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token.to_owned()),
        ("client_id", CLIENT.to_owned()),
    ]);
    let answer = http.exchange(&call, &request_id(), None).await;
    let answer = answer.map_err(|unsent| Renewal::Failed(unsent.into()))?;
    if answer.status.is_success() {
        return answer.json().map_err(Renewal::Failed);
    }
    // Anything else than this very word may be the platform's own trouble, and must not cost anybody the login.
    if refusal(&answer).is_some_and(|refusal| refusal.error == "invalid_grant") {
        let error = session_error(ErrorCode::AuthExpired, "your login has expired", &answer);
        return Err(Renewal::Refused(error));
    }
    Err(Renewal::Failed(failure::refused(
        &call, &answer, false, None,
    )))
}

fn token_call(purpose: &str) -> Call {
    Call::new(Method::POST, "oauth/token", purpose)
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    (answer.status < StatusCode::INTERNAL_SERVER_ERROR)
        .then(|| serde_json::from_slice(&answer.body).ok())
        .flatten()
}

fn session_error(code: ErrorCode, message: &str, answer: &Answer) -> CommandError {
    let said = refusal(answer).and_then(|refusal| refusal.error_description);
    let error = CommandError {
        status_code: Some(answer.status.as_u16()),
        request_id: Some(answer.request_id.clone()),
        ..CommandError::new(code, message)
    };
    error
        .with_details(said.iter().map(|said| failure::plain(said)))
        .with_command("log in again", "backlot login")
}
