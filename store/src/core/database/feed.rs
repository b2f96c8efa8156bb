//! What one watcher may know of the changes of an entity.

use bytes::Bytes;

use super::{Database, Presenter};
use crate::core::{caller::Caller, change::Change, fault::Fault, filter::Filter, record::Record};

/// A caller's view of one entity's changes, as rules and accounts are at one moment.
#[derive(Debug)]
pub struct Watcher {
    gate: Filter,
    presenter: Presenter,
}

impl Database {
    /// The entity's name in the schema's spelling, if the caller may watch it.
    ///
    /// # Errors
    ///
    /// For an unknown entity, and for visitors who ask for users.
    pub fn watchable(&self, entity: &str, caller: &Caller) -> Result<String, Fault> {
        let (access, _, _) = self.readable(entity, caller)?;
        Ok(access.entity().to_string())
    }

    /// How the caller sees changes of the entity now.
    ///
    /// # Errors
    ///
    /// When the entity is gone, or the caller's account.
    pub fn watcher(&self, entity: &str, caller: &Caller) -> Result<Watcher, Fault> {
        let (access, _, gate) = self.readable(entity, caller)?;
        let presenter = Presenter::new(access.reader());
        Ok(Watcher { gate, presenter })
    }
}

impl Watcher {
    /// The changed record as the watcher may see it; `None` when they may not know of the change. A deletion is shown
    /// to those who could read the record before it.
    #[must_use]
    pub fn show(&self, change: &Change) -> Option<(String, Bytes)> {
        let record = change.record.as_ref()?;
        let readable = self.gate.matches(record).unwrap_or(false);
        readable.then(|| (id_of(record), self.presenter.json(record)))
    }
}

fn id_of(record: &Record) -> String {
    record.id().to_string()
}
