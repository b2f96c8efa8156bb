//! One caller at one entity: the schema, the caller's side of its rules, and the refusals, each with its line in the log.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::core::{
    access::{Reader, Rule, Scope, inputs},
    caller::Principal,
    fault::{Fault, Operation},
    filter::Filter,
    record::{Fields, Record},
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
        self.log_refusal(Operation::Create, None, Some(record));
        Err(self.denied(Operation::Create))
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
                self.log_refusal(needed, Some(id), Some(record.into()));
                return Err(missing());
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
        change: (&Fields, &Fields),
    ) -> Result<(), Fault> {
        let guards = self.schema.guards();
        let fields = guards.refused(operation, &self.scope, subject, change);
        if fields.is_empty() {
            return Ok(());
        }
        for field in &fields {
            let rule = self.field_rule(operation, field);
            tracing::warn!(
                entity = &*self.entity,
                operation = operation.name(),
                caller = %self.principal(),
                field,
                %rule,
                values = %Json::Object(inputs(&rule, &self.scope, Some(subject))),
                "refused by a field rule"
            );
        }
        Err(Fault::FieldsDenied { operation, fields })
    }

    /// Says in the log which rule refused what to whom, and the values that it looked at. There is no `record` where the
    /// operation is refused whatever there is.
    pub fn log_refusal(&self, operation: Operation, id: Option<&str>, record: Option<View<'_>>) {
        let rule = rule_for(operation, &self.document()["rls"]);
        tracing::warn!(
            entity = &*self.entity,
            operation = operation.name(),
            id,
            caller = %self.principal(),
            %rule,
            values = %Json::Object(inputs(&rule, &self.scope, record)),
            "refused by an entity rule"
        );
    }

    /// Says in the log which of the records of a request, counted from 0, is the reason for refusing them all.
    pub fn log_item(&self, fault: &Fault, (index, all): (usize, usize)) {
        let number = index + 1;
        tracing::warn!(
            entity = &*self.entity,
            "nothing was written, because of record {number} of {all}: {fault}"
        );
    }

    /// The rule of the field at `data.` and a dotted path, as the schema writes it.
    fn field_rule(&self, operation: Operation, path: &str) -> Json {
        let document = self.document();
        let names = path.split('.').skip(1);
        let field = names.fold(&document, |parent, name| {
            match &parent["items"]["properties"][name] {
                Json::Null => &parent["properties"][name],
                found => found,
            }
        });
        rule_for(operation, &field["rls"])
    }

    fn document(&self) -> Json {
        serde_json::from_slice(self.schema.document()).unwrap_or_default()
    }
}

/// As written; `write` stands for what has no rule of its own.
fn rule_for(operation: Operation, rules: &Json) -> Json {
    let rule = rules.get(operation.name()).or_else(|| rules.get("write"));
    rule.cloned().unwrap_or_default()
}
