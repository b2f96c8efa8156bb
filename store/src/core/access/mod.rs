//! Row and field rules: read from a schema once, compiled for each caller into the filters of the query language.
//!
//! Rules are three-valued. A comparison that needs a user who is not there, or a template that does not resolve, is
//! unknown; unknown stays unknown under negation; only true grants.

mod compile;
mod explain;
mod guards;
mod operand;
mod rule;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::{
    compile::Scope,
    explain::inputs,
    guards::{FieldChange, FieldGuards, Reader},
    rule::{ATTRIBUTES, COMPARISONS, CONSTANTS, Rule, TESTS},
};
use super::{fault::Operation, filter::Filter};

/// Receives sentences about rules that are not what their author will have meant.
pub type Report<'a> = &'a mut dyn FnMut(String);

/// Who may do what with the records of an entity.
#[derive(Debug, Default)]
pub struct EntityRules {
    create: Rule,
    read: Rule,
    update: Rule,
    delete: Rule,
}

impl EntityRules {
    /// Reads the `rls` of a schema. `write` stands for creating, updating and deleting where these have no rule.
    pub fn parse(rls: Option<&Value>, report: Report<'_>) -> Self {
        let Some(rls) = rls.filter(|rls| !rls.is_null()) else {
            return Self::default();
        };
        let mut rule = |key: &str| Rule::of(rls, key, report);
        let write = rule("write");
        let mut or_write = |key| rule(key).or_else(|| write.clone()).unwrap_or_default();
        Self {
            create: or_write("create"),
            update: or_write("update"),
            delete: or_write("delete"),
            read: rule("read").unwrap_or_default(),
        }
    }

    /// The rule for an operation, as written.
    #[must_use]
    pub const fn rule(&self, operation: Operation) -> &Rule {
        match operation {
            Operation::Create => &self.create,
            Operation::Read => &self.read,
            Operation::Update => &self.update,
            Operation::Delete => &self.delete,
        }
    }

    /// The records with which the caller may do this.
    #[must_use]
    pub fn filter(&self, operation: Operation, scope: &Scope) -> Filter {
        self.rule(operation).compile(scope)
    }
}

/// Who may do what with one field.
#[derive(Clone, Debug, Default)]
pub struct FieldRules {
    read: Rule,
    create: Rule,
    update: Rule,
}

impl FieldRules {
    /// Reads the `rls` of a property; `write` stands for what has no rule of its own.
    pub fn parse(rls: &Value, report: Report<'_>) -> Self {
        let mut rule = |key: &str| Rule::of(rls, key, report);
        let write = rule("write");
        Self {
            read: rule("read").unwrap_or_default(),
            create: rule("create").or_else(|| write.clone()).unwrap_or_default(),
            update: rule("update").or(write).unwrap_or_default(),
        }
    }

    /// The rule for an operation. A record is deleted whole, so no field has a rule for that.
    #[must_use]
    pub const fn rule(&self, operation: Operation) -> &Rule {
        match operation {
            Operation::Create => &self.create,
            Operation::Read => &self.read,
            Operation::Update | Operation::Delete => &self.update,
        }
    }
}
