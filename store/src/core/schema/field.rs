//! The compiled form of one property definition.

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::access::FieldRules;

/// A type that a value may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Text; also what schemas call `binary`, which arrives as text.
    String,
    /// Any number.
    Number,
    /// A number without a fraction; `3.0` is one.
    Integer,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
    /// Nothing.
    Null,
    /// A name that means no type; no value has it.
    Unknown(String),
}

impl Type {
    /// Reads a type's name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "string" | "binary" => Self::String,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "array" => Self::Array,
            "object" => Self::Object,
            "null" => Self::Null,
            _ => Self::Unknown(name.to_owned()),
        }
    }

    /// The word in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
            Self::Unknown(name) => name,
        }
    }

    /// Whether `value` is of this type.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => is_integer(value),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Null => value.is_null(),
            Self::Unknown(_) => false,
        }
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// What a schema says about one field.
#[derive(Debug, Default)]
pub struct Field {
    /// Types of which a value must have one; any value goes when empty.
    pub types: Vec<Type>,
    /// Value at creation when the field is absent; top level only.
    pub default: Option<Value>,
    /// Rules beyond the type.
    pub limits: Limits,
    /// What each element of a list must be.
    pub items: Option<Box<Self>>,
    /// Known fields of an object.
    pub properties: IndexMap<String, Self>,
    /// Who may read and write the field.
    pub rules: Option<FieldRules>,
}

/// Rules that are enforced when the developer asks for strictness, and warned about otherwise.
#[derive(Debug, Default)]
pub struct Limits {
    /// Allowed values; all when empty.
    pub values: Vec<Value>,
    /// Name of a text format, such as `date`.
    pub format: Option<String>,
    /// The pattern's source and its compiled form.
    pub pattern: Option<Pattern>,
    /// Least number of characters.
    pub min_length: Option<u64>,
    /// Greatest number of characters.
    pub max_length: Option<u64>,
    /// Least number.
    pub minimum: Option<f64>,
    /// Greatest number.
    pub maximum: Option<f64>,
}

/// A compiled `pattern`.
#[derive(Debug)]
pub struct Pattern {
    /// As written in the schema.
    pub source: String,
    /// Compiled.
    pub regex: fancy_regex::Regex,
}
