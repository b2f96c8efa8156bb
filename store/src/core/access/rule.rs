//! The grammar of rules. Whatever is not understood grants nothing, and says so when the schema is loaded.

use serde_json::{Map, Value};

use super::{Report, operand::Operand};
use crate::core::record::PLATFORM_FIELDS;

/// Operators that a rule may use on an attribute.
pub const COMPARISONS: [&str; 10] = [
    "$eq",
    "$ne",
    "$in",
    "$nin",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$all",
    "$elemMatch",
];

/// Operators whose operand says something about the attribute's form.
pub const TESTS: [&str; 2] = ["$exists", "$size"];

/// Attributes of a record that rules name without `data.`.
pub const ATTRIBUTES: [&str; 7] = [
    "id",
    "_id",
    "created_by",
    "created_by_id",
    "created_date",
    "updated_date",
    "is_sample",
];

/// Attributes that are the same for all records.
pub const CONSTANTS: [&str; 5] = PLATFORM_FIELDS;

/// A rule for one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rule {
    /// No rule, `true`, null, an empty text or object: everyone, visitors included.
    #[default]
    Everyone,
    /// `false`: no one but the service role.
    Nobody,
    /// Whoever and whatever fulfils a condition.
    When(Condition),
}

/// A condition on the user and the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// One holds.
    Any(Vec<Self>),
    /// None holds.
    None(Vec<Self>),
    /// Compares an attribute of the user.
    User(String, Comparison),
    /// Compares a field of the record.
    Record(String, Comparison),
    /// Compares an attribute that is the same for all records.
    Constant(String, Comparison),
    /// Not understood: grants nothing, negated or not.
    Never,
}

/// What is asked of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// Equals the value, or one of a list that a template stands for.
    Equals(Operand),
    /// Several operators, all of which must agree.
    Operators(Vec<(String, Operand)>),
    /// Not what is asked.
    Not(Box<Self>),
    /// All of these.
    All(Vec<Self>),
}

impl Rule {
    /// The rule under `key`; `None` when there is no such key.
    pub fn of(rls: &Value, key: &str, report: Report<'_>) -> Option<Self> {
        let Value::Object(rules) = rls else {
            if key == "write" {
                report("`rls` must be an object; nobody may do anything".to_owned());
            }
            return Some(Self::Nobody);
        };
        let rule = rules.get(key)?;
        Some(Self::parse(rule, &mut |problem| {
            report(format!("rule `{key}`: {problem}"));
        }))
    }

    fn parse(rule: &Value, report: Report<'_>) -> Self {
        match rule {
            Value::Null | Value::Bool(true) => Self::Everyone,
            Value::Bool(false) => Self::Nobody,
            Value::String(text) if text.is_empty() => Self::Everyone,
            Value::Object(keys) if keys.is_empty() => Self::Everyone,
            Value::Object(keys) => Self::When(Condition::parse(keys, report)),
            Value::String(_) | Value::Number(_) | Value::Array(_) => {
                report("must be true, false or an object; it grants nothing".to_owned());
                Self::Nobody
            }
        }
    }
}

impl Condition {
    fn parse(keys: &Map<String, Value>, report: Report<'_>) -> Self {
        let mut conditions: Vec<_> = keys
            .iter()
            .map(|(key, value)| Self::parse_key(key, value, report))
            .collect();
        match conditions.len() {
            1 => conditions.swap_remove(0),
            _ => Self::All(conditions),
        }
    }

    fn parse_key(key: &str, value: &Value, report: Report<'_>) -> Self {
        match key {
            "user_condition" => Self::parse_user(value, report),
            "$and" => Self::parse_list(key, value, Self::All, report),
            "$or" => Self::parse_list(key, value, Self::Any, report),
            "$nor" => Self::parse_list(key, value, Self::None, report),
            _ => Self::parse_attribute(key, value, report),
        }
    }

    fn parse_list(
        key: &str,
        value: &Value,
        combine: fn(Vec<Self>) -> Self,
        report: Report<'_>,
    ) -> Self {
        let conditions = value.as_array().filter(|list| !list.is_empty());
        let conditions = conditions.and_then(|list| {
            let objects = list.iter().map(Value::as_object);
            objects.collect::<Option<Vec<_>>>()
        });
        let Some(list) = conditions else {
            report(format!(
                "`{key}` must be a list of conditions; it grants nothing"
            ));
            return Self::Never;
        };
        let list = list.into_iter().map(|keys| Self::parse(keys, report));
        combine(list.collect())
    }

    fn parse_user(value: &Value, report: Report<'_>) -> Self {
        let Some(attributes) = value.as_object().filter(|object| !object.is_empty()) else {
            report(
                "`user_condition` must name attributes of the user; it grants nothing".to_owned(),
            );
            return Self::Never;
        };
        let compare = |(name, value): (&String, &Value)| {
            if name.starts_with('$') {
                report(format!(
                    "`user_condition` does not know `{name}`; it grants nothing"
                ));
                return Self::Never;
            }
            if value.is_object() {
                report(format!(
                    "`user_condition` compares `{name}` with operators: this server evaluates them, the platform's \
                     documentation allows plain values only"
                ));
            }
            let name = name.strip_prefix("data.").unwrap_or(name);
            Self::compare(value, report, |comparison| {
                Self::User(name.to_owned(), comparison)
            })
        };
        Self::All(attributes.iter().map(compare).collect())
    }

    fn parse_attribute(key: &str, value: &Value, report: Report<'_>) -> Self {
        if let Some(field) = key.strip_prefix("data.").filter(|field| !field.is_empty()) {
            let build = |comparison| Self::Record(field.to_owned(), comparison);
            return Self::compare(value, report, build);
        }
        if ATTRIBUTES.contains(&key) {
            let build = |comparison| Self::Record(key.to_owned(), comparison);
            return Self::compare(value, report, build);
        }
        if CONSTANTS.contains(&key) {
            let build = |comparison| Self::Constant(key.to_owned(), comparison);
            return Self::compare(value, report, build);
        }
        report(match key.starts_with('$') {
            true => format!("unknown operator `{key}`; it grants nothing"),
            false => {
                format!("`{key}` grants nothing: write `data.{key}` for a field of the record")
            }
        });
        Self::Never
    }

    fn compare(value: &Value, report: Report<'_>, build: impl FnOnce(Comparison) -> Self) -> Self {
        match Comparison::parse(value, report) {
            Ok(comparison) => build(comparison),
            Err(problem) => {
                report(format!("{problem}; it grants nothing"));
                Self::Never
            }
        }
    }
}

impl Comparison {
    fn parse(value: &Value, report: Report<'_>) -> Result<Self, String> {
        let operators = match value {
            Value::Object(object) if !object.is_empty() => object,
            _ => return Ok(Self::Equals(Operand::parse(value, report))),
        };
        let parsed = operators
            .iter()
            .map(|(name, operand)| Self::parse_operator(name, operand, report));
        Ok(Self::All(parsed.collect::<Result<_, _>>()?))
    }

    fn parse_operator(name: &str, operand: &Value, report: Report<'_>) -> Result<Self, String> {
        if name == "$not" {
            return match operand {
                Value::Object(_) => Ok(Self::Not(Box::new(Self::parse(operand, report)?))),
                _ => Err("`$not` needs an object of operators".to_owned()),
            };
        }
        if name == "$eq" {
            return Ok(Self::Equals(Operand::parse(operand, report)));
        }
        if !COMPARISONS.contains(&name) && !TESTS.contains(&name) {
            return Err(format!("unknown operator `{name}`"));
        }
        let operand = Operand::parse(operand, report);
        Ok(Self::Operators(vec![(name.to_owned(), operand)]))
    }
}
