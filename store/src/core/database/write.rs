//! Changes of single records: rule, field rules, validation and change in one go.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{Access, Database, Entity, Presenter, Target};
use crate::core::{
    access::FieldChange,
    body::Body,
    caller::Caller,
    change::Kind,
    fault::{Fault, Operation},
    record::{Fields, Record},
};

impl Database {
    /// Changes the given top-level fields of one record and answers with all of it.
    ///
    /// # Errors
    ///
    /// When there is no such record for the caller, or a rule or the schema refuses the change.
    pub fn update(
        &mut self,
        entity: &str,
        caller: &Caller,
        id: &str,
        changes: Fields,
    ) -> Result<Bytes, Fault> {
        let Target::Records(place) = self.target(entity)? else {
            return self.update_user(caller, id, changes);
        };
        let access = self.access(place, caller);
        let found = self.entities[place].records.get(id);
        let old = Arc::clone(access.require(Operation::Update, id, found)?);
        let body = self.revise(&access, &old, changes)?;
        let record = self.put(place, &old, body);
        Ok(Presenter::new(access.reader()).json(&record))
    }

    /// The caller at an entity.
    pub(super) fn access(&self, place: usize, caller: &Caller) -> Access {
        let Entity { name, schema, .. } = &self.entities[place];
        let scope = self.scope(caller, name);
        Access::new(Arc::clone(schema), scope, Arc::clone(name))
    }

    /// The record with changes in it, if the caller may make them.
    pub(super) fn revise(
        &self,
        access: &Access,
        current: &Body,
        mut changes: Fields,
    ) -> Result<Body, Fault> {
        self.check_changes(access, &mut changes, current)?;
        touch(&mut changes, self.now);
        fitting(current.with(&changes))
    }

    /// Refuses what the caller may not change, and leaves out what the schema does not know.
    pub(super) fn check_changes(
        &self,
        access: &Access,
        changes: &mut Fields,
        current: &Body,
    ) -> Result<(), Fault> {
        let schema = access.schema();
        schema.retain_known(changes);
        if !schema.guards().is_empty() {
            let before = current.fields();
            let mut after = before.clone();
            after.extend(changes.clone());
            let change = FieldChange {
                before: &before,
                after: &after,
            };
            access.require_fields(Operation::Update, current.into(), change)?;
        }
        schema.check_values(changes, &self.strictness)
    }

    /// Stores another version of a record.
    pub(super) fn put(&mut self, place: usize, old: &Record, body: Body) -> Arc<Record> {
        let entity = &mut self.entities[place];
        let record = entity.records.replace(old, body);
        let name = Arc::clone(&entity.name);
        self.note(Kind::Update, &name, Some(Arc::clone(&record)));
        record
    }
}

/// Bytes of a record's JSON at most: MongoDB's bound on a document.
const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Refuses a record that has grown too large to be stored, and to be sent in one message.
pub(super) fn fitting(body: Body) -> Result<Body, Fault> {
    match body.json().len() > MAX_RECORD_BYTES {
        true => Err(Fault::bad_request(format!(
            "A record may have {} MiB at most",
            MAX_RECORD_BYTES / 1024 / 1024
        ))),
        false => Ok(body),
    }
}

/// Sets the date of the last change.
pub(super) fn touch(fields: &mut Fields, now: crate::core::stamp::Timestamp) {
    fields.insert("updated_date".to_owned(), Value::from(now.to_string()));
}
