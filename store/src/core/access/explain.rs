//! What a rule looked at when it refused: the values of the fields and of the user's attributes that it names.

use serde_json::{Map, Value};

use super::{Scope, operand::Operand};
use crate::core::{path::FieldPath, view::View};

/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// The values behind a rule as a schema writes it, each under the name that the rule uses; null stands for a missing one.
#[must_use]
pub fn inputs(rule: &Value, scope: &Scope, record: Option<View<'_>>) -> Map<String, Value> {
    let mut inputs = Inputs {
        scope,
        record,
        found: Map::new(),
    };
    inputs.condition(rule);
    inputs.found
}

struct Inputs<'a> {
    scope: &'a Scope,
    record: Option<View<'a>>,
    found: Map<String, Value>,
}

impl Inputs<'_> {
    fn condition(&mut self, rule: &Value) {
        for (key, value) in rule.as_object().into_iter().flatten() {
            if key == "user_condition" {
                for (attribute, value) in value.as_object().into_iter().flatten() {
                    self.user(&format!("user.{attribute}"));
                    self.templates(value);
                }
            } else if key.starts_with('$') {
                let parts = value.as_array().into_iter().flatten();
                parts.for_each(|part| self.condition(part));
            } else {
                self.field(key);
                self.templates(value);
            }
        }
    }

    fn field(&mut self, key: &str) {
        let Some(record) = self.record else {
            return;
        };
        let path = FieldPath::parse(key.strip_prefix("data.").unwrap_or(key));
        let value = path.resolve(record).map(|found| found.into_value());
        self.note(key, value);
    }

    fn templates(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let names = text.split("{{").skip(1);
                for (name, _) in names.filter_map(|rest| rest.split_once("}}")) {
                    self.user(name.trim());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.templates(item)),
            Value::Object(members) => members.values().for_each(|member| self.templates(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn user(&mut self, name: &str) {
        let template = Value::String(format!("{{{{{name}}}}}"));
        let value = Operand::parse(&template, &mut |_| {}).resolve(self.scope.user());
        self.note(name, value);
    }

    fn note(&mut self, name: &str, value: Option<Value>) {
        let value = match value {
            Some(Value::String(text)) if text.chars().count() > SHOWN => {
                Value::String(text.chars().take(SHOWN).chain(['…']).collect())
            }
            value => value.unwrap_or(Value::Null),
        };
        self.found.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::inputs;
    use crate::core::{access::Scope, caller::Principal, record::Fields, view::View};

    #[test]
    fn every_value_that_a_rule_names_is_told_and_missing_ones_are_null() {
        let record: Fields = serde_json::from_value(json!({
            "team": "blue", "stars": 2, "place": {"city": "Rome"}, "long": "x".repeat(100),
        }))
        .unwrap();
        let cases = [
            (json!(false), json!({})),
            (json!({"data.team": "red"}), json!({"data.team": "blue"})),
            (
                json!({"$or": [{"data.stars": {"$gte": 5}}, {"$nor": [{"data.place.city": "Oslo"}]}]}),
                json!({"data.stars": 2, "data.place.city": "Rome"}),
            ),
            (
                json!({"user_condition": {"role": "admin"}, "data.none": {"$in": ["a", "{{user.data.team}}"]}}),
                json!({"user.role": null, "data.none": null, "user.data.team": null}),
            ),
            (
                json!({"data.long": "a"}),
                json!({"data.long": format!("{}…", "x".repeat(60))}),
            ),
        ];
        let scope = Scope::new(Principal::Anonymous, "Task".into(), "app".into());
        for (rule, expected) in cases {
            let found = inputs(&rule, &scope, Some(View::from(&record)));
            assert_eq!(Value::Object(found), expected, "{rule}");
        }
    }
}
