//! Values that are looked at where they are: inside a parsed value, or, for text, inside the JSON of a stored record.

use std::cmp::Ordering;

use serde_json::Value;

use super::{compare, equals, type_order, write_key, write_text_key};

/// A value that somebody else holds.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A text of which there is no parsed value.
    Text(&'a str),
    /// Any parsed value, texts among them.
    Value(&'a Value),
}

impl<'a> ValueRef<'a> {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(value) => value.as_str(),
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(self) -> Option<&'a [Value]> {
        match self {
            Self::Text(_) => None,
            Self::Value(value) => value.as_array().map(Vec::as_slice),
        }
    }

    /// Whether it is null.
    #[must_use]
    pub const fn is_null(self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    /// A value of its own.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Value(value) => value.clone(),
        }
    }

    /// [`equals`] with a parsed value.
    #[must_use]
    pub fn equals(self, other: &Value) -> bool {
        match self {
            Self::Text(text) => other.as_str() == Some(text),
            Self::Value(value) => equals(value, other),
        }
    }

    /// [`compare`].
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Value(left), Self::Value(right)) => compare(left, right),
            (left, right) => match (left.as_str(), right.as_str()) {
                (Some(left), Some(right)) => left.cmp(right),
                (_, _) => left.type_order().cmp(&right.type_order()),
            },
        }
    }

    /// The class in which it sorts.
    #[must_use]
    pub fn type_order(self) -> super::TypeOrder {
        match self {
            Self::Text(_) => super::TypeOrder::String,
            Self::Value(value) => type_order(Some(value)),
        }
    }

    /// [`write_key`].
    pub fn write_key(self, key: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_text_key(b's', text, key),
            Self::Value(value) => write_key(value, key),
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(value)
    }
}

/// A value that is somebody else's where it can be looked at in place, and parsed for the occasion where it cannot.
#[derive(Clone, Debug)]
pub enum Lent<'a> {
    /// Looked at in place.
    Ref(ValueRef<'a>),
    /// Parsed, or put together.
    Owned(Value),
}

impl<'a> Lent<'a> {
    /// What there is to see.
    #[must_use]
    pub const fn get(&self) -> ValueRef<'_> {
        match self {
            Self::Ref(value) => *value,
            Self::Owned(value) => ValueRef::Value(value),
        }
    }

    /// A value of its own.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Ref(value) => value.to_value(),
            Self::Owned(value) => value,
        }
    }
}

impl<'a> From<&'a Value> for Lent<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Ref(value.into())
    }
}

impl<'a> From<ValueRef<'a>> for Lent<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        Self::Ref(value)
    }
}
