//! A stored record: its fields for filters and rules, and its JSON text for answers, made once per change.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::stamp::{RecordId, Timestamp};

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
    fields: Fields,
    json: Bytes,
}

impl Record {
    /// A version of record `id`, which was the `seq`-th of its collection to be created.
    #[must_use]
    pub fn new(seq: u64, id: RecordId, fields: Fields) -> Self {
        let json = to_json(&fields);
        let fields = tight(fields);
        Self {
            seq,
            id,
            fields,
            json,
        }
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

    /// All its fields, built-in ones included.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// All its fields as JSON text.
    #[must_use]
    pub const fn json(&self) -> &Bytes {
        &self.json
    }
}

/// A map grows by doubling; a record that stays does without the spare half.
fn tight(fields: Fields) -> Fields {
    let mut tight = Fields::with_capacity(fields.len());
    for (name, value) in fields {
        tight.insert(name, value);
    }
    tight
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
    pub fn apply(&self, fields: &mut Fields) {
        let now = self.now.to_string();
        let (email, id) = match self.creator {
            Some((email, id)) => (Value::from(email), Value::from(id)),
            None => (Value::Null, Value::Null),
        };
        let values = [
            Value::from(self.id.to_string()),
            Value::from(now.clone()),
            Value::from(now),
            id,
            email,
            Value::Bool(false),
        ];
        for (name, value) in BUILT_IN.into_iter().zip(values) {
            fields.insert(name.to_owned(), value);
        }
    }
}

/// JSON text of anything that is made of JSON values.
#[must_use]
pub fn to_json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("JSON values have text keys and finite numbers")
        .into()
}

/// A text field's value.
#[must_use]
pub fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}
