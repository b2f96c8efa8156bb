//! Users as an entity. Their built-in rule stands in the place of entity rules: users read and change themselves, admins
//! and the service role everybody; nobody adds or removes a user here, which is passed over in silence.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Access, Database, Presenter,
    write::{fitting, touch},
};
use crate::core::{
    body::Body,
    caller::{Caller, Principal},
    change::Kind,
    fault::Fault,
    record::{Fields, Record, to_json},
    users::{ROLE, is_managed},
};

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
        let id = user.map(|user| user.id().to_string());
        let id = id.ok_or(Fault::Unauthenticated(
            "Authentication required to view users",
        ))?;
        self.update_user(caller, &id, changes)
    }

    pub(super) fn update_user(
        &mut self,
        caller: &Caller,
        id: &str,
        changes: Fields,
    ) -> Result<Bytes, Fault> {
        let access = self.user_access(caller);
        let old = self.user_to_change(&access, id)?;
        let body = self.revise_user(&access, &old, changes)?;
        let record = self.put_user(&old, body);
        // Seen with the eyes of the caller as they are now: the change may have been of their own role.
        let access = self.user_access(caller);
        Ok(Presenter::new(access.reader()).json(&record))
    }

    /// A user's record, if the caller may change it.
    pub(super) fn user_to_change(&self, access: &Access, id: &str) -> Result<Arc<Record>, Fault> {
        let principal = access.principal();
        if matches!(principal, Principal::Anonymous) {
            return Err(Fault::Unauthenticated("Unauthorized"));
        }
        if !principal.manages_users() && !is_own(access, id) {
            return Err(Fault::Forbidden(
                "You are not authorized to update this user",
            ));
        }
        let found = self.users.records().get(id);
        found.cloned().ok_or_else(|| access.no_such_record(id))
    }

    /// A user's record with changes in it, if the caller may make them.
    pub(super) fn revise_user(
        &self,
        access: &Access,
        current: &Body,
        mut changes: Fields,
    ) -> Result<Body, Fault> {
        let role = changes.get(ROLE).filter(|role| {
            let stored = current.get(ROLE);
            stored.is_none_or(|stored| stored.into_value() != **role)
        });
        let role = role.map(|role| new_role(access, Some(role))).transpose()?;
        changes.retain(|name, _| !is_managed(name));
        self.check_changes(access, &mut changes, current)?;
        changes.extend(role.into_iter().flatten());
        touch(&mut changes, self.now);
        fitting(current.with(&changes))
    }

    /// Stores another version of a user.
    pub(super) fn put_user(&mut self, old: &Record, body: Body) -> Arc<Record> {
        let record = self.users.records_mut().replace(old, body);
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

    pub(super) fn note_user(&mut self, kind: Kind, record: &Arc<Record>) {
        let name = self.users.name();
        self.note(kind, &name, Some(Arc::clone(record)));
    }
}

/// A role that is about to be given, under both of its names, if the caller may give it.
pub(super) fn new_role(
    access: &Access,
    role: Option<&Value>,
) -> Result<[(String, Value); 2], Fault> {
    if !access.principal().manages_users() {
        return Err(Fault::Forbidden(
            "You do not have permission to update user roles.",
        ));
    }
    let role = role.filter(|role| role.is_string());
    let role = role.ok_or_else(|| Fault::InvalidField {
        field: ROLE.to_owned(),
        problem: "Input should be a valid string".to_owned(),
    })?;
    Ok(["_app_role", ROLE].map(|name| (name.to_owned(), role.clone())))
}

fn is_own(access: &Access, id: &str) -> bool {
    let user = access.principal().user();
    user.is_some_and(|user| user.id().to_string() == id)
}
