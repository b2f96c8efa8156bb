//! The evaluation of compiled filters, three-valued: true, false, or unknown for lack of something to compare with.

use std::convert::Infallible;

use serde_json::Value;

use super::predicate::{Predicate, Test};
use super::{Filter, Node};
use crate::core::error::QueryError;
use crate::core::path::{FieldPath, Found, walk};
use crate::core::value::{Lent, ValueRef};
use crate::core::view::View;

/// The outcome of a condition. Conjunction is the least of the outcomes, disjunction the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// The condition does not hold.
    False,
    /// It cannot be told: what it compares with is not there. Grants nothing, and its negation grants nothing either.
    Unknown,
    /// The condition holds.
    True,
}

impl Truth {
    /// True for false and the other way round; unknown stays unknown.
    pub fn negate(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

pub(super) fn filter(filter: &Filter, view: View<'_>) -> Result<Truth, QueryError> {
    match &filter.node {
        Node::Constant(truth) => Ok(*truth),
        Node::Field(path, predicate) => field(path, predicate, view),
        Node::And(filters) => least(filters.iter().map(|inner| self::filter(inner, view))),
        Node::Or(filters) => greatest(filters, view),
        Node::Nor(filters) => Ok(greatest(filters, view)?.negate()),
    }
}

fn least(outcomes: impl Iterator<Item = Result<Truth, QueryError>>) -> Result<Truth, QueryError> {
    let mut least = Truth::True;
    for outcome in outcomes {
        least = least.min(outcome?);
        if least == Truth::False {
            break;
        }
    }
    Ok(least)
}

fn greatest(filters: &[Filter], view: View<'_>) -> Result<Truth, QueryError> {
    let mut greatest = Truth::False;
    for inner in filters {
        greatest = greatest.max(filter(inner, view)?);
        if greatest == Truth::True {
            break;
        }
    }
    Ok(greatest)
}

fn field(path: &FieldPath, condition: &Predicate, view: View<'_>) -> Result<Truth, QueryError> {
    let root = view.get(path.first());
    predicate(
        condition,
        Subject {
            root: root.as_ref().map(Lent::get),
            rest: &path.segments()[1..],
            unfolds: true,
        },
    )
}

/// What a predicate is asked of: everything that a path finds.
#[derive(Clone, Copy)]
struct Subject<'s> {
    root: Option<ValueRef<'s>>,
    rest: &'s [Box<str>],
    unfolds: bool,
}

impl<'s> Subject<'s> {
    fn try_any<E>(self, mut test: impl FnMut(Found<'s>) -> Result<bool, E>) -> Result<bool, E> {
        match self.root {
            Some(value) if !self.rest.is_empty() => walk(value, self.rest, &mut test),
            value => test(Found {
                value,
                unfolds: self.unfolds,
            }),
        }
    }

    fn any(self, mut test: impl FnMut(Found<'s>) -> bool) -> bool {
        let Ok(holds) = self.try_any(|found| Ok::<_, Infallible>(test(found)));
        holds
    }
}

/// Whether a value by itself, an array not unfolded, satisfies the predicate.
pub(super) fn predicate_on_value(
    condition: &Predicate,
    value: &Value,
) -> Result<Truth, QueryError> {
    predicate(
        condition,
        Subject {
            root: Some(value.into()),
            rest: &[],
            unfolds: false,
        },
    )
}

fn predicate(condition: &Predicate, subject: Subject<'_>) -> Result<Truth, QueryError> {
    least(condition.tests.iter().map(|inner| test(inner, subject)))
}

/// Each operator asks the whole of what the path finds on its own, so several of them on one array may be satisfied by
/// different elements.
fn test(test: &Test, subject: Subject<'_>) -> Result<Truth, QueryError> {
    let holds = match test {
        Test::Constant(truth) => return Ok(*truth),
        Test::Not(inner) => return Ok(predicate(inner, subject)?.negate()),
        Test::Equal(operand) => subject.any(|found| operand.equals(found)),
        Test::OneOf(list) => subject.any(|found| list.contains(found)),
        Test::Compare(relation, operand) => subject.any(|found| operand.compares(*relation, found)),
        Test::Exists => subject.any(|found| found.value.is_some()),
        Test::Size(size) => {
            subject.any(|found| items(found).is_some_and(|items| items.len() == *size))
        }
        Test::Regex(pattern) => subject.try_any(|found| {
            let own = found.value.and_then(ValueRef::as_str).into_iter();
            let texts = own.chain(found.elements().iter().filter_map(Value::as_str));
            try_any(texts, |text| pattern.is_match(text))
        })?,
        Test::ElementValue(inner) => {
            return any_item(subject, |item| predicate_on_value(inner, item));
        }
        Test::ElementObject(inner) => {
            return any_item(subject, |item| match item {
                Value::Object(object) => inner.evaluate(object),
                _ => Ok(Truth::False),
            });
        }
    };
    Ok(Truth::from(holds))
}

/// The greatest outcome among the items of the arrays that the path finds.
fn any_item(
    subject: Subject<'_>,
    mut outcome: impl FnMut(&Value) -> Result<Truth, QueryError>,
) -> Result<Truth, QueryError> {
    let mut greatest = Truth::False;
    subject.try_any(|found| {
        try_any(items(found).unwrap_or_default(), |item| {
            greatest = greatest.max(outcome(item)?);
            Ok(greatest == Truth::True)
        })
    })?;
    Ok(greatest)
}

fn items(found: Found<'_>) -> Option<&[Value]> {
    found.value.and_then(ValueRef::as_array)
}

fn try_any<T>(
    items: impl IntoIterator<Item = T>,
    mut test: impl FnMut(T) -> Result<bool, QueryError>,
) -> Result<bool, QueryError> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}
