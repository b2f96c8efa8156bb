//! Conditions on what one field holds: the tests that an operator object compiles to.

use std::slice;

use serde_json::Value;

use super::Filter;
use super::evaluate::{Truth, predicate_on_value};
use super::operand::{Operand, Relation, ValueList};
use super::parse::{check_bounds, parse_condition};
use super::regex::{Budget, Pattern};
use crate::core::error::QueryError;

/// A condition on a field: all of its tests must hold.
#[derive(Debug, Clone)]
pub struct Predicate {
    pub(super) tests: Vec<Test>,
}

/// One test of a field; the operators without a form of their own here are negations and conjunctions of these.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Constant(Truth),
    Not(Predicate),
    Equal(Operand),
    OneOf(ValueList),
    Compare(Relation, Operand),
    Exists,
    Size(usize),
    Regex(Pattern),
    ElementValue(Predicate),
    ElementObject(Box<Filter>),
}

impl Predicate {
    /// Compiles what may stand right of a field's name: a value, a list of alternatives, or an operator object. Its
    /// regular expressions share the budget.
    pub(crate) fn parse(condition: &Value, budget: &Budget) -> Result<Self, QueryError> {
        check_bounds(condition)?;
        parse_condition(condition, budget)
    }

    /// The field equals the value; `null` is equal to a missing field, and an array is also each of its elements.
    pub fn equal(value: Value) -> Self {
        Self::from(Test::Equal(Operand::new(value)))
    }

    /// The field equals one of the values, in the sense of [`equal`](Self::equal).
    pub fn one_of(values: Vec<Value>) -> Self {
        Self::from(Test::OneOf(ValueList::new(values)))
    }

    /// The outcome is unknown, whatever the field holds.
    pub fn unknown() -> Self {
        Self::from(Test::Constant(Truth::Unknown))
    }

    /// All of the predicates, each on its own over the elements of an array.
    pub fn and(predicates: impl IntoIterator<Item = Self>) -> Self {
        Self {
            tests: predicates
                .into_iter()
                .flat_map(|predicate| predicate.tests)
                .collect(),
        }
    }

    /// The predicate does not hold; where it is unknown, so is this.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::from(Test::Not(self))
    }

    /// Whether one value by itself satisfies the predicate, an array not standing for its elements.
    pub(crate) fn matches_value(&self, value: &Value) -> Result<bool, QueryError> {
        Ok(predicate_on_value(self, value)? == Truth::True)
    }

    /// The outcome when it is the same for every value.
    pub(super) fn constant_truth(&self) -> Option<Truth> {
        match &*self.tests {
            [] => Some(Truth::True),
            [Test::Constant(truth)] => Some(*truth),
            [Test::Not(inner)] => inner.constant_truth().map(Truth::negate),
            _ => None,
        }
    }

    /// The values of which the field must equal one, where a test says so.
    pub(super) fn equal_to(&self) -> Option<&[Value]> {
        self.tests.iter().find_map(|test| match test {
            Test::Equal(operand) => Some(slice::from_ref(operand.value())),
            Test::OneOf(list) => Some(list.values()),
            Test::Constant(_)
            | Test::Not(_)
            | Test::Compare(..)
            | Test::Exists
            | Test::Size(_)
            | Test::Regex(_)
            | Test::ElementValue(_)
            | Test::ElementObject(_) => None,
        })
    }

    /// The same predicate, comparing text that denotes instants as instants.
    pub(super) fn with_instants(self) -> Self {
        Self {
            tests: self.tests.into_iter().map(Test::with_instants).collect(),
        }
    }
}

impl Test {
    fn with_instants(self) -> Self {
        match self {
            Self::Not(inner) => Self::Not(inner.with_instants()),
            Self::Equal(operand) => Self::Equal(operand.with_instant()),
            Self::OneOf(list) => Self::OneOf(list.with_instants()),
            Self::Compare(relation, operand) => Self::Compare(relation, operand.with_instant()),
            unchanged @ (Self::Constant(_)
            | Self::Exists
            | Self::Size(_)
            | Self::Regex(_)
            | Self::ElementValue(_)
            | Self::ElementObject(_)) => unchanged,
        }
    }
}

impl From<Test> for Predicate {
    fn from(test: Test) -> Self {
        Self { tests: vec![test] }
    }
}
