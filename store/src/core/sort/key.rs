//! The keys that records sort by. An array sorts by its smallest element in ascending order and by its largest in
//! descending order, and an empty one below null, as in MongoDB.

use std::cmp::Ordering;
use std::convert::Infallible;

use serde_json::Value;

use super::Direction;
use crate::core::path::{FieldPath, Found, walk};
use crate::core::value::{Lent, ValueRef};
use crate::core::view::View;

/// What one field of a sort order makes of a record.
#[derive(Debug, Clone)]
pub(super) enum Key<'a> {
    /// An array without elements.
    Empty,
    /// A value; null for a missing one.
    Value(Lent<'a>),
}

impl<'a> Key<'a> {
    pub(super) fn of(path: &FieldPath, direction: Direction, view: View<'a>) -> Self {
        let rest = &path.segments()[1..];
        match view.get(path.first()) {
            None => Self::null(),
            Some(Lent::Ref(value)) => Self::within(value, rest, direction),
            Some(Lent::Owned(value)) if rest.is_empty() && !value.is_array() => {
                Self::Value(Lent::Owned(value))
            }
            Some(Lent::Owned(value)) => Key::within((&value).into(), rest, direction).into_owned(),
        }
    }

    fn within(value: ValueRef<'a>, rest: &[Box<str>], direction: Direction) -> Self {
        let mut best: Option<Self> = None;
        let mut offer = |key: Self| {
            let is_better = best
                .as_ref()
                .is_none_or(|best| direction.apply(key.cmp(best)).is_lt());
            if is_better {
                best = Some(key);
            }
        };
        let Ok(_) = walk(value, rest, &mut |found: Found<'a>| {
            match found.value {
                Some(ValueRef::Value(Value::Array(items))) if found.unfolds => {
                    if items.is_empty() {
                        offer(Self::Empty);
                    }
                    items
                        .iter()
                        .for_each(|item| offer(Self::Value(item.into())));
                }
                Some(value) => offer(Self::Value(value.into())),
                None => offer(Self::null()),
            }
            Ok::<_, Infallible>(false)
        });
        best.unwrap_or_else(Self::null)
    }

    fn null() -> Self {
        Self::Value((&Value::Null).into())
    }

    pub(super) fn into_owned(self) -> Key<'static> {
        match self {
            Self::Empty => Key::Empty,
            Self::Value(value) => Key::Value(Lent::Owned(value.into_value())),
        }
    }

    pub(super) fn cmp(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Self::Empty, Key::Empty) => Ordering::Equal,
            (Self::Empty, Key::Value(_)) => Ordering::Less,
            (Self::Value(_), Key::Empty) => Ordering::Greater,
            (Self::Value(left), Key::Value(right)) => left.get().compare(right.get()),
        }
    }
}
