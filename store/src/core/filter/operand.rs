//! What conditions compare with: one value, or a list that is searched rather than scanned. On the two stored dates the
//! operands carry the instants that their text denotes.

use std::cmp::Ordering;

use serde_json::Value;

use crate::core::instant::Instant;
use crate::core::path::Found;
use crate::core::value::{ValueRef, compare, equals, type_order};

/// How two values of one type relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Relation {
    fn admits(self, ordering: Ordering) -> bool {
        match self {
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

/// A value to compare with.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    value: Value,
    instant: Option<Instant>,
}

impl Operand {
    pub(super) fn new(value: Value) -> Self {
        Self {
            value,
            instant: None,
        }
    }

    pub(super) fn with_instant(mut self) -> Self {
        self.instant = self.value.as_str().and_then(Instant::parse);
        self
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn equals(&self, found: Found<'_>) -> bool {
        if found.value.is_none() {
            return self.value.is_null();
        }
        found.any(|value| match self.compare_instants(value) {
            Some(ordering) => ordering.is_eq(),
            None => value.equals(&self.value),
        })
    }

    /// Values of another type than the operand's never compare.
    pub(super) fn compares(&self, relation: Relation, found: Found<'_>) -> bool {
        if found.value.is_none() {
            return self.value.is_null() && relation.admits(Ordering::Equal);
        }
        let class = type_order(Some(&self.value));
        found.any(|value| {
            value.type_order() == class
                && relation.admits(
                    self.compare_instants(value)
                        .unwrap_or_else(|| value.compare((&self.value).into())),
                )
        })
    }

    fn compare_instants(&self, value: ValueRef<'_>) -> Option<Ordering> {
        let operand = self.instant?;
        Some(Instant::parse(value.as_str()?)?.cmp(&operand))
    }
}

/// Values of which one is to be equal.
#[derive(Debug, Clone)]
pub(super) struct ValueList {
    sorted: Vec<Value>,
    instants: Vec<Instant>,
    has_null: bool,
}

impl ValueList {
    pub(super) fn new(mut values: Vec<Value>) -> Self {
        values.sort_by(compare);
        values.dedup_by(|left, right| equals(left, right));
        Self {
            has_null: values.first().is_some_and(Value::is_null),
            sorted: values,
            instants: Vec::new(),
        }
    }

    pub(super) fn with_instants(mut self) -> Self {
        self.instants = self
            .sorted
            .iter()
            .filter_map(Value::as_str)
            .filter_map(Instant::parse)
            .collect();
        self.instants.sort_unstable();
        self
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.sorted
    }

    pub(super) fn contains(&self, found: Found<'_>) -> bool {
        if found.value.is_none() {
            return self.has_null;
        }
        found.any(|value| {
            self.sorted
                .binary_search_by(|entry| ValueRef::from(entry).compare(value))
                .is_ok()
                || self.contains_instant(value)
        })
    }

    fn contains_instant(&self, value: ValueRef<'_>) -> bool {
        !self.instants.is_empty()
            && value
                .as_str()
                .and_then(Instant::parse)
                .is_some_and(|instant| self.instants.binary_search(&instant).is_ok())
    }
}
