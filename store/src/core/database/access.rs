//! One caller at one entity: the schema, the caller's side of its rules, and the refusals, each with a note for the log.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::core::{
    access::{FieldChange, Reader, Rule, Scope, inputs},
    caller::Principal,
    fault::{Fault, Operation},
    filter::Filter,
    note::{Note, Refusal},
    record::Record,
    schema::Schema,
    view::View,
};

/// What one caller may do with one entity.
#[derive(Debug)]
pub struct Access {
    schema: Arc<Schema>,
    scope: Scope,
    entity: Arc<str>,
}

impl Access {
    /// The caller of `scope` at the entity of `schema`.
    #[must_use]
    pub const fn new(schema: Arc<Schema>, scope: Scope, entity: Arc<str>) -> Self {
        Self {
            schema,
            scope,
            entity,
        }
    }

    /// The entity's schema.
    #[must_use]
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The entity's name.
    #[must_use]
    pub const fn entity(&self) -> &Arc<str> {
        &self.entity
    }

    /// The caller.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        self.scope.principal()
    }

    /// The records with which the caller may do this.
    #[must_use]
    pub fn filter(&self, operation: Operation) -> Filter {
        self.schema.rules().filter(operation, &self.scope)
    }

    /// Which fields the caller sees.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.schema.guards().reader(&self.scope)
    }

    /// Whether the caller may do this with the record.
    #[must_use]
    pub fn allows(&self, operation: Operation, record: &Arc<Record>) -> bool {
        self.filter(operation).matches(record).unwrap_or(false)
    }

    /// Whether the rule is literally `false`, and the caller not exempt.
    #[must_use]
    pub fn forbids(&self, operation: Operation) -> bool {
        *self.schema.rules().rule(operation) == Rule::Nobody && !self.scope.is_exempt()
    }

    /// Refuses a record that the caller may not create; `may_create` is the caller's rule.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`].
    pub fn require_create(&self, may_create: &Filter, record: View<'_>) -> Result<(), Fault> {
        if may_create.matches(record).unwrap_or(false) {
            return Ok(());
        }
        let refusal = self.refusal(Operation::Create, None, Some(record));
        Err(self.denied(Operation::Create).noting(refusal))
    }

    /// The answer when an operation as a whole is refused.
    #[must_use]
    pub fn denied(&self, operation: Operation) -> Fault {
        Fault::Denied {
            operation,
            entity: self.entity.to_string(),
        }
    }

    /// Passes a stored record on if the caller may read it and do this with it. To the caller a record that is not
    /// theirs is one that does not exist; the log tells the difference.
    ///
    /// # Errors
    ///
    /// [`Fault::NoSuchRecord`].
    pub fn require<'a>(
        &self,
        operation: Operation,
        id: &str,
        found: Option<&'a Arc<Record>>,
    ) -> Result<&'a Arc<Record>, Fault> {
        let missing = || self.no_such_record(id);
        let record = found.ok_or_else(missing)?;
        for needed in [Operation::Read, operation] {
            if !self.allows(needed, record) {
                let refusal = self.refusal(needed, Some(id), Some(record.into()));
                return Err(missing().noting(refusal));
            }
        }
        Ok(record)
    }

    /// The answer when there is no such record for the caller.
    #[must_use]
    pub fn no_such_record(&self, id: &str) -> Fault {
        Fault::NoSuchRecord {
            entity: self.entity.to_string(),
            id: id.to_owned(),
        }
    }

    /// Refuses changes to fields that the caller may not write. `subject` is what the rules' conditions look at.
    ///
    /// # Errors
    ///
    /// [`Fault::FieldsDenied`] with all such fields.
    pub fn require_fields(
        &self,
        operation: Operation,
        subject: View<'_>,
        change: FieldChange<'_>,
    ) -> Result<(), Fault> {
        let guards = self.schema.guards();
        let fields = guards.refused(operation, &self.scope, subject, change);
        if fields.is_empty() {
            return Ok(());
        }
        let notes: Vec<_> = fields
            .iter()
            .map(|field| {
                let rule = rule_for(operation, self.field_rules(field));
                Note::Rule(Box::new(Refusal {
                    field: Some(field.clone()),
                    ..self.refused_by(rule, operation, Some(subject))
                }))
            })
            .collect();
        let fault = Fault::FieldsDenied { operation, fields };
        Err(notes.into_iter().fold(fault, Fault::noting))
    }

    /// Which of the records of a request, counted from 1, is the reason for refusing them all.
    #[must_use]
    pub fn item(&self, number: usize, all: usize) -> Note {
        Note::Item {
            entity: Arc::clone(&self.entity),
            number,
            all,
        }
    }

    /// Which rule refused what to whom, and the values that it looked at. There is no `record` where the operation is
    /// refused whatever there is.
    #[must_use]
    pub fn refusal(
        &self,
        operation: Operation,
        id: Option<&str>,
        record: Option<View<'_>>,
    ) -> Note {
        let rule = rule_for(operation, &self.schema.written()["rls"]);
        Note::Rule(Box::new(Refusal {
            id: id.map(str::to_owned),
            ..self.refused_by(rule, operation, record)
        }))
    }

    fn refused_by(&self, rule: Json, operation: Operation, record: Option<View<'_>>) -> Refusal {
        Refusal {
            entity: Arc::clone(&self.entity),
            operation,
            id: None,
            field: None,
            caller: self.principal().to_string(),
            values: Json::Object(inputs(&rule, &self.scope, record)),
            rule,
        }
    }

    /// The rules of the field at `data.` and a dotted path, as the schema writes them.
    fn field_rules(&self, path: &str) -> &Json {
        let names = path.split('.').skip(1);
        let field = names.fold(self.schema.written(), |parent, name| {
            match &parent["items"]["properties"][name] {
                Json::Null => &parent["properties"][name],
                found => found,
            }
        });
        &field["rls"]
    }
}

/// As written; `write` stands for what has no rule of its own.
fn rule_for(operation: Operation, rules: &Json) -> Json {
    let rule = rules.get(operation.name()).or_else(|| rules.get("write"));
    rule.cloned().unwrap_or_default()
}
