//! New records. What needs no stored data is done before the database is asked: a long request is read, checked and written
//! out while others read and write, and only stamps, rules and the storing itself keep them waiting.

use std::sync::Arc;

use bytes::Bytes;

use super::{Access, Database, Presenter, Stored, Target, write::fitting};
use crate::core::{
    access::FieldChange,
    body::{Body, BodyWriter},
    caller::Caller,
    change::Kind,
    fault::{Fault, Operation},
    filter::Filter,
    note::Note,
    record::{Fields, Record, Stamp},
    schema::{Schema, Strictness},
    stamp::RecordId,
    view::View,
};

/// A new record that may be stored.
#[derive(Debug)]
pub(super) struct Prepared {
    id: RecordId,
    body: Body,
}

/// A new record without its built-in fields.
#[derive(Debug)]
struct Proposal {
    body: BodyWriter,
    /// What the client sent, where fields have rules.
    sent: Option<Fields>,
    /// Told only to those whom the rules let create the record.
    checked: Result<(), Fault>,
}

/// The new records of one request, as far as they can be made ready beforehand.
#[derive(Debug)]
pub struct Batch {
    entity: String,
    caller: Caller,
    schema: Arc<Schema>,
    strictness: Arc<Strictness>,
    proposals: Vec<(Origin, Proposal)>,
}

/// Where a record stands in a request.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// In its body.
    Body,
    /// In a file, whose lines or records are counted from 1.
    File(&'static str, u64),
}

impl Batch {
    /// Adds a record.
    pub fn add(&mut self, fields: Fields) {
        let proposal = propose(&self.schema, &self.strictness, fields);
        self.proposals.push((Origin::Body, proposal));
    }

    pub(super) fn add_from(&mut self, unit: &'static str, number: u64, fields: Fields) {
        let proposal = propose(&self.schema, &self.strictness, fields);
        self.proposals.push((Origin::File(unit, number), proposal));
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Origin {
    /// Says which record it was: of a file in the answer, which is ours to word; of a body in the log.
    fn blame(self, fault: Fault, item: Note) -> Fault {
        match self {
            Self::File(unit, number) => {
                fault.reworded(|fault| Fault::bad_request(format!("{unit} {number}: {fault}")))
            }
            Self::Body => fault.noting(item),
        }
    }
}

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

    /// Where to gather new records; `None` for users, whom nobody adds here.
    ///
    /// # Errors
    ///
    /// For an unknown entity.
    pub fn batch(&self, entity: &str, caller: &Caller) -> Result<Option<Batch>, Fault> {
        let Target::Records(place) = self.target(entity)? else {
            return Ok(None);
        };
        Ok(Some(Batch {
            entity: entity.to_owned(),
            caller: caller.clone(),
            schema: Arc::clone(&self.entities[place].schema),
            strictness: Arc::clone(&self.strictness),
            proposals: Vec::new(),
        }))
    }

    /// Adds records, all or none; answers with them in the same order. `None` when the schema has changed since the batch
    /// was begun, so that it has to be gathered again.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn store(&mut self, batch: Batch) -> Result<Option<Stored>, Fault> {
        let Target::Records(place) = self.target(&batch.entity)? else {
            return Ok(None);
        };
        let access = self.access(place, &batch.caller);
        if !Arc::ptr_eq(access.schema(), &batch.schema) {
            return Ok(None);
        }
        let may_create = access.filter(Operation::Create);
        let all = batch.proposals.len();
        let mut prepared = Vec::with_capacity(all);
        for (origin, proposal) in batch.proposals {
            let new = self.admit(&access, &may_create, proposal);
            let number = prepared.len() + 1;
            prepared.push(new.map_err(|fault| origin.blame(fault, access.item(number, all)))?);
        }
        let records = prepared.into_iter().map(|new| self.add(place, new));
        Ok(Some(Stored {
            records: records.collect(),
            presenter: Presenter::new(access.reader()),
        }))
    }

    /// Makes a whole record of what a client sent, if the caller may create it.
    pub(super) fn prepare(&mut self, access: &Access, fields: Fields) -> Result<Prepared, Fault> {
        let proposal = propose(access.schema(), &self.strictness, fields);
        self.admit(access, &access.filter(Operation::Create), proposal)
    }

    fn admit(
        &mut self,
        access: &Access,
        may_create: &Filter,
        proposal: Proposal,
    ) -> Result<Prepared, Fault> {
        let id = self.ids.next(self.now);
        let creator = access.principal().creator();
        let stamp = Stamp {
            id,
            now: self.now,
            creator: creator.as_ref().map(|(email, id)| (&**email, &**id)),
        };
        let mut body = proposal.body;
        stamp.write(&mut body);
        let body = body.finish();
        let view = View::from(&body);
        access.require_create(may_create, view)?;
        if let Some(sent) = &proposal.sent {
            let change = FieldChange {
                before: &Fields::new(),
                after: sent,
            };
            access.require_fields(Operation::Create, view, change)?;
        }
        proposal.checked?;
        Ok(Prepared {
            id,
            body: fitting(body)?,
        })
    }

    /// Stores a new record.
    pub(super) fn add(&mut self, place: usize, new: Prepared) -> Arc<Record> {
        let entity = &mut self.entities[place];
        let record = entity.records.insert(new.id, new.body);
        let name = Arc::clone(&entity.name);
        self.note(Kind::Create, &name, Some(Arc::clone(&record)));
        record
    }
}

fn propose(schema: &Schema, strictness: &Strictness, mut fields: Fields) -> Proposal {
    schema.retain_known(&mut fields);
    let sent = (!schema.guards().is_empty()).then(|| fields.clone());
    schema.apply_defaults(&mut fields);
    let mut body = BodyWriter::default();
    body.extend(&fields);
    Proposal {
        body,
        sent,
        checked: schema.check_new(&fields, strictness),
    }
}
