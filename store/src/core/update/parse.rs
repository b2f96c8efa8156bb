//! The reader of update documents: operators, operands, and the conflicts between targets.

use serde_json::Value;

use super::modifiers::{parse_add_to_set, parse_pull, parse_push};
use super::numbers::Arithmetic;
use super::{Change, Step, Update};
use crate::core::error::QueryError;
use crate::core::filter::Budget;
use crate::core::path::FieldPath;
use crate::core::record::{BUILT_IN, PLATFORM_FIELDS};
use crate::core::value::MAX_DEPTH;

/// Far above any update that a program writes; conflicts are looked for between all pairs.
const MAX_TARGETS: usize = 1_000;
type Result<T> = std::result::Result<T, QueryError>;

/// What the parsing of one operator's operand needs besides the operand.
struct Context<'c> {
    now: &'c str,
    is_date: &'c dyn Fn(&str) -> bool,
    /// What the regular expressions of all `$pull` may take.
    budget: Budget,
}

pub(super) fn parse(spec: &Value, now: &str, is_date: &dyn Fn(&str) -> bool) -> Result<Update> {
    let operators = match spec {
        Value::Object(operators) if !operators.is_empty() => operators,
        _ => {
            return Err(QueryError::invalid(
                "an update must be an object of operators such as {\"$set\": {…}}",
            ));
        }
    };
    let context = Context {
        now,
        is_date,
        budget: Budget::default(),
    };
    let mut steps = Vec::new();
    for (operator, fields) in operators {
        if !is_operator(operator) {
            return Err(unknown(operator));
        }
        let Value::Object(fields) = fields else {
            return Err(QueryError::invalid(format!(
                "{operator} needs an object of fields"
            )));
        };
        for (field, operand) in fields {
            let target = parse_target(field)?;
            let change = parse_change(operator, operand, &target, &context)?;
            steps.push(Step { target, change });
        }
    }
    let update = Update { steps };
    refuse_conflicts(&update)?;
    Ok(update)
}

fn is_operator(name: &str) -> bool {
    matches!(
        name,
        "$set"
            | "$unset"
            | "$rename"
            | "$inc"
            | "$mul"
            | "$min"
            | "$max"
            | "$currentDate"
            | "$addToSet"
            | "$push"
            | "$pull"
    )
}

fn unknown(operator: &str) -> QueryError {
    if operator.starts_with('$') {
        QueryError::invalid(format!("unknown operator: {operator}"))
    } else {
        QueryError::invalid(format!(
            "\"{operator}\" is not an update operator; to assign a field write {{\"$set\": {{\"{operator}\": …}}}}"
        ))
    }
}

fn parse_target(field: &str) -> Result<FieldPath> {
    let path = FieldPath::parse(field);
    if BUILT_IN.contains(&path.first()) || PLATFORM_FIELDS.contains(&path.first()) {
        return Err(QueryError::invalid(format!(
            "\"{field}\" cannot be changed: the server keeps it"
        )));
    }
    if path.segments().len() > MAX_DEPTH {
        return Err(QueryError::LimitHit(format!(
            "a field to update is nested more than {MAX_DEPTH} levels deep"
        )));
    }
    if path
        .segments()
        .iter()
        .any(|segment| segment.is_empty() || segment.starts_with('$'))
    {
        return Err(QueryError::invalid(format!(
            "\"{field}\" is not a field to update: its parts may neither be empty nor start with $"
        )));
    }
    Ok(path)
}

fn refuse_conflicts(update: &Update) -> Result<()> {
    let paths: Vec<_> = update.paths().collect();
    if paths.len() > MAX_TARGETS {
        return Err(QueryError::LimitHit(format!(
            "an update cannot change more than {MAX_TARGETS} fields"
        )));
    }
    for (index, path) in paths.iter().enumerate() {
        if let Some(other) = paths[..index]
            .iter()
            .find(|other| path.is_within(other) || other.is_within(path))
        {
            return Err(QueryError::invalid(format!(
                "updating \"{path}\" would create a conflict at \"{other}\""
            )));
        }
    }
    Ok(())
}

fn parse_change(
    operator: &str,
    operand: &Value,
    target: &FieldPath,
    context: &Context<'_>,
) -> Result<Change> {
    let number = || match operand {
        Value::Number(number) => Ok(number.clone()),
        _ => Err(QueryError::invalid(format!(
            "{operator} of \"{target}\" needs a number"
        ))),
    };
    match operator {
        "$set" => Ok(Change::Set(operand.clone())),
        "$unset" => Ok(Change::Unset),
        "$rename" => parse_rename(operand, target),
        "$inc" => Ok(Change::Arithmetic(Arithmetic::Increment(number()?))),
        "$mul" => Ok(Change::Arithmetic(Arithmetic::Multiply(number()?))),
        "$min" => Ok(Change::AtMost(operand.clone())),
        "$max" => Ok(Change::AtLeast(operand.clone())),
        "$currentDate" => parse_current_date(operand, target, context),
        "$addToSet" => Ok(Change::Add(parse_add_to_set(operand)?)),
        "$push" => Ok(Change::Add(parse_push(operand)?)),
        "$pull" => Ok(Change::Pull(parse_pull(operand, &context.budget)?)),
        _ => Err(unknown(operator)),
    }
}

fn parse_rename(operand: &Value, target: &FieldPath) -> Result<Change> {
    let Value::String(name) = operand else {
        return Err(QueryError::invalid(format!(
            "$rename of \"{target}\" needs the new name as a string"
        )));
    };
    let to = parse_target(name)?;
    if to == *target {
        return Err(QueryError::invalid(format!(
            "$rename of \"{target}\" needs another name than the field's own"
        )));
    }
    Ok(Change::Rename(to))
}

fn parse_current_date(
    operand: &Value,
    target: &FieldPath,
    context: &Context<'_>,
) -> Result<Change> {
    let is_valid = match operand {
        Value::Bool(true) => true,
        Value::Object(object) if object.len() == 1 => {
            matches!(
                object.get("$type").and_then(Value::as_str),
                Some("date" | "timestamp")
            )
        }
        _ => false,
    };
    if !is_valid {
        return Err(QueryError::invalid(format!(
            "$currentDate of \"{target}\" needs true, {{\"$type\": \"date\"}} or {{\"$type\": \"timestamp\"}}"
        )));
    }
    let day = || context.now.split('T').next().unwrap_or(context.now);
    let text = if (context.is_date)(&target.to_string()) {
        day()
    } else {
        context.now
    };
    Ok(Change::Set(Value::from(text)))
}
