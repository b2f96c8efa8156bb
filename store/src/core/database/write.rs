//! Single records: create and update. Each is rule, field rules, defaults, validation and change in one go.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{Access, Database, Entity, Presenter, Target};
use crate::core::{
    caller::Caller,
    change::Kind,
    fault::{Fault, Operation},
    record::{Fields, Record, Stamp},
    stamp::RecordId,
};

/// A new record that may be stored.
pub(super) type Prepared = (RecordId, Fields);

impl Database {
    /// Adds one record and answers with it.
    ///
    /// # Errors
    ///
    /// When a rule or the schema refuses it.
    pub fn create(
        &mut self,
        entity: &str,
        caller: &Caller,
        fields: Fields,
    ) -> Result<Bytes, Fault> {
        let Target::Records(place) = self.target(entity)? else {
            return self.echo_user(caller, fields);
        };
        let access = self.access(place, caller);
        let prepared = self.prepare(&access, fields)?;
        let record = self.add(place, prepared);
        Ok(Presenter::new(access.reader()).json(&record))
    }

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
        let fields = self.merge(&access, old.fields(), changes)?;
        let record = self.change(place, &old, fields);
        Ok(Presenter::new(access.reader()).json(&record))
    }

    /// The caller at an entity.
    pub(super) fn access(&self, place: usize, caller: &Caller) -> Access {
        let Entity { name, schema, .. } = &self.entities[place];
        let scope = self.scope(caller, name);
        Access::new(Arc::clone(schema), scope, Arc::clone(name))
    }

    /// Makes a whole record of what a client sent, if the caller may create it.
    pub(super) fn prepare(
        &mut self,
        access: &Access,
        mut fields: Fields,
    ) -> Result<Prepared, Fault> {
        let schema = access.schema();
        schema.retain_known(&mut fields);
        let sent = access.guards_fields().then(|| fields.clone());
        schema.apply_defaults(&mut fields);
        let id = self.ids.next(self.now);
        let stamp = Stamp {
            id,
            now: self.now,
            creator: access.principal().creator(),
        };
        stamp.apply(&mut fields);
        access.require_create(&fields)?;
        if let Some(sent) = &sent {
            access.require_fields(Operation::Create, &fields, (&Fields::new(), sent))?;
        }
        schema.check_new(&fields, &self.strictness)?;
        Ok((id, fields))
    }

    /// The record with changes in it, if the caller may make them.
    pub(super) fn merge(
        &self,
        access: &Access,
        stored: &Fields,
        mut changes: Fields,
    ) -> Result<Fields, Fault> {
        let schema = access.schema();
        schema.retain_known(&mut changes);
        let mut merged = stored.clone();
        for (name, value) in &changes {
            merged.insert(name.clone(), value.clone());
        }
        access.require_fields(Operation::Update, stored, (stored, &merged))?;
        schema.check_values(&changes, &self.strictness)?;
        Ok(merged)
    }

    /// Stores a new record.
    pub(super) fn add(&mut self, place: usize, (id, fields): Prepared) -> Arc<Record> {
        let entity = &mut self.entities[place];
        let record = entity.records.insert(id, fields);
        let name = Arc::clone(&entity.name);
        self.note(Kind::Create, &name, Some(Arc::clone(&record)));
        record
    }

    /// Stores another version of a record.
    pub(super) fn change(&mut self, place: usize, old: &Record, mut fields: Fields) -> Arc<Record> {
        touch(&mut fields, self.now);
        let entity = &mut self.entities[place];
        let record = entity.records.replace(old, fields);
        let name = Arc::clone(&entity.name);
        self.note(Kind::Update, &name, Some(Arc::clone(&record)));
        record
    }
}

/// Sets the date of the last change.
pub(super) fn touch(fields: &mut Fields, now: crate::core::stamp::Timestamp) {
    fields.insert("updated_date".to_owned(), Value::from(now.to_string()));
}
