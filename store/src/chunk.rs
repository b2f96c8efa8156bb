//! Answers cut into messages of bounded size, made one at a time as the reader takes them.

use bytes::Bytes;
use proto::v1::RecordChunk;

/// Bytes of records after which a message is full. A longer record travels alone.
const CHUNK_BYTES: usize = 256 * 1024;

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
        let (others, _) = self.records.size_hint();
        let likely = (first.len() + 1) * (others + 1);
        let mut joined = Vec::with_capacity(likely.min(CHUNK_BYTES).max(first.len()));
        joined.extend_from_slice(&first);
        for record in self.records.by_ref() {
            if joined.len() + 1 + record.len() > CHUNK_BYTES {
                self.held_over = Some(record);
                break;
            }
            joined.push(b',');
            joined.extend_from_slice(&record);
        }
        Some(RecordChunk {
            records_json: joined.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use proto::v1::RecordChunk;

    use super::{CHUNK_BYTES, Chunks};

    #[test]
    fn every_record_comes_once_in_messages_of_bounded_size() {
        let sizes = [1, CHUNK_BYTES - 2, 1, CHUNK_BYTES * 3, 5, 5];
        let records = sizes.into_iter().map(|size| Bytes::from(vec![b'x'; size]));
        let lengths = |chunk: RecordChunk| {
            let records = chunk.records_json.split(|byte| *byte == b',');
            records.map(<[u8]>::len).collect::<Vec<_>>()
        };
        let chunks: Vec<_> = Chunks::new(records).map(lengths).collect();
        let expected: [&[usize]; 4] = [&[1, CHUNK_BYTES - 2], &[1], &[CHUNK_BYTES * 3], &[5, 5]];
        assert_eq!(chunks, expected);
        assert_eq!(Chunks::new(std::iter::empty()).count(), 0);
    }
}
