//! Accounts: who is seeded, vouched for, registered and invited. The records that come of it are users.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::{Database, Presenter, write::touch};
use crate::core::{
    body::Body,
    caller::{Caller, Principal},
    change::Kind,
    fault::Fault,
    record::Record,
    users::{Newcomer, PasswordHash, Pending, Proof, check_address},
};

/// A user as the outside may know it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Lower case.
    pub email: String,
    /// What rules call the role.
    pub role: String,
    /// Id of the record.
    pub id: String,
    /// The record as its owner may see it.
    pub json: Bytes,
}

impl Database {
    /// Adds or renames the user that the developer is.
    pub fn seed_user(&mut self, email: &str, full_name: &str, app_id: &str) -> Known {
        self.users.set_developer(email, app_id);
        let Some(old) = self.users.by_email(email).cloned() else {
            let newcomer = Newcomer {
                email,
                full_name,
                role: "admin",
            };
            return self.add_user(newcomer);
        };
        let before = old.fields();
        let mut fields = before.clone();
        let app_id = self.users.app_id();
        let wanted = [
            ("full_name", json!(full_name)),
            ("app_id", json!(&*app_id)),
            ("_app_role", json!("admin")),
            ("role", json!("admin")),
            ("collaborator_role", json!("editor")),
        ];
        fields.extend(wanted.map(|(name, value)| (name.to_owned(), value)));
        if fields == before {
            return self.known(&old);
        }
        touch(&mut fields, self.now);
        let record = self.put_user(&old, Body::from(&fields));
        self.known(&record)
    }

    /// The user for whom the platform has vouched, made if need be.
    ///
    /// # Errors
    ///
    /// When it is not an e-mail address.
    pub fn vouch_user(&mut self, email: &str, full_name: &str) -> Result<Known, Fault> {
        if let Some(user) = self.users.by_email(email) {
            return Ok(self.known(user));
        }
        let email = check_address(email)?;
        Ok(self.add_user(Newcomer {
            email: &email,
            full_name,
            role: "user",
        }))
    }

    fn add_user(&mut self, newcomer: Newcomer<'_>) -> Known {
        let id = self.ids.next(self.now);
        let record = self.users.add(id, self.now, newcomer);
        self.note_user(Kind::Create, &record);
        self.known(&record)
    }

    /// Begins a registration; see [`crate::core::users::Users::register`].
    ///
    /// # Errors
    ///
    /// When the address is taken.
    pub fn register(
        &mut self,
        email: &str,
        password: PasswordHash,
        code: String,
    ) -> Result<Pending, Fault> {
        let id = self.ids.next(self.now).to_string();
        let pending = Pending { id, code };
        self.users.register(email, password, pending, self.now)
    }

    /// Replaces a registration's code.
    ///
    /// # Errors
    ///
    /// When none waits for this address.
    pub fn renew_code(&mut self, email: &str, code: String) -> Result<Pending, Fault> {
        self.users.renew_code(email, code, self.now)
    }

    /// Ends a registration and answers with the new user.
    ///
    /// # Errors
    ///
    /// For a wrong or old code.
    pub fn verify(&mut self, email: &str, code: &str) -> Result<Known, Fault> {
        let id = self.ids.next(self.now);
        let record = self.users.verify(email, code, id, self.now)?;
        self.note_user(Kind::Create, &record);
        Ok(self.known(&record))
    }

    /// Notes a password reset; whether there is such a user.
    pub fn request_reset(&mut self, email: &str, token: &str) -> bool {
        self.users.request_reset(email, token, self.now)
    }

    /// Whether a password can be reset so.
    ///
    /// # Errors
    ///
    /// For a bad token or password.
    pub fn check_reset(&mut self, token: &str, password: &str) -> Result<(), Fault> {
        self.users.check_reset(token, password, self.now)
    }

    /// Sets a password with a token.
    ///
    /// # Errors
    ///
    /// For a bad token.
    pub fn reset_password(&mut self, token: &str, hash: PasswordHash) -> Result<(), Fault> {
        self.users.reset(token, hash, self.now)
    }

    /// Sets a user's password; see [`crate::core::users::Users::change_password`].
    ///
    /// # Errors
    ///
    /// When the password has changed since it was shown.
    pub fn change_password(
        &mut self,
        email: &str,
        shown: &Proof,
        hash: PasswordHash,
    ) -> Result<(), Fault> {
        self.users.change_password(email, shown, hash)
    }

    /// Notes an invitation.
    ///
    /// # Errors
    ///
    /// For callers who manage no users, and for a bad address or role.
    pub fn invite(&mut self, caller: &Caller, email: &str, role: &str) -> Result<(), Fault> {
        let principal = self.principal(caller);
        if matches!(principal, Principal::Anonymous) {
            return Err(Fault::Unauthenticated("Unauthorized"));
        }
        if !principal.manages_users() {
            return Err(Fault::Forbidden("You are not authorized to invite users"));
        }
        self.users.invite(email, role)
    }

    /// What the outside may know of the user with this address.
    #[must_use]
    pub fn known_user(&self, email: &str) -> Option<Known> {
        self.users.by_email(email).map(|user| self.known(user))
    }

    fn known(&self, user: &Arc<Record>) -> Known {
        let text = |name| user.text(name).unwrap_or_default().into_owned();
        let email = text("email");
        let owner = Caller::User {
            email: email.clone(),
            bypass_rules: false,
        };
        let reader = self.user_access(&owner).reader();
        Known {
            role: text("role"),
            id: text("id"),
            json: Presenter::new(reader).json(user),
            email,
        }
    }
}
