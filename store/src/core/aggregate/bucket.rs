//! Spans of time to group by, each named by the text of its beginning.

use jiff::civil::Date;
use serde_json::Value;

use crate::core::{instant::Instant, value::ValueRef};

/// The length of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// How the dates of one field fall into spans.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    pub(super) unit: Unit,
    /// Whether the field is one of the stored dates, which are instants; others are text and keep their own day.
    pub(super) is_stored: bool,
}

impl Bucket {
    /// The span that a value falls into, null when it is no date: `2026-01-02`, `2026-01` or `2026`, and for a week its
    /// Monday.
    pub(super) fn of(self, value: Option<ValueRef<'_>>) -> Value {
        match value
            .and_then(ValueRef::as_str)
            .and_then(|text| self.date(text))
        {
            Some(date) => Value::from(self.name(date)),
            None => Value::Null,
        }
    }

    fn date(self, text: &str) -> Option<Date> {
        if self.is_stored {
            Instant::parse(text).map(Instant::utc_date)
        } else {
            text.get(..10)?.parse().ok()
        }
    }

    fn name(self, date: Date) -> String {
        match self.unit {
            Unit::Day => date.to_string(),
            Unit::Week => {
                let days_since_monday = i64::from(date.weekday().to_monday_zero_offset());
                let monday = date.saturating_sub(jiff::Span::new().days(days_since_monday));
                monday.to_string()
            }
            Unit::Month => format!("{:04}-{:02}", date.year(), date.month()),
            Unit::Year => format!("{:04}", date.year()),
        }
    }
}
