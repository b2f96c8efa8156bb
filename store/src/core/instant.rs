//! Points in time as records carry them. The two stored dates compare as instants, whatever form the other side is
//! written in; every other date is plain text.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

/// A point in time, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Timestamp);

impl Instant {
    /// Reads an ISO 8601 date and time, in UTC where it names no zone, or a bare date, which is its midnight in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        // A cheap look first: most text that ends up here by mistake is no date at all.
        let looks_like_a_date =
            text.len() >= 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
        if !looks_like_a_date {
            return None;
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(Self(instant));
        }
        let civil = match text.parse::<DateTime>() {
            Ok(civil) if !text.contains('[') => civil,
            _ => return None,
        };
        civil
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| Self(zoned.timestamp()))
    }

    /// The calendar day of this instant in UTC.
    pub fn utc_date(self) -> Date {
        TimeZone::UTC.to_datetime(self.0).date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_instant_are_equal() {
        let instant = Instant::parse("2026-01-02T03:04:05.678Z").unwrap();
        for same in [
            "2026-01-02T03:04:05.678000",
            "2026-01-02T05:04:05.678+02:00",
            "2026-01-02 03:04:05.678",
            "2026-01-02T03:04:05.678+00:00",
        ] {
            assert_eq!(Instant::parse(same), Some(instant), "{same}");
        }
        assert!(Instant::parse("2026-01-02").unwrap() < instant);
        assert!(Instant::parse("2026-01-03").unwrap() > instant);
    }

    #[test]
    fn other_text_is_no_instant() {
        for text in [
            "",
            "2026",
            "yesterday",
            "2026-13-01",
            "2026-01-02T",
            "20é6-01-02",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
