//! Row and field rules: is every rule a flag or a condition, and is every condition made of operators and attributes that exist?
//! A rule with an error denies at run time, so its entity is kept; a rule that merely never matches is a warning.

use std::collections::HashSet;

use serde_json::Value;
use store::core::access::{ATTRIBUTES, COMPARISONS, CONSTANTS, TESTS};

use super::diagnose::Diagnostic;
use super::node::Node;

const ENTITY_RULES: [&str; 5] = ["create", "read", "update", "delete", "write"];
/// What user records have besides.
pub(super) const USER_BUILT_IN: [&str; 3] = ["full_name", "email", "role"];
const DENIES: &str = "until this is right the rule denies everyone but the service role";

/// Whether every record has it, so that it is written without `data.`.
pub(super) fn is_built_in(name: &str) -> bool {
    ATTRIBUTES.contains(&name) || CONSTANTS.contains(&name)
}

/// What may stand for a value in a condition.
fn operators() -> impl Iterator<Item = &'static str> {
    COMPARISONS.into_iter().chain(TESTS)
}

/// Checks the rules of one entity.
#[derive(Debug)]
pub(super) struct Rules<'o> {
    entity: String,
    fields: HashSet<String>,
    user_operators_seen: bool,
    out: &'o mut Vec<Diagnostic>,
}

impl<'o> Rules<'o> {
    /// `fields` are the names of the entity's properties.
    pub(super) fn new(
        entity: &str,
        fields: impl Iterator<Item = String>,
        out: &'o mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            entity: entity.to_owned(),
            fields: fields.collect(),
            user_operators_seen: false,
            out,
        }
    }

    /// Checks the entity's own rules and those of all its fields, nested ones included.
    pub(super) fn check(&mut self, entity: &Node<'_>) {
        self.block(entity);
        self.fields(entity);
    }

    fn fields(&mut self, holder: &Node<'_>) {
        if let Some(properties) = holder.get("properties") {
            for (_, property) in properties.entries() {
                self.check(&property);
            }
        }
        if let Some(items) = holder.get("items") {
            self.check(&items);
        }
    }

    /// The `rls` block of an entity or of a field.
    fn block(&mut self, holder: &Node<'_>) {
        let Some(block) = holder.get("rls") else {
            return;
        };
        match block.value {
            Value::Null | Value::Object(_) => {}
            Value::String(text) if text.is_empty() => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let problem = block
                    .unexpected("an object with rules for create, read, update, delete or write");
                self.out.push(problem.hint(DENIES));
            }
        }
        for (key, rule) in block.entries() {
            if !ENTITY_RULES.contains(&key) {
                let problem = rule.key_warning(format!(
                    "{} is not an operation; the rule is ignored",
                    rule.path()
                ));
                self.out
                    .push(problem.expected("create, read, update, delete or write"));
                continue;
            }
            self.rule(&rule);
        }
    }

    fn rule(&mut self, rule: &Node<'_>) {
        match rule.value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) if text.is_empty() => {}
            Value::Object(_) => self.condition(rule),
            Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.out.push(
                    rule.unexpected("true, false, null or a condition object")
                        .hint(DENIES),
                );
            }
        }
    }

    fn condition(&mut self, condition: &Node<'_>) {
        if !condition.value.is_object() {
            self.out
                .push(condition.unexpected("a condition object").hint(DENIES));
        }
        for (key, value) in condition.entries() {
            match key {
                "$or" | "$and" | "$nor" => self.group(&value),
                "user_condition" => self.user_condition(&value),
                _ if key.starts_with('$') => {
                    let problem = value.key_error(format!("`{key}` cannot stand here"));
                    self.out.push(
                        problem
                            .expected("$or, $and, $nor, user_condition or a field")
                            .hint(DENIES),
                    );
                }
                _ => {
                    self.attribute(key, &value);
                    self.list(&value);
                    self.comparison(&value);
                }
            }
        }
    }

    /// In a query a list means any of it; in a rule it is the one value that a field has to have.
    fn list(&mut self, value: &Node<'_>) {
        if value.value.is_array() {
            let message = format!(
                "{} matches only a field that is this very list",
                value.path()
            );
            let problem = value.warning(message);
            self.out
                .push(problem.hint("write { \"$in\": [...] } for any one of its values"));
        }
    }

    fn group(&mut self, group: &Node<'_>) {
        if !group.value.is_array() {
            self.out
                .push(group.unexpected("an array of conditions").hint(DENIES));
        }
        for condition in group.items() {
            self.condition(&condition);
        }
    }

    fn user_condition(&mut self, condition: &Node<'_>) {
        if condition
            .value
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
        {
            let problem = condition
                .unexpected("an object of user attributes, for example { \"role\": \"admin\" }");
            self.out.push(problem.hint(DENIES));
        }
        for (_, value) in condition.entries() {
            let plain = !value.value.is_object() && !value.value.is_array();
            if !plain && !self.user_operators_seen {
                self.user_operators_seen = true;
                let problem = value.warning(format!("{} is not a plain value", value.path()));
                let problem = problem.expected("text, a number, true, false or null");
                self.out.push(problem.hint(
                    "it works here, but Base44 documents only plain values in user_condition",
                ));
            }
            self.comparison(&value);
        }
    }

    /// An attribute that no record has makes the condition false for every record.
    fn attribute(&mut self, key: &str, value: &Node<'_>) {
        let first = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let built_in = |name: &str| {
            is_built_in(name) || self.entity == "User" && USER_BUILT_IN.contains(&name)
        };
        let problem = match key.strip_prefix("data.") {
            Some(path) if self.fields.contains(&first(path)) || built_in(&first(path)) => return,
            Some(path) => {
                let message = format!(
                    "{} has no property `{}`; this condition never matches",
                    self.entity,
                    first(path)
                );
                value
                    .key_warning(message)
                    .hint("correct the name, or declare it in `properties`")
            }
            None if built_in(&first(key)) => return,
            None => {
                let problem = value.key_warning(format!("`{key}` without `data.` never matches"));
                problem.hint(format!("write \"data.{key}\""))
            }
        };
        self.out.push(problem);
    }

    fn comparison(&mut self, value: &Node<'_>) {
        match value.value {
            Value::String(text) => self.template(value, text),
            Value::Object(_) => {
                for (operator, operand) in value.entries() {
                    self.operator(operator, &operand);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
        }
    }

    fn operator(&mut self, operator: &str, operand: &Node<'_>) {
        if operator == "$not" && operand.value.is_object() {
            let problem = operand.key_warning("Base44 documents no `$not` in rules");
            self.out.push(problem.hint("it works here"));
            return self.comparison(operand);
        }
        if !operators().any(|known| known == operator) {
            let problem = operand.key_error(format!("rules have no operator `{operator}`"));
            self.out.push(
                problem
                    .expected(operators().collect::<Vec<_>>().join(" "))
                    .hint(DENIES),
            );
            return;
        }
        let value = operand.value;
        let expected = match operator {
            "$in" | "$nin" | "$all" if !value.is_array() && !is_template(value) => {
                "an array, or a template that is one"
            }
            "$exists" if !value.is_boolean() => "true or false",
            "$size" if !value.is_u64() => "a whole number",
            "$elemMatch" if !value.is_object() => "an object",
            _ => {
                if let Value::String(text) = value {
                    self.template(operand, text);
                }
                return;
            }
        };
        self.out.push(operand.unexpected(expected).hint(DENIES));
    }

    fn template(&mut self, value: &Node<'_>, text: &str) {
        for inside in text.split("{{").skip(1) {
            let name = inside.split("}}").next().unwrap_or_default().trim();
            if !name.starts_with("user.") {
                let problem = value.warning(format!(
                    "the template `{{{{{name}}}}}` has no value; this condition never matches"
                ));
                self.out.push(problem.expected(
                    "{{user.id}}, {{user.email}}, {{user.role}} or {{user.data.<field>}}",
                ));
            }
        }
    }
}

fn is_template(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.trim_start().starts_with("{{") && text.trim_end().ends_with("}}"))
}
