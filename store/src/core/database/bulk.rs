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
    body::Body,
    caller::Caller,
    fault::{Fault, Operation},
    filter::{Filter, Predicate},
    path::FieldPath,
    record::{Fields, Record},
    sort::Direction,
    value,
    view::View,
};

/// Records that one call updates at most.
pub(super) const BULK: usize = 500;

/// A new version of a stored record that may be stored.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) old: Arc<Record>,
    pub(super) body: Body,
}

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
        let target = self.target(entity)?;
        let access = self.access_to(&target, caller);
        let mut drafts: IndexMap<u64, Draft> = IndexMap::new();
        let mut order = Vec::with_capacity(changes.len());
        let all = changes.len();
        for (id, changes) in changes {
            let old = self.to_change(&target, &access, &id)?;
            let current = match drafts.get(&old.seq()) {
                Some(draft) => &draft.body,
                None => &**old,
            };
            let revised = match target {
                Target::Records(_) => self.revise(&access, current, changes),
                Target::Users => self.revise_user(&access, current, changes),
            };
            let item = || access.item(order.len() + 1, all);
            let body = revised.map_err(|fault| fault.noting(item()))?;
            order.push(old.seq());
            drafts.insert(old.seq(), Draft { old, body });
        }
        let written: HashMap<_, _> = drafts
            .into_iter()
            .map(|(seq, draft)| (seq, self.put_draft(&target, draft)))
            .collect();
        // The caller as they are now: one of the changes may have been of their own role.
        let presenter = Presenter::new(self.access_to(&target, caller).reader());
        Ok(order
            .iter()
            .map(|seq| presenter.json(&written[seq]))
            .collect())
    }

    /// The caller at what an entity's name leads to.
    pub(super) fn access_to(&self, target: &Target, caller: &Caller) -> Access {
        match target {
            Target::Records(place) => self.access(*place, caller),
            Target::Users => self.user_access(caller),
        }
    }

    /// A record that the caller may change.
    fn to_change(&self, target: &Target, access: &Access, id: &str) -> Result<Arc<Record>, Fault> {
        match target {
            Target::Records(place) => {
                let found = self.entities[*place].records.get(id);
                access.require(Operation::Update, id, found).cloned()
            }
            Target::Users => self.user_to_change(access, id),
        }
    }

    pub(super) fn put_draft(&mut self, target: &Target, Draft { old, body }: Draft) -> Arc<Record> {
        match target {
            Target::Records(place) => self.put(*place, &old, body),
            Target::Users => self.put_user(&old, body),
        }
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
            return self.upsert_users(entity, caller, records, key);
        };
        let access = self.access(place, caller);
        let mut steps = Vec::with_capacity(records.len());
        for fields in records {
            let step = match self.find_by_key(entity, caller, &fields, key)? {
                None => Step::Create(self.prepare(&access, fields)?),
                Some(old) => {
                    let id = old.id().to_string();
                    access.require(Operation::Update, &id, Some(&old))?;
                    let body = self.revise(&access, &old, fields)?;
                    Step::Update(Draft { old, body })
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
                Step::Update(Draft { old, body }) => {
                    done.updated += 1;
                    self.put(place, &old, body)
                }
            };
            done.records.push(presenter.json(&record));
        }
        Ok(done)
    }

    /// Nobody is added this way, so that records without a user are passed over.
    fn upsert_users(
        &mut self,
        entity: &str,
        caller: &Caller,
        records: Vec<Fields>,
        key: &[String],
    ) -> Result<Upserted, Fault> {
        let access = self.user_access(caller);
        let mut drafts = Vec::new();
        for fields in records {
            if let Some(user) = self.find_by_key(entity, caller, &fields, key)? {
                let old = self.user_to_change(&access, &user.id().to_string())?;
                let body = self.revise_user(&access, &old, fields)?;
                drafts.push(Draft { old, body });
            }
        }
        let written: Vec<_> = drafts
            .into_iter()
            .map(|Draft { old, body }| self.put_user(&old, body))
            .collect();
        // The caller as they are now: one of the changes may have been of their own role.
        let presenter = Presenter::new(self.user_access(caller).reader());
        Ok(Upserted {
            created: 0,
            updated: written.len(),
            records: written.iter().map(|user| presenter.json(user)).collect(),
        })
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

fn check_number(number: usize) -> Result<(), Fault> {
    match number > BULK {
        true => Err(Fault::bad_request(format!(
            "At most {BULK} records can be written in one call, not {number}"
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
        return Err(Fault::bad_request("`key` must name at least one field"));
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
