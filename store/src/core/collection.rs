//! The records of one entity: by id, in the order of creation, and by the values that filters ask for.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{
    body::Body,
    index::{Indexes, Postings, WORTHWHILE},
    record::Record,
    stamp::RecordId,
    timeline::Timeline,
};

/// Records and their indexes. Cheap to read consistently: see [`Collection::snapshot`].
#[derive(Debug, Default)]
pub struct Collection {
    timeline: Arc<Timeline>,
    by_id: HashMap<RecordId, u64>,
    indexes: Indexes,
    next_seq: u64,
}

/// Fields of one filter that are indexed. A filter of more fields than there can be indexes must not drop those that it
/// has just asked for.
const MOST_AT_ONCE: usize = 4;

/// An equality that every wanted record fulfils: a top-level field and the values it may have.
pub type Hint<'a> = (&'a str, &'a [Value]);

impl Collection {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timeline.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timeline.is_empty()
    }

    /// The record with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Record>> {
        let seq = self.by_id.get(&RecordId::parse(id)?)?;
        self.timeline.get(*seq)
    }

    /// All records as they are now, for as long as the snapshot is kept.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Timeline> {
        Arc::clone(&self.timeline)
    }

    /// Adds a record.
    pub fn insert(&mut self, id: RecordId, body: Body) -> Arc<Record> {
        let record = Arc::new(Record::new(self.next_seq, id, body));
        self.next_seq += 1;
        self.by_id.insert(id, record.seq());
        self.put(&record);
        record
    }

    /// Puts another body in the place of a record's; answers with the new version.
    pub fn replace(&mut self, old: &Record, body: Body) -> Arc<Record> {
        let record = Arc::new(Record::new(old.seq(), old.id(), body));
        self.put(&record);
        record
    }

    /// Takes a record out.
    pub fn remove(&mut self, id: RecordId) -> Option<Arc<Record>> {
        let seq = self.by_id.remove(&id)?;
        let removed = Arc::make_mut(&mut self.timeline).remove(seq)?;
        self.indexes.note(Some(&removed), None);
        Some(removed)
    }

    /// The field of `hints` that should be indexed before they are used, if one should: where what the others leave is
    /// still much to read through.
    #[must_use]
    pub fn wanted_index<'a>(
        &self,
        hints: &[Hint<'a>],
        candidates: Option<&Candidates>,
    ) -> Option<&'a str> {
        let left = candidates.map_or(self.len(), Candidates::len);
        if left < WORTHWHILE {
            return None;
        }
        let is_indexed = |field: &str| field == "id" || self.indexes.has(field);
        let indexed = hints.iter().filter(|(field, _)| is_indexed(field)).count();
        let mut others = hints.iter().filter(|(field, _)| !is_indexed(field));
        others
            .next()
            .filter(|_| indexed < MOST_AT_ONCE)
            .map(|(field, _)| *field)
    }

    /// Indexes `field`.
    pub fn build_index(&mut self, field: &str) {
        self.indexes.build(field, &self.timeline);
    }

    /// The creation sequences of the fewest records that the hints leave; `None` when they leave all.
    #[must_use]
    pub fn candidates(&self, hints: &[Hint<'_>]) -> Option<Candidates> {
        hints
            .iter()
            .filter_map(|(field, values)| self.by_hint(field, values))
            .min_by_key(Candidates::len)
    }

    fn by_hint(&self, field: &str, values: &[Value]) -> Option<Candidates> {
        if field != "id" {
            return self.indexes.candidates(field, values).map(Candidates);
        }
        let ids = values.iter().filter_map(Value::as_str);
        let seqs = ids.filter_map(|id| self.by_id.get(&RecordId::parse(id)?));
        Some(Candidates(seqs.copied().map(Postings::One).collect()))
    }

    fn put(&mut self, record: &Arc<Record>) {
        let before = Arc::make_mut(&mut self.timeline).insert(Arc::clone(record));
        self.indexes.note(before.as_deref(), Some(record));
    }
}

/// Creation sequences of records that may match.
#[derive(Debug)]
pub struct Candidates(Vec<Postings>);

impl Candidates {
    /// At most how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0
            .iter()
            .map(|postings| postings.as_slice().len())
            .sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each once, ascending. A single value's are shared, not copied.
    #[must_use]
    pub fn into_ascending(mut self) -> Postings {
        if self.0.len() == 1 {
            return self.0.swap_remove(0);
        }
        let all = self.0.iter().flat_map(|postings| postings.as_slice());
        let mut all: Vec<_> = all.copied().collect();
        all.sort_unstable();
        all.dedup();
        Postings::Many(Arc::new(all))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Collection, Hint, MOST_AT_ONCE, WORTHWHILE};
    use crate::core::{
        body::Body,
        filter::Filter,
        record::Fields,
        stamp::{Ids, Timestamp},
    };

    fn body(value: &Value) -> Body {
        Body::from(&Fields::from_iter([("a".to_owned(), value.clone())]))
    }

    fn values() -> impl Strategy<Value = Value> {
        prop::sample::select(vec![
            json!(null),
            json!(1),
            json!(1.0),
            json!("1"),
            json!([1, "x"]),
            json!([]),
            json!({"k": 1}),
        ])
    }

    /// Which record an operation is about, and what it becomes; `None` is its end.
    fn operations() -> impl Strategy<Value = Vec<(usize, Option<Value>)>> {
        prop::collection::vec((0..40_usize, prop::option::weighted(0.8, values())), 1..120)
    }

    fn apply(
        collection: &mut Collection,
        ids: &mut Ids,
        made: &mut Vec<String>,
        step: (usize, Option<Value>),
    ) {
        let (place, value) = step;
        let old = made.get(place).and_then(|id| collection.get(id)).cloned();
        match (old, value) {
            (Some(old), Some(value)) => drop(collection.replace(&old, body(&value))),
            (Some(old), None) => drop(collection.remove(old.id())),
            (None, Some(value)) => {
                let id = ids.next(Timestamp::default());
                made.push(id.to_string());
                collection.insert(id, body(&value));
            }
            (None, None) => {}
        }
    }

    /// Builds what is wanted; answers with the names, and with how many records are left to read through.
    fn narrow<'a>(collection: &mut Collection, hints: &[Hint<'a>]) -> (Vec<&'a str>, usize) {
        let mut built = Vec::new();
        loop {
            let found = collection.candidates(hints);
            let Some(field) = collection.wanted_index(hints, found.as_ref()) else {
                return (built, found.map_or(collection.len(), |found| found.len()));
            };
            collection.build_index(field);
            built.push(field);
        }
    }

    #[test]
    fn fields_are_indexed_until_little_is_left_to_read() {
        let (mut collection, mut ids) = (Collection::default(), Ids::new([0; 4]));
        for number in 0..4 * WORTHWHILE {
            let row =
                json!({"half": number % 2, "key": number / 8, "b": 1, "c": 1, "d": 1, "e": 1});
            let fields = row.as_object().unwrap();
            collection.insert(ids.next(Timestamp::default()), Body::from(fields));
        }
        let (one, key) = ([json!(1)], [json!(7)]);
        let (half, key): (Hint<'_>, Hint<'_>) = (("half", &one), ("key", &key));
        let plain = ["b", "c", "d", "e"].map(|field| (field, &one[..]));
        assert_eq!(
            narrow(&mut collection, &[half]),
            (vec!["half"], 2 * WORTHWHILE)
        );
        assert_eq!(narrow(&mut collection, &[key, half]), (vec!["key"], 8));
        assert_eq!(narrow(&mut collection, &[plain[0], key]), (vec![], 8));
        let [b, c, d, e] = plain;
        let (built, left) = narrow(&mut collection, &[half, b, c, d, e]);
        assert_eq!((built.len(), left), (MOST_AT_ONCE - 1, 2 * WORTHWHILE));
    }

    proptest! {
        #[test]
        fn prop_an_index_never_misses_a_record(steps in operations(), wanted in values(), early in any::<bool>()) {
            let (mut collection, mut ids, mut made) = (Collection::default(), Ids::new([0; 4]), Vec::new());
            if early {
                collection.build_index("a");
            }
            for step in steps {
                apply(&mut collection, &mut ids, &mut made, step);
            }
            collection.build_index("a");
            let filter = Filter::parse(&json!({"a": {"$eq": wanted}})).unwrap();
            let timeline = collection.snapshot();
            prop_assert_eq!(timeline.iter().count(), collection.len());
            let matching = timeline.iter().filter(|record| filter.matches(*record).unwrap());
            let matching: Vec<_> = matching.map(|record| record.seq()).collect();
            let candidates = collection.candidates(&filter.equality_hints()).unwrap().into_ascending();
            let found = candidates.as_slice().iter().filter(|seq| {
                let record = timeline.get(**seq).expect("indexes hold stored records only");
                filter.matches(record).unwrap()
            });
            prop_assert_eq!(found.copied().collect::<Vec<_>>(), matching);
        }
    }
}
