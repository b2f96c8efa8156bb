//! Field rules at work: which fields a caller sees of a record, and which of a write's changes they may not make.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::{FieldRules, Rule, Scope};
use crate::core::{
    fault::Operation,
    filter::{Filter, Truth},
    path::FieldPath,
    record::{Fields, Record},
    schema::Field,
    value::{self, Lent},
    view::{Mask, View},
};

/// What a record is and what it shall be.
#[derive(Clone, Copy, Debug)]
pub struct FieldChange<'a> {
    /// The fields as they are stored; none of a new record.
    pub before: &'a Fields,
    /// The fields as they would be stored.
    pub after: &'a Fields,
}

/// All field rules of a schema, parents before their parts.
#[derive(Debug, Default)]
pub struct FieldGuards(Vec<Guard>);

#[derive(Debug)]
struct Guard {
    path: FieldPath,
    rules: FieldRules,
    /// Parts of this field that have rules of their own, which then count instead of this one.
    parts: Vec<FieldPath>,
}

impl FieldGuards {
    /// Gathers the rules of fields, of their parts and of the parts of list elements.
    #[must_use]
    pub fn collect(fields: Option<&IndexMap<String, Field>>) -> Self {
        let mut found = Vec::new();
        for (name, field) in fields.into_iter().flatten() {
            gather(name, field, &mut found);
        }
        let paths: Vec<_> = found.iter().map(|(path, _)| path.clone()).collect();
        let guard = |(path, rules): (FieldPath, FieldRules)| Guard {
            parts: paths
                .iter()
                .filter(|other| other.is_within(&path) && **other != path)
                .cloned()
                .collect(),
            path,
            rules,
        };
        Self(found.into_iter().map(guard).collect())
    }

    /// Whether no field has a rule.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How this caller sees records.
    #[must_use]
    pub fn reader(&self, scope: &Scope) -> Reader {
        let mut reader = Reader::default();
        if scope.is_exempt() {
            return reader;
        }
        for guard in &self.0 {
            let filter = guard.rules.rule(Operation::Read).compile(scope);
            match filter.constant_truth() {
                Some(Truth::True) => {}
                Some(Truth::False | Truth::Unknown) => reader.hidden.push(guard.path.clone()),
                None => reader.conditional.push((guard.path.clone(), filter)),
            }
        }
        reader
    }

    /// The fields, as `data.` and a path, that a change concerns and that the caller may not write. Conditions are asked of `subject`; a missing field and a null one are the same.
    #[must_use]
    pub fn refused(
        &self,
        operation: Operation,
        scope: &Scope,
        subject: View<'_>,
        change: FieldChange<'_>,
    ) -> Vec<String> {
        if scope.is_exempt() {
            return Vec::new();
        }
        let refused = self.0.iter().filter(|guard| {
            let rule = guard.rules.rule(operation);
            *rule != Rule::Everyone
                && guard.differs(change)
                && !rule.compile(scope).matches(subject).unwrap_or(false)
        });
        refused
            .map(|guard| format!("data.{}", guard.path))
            .collect()
    }
}

fn gather(path: &str, field: &Field, found: &mut Vec<(FieldPath, FieldRules)>) {
    if let Some(rules) = &field.rules {
        found.push((FieldPath::parse(path), rules.clone()));
    }
    let items = field.items.as_deref();
    let parts = field.properties.iter();
    for (name, part) in parts.chain(items.into_iter().flat_map(|items| &items.properties)) {
        gather(&format!("{path}.{name}"), part, found);
    }
}

/// Rules cannot hit a step limit, for they have no patterns; if one could not be evaluated it would grant nothing.
fn grants(filter: &Filter, record: &Arc<Record>) -> bool {
    filter.matches(record).unwrap_or(false)
}

impl Guard {
    fn differs(&self, FieldChange { before, after }: FieldChange<'_>) -> bool {
        let mask = Mask::new(&self.parts);
        let before = self.path.resolve(View::masked(before, &mask));
        let after = self.path.resolve(View::masked(after, &mask));
        let before = before.map_or(Value::Null, empty_is_null);
        !value::equals(&before, &after.map_or(Value::Null, empty_is_null))
    }
}

/// An object that only has parts with rules of their own is as good as none.
fn empty_is_null(value: Lent<'_>) -> Value {
    match value.into_value() {
        Value::Object(object) if object.is_empty() => Value::Null,
        value => value,
    }
}

/// Which fields one caller sees.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    hidden: Vec<FieldPath>,
    conditional: Vec<(FieldPath, Filter)>,
}

impl Reader {
    /// Whether every field of every record is visible.
    #[must_use]
    pub const fn sees_all(&self) -> bool {
        self.hidden.is_empty() && self.conditional.is_empty()
    }

    /// Whether the top-level field, or a part of it, may be hidden in some record.
    #[must_use]
    pub fn may_miss(&self, field: &str) -> bool {
        let conditional = self.conditional.iter().map(|(path, _)| path);
        self.hidden
            .iter()
            .chain(conditional)
            .any(|path| path.first() == field)
    }

    /// What is hidden in this record.
    #[must_use]
    pub fn mask(&self, record: &Arc<Record>) -> Mask<'_> {
        if self.sees_all() {
            return Mask::NONE;
        }
        let conditional = self.conditional.iter();
        let conditional = conditional.filter(|(_, shown)| !grants(shown, record));
        Mask::new(self.hidden.iter().chain(conditional.map(|(path, _)| path)))
    }
}
