//! A place in a sorted list, as a cursor carries it from one request to the next.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::Sort;
use super::key::Key;
use crate::core::error::QueryError;
use crate::core::value::Lent;
use crate::core::view::View;

/// The place of one record in a sort order, independent of whether the record still exists.
#[derive(Debug, Clone)]
pub struct Position {
    keys: Vec<Key<'static>>,
    sequence: u64,
}

impl Sort {
    /// The record's place in this order, as JSON that [`read_position`](Self::read_position) reads.
    pub fn position(&self, record: View<'_>, sequence: u64) -> Value {
        // Each key is wrapped, so that no key at all differs from every value.
        let keys = self.fields().map(|field| match field.key(record) {
            Key::Empty => json!([]),
            Key::Value(value) => json!([value.into_value()]),
        });
        json!([keys.collect::<Vec<_>>(), sequence])
    }

    /// Reads a place that [`position`](Self::position) wrote for the same order.
    pub fn read_position(&self, position: &Value) -> Result<Position, QueryError> {
        let invalid = || QueryError::invalid("the cursor's position does not fit its sort order");
        let [Value::Array(keys), sequence] = position.as_array().map_or(&[][..], Vec::as_slice)
        else {
            return Err(invalid());
        };
        let keys = keys
            .iter()
            .map(|key| match key.as_array().map(Vec::as_slice) {
                Some([]) => Ok(Key::Empty),
                Some([value]) => Ok(Key::Value(Lent::Owned(value.clone()))),
                _ => Err(invalid()),
            });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        if keys.len() != self.fields().count() {
            return Err(invalid());
        }
        Ok(Position {
            keys,
            sequence: sequence.as_u64().ok_or_else(invalid)?,
        })
    }

    /// Whether the record comes strictly after the place in this order.
    pub fn is_after(&self, position: &Position, record: View<'_>, sequence: u64) -> bool {
        let fields = self.fields().zip(&position.keys);
        let by_fields = fields
            .map(|(field, key)| field.compare_keys(&field.key(record), key))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal);
        by_fields
            .then_with(|| self.first.direction.apply(sequence.cmp(&position.sequence)))
            .is_gt()
    }
}
