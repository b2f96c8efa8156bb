//! Users as an entity. Their built-in rule stands in the place of entity rules: users read and change themselves, admins
//! and the service role everybody; nobody adds or removes a user here, which is passed over in silence.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Access, Database, Presenter, write::touch};
use crate::core::{
    caller::{Caller, Principal},
    change::Kind,
    fault::Fault,
    record::{self, Fields, Record, to_json},
    users::{Newcomer, PasswordHash, Pending, is_managed},
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
    pub(super) fn user_access(&self, caller: &Caller) -> Access {
        let name = self.users.name();
        let scope = self.scope(caller, &name);
        Access::new(self.users.schema(), scope, name)
    }

    pub(super) fn get_user(&self, caller: &Caller, id: &str) -> Result<Bytes, Fault> {
        let access = self.user_access(caller);
        if matches!(access.principal(), Principal::Anonymous) {
            return Err(Fault::Unauthenticated(
                "Authentication required to view users",
            ));
        }
        let own = is_own(&access, id);
        let found = self.users.records().get(id);
        let found = found.filter(|_| own || access.principal().manages_users());
        let record = found.ok_or_else(|| access.no_such_record(id))?;
        Ok(Presenter::new(access.reader()).json(record))
    }

    /// The caller's own record.
    ///
    /// # Errors
    ///
    /// For callers without one.
    pub fn me(&self, caller: &Caller) -> Result<Bytes, Fault> {
        let access = self.user_access(caller);
        let user = access.principal().user();
        let user = user.ok_or(Fault::Unauthenticated(
            "Authentication required to view users",
        ))?;
        Ok(Presenter::new(access.reader()).json(user))
    }

    /// Changes the caller's own record.
    ///
    /// # Errors
    ///
    /// For callers without one, and as [`Database::update`].
    pub fn update_me(&mut self, caller: &Caller, changes: Fields) -> Result<Bytes, Fault> {
        let principal = self.principal(caller);
        let user = principal.user();
        let id = user.and_then(|user| record::text(user.fields(), "id"));
        let id = id.ok_or(Fault::Unauthenticated(
            "Authentication required to view users",
        ))?;
        self.update_user(caller, id, changes)
    }

    pub(super) fn update_user(
        &mut self,
        caller: &Caller,
        id: &str,
        changes: Fields,
    ) -> Result<Bytes, Fault> {
        let access = self.user_access(caller);
        let (old, fields) = self.merge_user(&access, id, changes)?;
        let record = self.change_user(&old, fields);
        // Seen with the eyes of the caller as they are now: the change may have been of their own role.
        let access = self.user_access(caller);
        Ok(Presenter::new(access.reader()).json(&record))
    }

    /// A user's record with changes in it, if the caller may make them.
    pub(super) fn merge_user(
        &self,
        access: &Access,
        id: &str,
        mut changes: Fields,
    ) -> Result<(Arc<Record>, Fields), Fault> {
        let principal = access.principal();
        if matches!(principal, Principal::Anonymous) {
            return Err(Fault::Unauthenticated("Unauthorized"));
        }
        let manages = principal.manages_users();
        if !manages && !is_own(access, id) {
            return Err(Fault::Forbidden(
                "You are not authorized to update this user",
            ));
        }
        let found = self.users.records().get(id);
        let old = found.ok_or_else(|| access.no_such_record(id))?;
        let role = changes.get("role").cloned();
        let role = role.filter(|role| old.fields().get("role") != Some(role));
        if role.is_some() && !manages {
            return Err(Fault::Forbidden(
                "You do not have permission to update user roles.",
            ));
        }
        changes.retain(|name, _| !is_managed(name));
        let mut merged = self.merge(access, old.fields(), changes)?;
        if let Some(role) = role {
            if !role.is_string() {
                return Err(Fault::InvalidField {
                    field: "role".to_owned(),
                    problem: "Input should be a valid string".to_owned(),
                });
            }
            merged.insert("_app_role".to_owned(), role.clone());
            merged.insert("role".to_owned(), role);
        }
        Ok((Arc::clone(old), merged))
    }

    pub(super) fn change_user(&mut self, old: &Record, mut fields: Fields) -> Arc<Record> {
        touch(&mut fields, self.now);
        let record = self.users.records_mut().replace(old, fields);
        self.note_user(Kind::Update, &record);
        record
    }

    /// What the platform answers to the creation of a user: what was sent, with stamps, and nothing stored.
    pub(super) fn echo_user(&mut self, caller: &Caller, fields: Fields) -> Result<Bytes, Fault> {
        let principal = self.principal(caller);
        let (email, id) = principal
            .creator()
            .ok_or(Fault::Unauthenticated("Unauthorized"))?;
        let now = self.now.to_string();
        let mut echo = Fields::new();
        let stamps = [
            ("created_by", json!(email)),
            ("created_by_id", json!(id)),
            ("id", json!(self.ids.next(self.now).to_string())),
            ("created_date", json!(now)),
            ("updated_date", json!(now)),
            ("is_sample", Value::Bool(false)),
        ];
        echo.extend(stamps.map(|(name, value)| (name.to_owned(), value)));
        echo.extend(fields);
        Ok(to_json(&echo))
    }

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
        let mut fields = old.fields().clone();
        let app_id = self.users.app_id();
        let wanted = [
            ("full_name", json!(full_name)),
            ("app_id", json!(&*app_id)),
            ("_app_role", json!("admin")),
            ("role", json!("admin")),
            ("collaborator_role", json!("editor")),
        ];
        fields.extend(wanted.map(|(name, value)| (name.to_owned(), value)));
        if fields == *old.fields() {
            return self.known(&old);
        }
        let record = self.change_user(&old, fields);
        self.known(&record)
    }

    /// The user for whom the platform has vouched, made if need be.
    ///
    /// # Errors
    ///
    /// When the address is none.
    pub fn vouch_user(&mut self, email: &str, full_name: &str) -> Result<Known, Fault> {
        if let Some(user) = self.users.by_email(email) {
            return Ok(self.known(user));
        }
        let email = crate::core::users::check_address(email)?;
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

    /// Sets a user's password.
    pub fn change_password(&mut self, email: &str, hash: PasswordHash) {
        self.users.change_password(email, hash);
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

    fn known(&self, user: &Record) -> Known {
        let text = |name| {
            record::text(user.fields(), name)
                .unwrap_or_default()
                .to_owned()
        };
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

    fn note_user(&mut self, kind: Kind, record: &Arc<Record>) {
        let name = self.users.name();
        self.note(kind, &name, Some(Arc::clone(record)));
    }
}

fn is_own(access: &Access, id: &str) -> bool {
    let user = access.principal().user();
    user.is_some_and(|user| record::text(user.fields(), "id") == Some(id))
}
