//! What happened to records. Changes are plain data in the order of commit, so that they can be sent, watched and, one
//! day, journalled.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{record::Record, stamp::Timestamp};

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new record.
    Create,
    /// Another version of a record.
    Update,
    /// A record is gone.
    Delete,
    /// All records of the entity are gone; each was deleted before.
    Clear,
}

/// One change of one entity.
#[derive(Clone, Debug)]
pub struct Change {
    /// Grows by one with every change of the store.
    pub sequence: u64,
    /// What happened.
    pub kind: Kind,
    /// The entity in the schema's spelling.
    pub entity: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// The record after the change, or the last version before a deletion; `None` when all are gone.
    pub record: Option<Arc<Record>>,
}

/// The changes of one request, which happened together. Never empty.
pub type Commit = Arc<[Change]>;

/// A change as a journal would hold it.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    sequence: u64,
    kind: Kind,
    entity: &'a str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<super::record::Fields>,
}

impl<'a> From<&'a Change> for Entry<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            sequence: change.sequence,
            kind: change.kind,
            entity: &change.entity,
            at: change.at,
            record: change.record.as_ref().map(|record| record.fields()),
        }
    }
}
