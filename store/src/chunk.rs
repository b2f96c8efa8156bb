//! Answers cut into messages of bounded size, made one at a time as the reader takes them.

use bytes::Bytes;
use proto::v1::RecordChunk;

/// Bytes of records after which a message is full. A longer record travels alone.
const FULL: usize = 256 * 1024;

/// Groups records into messages.
#[derive(Debug)]
pub(crate) struct Chunks<I> {
    records: I,
    held_over: Option<Bytes>,
}

impl<I: Iterator<Item = Bytes>> Chunks<I> {
    /// The messages for `records`, in their order.
    pub(crate) const fn new(records: I) -> Self {
        Self {
            records,
            held_over: None,
        }
    }
}

impl<I: Iterator<Item = Bytes>> Iterator for Chunks<I> {
    type Item = RecordChunk;

    fn next(&mut self) -> Option<RecordChunk> {
        let first = self.held_over.take().or_else(|| self.records.next())?;
        let mut size = first.len();
        let mut records_json = vec![first];
        for record in self.records.by_ref() {
            size += record.len();
            if size > FULL {
                self.held_over = Some(record);
                break;
            }
            records_json.push(record);
        }
        Some(RecordChunk { records_json })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Chunks, FULL};

    #[test]
    fn every_record_comes_once_in_messages_of_bounded_size() {
        let sizes = [1, FULL - 1, 1, FULL * 3, 5, 5];
        let records = sizes.into_iter().map(|size| Bytes::from(vec![b'x'; size]));
        let chunks: Vec<Vec<usize>> = Chunks::new(records)
            .map(|chunk| chunk.records_json.iter().map(Bytes::len).collect())
            .collect();
        let expected: [&[usize]; 4] = [&[1, FULL - 1], &[1], &[FULL * 3], &[5, 5]];
        assert_eq!(chunks, expected);
        assert_eq!(Chunks::new(std::iter::empty()).count(), 0);
    }
}
