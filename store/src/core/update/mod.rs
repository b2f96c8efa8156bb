//! Bulk updates in MongoDB's update language: parsed once, then applied to each matching record.

mod arrays;
mod modifiers;
mod numbers;
mod parse;
mod targets;

use serde_json::{Map, Value};

use self::arrays::{Addition, Removal};
use self::numbers::Arithmetic;
use super::error::QueryError;
use super::path::FieldPath;
use super::value::compare;

/// Operators and their targets, checked and free of conflicts.
#[derive(Debug, Clone)]
pub struct Update {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    target: FieldPath,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Set(Value),
    Unset,
    Rename(FieldPath),
    Arithmetic(Arithmetic),
    /// `$min`: the operand replaces a greater value.
    AtMost(Value),
    /// `$max`: the operand replaces a smaller value.
    AtLeast(Value),
    Add(Addition),
    Pull(Removal),
}

impl Update {
    /// Parses `{"$operator": {"field": operand}}`.
    ///
    /// `now` is the time of the request in the form that the stored dates have; `$currentDate` sets it, or its day alone
    /// for those dotted fields of which `is_date` says that they hold days. Refuses unknown operators, malformed operands, the
    /// fields that the server keeps, and a field that is changed twice.
    pub fn parse(
        spec: &Value,
        now: &str,
        is_date: impl Fn(&str) -> bool,
    ) -> Result<Self, QueryError> {
        parse::parse(spec, now, &is_date)
    }

    /// The paths that are written, both ends of a rename among them.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.steps.iter().flat_map(Step::paths)
    }

    /// The paths whose values are moved to another place.
    pub fn moved(&self) -> impl Iterator<Item = &FieldPath> {
        let moves = |step: &&Step| matches!(step.change, Change::Rename(_));
        self.steps.iter().filter(moves).map(|step| &step.target)
    }

    /// The top-level fields that are written; one may come several times.
    pub fn touched(&self) -> impl Iterator<Item = &str> {
        self.paths().map(FieldPath::first)
    }

    /// Leaves out every change that concerns a top-level field for which `is_known` is false.
    pub fn retain(&mut self, is_known: impl Fn(&str) -> bool) {
        self.steps
            .retain(|step| step.paths().all(|path| is_known(path.first())));
    }

    /// Applies all changes to a record.
    ///
    /// On an error, which names the field, the record may be half changed: apply to a copy.
    pub fn apply(&self, record: &mut Map<String, Value>) -> Result<(), QueryError> {
        self.steps.iter().try_for_each(|step| step.apply(record))
    }
}

impl Step {
    fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        let renamed = match &self.change {
            Change::Rename(to) => Some(to),
            Change::Set(_)
            | Change::Unset
            | Change::Arithmetic(_)
            | Change::AtMost(_)
            | Change::AtLeast(_)
            | Change::Add(_)
            | Change::Pull(_) => None,
        };
        std::iter::once(&self.target).chain(renamed)
    }

    fn apply(&self, record: &mut Map<String, Value>) -> Result<(), QueryError> {
        let target = &self.target;
        match &self.change {
            Change::Set(value) => set(record, target, value.clone()),
            Change::Unset => {
                targets::unset(record, target);
                Ok(())
            }
            Change::Rename(to) => rename(record, target, to),
            Change::Arithmetic(arithmetic) => {
                let result = arithmetic.apply(targets::get(record, target), target)?;
                set(record, target, result)
            }
            Change::AtMost(value) => replace_if(record, target, value, |current| {
                compare(value, current).is_lt()
            }),
            Change::AtLeast(value) => replace_if(record, target, value, |current| {
                compare(value, current).is_gt()
            }),
            Change::Add(addition) => {
                let slot = targets::slot(record, target)?;
                addition.apply(slot.get_or_insert_with(|| Value::Array(Vec::new())), target)
            }
            Change::Pull(removal) => match targets::get_mut(record, target) {
                Some(current) => removal.apply(current, target),
                None => Ok(()),
            },
        }
    }
}

fn set(
    record: &mut Map<String, Value>,
    target: &FieldPath,
    value: Value,
) -> Result<(), QueryError> {
    targets::slot(record, target)?.set(value);
    Ok(())
}

fn replace_if(
    record: &mut Map<String, Value>,
    target: &FieldPath,
    value: &Value,
    yields: impl Fn(&Value) -> bool,
) -> Result<(), QueryError> {
    let slot = targets::slot(record, target)?;
    if slot.current().is_none_or(yields) {
        slot.set(value.clone());
    }
    Ok(())
}

/// Elements of arrays have no names to change, so neither end may lead through one.
fn rename(
    record: &mut Map<String, Value>,
    from: &FieldPath,
    to: &FieldPath,
) -> Result<(), QueryError> {
    for path in [from, to] {
        if targets::leads_through_array(record, path) {
            return Err(QueryError::invalid(format!(
                "$rename cannot reach into the array at \"{path}\""
            )));
        }
    }
    let Some(value) = targets::take(record, from) else {
        return Ok(());
    };
    set(record, to, value)
}

#[cfg(test)]
mod tests;
