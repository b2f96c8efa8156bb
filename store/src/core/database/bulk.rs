//! Writes of many records. All of a request is prepared before any of it is stored, so a refusal leaves nothing behind.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use super::{Access, Database, Presenter, Target, create::Prepared};
use crate::core::{
    access::Reader,
    caller::Caller,
    fault::{Fault, Operation},
    filter::{Filter, Predicate},
    path::FieldPath,
    record::{Fields, Record},
    sort::Direction,
    update::Update,
    users::is_managed,
    value::{self, Lent},
    view::View,
};

/// Records that one call updates at most.
pub const BULK: usize = 500;

/// A new version of a stored record that may be stored.
type Draft = (Arc<Record>, Fields);

/// What an upsert did.
#[derive(Debug, Default)]
pub struct Upserted {
    /// How many records it made.
    pub created: usize,
    /// How many it changed.
    pub updated: usize,
    /// All of them as the caller may see them.
    pub records: Vec<Bytes>,
}

enum Step {
    Create(Prepared),
    Update(Draft),
}

impl Database {
    /// Changes records by id, all or none; answers with them in the same order.
    ///
    /// # Errors
    ///
    /// The first refusal; a record that is not there for the caller is one.
    pub fn update_many(
        &mut self,
        entity: &str,
        caller: &Caller,
        changes: Vec<Fields>,
    ) -> Result<Vec<Bytes>, Fault> {
        check_number(changes.len())?;
        let changes = changes.into_iter().map(with_id);
        let changes = changes.collect::<Result<Vec<_>, _>>()?;
        let Target::Records(place) = self.target(entity)? else {
            return self.update_users(caller, changes);
        };
        let access = self.access(place, caller);
        let mut drafts: IndexMap<u64, Draft> = IndexMap::new();
        let mut order = Vec::with_capacity(changes.len());
        let all = changes.len();
        for (id, changes) in changes {
            let found = self.entities[place].records.get(&id);
            let old = access.require(Operation::Update, &id, found)?;
            let merged = match drafts.get(&old.seq()) {
                Some((_, current)) => self.merge(&access, current.clone(), changes),
                None => self.merge(&access, old.fields(), changes),
            };
            let blame = |fault: &Fault| access.log_item(fault, (order.len(), all));
            let fields = merged.inspect_err(blame)?;
            order.push(old.seq());
            let old = Arc::clone(old);
            drafts.insert(old.seq(), (old, fields));
        }
        let presenter = Presenter::new(access.reader());
        let written: HashMap<_, _> = drafts
            .into_iter()
            .map(|(seq, (old, fields))| (seq, self.change(place, &old, fields)))
            .collect();
        Ok(order
            .iter()
            .map(|seq| presenter.json(&written[seq]))
            .collect())
    }

    fn update_users(
        &mut self,
        caller: &Caller,
        changes: Vec<(String, Fields)>,
    ) -> Result<Vec<Bytes>, Fault> {
        let access = self.user_access(caller);
        for (id, changes) in &changes {
            self.merge_user(&access, id, changes.clone())?;
        }
        let presenter = Presenter::new(access.reader());
        let mut written = Vec::with_capacity(changes.len());
        for (id, changes) in changes {
            let (old, fields) = self.merge_user(&access, &id, changes)?;
            written.push(presenter.json(&self.change_user(&old, fields)));
        }
        Ok(written)
    }

    /// Applies update operators to the oldest matching records that the caller may read and update, all or none.
    /// Answers with their number, and whether more matched than one call changes.
    ///
    /// # Errors
    ///
    /// For a malformed update, and for the first record that does not take it.
    pub fn update_where(
        &mut self,
        entity: &str,
        caller: &Caller,
        filter: &Filter,
        update: &Value,
    ) -> Result<(usize, bool), Fault> {
        let target = self.target(entity)?;
        let access = match target {
            Target::Records(place) => self.access(place, caller),
            Target::Users => self.user_access(caller),
        };
        let schema = Arc::clone(access.schema());
        let mut update = Update::parse(update, &self.now.to_string(), |path| schema.is_date(path))?;
        update.retain(|field| {
            schema.takes(field) && !(matches!(target, Target::Users) && is_managed(field))
        });
        let may_update = match target {
            Target::Records(_) => access.filter(Operation::Update),
            Target::Users => Filter::all(),
        };
        let selection = self.select_now(entity, caller, filter)?;
        let mut drafts = Vec::new();
        for found in selection.matching(selection.walk(Direction::Ascending)) {
            let (record, _) = found?;
            if may_update.matches(record)? {
                drafts.push(Arc::clone(record));
            }
            if drafts.len() > BULK {
                break;
            }
        }
        drop(selection);
        let has_more = drafts.len() > BULK;
        drafts.truncate(BULK);
        let reader = access.reader();
        let drafts = drafts.into_iter().map(|record| {
            refuse_moves(&update, &reader, &record)?;
            let fields = self.operate(&access, &update, &record.fields())?;
            Ok((record, fields))
        });
        let drafts = drafts.collect::<Result<Vec<Draft>, Fault>>()?;
        let updated = drafts.len();
        for (old, fields) in drafts {
            match target {
                Target::Records(place) => self.change(place, &old, fields),
                Target::Users => self.change_user(&old, fields),
            };
        }
        Ok((updated, has_more))
    }

    fn operate(&self, access: &Access, update: &Update, stored: &Fields) -> Result<Fields, Fault> {
        let mut fields = stored.clone();
        update.apply(&mut fields)?;
        refuse_depth(&fields)?;
        access.require_fields(Operation::Update, View::from(stored), (stored, &fields))?;
        let schema = access.schema();
        schema.check_changed(stored, &fields, &self.strictness)?;
        Ok(fields)
    }

    /// Changes the records whose key fields have the given values and makes the others, all or none.
    ///
    /// # Errors
    ///
    /// For a record without a value for a key field, and the first refusal.
    pub fn upsert(
        &mut self,
        entity: &str,
        caller: &Caller,
        records: Vec<Fields>,
        key: &[String],
    ) -> Result<Upserted, Fault> {
        check_number(records.len())?;
        let records = by_key(records, key)?;
        let Target::Records(place) = self.target(entity)? else {
            return Ok(Upserted::default());
        };
        let access = self.access(place, caller);
        let mut steps = Vec::with_capacity(records.len());
        for fields in records {
            let step = match self.find_by_key(entity, caller, &fields, key)? {
                None => Step::Create(self.prepare(&access, fields)?),
                Some(old) => {
                    let id = old.id().to_string();
                    access.require(Operation::Update, &id, Some(&old))?;
                    let fields = self.merge(&access, old.fields(), fields)?;
                    Step::Update((old, fields))
                }
            };
            steps.push(step);
        }
        let presenter = Presenter::new(access.reader());
        let mut done = Upserted::default();
        for step in steps {
            let record = match step {
                Step::Create(prepared) => {
                    done.created += 1;
                    self.add(place, prepared)
                }
                Step::Update((old, fields)) => {
                    done.updated += 1;
                    self.change(place, &old, fields)
                }
            };
            done.records.push(presenter.json(&record));
        }
        Ok(done)
    }

    /// The oldest record that the caller can see to have the same values in all key fields.
    fn find_by_key(
        &mut self,
        entity: &str,
        caller: &Caller,
        fields: &Fields,
        key: &[String],
    ) -> Result<Option<Arc<Record>>, Fault> {
        let wanted: Vec<_> = key
            .iter()
            .map(|name| {
                (
                    FieldPath::parse(name),
                    fields.get(name).unwrap_or(&Value::Null),
                )
            })
            .collect();
        let equalities = wanted.iter().map(|(path, value)| {
            Filter::field(&path.to_string(), Predicate::equal((*value).clone()))
        });
        let filter = Filter::and(equalities.collect());
        let selection = self.select_now(entity, caller, &filter)?;
        for found in selection.matching(selection.walk(Direction::Ascending)) {
            let (record, mask) = found?;
            let view = View::masked(record, &mask);
            let same = |(path, value): &(FieldPath, &Value)| {
                path.resolve(view)
                    .is_some_and(|found| found.get().equals(value))
            };
            if wanted.iter().all(same) {
                return Ok(Some(Arc::clone(record)));
            }
        }
        Ok(None)
    }
}

/// A value that the caller may not read must not be moved to where they may.
fn refuse_moves(update: &Update, reader: &Reader, record: &Arc<Record>) -> Result<(), Fault> {
    let mask = reader.mask(record);
    let hidden = |path: &&FieldPath| {
        let (all, shown) = (record.into(), View::masked(record, &mask));
        let value = |view| path.resolve(view).map(Lent::into_value);
        value(all) != value(shown)
    };
    let fields: Vec<_> = update.moved().filter(hidden).collect();
    match fields.is_empty() {
        true => Ok(()),
        false => Err(Fault::FieldsDenied {
            operation: Operation::Update,
            fields: fields.iter().map(|path| format!("data.{path}")).collect(),
        }),
    }
}

/// Operators can nest what one request could not send; beyond MongoDB's bound a record could not be read again.
fn refuse_depth(fields: &Fields) -> Result<(), Fault> {
    match fields.values().map(value::depth).max() {
        Some(depth) if depth >= value::MAX_DEPTH => Err(Fault::bad_request(format!(
            "the update would nest a record more than {} levels deep",
            value::MAX_DEPTH
        ))),
        Some(_) | None => Ok(()),
    }
}

fn check_number(number: usize) -> Result<(), Fault> {
    match number > BULK {
        true => Err(Fault::bad_request(format!(
            "at most {BULK} records can be written in one call, not {number}"
        ))),
        false => Ok(()),
    }
}

fn with_id(mut changes: Fields) -> Result<(String, Fields), Fault> {
    match changes.shift_remove("id") {
        Some(Value::String(id)) => Ok((id, changes)),
        Some(_) | None => Err(Fault::bad_request("Each record must have an id")),
    }
}

/// One record for each value of the key, where the value first occurs; the last of equals wins.
fn by_key(records: Vec<Fields>, key: &[String]) -> Result<Vec<Fields>, Fault> {
    if key.is_empty() {
        return Err(Fault::bad_request("key must name at least one field"));
    }
    let mut kept: Vec<Fields> = Vec::with_capacity(records.len());
    let mut places = HashMap::with_capacity(records.len());
    for record in records {
        let mut bytes = Vec::new();
        for name in key {
            let found = record.get(name).filter(|value| !value.is_null());
            let found = found.ok_or_else(|| {
                Fault::bad_request(format!(
                    "Each record must have a value for the key field {name}"
                ))
            })?;
            value::write_key(found, &mut bytes);
        }
        match places.entry(bytes) {
            Entry::Occupied(place) => kept[*place.get()] = record,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(record);
            }
        }
    }
    Ok(kept)
}
