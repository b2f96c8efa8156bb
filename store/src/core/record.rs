//! A stored record: one version of it, whose JSON text is sent as it stands, and the fields that the store itself sets.

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    body::{Body, BodyWriter},
    stamp::{RecordId, Timestamp},
};

/// The fields of a record, in the order in which they are answered.
pub type Fields = Map<String, Value>;

/// The fields that the store sets itself, whatever a client sends.
pub const BUILT_IN: [&str; 6] = [
    "id",
    "created_date",
    "updated_date",
    "created_by_id",
    "created_by",
    "is_sample",
];

/// Fields that the platform keeps beside a record; here they are the same for all records.
pub const PLATFORM_FIELDS: [&str; 5] = [
    "app_id",
    "entity_name",
    "is_deleted",
    "deleted_date",
    "environment",
];

/// Whether clients cannot set `name`: a built-in field, or the database's own name of the id.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    name == "_id" || BUILT_IN.contains(&name)
}

/// One version of a record. A change makes a new one, so readers keep what they have.
#[derive(Debug)]
pub struct Record {
    seq: u64,
    id: RecordId,
    body: Body,
}

impl Record {
    /// A version of record `id`, which was the `seq`-th of its collection to be created.
    #[must_use]
    pub const fn new(seq: u64, id: RecordId, body: Body) -> Self {
        Self { seq, id, body }
    }

    /// Its place in the order of creation.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// All its fields as JSON text, which stays where it is.
    #[must_use]
    pub fn to_bytes(self: &Arc<Self>) -> Bytes {
        Bytes::from_owner(Sent(Arc::clone(self)))
    }
}

/// Its fields, built-in ones included.
impl Deref for Record {
    type Target = Body;

    fn deref(&self) -> &Body {
        &self.body
    }
}

/// A record that somebody is being sent.
struct Sent(Arc<Record>);

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        self.0.json().as_bytes()
    }
}

/// Who and when, for the built-in fields of a new record.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The new record's id.
    pub id: RecordId,
    /// Moment of creation.
    pub now: Timestamp,
    /// The creator's e-mail and id; `None` for visitors.
    pub creator: Option<(&'a str, &'a str)>,
}

impl Stamp<'_> {
    /// Adds the built-in fields behind the record's own.
    pub fn write(&self, body: &mut BodyWriter) {
        let now = Value::from(self.now.to_string());
        let (email, id) = match self.creator {
            Some((email, id)) => (Value::from(email), Value::from(id)),
            None => (Value::Null, Value::Null),
        };
        let values = [
            &Value::from(self.id.to_string()),
            &now,
            &now,
            &id,
            &email,
            &Value::Bool(false),
        ];
        for (name, value) in BUILT_IN.into_iter().zip(values) {
            body.add(name, value);
        }
    }
}

/// JSON text of anything that is made of JSON values.
#[must_use]
pub fn to_json(value: &impl serde::Serialize) -> Bytes {
    let mut json = Vec::new();
    super::body::write(&mut json, value);
    json.into()
}
