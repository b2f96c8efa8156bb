//! The login file, which the official command line tool shares: `~/.base44/auth/auth.json`.
//!
//! It is replaced as a whole, so that nobody ever reads half of it, and only its owner may read it.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::oauth::Tokens;
use crate::places::replace_private;

/// Milliseconds before its end at which a token is renewed, as the official tool has it.
const MARGIN: i64 = 60_000;

/// Somebody who is logged in, in the shape of the file.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Login {
    pub(crate) access_token: String,
    pub(super) refresh_token: String,
    /// Milliseconds since 1970.
    expires_at: i64,
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) name: String,
    /// Keys that a newer tool may have written.
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Login {
    /// A new login. The official tool reads no file without a name, so an address serves as one.
    pub(crate) fn new(tokens: Tokens, email: String, name: String, now: Timestamp) -> Self {
        let name = if name.trim().is_empty() {
            email.clone()
        } else {
            name
        };
        let mut login = Self {
            access_token: String::new(),
            refresh_token: String::new(),
            expires_at: 0,
            email,
            name,
            others: Map::new(),
        };
        login.take(tokens, now);
        login
    }

    /// Of tokens that somebody put into the environment. `expires_at` is in milliseconds since 1970.
    pub(super) fn of_environment(
        access_token: String,
        refresh_token: String,
        expires_at: i64,
        email: String,
    ) -> Self {
        Self {
            access_token,
            refresh_token,
            expires_at,
            name: email.clone(),
            email,
            others: Map::new(),
        }
    }

    /// Other tokens for the same person.
    pub(super) fn take(&mut self, tokens: Tokens, now: Timestamp) {
        let lifetime = tokens.expires_in.saturating_mul(1000);
        self.access_token = tokens.access_token;
        self.refresh_token = tokens.refresh_token;
        self.expires_at = now.as_millisecond().saturating_add(lifetime);
    }

    /// Whether it is time to renew the token.
    pub(super) fn is_expiring(&self, now: Timestamp) -> bool {
        now.as_millisecond() >= self.expires_at.saturating_sub(MARGIN)
    }

    /// Whether the token is of no use any more.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        now.as_millisecond() >= self.expires_at
    }

    /// Marks the token as useless: the platform refused it.
    pub(super) const fn expire(&mut self) {
        self.expires_at = 0;
    }

    /// Whether this one was issued after `other`, to the same person.
    pub(super) fn succeeds(&self, other: &Self) -> bool {
        self.email == other.email && self.expires_at > other.expires_at
    }
}

/// The login in `path`; `None` when nobody is logged in.
///
/// # Errors
///
/// When the file is there and cannot be used.
pub(crate) fn read(path: &Path) -> Result<Option<Login>, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let login: Login = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for (key, value) in [
        ("accessToken", &login.access_token),
        ("refreshToken", &login.refresh_token),
        ("email", &login.email),
    ] {
        if value.is_empty() {
            return Err(format!("`{key}` is empty"));
        }
    }
    Ok(Some(login))
}

/// Replaces the login in `path`; keys that are not ours stay.
///
/// # Errors
///
/// When the folder or the file cannot be written; then the old file is as it was.
pub(crate) fn write(path: &Path, login: &Login) -> io::Result<()> {
    let mut login = login.clone();
    if let Ok(Some(old)) = read(path) {
        for (key, value) in old.others {
            login.others.entry(key).or_insert(value);
        }
    }
    replace_private(path, serde_json::to_string_pretty(&login)?.as_bytes())
}

/// Forgets the login; true when there was one.
///
/// # Errors
///
/// When the file cannot be removed.
pub(crate) fn delete(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{Login, Tokens, delete, read, write};

    fn tokens() -> Tokens {
        Tokens {
            access_token: "a2".to_owned(),
            refresh_token: "r2".to_owned(),
            expires_in: 3600,
        }
    }

    #[test]
    fn a_renewed_login_keeps_what_somebody_else_wrote_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth/auth.json");
        fs::create_dir(path.parent().unwrap()).unwrap();
        let official = json!({
            "accessToken": "a", "refreshToken": "r", "expiresAt": 1, "email": "ada@example.com",
            "name": "Ada", "later": [1],
        });
        fs::write(&path, official.to_string()).unwrap();
        let mut login = read(&path).unwrap().unwrap();
        let now = Timestamp::from_millisecond(1_000_000).unwrap();
        assert!(login.has_expired(now));
        login.take(tokens(), now);
        write(&path, &login).unwrap();
        let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let expected = json!({
            "accessToken": "a2", "refreshToken": "r2", "expiresAt": 4_600_000, "email": "ada@example.com",
            "name": "Ada", "later": [1],
        });
        assert_eq!(written, expected);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(delete(&path).unwrap() && !delete(&path).unwrap());
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let login = Login::new(tokens(), "a@b.c".to_owned(), String::new(), at(0));
        assert_eq!(login.name, "a@b.c");
        for (second, expiring, expired) in [
            (3539, false, false),
            (3540, true, false),
            (3600, true, true),
        ] {
            assert_eq!(login.is_expiring(at(second)), expiring, "{second}");
            assert_eq!(login.has_expired(at(second)), expired, "{second}");
        }
    }

    #[test]
    fn a_file_that_is_no_login_is_an_error_and_a_missing_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        assert!(read(&path).unwrap().is_none());
        for text in [
            "",
            "[]",
            r#"{"accessToken":"","refreshToken":"r","expiresAt":1,"email":"e"}"#,
        ] {
            fs::write(&path, text).unwrap();
            assert!(read(&path).is_err(), "{text}");
        }
    }
}
