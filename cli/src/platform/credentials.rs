//! Whose calls they are: a workspace key, tokens from the environment, or the login file; in that order, as the official
//! tool looks for them.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, header};
use serde::Deserialize;

use super::{
    Credential,
    environment::Environment,
    login_file::{self, Login},
};
use crate::output::{CommandError, ErrorCode};

/// What a workspace key begins with; anything else in the variable is not one.
const KEY_PREFIX: &str = "b44k_";

/// The header that carries a workspace key.
const KEY_HEADER: HeaderName = HeaderName::from_static("api_key");

/// Who calls.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// `BASE44_API_KEY`: a workspace, not a person.
    WorkspaceKey(String),
    /// A person.
    Login(Login),
    /// Nobody has logged in.
    Nobody,
    /// There is a login file, and it cannot be used.
    Unreadable {
        /// The file's path, and what is wrong with it.
        reason: String,
    },
}

/// Why a login was not renewed.
#[derive(Debug)]
pub(crate) enum Renewal {
    /// The platform does not know the login any more.
    Refused(CommandError),
    /// The platform could not be asked, or could not say.
    Failed(CommandError),
}

/// The claims of an access token that matter here. Its signature is the platform's to check.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970.
    exp: i64,
}

impl Credentials {
    /// Looks for them. Tokens from the environment are written into the login file, since renewing replaces them.
    pub(crate) fn find(environment: &Environment, login_file: &Path) -> Self {
        if let Some(key) = environment.get("BASE44_API_KEY")
            && key.trim().starts_with(KEY_PREFIX)
        {
            return Self::WorkspaceKey(key.trim().to_owned());
        }
        let stored = login_file::read(login_file);
        if let Some(given) = of_environment(environment) {
            return match stored {
                // These tokens have been renewed since they were put into the environment.
                Ok(Some(stored)) if stored.succeeds(&given) => Self::Login(stored),
                _ => {
                    // Where it cannot be written it serves this one time.
                    let _ = login_file::write(login_file, &given);
                    Self::Login(given)
                }
            };
        }
        match stored {
            Ok(Some(login)) => Self::Login(login),
            Ok(None) => Self::Nobody,
            Err(reason) => Self::Unreadable {
                reason: format!("{}: {reason}", login_file.display()),
            },
        }
    }

    /// The header to send.
    pub(super) fn header(&self) -> Result<Credential, CommandError> {
        let credential = match self {
            Self::WorkspaceKey(key) => Credential::new(KEY_HEADER, key),
            Self::Login(login) => {
                let value = format!("Bearer {}", login.access_token);
                Credential::new(header::AUTHORIZATION, &value)
            }
            Self::Nobody | Self::Unreadable { .. } => return Err(self.absence()),
        };
        credential.ok_or_else(|| {
            log_in(
                "the token or key has characters that no token has",
                "log in again",
            )
        })
    }

    /// Why nobody is logged in.
    pub(crate) fn absence(&self) -> CommandError {
        match self {
            Self::Unreadable { reason } => log_in(
                &format!("the login cannot be read: {reason}"),
                "log in again",
            ),
            Self::WorkspaceKey(_) | Self::Login(_) | Self::Nobody => {
                log_in("nobody is logged in to Base44", "log in")
                    .with_hint("in a script, set BASE44_API_KEY to a workspace key")
            }
        }
    }
}

fn log_in(message: &str, advice: &str) -> CommandError {
    CommandError::new(ErrorCode::AuthRequired, message).with_command(advice, "backlot login")
}

/// `BASE44_ACCESS_TOKEN` and `BASE44_REFRESH_TOKEN`, where both are there and the first says whose it is.
fn of_environment(environment: &Environment) -> Option<Login> {
    let access = environment.get("BASE44_ACCESS_TOKEN")?;
    let refresh = environment.get("BASE44_REFRESH_TOKEN")?;
    let payload = access.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let expires_at = claims.exp.checked_mul(1000)?;
    Some(Login::of_environment(
        access, refresh, expires_at, claims.sub,
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::{Credentials, Environment};

    fn token(expires: i64) -> String {
        let claims = json!({ "sub": "ada@example.com", "exp": expires }).to_string();
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
    }

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn found(variables: Variables<'_>, file: Option<&str>) -> (String, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        if let Some(text) = file {
            fs::write(&path, text).unwrap();
        }
        let environment = Environment::fixed(variables);
        let found = match Credentials::find(&environment, &path) {
            Credentials::WorkspaceKey(key) => format!("key {key}"),
            Credentials::Login(login) => format!("{} {}", login.email, login.access_token),
            Credentials::Nobody => "nobody".to_owned(),
            Credentials::Unreadable { .. } => "unreadable".to_owned(),
        };
        (found, fs::read_to_string(path).ok())
    }

    #[test]
    fn a_workspace_key_comes_first_then_the_environment_then_the_file() {
        let file = json!({ "accessToken": "file", "refreshToken": "r", "expiresAt": 5_000_000, "email": "ada@example.com", "name": "Ada" })
            .to_string();
        let (older, newer) = (token(4_000), token(6_000));
        let cases: [(Variables<'_>, Option<&str>, &str); 8] = [
            (&[], None, "nobody"),
            (&[], Some(&file), "ada@example.com file"),
            (&[], Some("{"), "unreadable"),
            (&[("BASE44_API_KEY", " b44k_1 ")], Some(&file), "key b44k_1"),
            (&[("BASE44_API_KEY", "other")], None, "nobody"),
            (
                &[
                    ("BASE44_ACCESS_TOKEN", &older),
                    ("BASE44_REFRESH_TOKEN", "r"),
                ],
                Some(&file),
                "ada@example.com file",
            ),
            (&[("BASE44_ACCESS_TOKEN", &newer)], None, "nobody"),
            (
                &[
                    ("BASE44_ACCESS_TOKEN", "opaque"),
                    ("BASE44_REFRESH_TOKEN", "r"),
                ],
                None,
                "nobody",
            ),
        ];
        for (variables, stored, expected) in cases {
            assert_eq!(found(variables, stored).0, expected, "{variables:?}");
        }
    }

    #[test]
    fn tokens_from_the_environment_are_kept_for_later_commands() {
        let given = token(6_000);
        let variables = [
            ("BASE44_ACCESS_TOKEN", given.as_str()),
            ("BASE44_REFRESH_TOKEN", "r"),
        ];
        let (found, file) = found(&variables, None);
        assert_eq!(found, format!("ada@example.com {given}"));
        let file: serde_json::Value = serde_json::from_str(&file.unwrap()).unwrap();
        assert_eq!(file["expiresAt"], 6_000_000);
        assert_eq!(file["refreshToken"], "r");
        assert_eq!(file["name"], "ada@example.com");
    }
}
