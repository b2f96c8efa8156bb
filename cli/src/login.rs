//! Who is signed in on the command line, and so whose account is seeded.

use std::path::Path;

use crate::platform::{Credentials, Environment, Found, Login, login_file};

/// The person whose account is seeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Developer {
    /// Lower case.
    pub(crate) email: String,
    pub(crate) name: String,
    /// False for the stand-in that serves when nobody has logged in.
    pub(crate) logged_in: bool,
}

impl Developer {
    /// The stand-in: starting needs no login.
    fn local() -> Self {
        Self {
            email: "developer@example.com".to_owned(),
            name: "Local Developer".to_owned(),
            logged_in: false,
        }
    }

    /// Whose tokens the environment or the login file has; else as [`Self::read`].
    pub(crate) fn find(environment: &Environment, path: &Path) -> (Self, Option<String>) {
        match Found::find(environment, path).credentials {
            Credentials::Login(login) if login.email.contains('@') => (Self::from(login), None),
            Credentials::Login(_)
            | Credentials::WorkspaceKey(_)
            | Credentials::Nobody
            | Credentials::Unreadable { .. } => Self::read(path),
        }
    }

    /// Reads the login file. A missing one means the stand-in; a broken one as well, with the reason beside it, since
    /// it must not keep anybody from working.
    pub(crate) fn read(path: &Path) -> (Self, Option<String>) {
        match login_file::read(path) {
            Ok(None) => (Self::local(), None),
            Ok(Some(login)) if login.email.contains('@') => (Self::from(login), None),
            Ok(Some(_)) => (
                Self::local(),
                Some(complaint(path, "`email` is not an address")),
            ),
            Err(reason) => (Self::local(), Some(complaint(path, &reason))),
        }
    }
}

impl From<Login> for Developer {
    fn from(login: Login) -> Self {
        Self {
            email: login.email.trim().to_lowercase(),
            name: login.name,
            logged_in: true,
        }
    }
}

fn complaint(path: &Path, reason: &str) -> String {
    format!("the login in {} cannot be read: {reason}", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Developer;

    fn read(text: Option<&str>) -> (Developer, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.json");
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        Developer::read(&path)
    }

    #[test]
    fn the_official_login_is_used() {
        let (developer, complaint) = read(Some(
            r#"{"accessToken":"a","refreshToken":"r","expiresAt":1,"email":"Ada@Example.com","name":"Ada"}"#,
        ));
        assert_eq!(
            (developer.email.as_str(), developer.name.as_str()),
            ("ada@example.com", "Ada")
        );
        assert!(developer.logged_in && complaint.is_none());
    }

    #[test]
    fn without_a_login_the_local_developer_serves() {
        let (developer, complaint) = read(None);
        assert_eq!(developer.email, "developer@example.com");
        assert!(!developer.logged_in && complaint.is_none());
    }

    #[test]
    fn a_broken_login_is_reported_and_does_not_stop_anybody() {
        for text in ["", "{", "[]", r#"{"email":"a@example.com"}"#] {
            let (developer, complaint) = read(Some(text));
            assert!(!developer.logged_in, "{text:?}");
            assert!(complaint.is_some(), "{text:?}");
        }
    }
}
