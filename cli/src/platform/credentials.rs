//! Whose calls they are: a workspace key, tokens from the environment, or the login file; in that order, as the official
//! tool looks for them.

use std::path::Path;

use http::{HeaderName, header};
use serde::Deserialize;

use super::{
    Credential,
    environment::Environment,
    jwt,
    login_file::{self, Login},
};
use crate::output::{CommandError, ErrorCode};

const KEY_NAME: &str = "BASE44_API_KEY";

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

/// The claims of an access token that matter here.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970.
    exp: i64,
}

/// Where credentials come from, which decides where they may go and what they may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file of the project: whoever wrote the project.
    Project,
    /// The environment or the login file: whoever runs this.
    User,
}

/// Credentials, and whose they are to give.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) source: Source,
}

impl Found {
    const fn of_user(credentials: Credentials) -> Self {
        Self {
            credentials,
            source: Source::User,
        }
    }

    /// Looks for credentials; nothing is written.
    pub(crate) fn find(environment: &Environment, login_file: &Path) -> Self {
        if let Some(found) = key(environment) {
            return found;
        }
        let stored = login_file::read(login_file);
        if let Some((given, source)) = tokens(environment) {
            return match stored {
                // These tokens have been renewed since they were put into the environment.
                Ok(Some(stored)) if stored.succeeds(&given) => {
                    Self::of_user(Credentials::Login(stored))
                }
                Ok(_) | Err(_) => Self {
                    credentials: Credentials::Login(given),
                    source,
                },
            };
        }
        Self::of_user(match stored {
            Ok(Some(login)) => Credentials::Login(login),
            Ok(None) => Credentials::Nobody,
            Err(reason) => Credentials::Unreadable {
                reason: format!("{}: {reason}", login_file.display()),
            },
        })
    }

    /// Whether `login`, which came with these credentials, may be written where `stored` is: never over somebody else's,
    /// and what a project names, over nobody's at all.
    pub(super) fn may_replace(&self, stored: Option<&Login>, login: &Login) -> bool {
        stored.is_none_or(|stored| self.source == Source::User && stored.email == login.email)
    }
}

/// Writes the user's own tokens from the environment into the login file, as the official tool does, since renewing
/// replaces them. Where the file cannot be written they serve this one time.
pub(crate) fn remember(environment: &Environment, login_file: &Path) {
    let found = Found::find(environment, login_file);
    let (Ok(stored), Source::User) = (login_file::read(login_file), found.source) else {
        return;
    };
    if let Credentials::Login(login) = &found.credentials
        && tokens(environment).is_some()
        && found.may_replace(stored.as_ref(), login)
    {
        let _ = login_file::write(login_file, login);
    }
}

/// The workspace key, where there is one.
fn key(environment: &Environment) -> Option<Found> {
    let key = environment.get(KEY_NAME)?;
    let key = key.trim();
    let source = match environment.of_project(KEY_NAME) {
        Some(_) => Source::Project,
        None => Source::User,
    };
    key.starts_with(KEY_PREFIX).then(|| Found {
        credentials: Credentials::WorkspaceKey(key.to_owned()),
        source,
    })
}

impl Credentials {
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
                log_in("nobody is logged in to Base44", "log in").with_hint(format!(
                    "in a script, set {KEY_NAME} to a workspace key, which begins with {KEY_PREFIX}"
                ))
            }
        }
    }
}

fn log_in(message: &str, advice: &str) -> CommandError {
    CommandError::new(ErrorCode::AuthRequired, message).with_command(advice, "backlot login")
}

/// Tokens of the environment. The two are one pair: half of the user's and half of the project's are none.
fn tokens(environment: &Environment) -> Option<(Login, Source)> {
    let of_user = login_of(|name| environment.of_user(name));
    let of_project = || login_of(|name| environment.of_project(name));
    of_user
        .map(|login| (login, Source::User))
        .or_else(|| of_project().map(|login| (login, Source::Project)))
}

/// `BASE44_ACCESS_TOKEN` and `BASE44_REFRESH_TOKEN`, where both are there and the first says whose it is.
fn login_of(variable: impl Fn(&str) -> Option<String>) -> Option<Login> {
    let access = variable("BASE44_ACCESS_TOKEN")?;
    let refresh = variable("BASE44_REFRESH_TOKEN")?;
    let claims: Claims = jwt::claims(&access)?;
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

    use super::{Credentials, Environment, Found, Source, remember};

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
        let environment = Environment::fixed(variables, &[]);
        let found = match Found::find(&environment, &path).credentials {
            Credentials::WorkspaceKey(key) => format!("key {key}"),
            Credentials::Login(login) => format!("{} {}", login.email, login.access_token),
            Credentials::Nobody => "nobody".to_owned(),
            Credentials::Unreadable { .. } => "unreadable".to_owned(),
        };
        remember(&environment, &path);
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

    #[test]
    fn nothing_replaces_the_login_of_somebody_else_and_a_project_replaces_none() {
        let stored = |email: &str| {
            json!({ "accessToken": "file", "refreshToken": "f", "expiresAt": 5_000_000, "email": email, "name": "n" })
                .to_string()
        };
        let (ada, eve) = (stored("ada@example.com"), stored("eve@example.com"));
        let given = token(6_000);
        let given: Variables<'_> = &[
            ("BASE44_ACCESS_TOKEN", given.as_str()),
            ("BASE44_REFRESH_TOKEN", "r"),
        ];
        let shared: Variables<'_> = &[
            ("BASE44_PROJECTS_BASE44_ACCESS_TOKEN", given[0].1),
            ("BASE44_PROJECTS_BASE44_REFRESH_TOKEN", "r"),
        ];
        let cases: [(Variables<'_>, Variables<'_>, Option<&str>, Source, bool); 9] = [
            (given, &[], None, Source::User, true),
            (given, &[], Some(&ada), Source::User, true),
            (given, &[], Some(&eve), Source::User, false),
            (given, &[], Some("{"), Source::User, false),
            (shared, given, Some(&ada), Source::User, true),
            (&[], given, None, Source::Project, false),
            (&[], given, Some(&ada), Source::Project, false),
            (&[], given, Some(&eve), Source::Project, false),
            (&given[..1], &given[1..], Some(&ada), Source::User, false),
        ];
        for (own, added, file, source, written) in cases {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("auth.json");
            if let Some(text) = file {
                fs::write(&path, text).unwrap();
            }
            let environment = Environment::fixed(own, added);
            assert_eq!(Found::find(&environment, &path).source, source);
            remember(&environment, &path);
            let now = fs::read_to_string(&path).ok();
            assert_eq!(
                now.as_deref() != file,
                written,
                "{own:?} {added:?} {file:?}"
            );
        }
    }

    #[test]
    fn what_a_project_got_for_its_tokens_is_kept_where_nobody_is_logged_in_only() {
        let given = token(6_000);
        let given: Variables<'_> = &[
            ("BASE44_ACCESS_TOKEN", given.as_str()),
            ("BASE44_REFRESH_TOKEN", "r"),
        ];
        let nowhere = std::path::Path::new("/nonexistent");
        for (own, added, over_the_same) in [(given, &[][..], true), (&[][..], given, false)] {
            let found = Found::find(&Environment::fixed(own, added), nowhere);
            let Credentials::Login(login) = &found.credentials else {
                panic!("there are tokens");
            };
            assert!(found.may_replace(None, login));
            assert_eq!(found.may_replace(Some(login), login), over_the_same);
        }
    }
}
