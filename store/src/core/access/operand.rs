//! Values in rules, with templates such as `{{user.email}}` in them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Report;
use crate::core::record::Record;

/// A value as a rule writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// Without templates.
    Plain(Value),
    /// Exactly one template: stands for the user's typed value.
    Template(Attribute),
    /// Text around templates.
    Text(Vec<Part>),
    /// A list in which templates occur.
    List(Vec<Self>),
    /// An object in which templates occur.
    Object(Vec<(String, Self)>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it stands.
    Plain(String),
    /// Replaced by the user's value.
    Template(Attribute),
}

/// What a template names: a path into the user's record. `None` when it names nothing that a user has.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute(Option<Vec<String>>);

impl Attribute {
    /// Reads `user.id`, `user.data.team` or, as several apps write it, `user.team`.
    fn parse(text: &str, report: Report<'_>) -> Self {
        let mut path: Vec<_> = text.trim().split('.').map(str::to_owned).collect();
        if path.len() < 2 || path.remove(0) != "user" {
            report(format!(
                "the template `{{{{{text}}}}}` does not name the user"
            ));
            return Self(None);
        }
        if path.len() > 1 && path[0] == "data" {
            path.remove(0);
        }
        Self(Some(path))
    }

    /// The user's value; null counts as none.
    fn resolve(&self, user: Option<&Arc<Record>>) -> Option<Value> {
        let (first, rest) = self.0.as_ref()?.split_first()?;
        let mut value = user?.get(first)?.into_value();
        for name in rest {
            value = value.get_mut(name)?.take();
        }
        (!value.is_null()).then_some(value)
    }
}

impl Operand {
    /// Finds the templates in a value.
    pub fn parse(value: &Value, report: Report<'_>) -> Self {
        let operand = match value {
            Value::String(text) => return Self::parse_text(text, report),
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::parse(item, report)).collect())
            }
            Value::Object(object) => {
                let members = object.iter();
                let members = members.map(|(key, value)| (key.clone(), Self::parse(value, report)));
                Self::Object(members.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => return Self::Plain(value.clone()),
        };
        match operand.is_plain() {
            true => Self::Plain(value.clone()),
            false => operand,
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Template(_) | Self::Text(_) => false,
            Self::List(items) => items.iter().all(Self::is_plain),
            Self::Object(members) => members.iter().all(|(_, member)| member.is_plain()),
        }
    }

    fn parse_text(text: &str, report: Report<'_>) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                break;
            };
            if !before.is_empty() {
                parts.push(Part::Plain(before.to_owned()));
            }
            parts.push(Part::Template(Attribute::parse(name, report)));
            rest = behind;
        }
        if parts.is_empty() {
            return Self::Plain(text.into());
        }
        if !rest.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        match parts.as_slice() {
            [Part::Template(attribute)] => Self::Template(attribute.clone()),
            _ => Self::Text(parts),
        }
    }

    /// The value for this user; `None` when a template does not resolve.
    pub fn resolve(&self, user: Option<&Arc<Record>>) -> Option<Value> {
        match self {
            Self::Plain(value) => Some(value.clone()),
            Self::Template(attribute) => attribute.resolve(user),
            Self::Text(parts) => {
                let texts = parts.iter().map(|part| part.resolve(user));
                Some(Value::String(texts.collect::<Option<String>>()?))
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.resolve(user));
                Some(Value::Array(items.collect::<Option<_>>()?))
            }
            Self::Object(members) => {
                let members = members.iter();
                let members =
                    members.map(|(key, member)| Some((key.clone(), member.resolve(user)?)));
                Some(Value::Object(members.collect::<Option<Map<_, _>>>()?))
            }
        }
    }

    /// The entries of a list of alternatives, and whether one of them did not resolve. A template that stands for a list
    /// brings that list's entries; `None` when the operand is no list for this user.
    pub fn resolve_list(&self, user: Option<&Arc<Record>>) -> Option<(Vec<Value>, bool)> {
        let Self::List(items) = self else {
            return match self.resolve(user)? {
                Value::Array(entries) => Some((entries, false)),
                _ => None,
            };
        };
        let (mut entries, mut unresolved) = (Vec::new(), false);
        for item in items {
            match (item, item.resolve(user)) {
                (Self::Template(_), Some(Value::Array(more))) => entries.extend(more),
                (_, Some(value)) => entries.push(value),
                (_, None) => unresolved = true,
            }
        }
        Some((entries, unresolved))
    }
}

impl Part {
    fn resolve(&self, user: Option<&Arc<Record>>) -> Option<String> {
        match self {
            Self::Plain(text) => Some(text.clone()),
            Self::Template(attribute) => match attribute.resolve(user)? {
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            },
        }
    }
}
