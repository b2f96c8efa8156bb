//! Records in the order of their creation, as a persistent structure: a snapshot is one pointer, and a change made while
//! a snapshot is held copies a few hundred pointers, never the collection.

use std::{collections::BTreeMap, sync::Arc};

use super::record::Record;

/// Creation sequence numbers that share a segment.
const SEGMENT: u64 = 256;

type Segment = Vec<Arc<Record>>;

/// All records of a collection, by creation sequence.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    segments: BTreeMap<u64, Arc<Segment>>,
    len: usize,
}

impl Timeline {
    /// How many records there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The record with this creation sequence.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<&Arc<Record>> {
        let segment = self.segments.get(&(seq / SEGMENT))?;
        let place = segment.binary_search_by_key(&seq, |record| record.seq());
        place.ok().map(|place| &segment[place])
    }

    /// Adds the record, or puts it in the place of the version before; answers with that.
    pub fn insert(&mut self, record: Arc<Record>) -> Option<Arc<Record>> {
        let segment = self.segments.entry(record.seq() / SEGMENT).or_default();
        let segment = Arc::make_mut(segment);
        match segment.binary_search_by_key(&record.seq(), |other| other.seq()) {
            Ok(place) => Some(std::mem::replace(&mut segment[place], record)),
            Err(place) => {
                segment.insert(place, record);
                self.len += 1;
                None
            }
        }
    }

    /// Takes the record out.
    pub fn remove(&mut self, seq: u64) -> Option<Arc<Record>> {
        let key = seq / SEGMENT;
        let segment = Arc::make_mut(self.segments.get_mut(&key)?);
        let place = segment.binary_search_by_key(&seq, |record| record.seq());
        let removed = segment.remove(place.ok()?);
        if segment.is_empty() {
            self.segments.remove(&key);
        }
        self.len -= 1;
        Some(removed)
    }

    /// Oldest first; from the back, newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.segments.values().flat_map(|segment| segment.iter())
    }

    /// The records created after `seq`, oldest first.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<Record>> {
        self.segments
            .range(seq / SEGMENT..)
            .flat_map(|(_, segment)| segment.iter())
            .filter(move |record| record.seq() > seq)
    }

    /// The records created before `seq`, newest first.
    pub fn before(&self, seq: u64) -> impl Iterator<Item = &Arc<Record>> {
        self.segments
            .range(..=seq / SEGMENT)
            .rev()
            .flat_map(|(_, segment)| segment.iter().rev())
            .filter(move |record| record.seq() < seq)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{SEGMENT, Timeline};
    use crate::core::{
        body::Body,
        record::{Fields, Record},
        stamp::{Ids, Timestamp},
    };

    fn filled(count: u64) -> Timeline {
        let mut ids = Ids::new([0; 4]);
        let mut timeline = Timeline::default();
        for seq in 0..count {
            let id = ids.next(Timestamp::default());
            timeline.insert(Arc::new(Record::new(seq, id, Body::from(&Fields::new()))));
        }
        timeline
    }

    fn seqs<'a>(records: impl Iterator<Item = &'a Arc<Record>>) -> Vec<u64> {
        records.map(|record| record.seq()).collect()
    }

    #[test]
    fn a_snapshot_does_not_see_later_changes() {
        let mut now = filled(SEGMENT + 3);
        let then = now.clone();
        assert!(now.remove(1).is_some());
        assert!(now.remove(1).is_none());
        assert_eq!(then.len(), now.len() + 1);
        assert!(then.get(1).is_some() && now.get(1).is_none());
    }

    #[test]
    fn both_directions_cross_segments() {
        let timeline = filled(2 * SEGMENT + 2);
        let newest: Vec<_> = seqs(timeline.iter().rev().take(3));
        assert_eq!(newest, [2 * SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT - 1]);
        let after = seqs(timeline.after(SEGMENT - 2).take(3));
        assert_eq!(after, [SEGMENT - 1, SEGMENT, SEGMENT + 1]);
        let before = seqs(timeline.before(SEGMENT + 1).take(3));
        assert_eq!(before, [SEGMENT, SEGMENT - 1, SEGMENT - 2]);
    }

    #[test]
    fn an_emptied_segment_is_dropped() {
        let mut timeline = filled(SEGMENT + 1);
        for seq in 0..SEGMENT {
            timeline.remove(seq);
        }
        assert_eq!(timeline.segments.len(), 1);
        assert_eq!(seqs(timeline.iter()), [SEGMENT]);
    }
}
