//! Time and ids of records. Both are handed in from outside, so that the core has neither a clock nor randomness.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment, in whole milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This moment and `minutes` more.
    #[must_use]
    pub const fn plus_minutes(self, minutes: u64) -> Self {
        Self(self.0.saturating_add(minutes * 60_000))
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form in which dates are stored and answered.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{instant:.3}")
    }
}

/// The id of a record: 24 lower-case hex digits outside, 12 bytes inside.
///
/// Four bytes of seconds, four that differ from process to process, four that count: ids sort as they were made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 12]);

impl RecordId {
    /// Reads an id; anything that no record can have is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 12];
        let digits = text.as_bytes();
        if digits.len() != 24 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes ids. Two sources with the same seed make the same ids.
#[derive(Debug)]
pub struct Ids {
    seed: [u8; 4],
    count: u32,
}

impl Ids {
    /// A source whose ids differ from those of sources with another seed.
    #[must_use]
    pub const fn new(seed: [u8; 4]) -> Self {
        Self { seed, count: 0 }
    }

    /// The next id; greater than those before as long as `now` does not go back.
    pub fn next(&mut self, now: Timestamp) -> RecordId {
        let seconds = u32::try_from(now.millis() / 1000).unwrap_or(u32::MAX);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.seed);
        bytes[8..].copy_from_slice(&self.count.to_be_bytes());
        self.count = self.count.wrapping_add(1);
        RecordId(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ids, RecordId, Timestamp};

    const NOON: Timestamp = Timestamp::from_millis(1_770_000_000_042);

    #[test]
    fn a_timestamp_has_three_digits_of_milliseconds_and_a_zone() {
        assert_eq!(NOON.to_string(), "2026-02-02T02:40:00.042Z");
        assert_eq!(Timestamp::default().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn ids_are_hex_and_sort_in_the_order_of_creation() {
        let mut ids = Ids::new([1, 2, 3, 4]);
        let made: Vec<_> = (0..300).map(|_| ids.next(NOON).to_string()).collect();
        assert_eq!(made[0], "69800e800102030400000000");
        assert!(made.is_sorted());
    }

    #[test]
    fn only_what_can_be_an_id_is_read_as_one() {
        let text = "69800e800102030400000000";
        assert_eq!(RecordId::parse(text).unwrap().to_string(), text);
        for wrong in [
            "",
            "me",
            "69800E800102030400000000",
            "69800e8001020304000000zz",
        ] {
            assert!(RecordId::parse(wrong).is_none(), "{wrong}");
        }
    }
}
