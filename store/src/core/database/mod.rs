//! All that the store holds, and every operation on it. One value, no locks, no clock: whoever calls keeps it to one
//! writer at a time and says what time it is.

mod access;
mod accounts;
mod bulk;
mod create;
mod feed;
mod import;
mod page;
mod read;
mod remove;
mod schemas;
mod update_where;
mod user_records;
mod write;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use indexmap::IndexMap;
use parking_lot::Mutex;

pub use self::{
    access::Access,
    accounts::Known,
    bulk::Upserted,
    create::Batch,
    feed::Watcher,
    page::{MAX_PAGE_RECORDS, Page, PageSpec},
    read::{Presenter, Selection, Stored, Taken},
    schemas::{Applied, SchemaChange, SchemaProblem, SchemaSource, Shift},
    update_where::UpdatedWhere,
};
use super::{
    access::Scope,
    caller::{Caller, Principal},
    change::{Change, Kind},
    collection::Collection,
    fault::Fault,
    record::Record,
    schema::{Schema, Strictness},
    stamp::{Ids, Timestamp},
    users::{USER, Users},
};

/// One entity with its records.
#[derive(Debug)]
struct Entity {
    name: Arc<str>,
    schema: Arc<Schema>,
    records: Collection,
}

/// What an entity's name leads to.
enum Target {
    /// The entity at this place.
    Records(usize),
    /// The users of the app.
    Users,
}

/// How much is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Entities with a schema.
    pub entities: usize,
    /// Records of all entities but users.
    pub records: usize,
    /// Users.
    pub users: usize,
    /// Sequence number of the newest change.
    pub sequence: u64,
}

/// Entities, users, and the changes that have not been handed out yet.
#[derive(Debug)]
pub struct Database {
    entities: IndexMap<String, Entity>,
    users: Users,
    strictness: Arc<Strictness>,
    ids: Ids,
    now: Timestamp,
    sequence: u64,
    changes: Vec<Change>,
    respelled: Mutex<HashSet<String>>,
}

impl Database {
    /// An empty store whose ids differ from those of stores with another seed.
    #[must_use]
    pub fn new(seed: [u8; 4]) -> Self {
        Self {
            entities: IndexMap::new(),
            users: Users::default(),
            strictness: Arc::default(),
            ids: Ids::new(seed),
            now: Timestamp::default(),
            sequence: 0,
            changes: Vec::new(),
            respelled: Mutex::default(),
        }
    }

    /// Says what time it is. Time never goes back here, so that the order of creation is the order of creation dates.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The changes since this was last asked, in the order of commit.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The users and their accounts.
    #[must_use]
    pub const fn users(&self) -> &Users {
        &self.users
    }

    /// How much is held.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            entities: self.entities.len(),
            records: self
                .entities
                .values()
                .map(|entity| entity.records.len())
                .sum(),
            users: self.users.records().len(),
            sequence: self.sequence,
        }
    }

    /// The schemas with the number of records each entity holds, in the order in which they were applied.
    pub fn entities(&self) -> impl Iterator<Item = (&Schema, usize)> {
        let of_users = self.users.own_schema();
        let users = of_users.map(|schema| (&**schema, self.users.records().len()));
        let entities = self.entities.values();
        entities
            .map(|entity| (&*entity.schema, entity.records.len()))
            .chain(users)
    }

    /// What the store knows about a caller. A user without an account is nobody.
    #[must_use]
    pub fn principal(&self, caller: &Caller) -> Principal {
        match caller {
            Caller::Anonymous => Principal::Anonymous,
            Caller::Service => Principal::Service,
            Caller::User {
                email,
                bypass_rules,
            } => match self.users.by_email(email) {
                Some(record) => Principal::User {
                    record: Arc::clone(record),
                    bypass_rules: *bypass_rules,
                },
                None => Principal::Anonymous,
            },
        }
    }

    /// Finds an entity by its exact name, else by its name in another spelling, which is worth one warning.
    fn target(&self, name: &str) -> Result<Target, Fault> {
        if let Some(place) = self.entities.get_index_of(name) {
            return Ok(Target::Records(place));
        }
        if name.eq_ignore_ascii_case(USER) {
            return Ok(Target::Users);
        }
        let same = |entity: &String| entity.eq_ignore_ascii_case(name);
        let place = self.entities.keys().position(same);
        let place = place.ok_or_else(|| Fault::UnknownEntity(name.to_owned()))?;
        if self.respelled.lock().insert(name.to_owned()) {
            let entity = &*self.entities[place].name;
            tracing::warn!(
                entity,
                "entity is called as `{name}`, which the platform may not find"
            );
        }
        Ok(Target::Records(place))
    }

    fn scope(&self, caller: &Caller, entity: &Arc<str>) -> Scope {
        Scope::new(
            self.principal(caller),
            Arc::clone(entity),
            self.users.app_id(),
        )
    }

    fn note(&mut self, kind: Kind, entity: &Arc<str>, record: Option<Arc<Record>>) {
        self.sequence += 1;
        self.changes.push(Change {
            sequence: self.sequence,
            kind,
            entity: Arc::clone(entity),
            at: self.now,
            record,
        });
    }
}
