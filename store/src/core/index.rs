//! Equality indexes of one collection. They build themselves for the fields that filters compare, the one that
//! was not used for longest goes when there are too many, and they only narrow: whoever uses one still asks the filter about every candidate.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;

use super::{
    record::Record,
    timeline::Timeline,
    value::{Lent, ValueRef},
};

/// Indexes that one collection keeps at most.
const MAX_INDEXES: usize = 8;

/// Collections smaller than this are read through faster than an index is kept.
pub const WORTHWHILE: usize = 256;

/// Creation sequences of the records that have one value, ascending.
#[derive(Clone, Debug)]
pub enum Postings {
    /// Fields like an e-mail address have one record a value.
    One(u64),
    /// Shared with readers; a change while one is read copies it.
    Many(Arc<Vec<u64>>),
}

impl Postings {
    /// The sequences.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        match self {
            Self::One(seq) => std::slice::from_ref(seq),
            Self::Many(seqs) => seqs,
        }
    }

    fn add(&mut self, seq: u64) {
        match self {
            Self::One(other) if *other == seq => {}
            Self::One(other) => {
                *self = Self::Many(Arc::new(vec![seq.min(*other), seq.max(*other)]));
            }
            Self::Many(seqs) => {
                if let Err(place) = seqs.binary_search(&seq) {
                    Arc::make_mut(seqs).insert(place, seq);
                }
            }
        }
    }

    /// Whether nothing is left.
    fn remove(&mut self, seq: u64) -> bool {
        match self {
            Self::One(other) => *other == seq,
            Self::Many(seqs) => {
                if let Ok(place) = seqs.binary_search(&seq) {
                    Arc::make_mut(seqs).remove(place);
                }
                seqs.is_empty()
            }
        }
    }
}

/// One field's values. Keys are hashes of the value's canonical bytes: two values that share a hash share candidates.
#[derive(Debug, Default)]
struct Index {
    postings: HashMap<u64, Postings>,
    last_use: AtomicU64,
}

/// The same hash for the same bytes in every process, so that a test cannot depend on luck.
fn key(value: ValueRef<'_>, buffer: &mut Vec<u8>) -> u64 {
    buffer.clear();
    value.write_key(buffer);
    BuildHasherDefault::<DefaultHasher>::default().hash_one(buffer)
}

/// What a filter can find a record by: its value, and the elements when that is an array; a missing value counts as null.
fn keys(field: &str, record: &Record) -> Vec<u64> {
    let mut buffer = Vec::new();
    let found = record.get(field).unwrap_or(Lent::Owned(Value::Null));
    let elements = found.get().as_array().unwrap_or_default();
    let values = std::iter::once(found.get()).chain(elements.iter().map(ValueRef::from));
    let mut keys: Vec<_> = values.map(|value| key(value, &mut buffer)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl Index {
    fn add(&mut self, field: &str, record: &Record) {
        for key in keys(field, record) {
            match self.postings.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().add(record.seq()),
                Entry::Vacant(entry) => {
                    entry.insert(Postings::One(record.seq()));
                }
            }
        }
    }

    fn remove(&mut self, field: &str, record: &Record) {
        for key in keys(field, record) {
            if let Entry::Occupied(mut entry) = self.postings.entry(key)
                && entry.get_mut().remove(record.seq())
            {
                entry.remove();
            }
        }
    }
}

/// The indexes of a collection.
#[derive(Debug, Default)]
pub struct Indexes {
    by_field: HashMap<String, Index>,
    uses: AtomicU64,
}

impl Indexes {
    /// Whether `field` is indexed.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.by_field.contains_key(field)
    }

    /// Indexes `field`, in the place of the index that was not used for longest when there are too many.
    pub fn build(&mut self, field: &str, timeline: &Timeline) {
        if self.has(field) {
            return;
        }
        if self.by_field.len() >= MAX_INDEXES {
            self.drop_least_recently_used();
        }
        let mut index = Index::default();
        for record in timeline.iter() {
            index.add(field, record);
        }
        index.last_use = AtomicU64::new(self.next_use());
        self.by_field.insert(field.to_owned(), index);
    }

    /// The records whose `field` may equal one of `values`; `None` when the field has no index.
    #[must_use]
    pub fn candidates(&self, field: &str, values: &[Value]) -> Option<Vec<Postings>> {
        let index = self.by_field.get(field)?;
        index.last_use.store(self.next_use(), Ordering::Relaxed);
        let mut buffer = Vec::new();
        let keys: HashSet<u64> = values
            .iter()
            .map(|value| key(value.into(), &mut buffer))
            .collect();
        let found = keys.iter().filter_map(|key| index.postings.get(key));
        Some(found.cloned().collect())
    }

    /// Takes a change in: a record that is new, replaced or gone.
    pub fn note(&mut self, before: Option<&Record>, after: Option<&Record>) {
        for (field, index) in &mut self.by_field {
            if let (Some(before), Some(after)) = (before, after)
                && before.raw(field) == after.raw(field)
            {
                continue;
            }
            if let Some(before) = before {
                index.remove(field, before);
            }
            if let Some(after) = after {
                index.add(field, after);
            }
        }
    }

    fn next_use(&self) -> u64 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    fn drop_least_recently_used(&mut self) {
        let oldest = self
            .by_field
            .iter()
            .min_by_key(|(_, index)| index.last_use.load(Ordering::Relaxed))
            .map(|(field, _)| field.clone());
        if let Some(field) = oldest {
            self.by_field.remove(&field);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::{Indexes, MAX_INDEXES};
    use crate::core::{
        record::Record,
        stamp::{Ids, Timestamp},
        timeline::Timeline,
    };

    fn record(seq: u64, fields: &Value) -> Arc<Record> {
        let id = Ids::new([0; 4]).next(Timestamp::from_millis(seq * 1000));
        Arc::new(Record::new(seq, id, fields.as_object().unwrap().into()))
    }

    fn found(indexes: &Indexes, field: &str, values: &[Value]) -> Vec<u64> {
        let postings = indexes.candidates(field, values).unwrap();
        let mut seqs: Vec<_> = postings
            .iter()
            .flat_map(|postings| postings.as_slice().to_vec())
            .collect();
        seqs.sort_unstable();
        seqs
    }

    #[test]
    fn values_elements_and_missing_fields_are_found() {
        let mut timeline = Timeline::default();
        let rows = [
            json!({"a": 1}),
            json!({"a": [1, 2]}),
            json!({}),
            json!({"a": null}),
            json!({"a": 1.0}),
        ];
        for (seq, row) in (0..).zip(&rows) {
            timeline.insert(record(seq, row));
        }
        let mut indexes = Indexes::default();
        indexes.build("a", &timeline);
        assert_eq!(found(&indexes, "a", &[json!(1)]), [0, 1, 4]);
        assert_eq!(found(&indexes, "a", &[json!([1, 2])]), [1]);
        assert_eq!(found(&indexes, "a", &[Value::Null, json!(2)]), [1, 2, 3]);
        assert_eq!(found(&indexes, "a", &[json!("none")]), [0_u64; 0]);
    }

    #[test]
    fn changes_move_a_record_between_values() {
        let mut indexes = Indexes::default();
        indexes.build("a", &Timeline::default());
        let (one, two) = (record(3, &json!({"a": 1})), record(3, &json!({"a": 2})));
        indexes.note(None, Some(&one));
        indexes.note(None, Some(&record(1, &json!({"a": 2}))));
        indexes.note(Some(&one), Some(&two));
        assert_eq!(found(&indexes, "a", &[json!(1)]), [0_u64; 0]);
        assert_eq!(found(&indexes, "a", &[json!(2)]), [1, 3]);
        indexes.note(Some(&two), None);
        assert_eq!(found(&indexes, "a", &[json!(2)]), [1]);
    }

    #[test]
    fn the_index_that_was_not_used_for_longest_goes_when_there_are_too_many() {
        let (mut indexes, timeline) = (Indexes::default(), Timeline::default());
        for number in 0..MAX_INDEXES {
            indexes.build(&format!("f{number}"), &timeline);
        }
        assert!(indexes.candidates("f0", &[]).is_some());
        indexes.build("one more", &timeline);
        assert!(indexes.has("f0") && !indexes.has("f1") && indexes.has("one more"));
    }
}
