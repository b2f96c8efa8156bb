//! Update operators on all records that match. Every new version is made before any is stored, so a refusal leaves
//! nothing behind.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Access, Database, Selection, Target,
    bulk::{BULK, Draft},
    user_records::new_role,
    write::{fitting, touch},
};
use crate::core::{
    access::{FieldChange, Reader},
    body::Body,
    caller::Caller,
    fault::{Fault, Operation},
    filter::Filter,
    path::FieldPath,
    record::{Fields, Record},
    schema::Schema,
    sort::Direction,
    update::Update,
    users::{ROLE, is_managed},
    value::{self, Lent},
    view::View,
};

/// Bytes by which one call with update operators lets records grow, all together.
const MAX_GROWTH_BYTES: usize = 64 * 1024 * 1024;

/// What an update of matching records did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdatedWhere {
    /// How many records it changed.
    pub updated: usize,
    /// Whether more matched than one call changes.
    pub has_more: bool,
}

impl Database {
    /// Applies update operators to the oldest matching records that the caller may read and update, all or none.
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
    ) -> Result<UpdatedWhere, Fault> {
        let target = self.target(entity)?;
        let access = self.access_to(&target, caller);
        let update = self.read_update(&target, access.schema(), update)?;
        let may_update = match target {
            Target::Records(_) => access.filter(Operation::Update),
            Target::Users => Filter::all(),
        };
        let selection = self.select_now(entity, caller, filter)?;
        let mut chosen = choose(&selection, &may_update)?;
        drop(selection);
        let has_more = chosen.len() > BULK;
        chosen.truncate(BULK);
        let drafts = self.operate_on(&target, chosen, &access, &update)?;
        let updated = drafts.len();
        for draft in drafts {
            self.put_draft(&target, draft);
        }
        Ok(UpdatedWhere { updated, has_more })
    }

    /// The operators, as far as they concern fields that can be set. A user's role can be, by some.
    fn read_update(
        &self,
        target: &Target,
        schema: &Schema,
        update: &Value,
    ) -> Result<Update, Fault> {
        let mut update = Update::parse(update, &self.now.to_string(), |path| schema.is_date(path))?;
        update.retain(|field| match target {
            Target::Records(_) => schema.takes(field),
            Target::Users => field == ROLE || schema.takes(field) && !is_managed(field),
        });
        Ok(update)
    }

    fn operate_on(
        &self,
        target: &Target,
        chosen: Vec<Arc<Record>>,
        access: &Access,
        update: &Update,
    ) -> Result<Vec<Draft>, Fault> {
        let reader = access.reader();
        let mut growth = 0;
        let drafts = chosen.into_iter().map(|old| {
            refuse_moves(update, &reader, &old)?;
            let body = self.operate(target, access, update, &old)?;
            growth += body.json().len().saturating_sub(old.json().len());
            match growth > MAX_GROWTH_BYTES {
                true => Err(Fault::bad_request(format!(
                    "One update lets records grow by {} MiB at most: choose fewer",
                    MAX_GROWTH_BYTES / 1024 / 1024
                ))),
                false => Ok(Draft { old, body }),
            }
        });
        drafts.collect()
    }

    fn operate(
        &self,
        target: &Target,
        access: &Access,
        update: &Update,
        stored: &Body,
    ) -> Result<Body, Fault> {
        let before = stored.fields();
        let mut after = before.clone();
        update.apply(&mut after)?;
        refuse_depth(&after)?;
        if matches!(target, Target::Users) && after.get(ROLE) != before.get(ROLE) {
            let role = new_role(access, after.get(ROLE))?;
            after.extend(role);
        }
        let change = FieldChange {
            before: &before,
            after: &after,
        };
        access.require_fields(Operation::Update, stored.into(), change)?;
        let schema = access.schema();
        schema.check_changed(&before, &after, &self.strictness)?;
        touch(&mut after, self.now);
        fitting(Body::from(&after))
    }
}

/// The oldest of the records that may be changed, one more than a call changes if there are as many.
fn choose(selection: &Selection, may_update: &Filter) -> Result<Vec<Arc<Record>>, Fault> {
    let mut chosen = Vec::new();
    for found in selection.matching(selection.walk(Direction::Ascending)) {
        let (record, _) = found?;
        if may_update.matches(record)? {
            chosen.push(Arc::clone(record));
        }
        if chosen.len() > BULK {
            break;
        }
    }
    Ok(chosen)
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
            "The update would nest a record more than {} levels deep",
            value::MAX_DEPTH
        ))),
        Some(_) | None => Ok(()),
    }
}
