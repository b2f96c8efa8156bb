//! The compiler of queries: from JSON as clients send it to filters, refusing what it does not know.

use serde_json::{Map, Value};

use super::operand::{Operand, Relation};
use super::predicate::{Predicate, Test};
use super::regex::{Budget, Pattern};
use super::{Filter, Truth};
use crate::core::error::QueryError;
use crate::core::path::FieldPath;
use crate::core::value::{MAX_DEPTH, integer};

/// Far above any query that a program writes, low enough that evaluating one stays bounded.
const MAX_KEYS: usize = 10_000;

type Result<T> = std::result::Result<T, QueryError>;

/// What the names in a query refer to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// The fields of a record.
    Record,
    /// The fields of an object in an array.
    Element,
    /// The columns of an aggregation's rows.
    Columns(&'a [String]),
}

impl Scope<'_> {
    fn path(self, name: &str) -> FieldPath {
        match self {
            Self::Record => FieldPath::parse(name),
            Self::Element => FieldPath::nested(name),
            Self::Columns(columns) if columns.iter().any(|column| column == name) => {
                FieldPath::literal(name)
            }
            Self::Columns(_) => FieldPath::nested(name),
        }
    }

    fn condition(self, name: &str, predicate: Predicate) -> Filter {
        match self {
            Self::Record => Filter::field(name, predicate),
            Self::Element | Self::Columns(_) => Filter {
                node: super::Node::Field(self.path(name), predicate),
            },
        }
    }
}

/// Refuses a query that is nested too deeply or has too many conditions to be served.
pub(super) fn check_bounds(query: &Value) -> Result<()> {
    let mut keys = 0;
    check_level(query, 1, &mut keys)
}

fn check_level(value: &Value, depth: usize, keys: &mut usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(QueryError::LimitHit(format!(
            "the query is nested more than {MAX_DEPTH} levels deep"
        )));
    }
    match value {
        Value::Object(object) => {
            *keys += object.len();
            if *keys > MAX_KEYS {
                return Err(QueryError::LimitHit(format!(
                    "the query has more than {MAX_KEYS} keys"
                )));
            }
            object
                .values()
                .try_for_each(|inner| check_level(inner, depth + 1, keys))
        }
        Value::Array(items) => items
            .iter()
            .try_for_each(|inner| check_level(inner, depth + 1, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Compiles a query; its bounds have been checked.
pub(super) fn parse_query(query: &Value, scope: Scope<'_>, budget: &Budget) -> Result<Filter> {
    let Value::Object(query) = query else {
        return Err(QueryError::invalid("a query must be an object"));
    };
    let mut filters = Vec::with_capacity(query.len());
    for (name, condition) in query {
        filters.push(match name.as_str() {
            "$comment" => continue,
            "$and" => Filter::and(parse_queries(name, condition, scope, budget)?),
            "$or" => Filter::or(parse_queries(name, condition, scope, budget)?),
            "$nor" => Filter::nor(parse_queries(name, condition, scope, budget)?),
            _ if is_field_operator(name) => {
                return Err(QueryError::invalid(format!(
                    "unknown operator: {name} (it belongs under a field's name)"
                )));
            }
            _ if name.starts_with('$') => return Err(QueryError::unknown_operator(name)),
            _ => scope.condition(name, parse_condition(condition, budget)?),
        });
    }
    Ok(Filter::and(filters))
}

fn parse_queries(
    operator: &str,
    list: &Value,
    scope: Scope<'_>,
    budget: &Budget,
) -> Result<Vec<Filter>> {
    match list {
        Value::Array(queries) if !queries.is_empty() && queries.iter().all(Value::is_object) => {
            queries
                .iter()
                .map(|query| parse_query(query, scope, budget))
                .collect()
        }
        _ => Err(QueryError::invalid(format!(
            "{operator} needs a non-empty array of queries"
        ))),
    }
}

/// Compiles what stands right of a field's name; its bounds have been checked.
pub(super) fn parse_condition(condition: &Value, budget: &Budget) -> Result<Predicate> {
    match condition {
        Value::Array(_) => Ok(Predicate::one_of(list_operand(
            "a list of alternatives",
            condition,
        )?)),
        Value::Object(object) if has_operators(object)? => parse_operators(object, budget),
        value => Ok(Predicate::equal(value.clone())),
    }
}

/// Whether the object's keys are operators; neither some of them nor all but some may be.
fn has_operators(object: &Map<String, Value>) -> Result<bool> {
    let operator = object.keys().find(|key| key.starts_with('$'));
    let name = object.keys().find(|key| !key.starts_with('$'));
    match (operator, name) {
        (Some(operator), Some(name)) => Err(QueryError::invalid(format!(
            "{operator} cannot stand beside the plain key \"{name}\""
        ))),
        (operator, _) => Ok(operator.is_some()),
    }
}

fn parse_operators(object: &Map<String, Value>, budget: &Budget) -> Result<Predicate> {
    let predicates = object
        .iter()
        .map(|(operator, operand)| parse_operator(operator, operand, object, budget));
    Ok(Predicate::and(predicates.collect::<Result<Vec<_>>>()?))
}

fn is_field_operator(name: &str) -> bool {
    matches!(
        name,
        "$eq"
            | "$ne"
            | "$gt"
            | "$gte"
            | "$lt"
            | "$lte"
            | "$in"
            | "$nin"
            | "$exists"
            | "$regex"
            | "$options"
            | "$not"
            | "$all"
            | "$size"
            | "$elemMatch"
    )
}

fn parse_operator(
    operator: &str,
    operand: &Value,
    siblings: &Map<String, Value>,
    budget: &Budget,
) -> Result<Predicate> {
    let compare = |relation| {
        Ok(Test::Compare(relation, Operand::new(value_operand(operator, operand)?)).into())
    };
    match operator {
        "$eq" => Ok(Predicate::equal(value_operand(operator, operand)?)),
        "$ne" => Ok(Predicate::equal(value_operand(operator, operand)?).negate()),
        "$gt" => compare(Relation::Greater),
        "$gte" => compare(Relation::GreaterOrEqual),
        "$lt" => compare(Relation::Less),
        "$lte" => compare(Relation::LessOrEqual),
        "$in" => Ok(Predicate::one_of(list_operand(operator, operand)?)),
        "$nin" => Ok(Predicate::one_of(list_operand(operator, operand)?).negate()),
        "$exists" => Ok(parse_exists(operand)),
        "$regex" => parse_regex(operand, siblings.get("$options"), budget),
        "$options" if siblings.contains_key("$regex") => Ok(Predicate::and([])),
        "$options" => Err(QueryError::invalid("$options needs a $regex beside it")),
        "$not" => parse_not(operand, budget),
        "$all" => parse_all(operand, budget),
        "$size" => parse_size(operand),
        "$elemMatch" => parse_elem_match(operand, budget),
        unknown => Err(QueryError::unknown_operator(unknown)),
    }
}

/// An operator object in the place of a value is a slip whose silent reading as a plain object would match nothing, or
/// under a negation everything.
fn value_operand(operator: &str, operand: &Value) -> Result<Value> {
    let nested = operand
        .as_object()
        .and_then(|object| object.keys().find(|key| key.starts_with('$')));
    match nested {
        Some(nested) => Err(QueryError::invalid(format!(
            "{operator} cannot take the operator {nested} as its value"
        ))),
        None => Ok(operand.clone()),
    }
}

fn list_operand(operator: &str, operand: &Value) -> Result<Vec<Value>> {
    match operand {
        Value::Array(entries) => entries
            .iter()
            .map(|entry| value_operand(operator, entry))
            .collect(),
        _ => Err(QueryError::invalid(format!("{operator} needs an array"))),
    }
}

/// As in MongoDB `null`, `false` and zero are false and everything else is true.
fn parse_exists(operand: &Value) -> Predicate {
    let is_false = match operand {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) | Value::String(_) | Value::Array(_) | Value::Object(_) => false,
    };
    let exists = Predicate::from(Test::Exists);
    if is_false { exists.negate() } else { exists }
}

fn parse_regex(pattern: &Value, options: Option<&Value>, budget: &Budget) -> Result<Predicate> {
    let Value::String(pattern) = pattern else {
        return Err(QueryError::invalid("$regex needs a string"));
    };
    let options = match options {
        None => "",
        Some(Value::String(options)) => options,
        Some(_) => return Err(QueryError::invalid("$options needs a string")),
    };
    Ok(Test::Regex(Pattern::compile(pattern, options, budget)?).into())
}

fn parse_not(operand: &Value, budget: &Budget) -> Result<Predicate> {
    match operand {
        Value::Object(object) if has_operators(object)? => {
            Ok(parse_operators(object, budget)?.negate())
        }
        _ => Err(QueryError::invalid("$not needs an object of operators")),
    }
}

fn parse_all(operand: &Value, budget: &Budget) -> Result<Predicate> {
    let Value::Array(entries) = operand else {
        return Err(QueryError::invalid("$all needs an array"));
    };
    if entries.is_empty() {
        return Ok(Test::Constant(Truth::False).into());
    }
    let predicates = entries.iter().map(|entry| match entry {
        Value::Object(object) if object.len() == 1 && object.contains_key("$elemMatch") => {
            parse_operators(object, budget)
        }
        value => Ok(Predicate::equal(value_operand("$all", value)?)),
    });
    Ok(Predicate::and(predicates.collect::<Result<Vec<_>>>()?))
}

fn parse_size(operand: &Value) -> Result<Predicate> {
    let size = operand.as_number().and_then(|number| {
        let whole = || {
            number
                .as_f64()
                .filter(|double| double.fract() == 0.0)
                .and_then(|double| format!("{double}").parse().ok())
        };
        integer(number).or_else(whole)
    });
    match size.and_then(|size| usize::try_from(size).ok()) {
        Some(size) => Ok(Test::Size(size).into()),
        None => Err(QueryError::invalid("$size needs a non-negative integer")),
    }
}

fn parse_elem_match(operand: &Value, budget: &Budget) -> Result<Predicate> {
    let Value::Object(object) = operand else {
        return Err(QueryError::invalid("$elemMatch needs an object"));
    };
    if !object.is_empty() && object.keys().all(|key| is_field_operator(key)) {
        return Ok(Test::ElementValue(parse_operators(object, budget)?).into());
    }
    Ok(Test::ElementObject(Box::new(parse_query(operand, Scope::Element, budget)?)).into())
}
