//! What waits for one client, bounded because whoever reads slowly must cost nobody else anything.

use std::{collections::VecDeque, io::IoSlice, time::Duration};

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::frames::Frames;

/// Bytes that may wait for one client; what is larger alone still may. One request may clear an entity of several hundred
/// thousand records, and whoever reads hears of each of them. Those who listen to the same share these bytes.
const BYTES: usize = 128 * 1024 * 1024;

/// What a piece takes beside its bytes, about, so that many small ones are bounded too.
const PIECE: usize = 64;

/// How long a client for whom something waits may take none of it.
const STALL: Duration = Duration::from_secs(10);

/// Bytes after which no more packets are put into the answer to one poll.
const PAYLOAD: usize = 1024 * 1024;

/// Between the packets of a payload (Engine.IO 4, "HTTP long-polling").
pub(super) const SEPARATOR: u8 = 0x1e;

/// Pieces that are handed to the system at once.
pub(super) const SLICES: usize = 32;

/// Frames in their order.
#[derive(Debug)]
pub(super) struct Queue {
    pieces: VecDeque<Bytes>,
    /// What they take.
    bytes: usize,
    /// Some of the first piece has been taken.
    is_begun: bool,
    /// When something was last taken, or put where nothing was.
    moved: Instant,
}

/// There is no place left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full;

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            pieces: VecDeque::new(),
            bytes: 0,
            is_begun: false,
            moved: Instant::now(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Something waits, and nothing has been taken for too long.
    pub(super) fn has_stalled(&self) -> bool {
        !self.is_empty() && self.moved.elapsed() > STALL
    }

    pub(super) fn add(&mut self, frames: Frames) -> Result<(), Full> {
        let piece = frames.into_bytes();
        if !self.is_empty() && self.bytes + piece.len() > BYTES {
            return Err(Full);
        }
        self.insert(self.pieces.len(), piece);
        Ok(())
    }

    /// What cannot wait for everything else: a question whether the client is there has to be answered in time.
    pub(super) fn add_first(&mut self, frames: Frames) {
        self.insert(usize::from(self.is_begun), frames.into_bytes());
    }

    fn insert(&mut self, place: usize, piece: Bytes) {
        if self.is_empty() {
            self.moved = Instant::now();
        }
        self.bytes += PIECE + piece.len();
        self.pieces.insert(place, piece);
    }

    /// The first pieces.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = slices.iter_mut().zip(&self.pieces);
        pieces
            .map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    /// So many bytes have been taken.
    pub(super) fn advance(&mut self, mut taken: usize) {
        self.moved = Instant::now();
        while let Some(first) = self.pieces.front_mut() {
            if taken < first.len() {
                first.advance(taken);
                self.bytes -= taken;
                self.is_begun |= taken > 0;
                return;
            }
            taken -= first.len();
            self.bytes -= PIECE + first.len();
            self.pieces.pop_front();
            self.is_begun = false;
        }
    }

    /// All that waits, of which nothing has been taken yet.
    pub(super) fn into_frames(self) -> impl Iterator<Item = Frames> {
        self.pieces.into_iter().map(Frames::framed)
    }

    /// As many whole texts as one poll is answered with; none when nothing waits.
    pub(super) fn payload(&mut self) -> Option<Vec<u8>> {
        let mut payload = Vec::new();
        while payload.len() < PAYLOAD
            && let Some(piece) = self.pieces.pop_front()
        {
            self.bytes -= PIECE + piece.len();
            append(&mut payload, Frames::framed(piece));
        }
        (!payload.is_empty()).then_some(payload)
    }
}

fn append(payload: &mut Vec<u8>, mut frames: Frames) {
    while let Some((text, rest)) = frames.split() {
        if !payload.is_empty() {
            payload.push(SEPARATOR);
        }
        payload.extend(text);
        frames = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::{io::IoSlice, time::Duration};

    use bytes::Bytes;
    use tokio::time::advance;

    use super::{BYTES, Frames, PAYLOAD, PIECE, Queue, SLICES, STALL};

    fn bytes(length: usize) -> Frames {
        Frames::framed(Bytes::from(vec![0; length]))
    }

    /// What would be written, in its order.
    fn written(queue: &Queue) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = queue.slices(&mut slices);
        slices[..count]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_has_not_moved_for_a_while_has_stalled_and_one_that_moves_has_not() {
        let long = STALL + Duration::from_secs(1);
        let mut queue = Queue::new();
        advance(long).await;
        queue.add_first(bytes(4));
        assert!(!queue.has_stalled(), "nothing has waited");
        advance(long).await;
        assert!(queue.has_stalled());
        queue.advance(1);
        assert!(!queue.has_stalled(), "it has just moved");
        advance(long).await;
        assert!(queue.has_stalled());
        queue.advance(3);
        assert!(!queue.has_stalled(), "nothing waits any more");
    }

    #[test]
    fn a_queue_takes_so_many_bytes_but_one_large_event_passes() {
        let mut queue = Queue::new();
        assert!(queue.add(bytes(BYTES + 1)).is_ok());
        assert!(queue.add(bytes(1)).is_err());
        queue.advance(BYTES + 1);
        assert_eq!((queue.is_empty(), queue.bytes()), (true, 0));
        assert!(queue.add(bytes(BYTES)).is_ok());
        assert!(queue.add(bytes(1)).is_err());
    }

    #[test]
    fn many_small_pieces_are_bounded_too() {
        let mut queue = Queue::new();
        let most = BYTES / PIECE;
        let taken = (0..most).take_while(|_| queue.add(bytes(1)).is_ok());
        assert!(taken.count() < most);
    }

    #[test]
    fn what_cannot_wait_comes_first_but_into_no_other_frame() {
        let (a, b, ping) = (Frames::text("a"), Frames::text("b"), Frames::text("2"));
        let [first, second, third] = [&a, &b, &ping].map(|frames| frames.clone().into_bytes());
        let mut queue = Queue::new();
        queue.add(a).unwrap();
        queue.add(b).unwrap();
        queue.add_first(ping.clone());
        assert_eq!(written(&queue), [&third[..], &first, &second].concat());
        queue.advance(third.len() + 1);
        queue.add_first(ping);
        assert_eq!(written(&queue), [&first[1..], &third, &second].concat());
        queue.advance(first.len() - 1 + third.len() + second.len());
        assert_eq!((queue.is_empty(), queue.bytes()), (true, 0));
    }

    #[test]
    fn a_poll_is_answered_with_what_waits_up_to_a_limit() {
        let mut queue = Queue::new();
        assert_eq!(queue.payload(), None);
        queue.add(Frames::texts(&["40{}", "42[]"])).unwrap();
        queue.add(Frames::text("2")).unwrap();
        assert_eq!(queue.payload().unwrap(), b"40{}\x1e42[]\x1e2");
        let large = "x".repeat(PAYLOAD);
        for text in [&large, "6"] {
            queue.add(Frames::text(text)).unwrap();
        }
        assert_eq!(queue.payload().unwrap().len(), PAYLOAD);
        assert_eq!(queue.payload().unwrap(), b"6");
        assert_eq!((queue.payload(), queue.bytes()), (None, 0));
    }
}
