//! Filters: MongoDB's query language, compiled once and evaluated over many records without cloning. Row rules compile
//! into the same form, which is why the evaluation has a third outcome: what cannot be known is not granted.

mod dialect;
mod evaluate;
mod operand;
mod parse;
mod predicate;
mod regex;

use serde_json::{Map, Value, json};

pub use self::evaluate::Truth;
use self::parse::{Scope, check_bounds, parse_query};
pub use self::predicate::Predicate;
pub(crate) use self::regex::Budget;
use super::error::QueryError;
use super::path::FieldPath;
use super::view::View;

/// A compiled query over records.
#[derive(Debug, Clone)]
pub struct Filter {
    node: Node,
}

#[derive(Debug, Clone)]
enum Node {
    Constant(Truth),
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Nor(Vec<Filter>),
    Field(FieldPath, Predicate),
}

impl Filter {
    /// Compiles a query as clients send it.
    ///
    /// Refuses everything that MongoDB's language as offered here does not know, naming the operator at fault, because a
    /// condition that is ignored in a bulk delete deletes too much.
    pub fn parse(query: &Value) -> Result<Self, QueryError> {
        check_bounds(query)?;
        parse_query(query, Scope::Record, &Budget::default())
    }

    /// Compiles a query over rows whose columns may have dots in their names.
    pub(crate) fn parse_for_columns(query: &Value, columns: &[String]) -> Result<Self, QueryError> {
        check_bounds(query)?;
        parse_query(query, Scope::Columns(columns), &Budget::default())
    }

    /// Compiles a query over the objects of an array.
    pub(crate) fn parse_for_elements(query: &Value, budget: &Budget) -> Result<Self, QueryError> {
        check_bounds(query)?;
        parse_query(query, Scope::Element, budget)
    }

    /// The filter that every record passes, `{}`.
    pub fn all() -> Self {
        Self::constant(Truth::True)
    }

    /// A filter with the same outcome for every record.
    pub fn constant(truth: Truth) -> Self {
        Self {
            node: Node::Constant(truth),
        }
    }

    /// A condition on one field, named by its dotted path.
    pub fn field(path: &str, predicate: Predicate) -> Self {
        Self::at(FieldPath::parse(path), predicate)
    }

    fn at(path: FieldPath, predicate: Predicate) -> Self {
        let predicate = if path.is_stored_date() {
            predicate.with_instants()
        } else {
            predicate
        };
        Self {
            node: Node::Field(path, predicate),
        }
        .settled()
    }

    /// Deleted records are gone, so `is_deleted` is false on every record there is.
    fn settled(self) -> Self {
        let Node::Field(path, predicate) = &self.node else {
            return self;
        };
        if path.first() != "is_deleted" {
            return predicate.constant_truth().map_or(self, Self::constant);
        }
        let record = Map::from_iter([("is_deleted".to_owned(), json!(false))]);
        match self.evaluate(&record) {
            Ok(truth) => Self::constant(truth),
            Err(_) => self,
        }
    }

    /// All of the filters; true when there are none.
    pub fn and(filters: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(filters.len());
        for filter in filters {
            match filter.node {
                Node::Constant(Truth::True) => {}
                Node::Constant(Truth::False) => return filter,
                Node::And(inner) => kept.extend(inner),
                Node::Constant(Truth::Unknown) | Node::Or(_) | Node::Nor(_) | Node::Field(..) => {
                    kept.push(filter);
                }
            }
        }
        match kept.len() {
            0 => Self::all(),
            1 => kept.remove(0),
            _ => Self {
                node: Node::And(kept),
            },
        }
    }

    /// At least one of the filters; false when there are none.
    pub fn or(filters: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(filters.len());
        for filter in filters {
            match filter.node {
                Node::Constant(Truth::False) => {}
                Node::Constant(Truth::True) => return filter,
                Node::Or(inner) => kept.extend(inner),
                Node::Constant(Truth::Unknown) | Node::And(_) | Node::Nor(_) | Node::Field(..) => {
                    kept.push(filter);
                }
            }
        }
        match kept.len() {
            0 => Self::constant(Truth::False),
            1 => kept.remove(0),
            _ => Self {
                node: Node::Or(kept),
            },
        }
    }

    /// None of the filters; unknown where one of them is unknown and none holds.
    pub fn nor(filters: Vec<Self>) -> Self {
        let any = Self::or(filters);
        match any.node {
            Node::Constant(truth) => Self::constant(truth.negate()),
            Node::Or(inner) => Self {
                node: Node::Nor(inner),
            },
            Node::And(_) | Node::Nor(_) | Node::Field(..) => Self {
                node: Node::Nor(vec![any]),
            },
        }
    }

    /// The outcome when it is the same for every record.
    pub fn constant_truth(&self) -> Option<Truth> {
        match self.node {
            Node::Constant(truth) => Some(truth),
            Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Field(..) => None,
        }
    }

    /// Whether every record passes, whatever it holds.
    pub fn is_everything(&self) -> bool {
        self.constant_truth() == Some(Truth::True)
    }

    /// Whether the record passes; an unknown outcome does not.
    ///
    /// Fails only when a regular expression exceeds its step limit, or those of the query take too long together.
    pub fn matches<'a>(&self, record: impl Into<View<'a>>) -> Result<bool, QueryError> {
        Ok(self.evaluate(record)? == Truth::True)
    }

    /// The outcome for a record, under [`matches`](Self::matches)'s error.
    pub fn evaluate<'a>(&self, record: impl Into<View<'a>>) -> Result<Truth, QueryError> {
        evaluate::filter(self, record.into())
    }

    /// The equalities that every passing record satisfies: a field's name with the values it may equal.
    ///
    /// An index serves such a hint with the records whose value equals an entry, or is an array that contains or equals
    /// one; an entry `null` stands for a missing field as well. Where the reader's mask can hide the field a hint is of
    /// no use, since the filter then sees no value at all.
    pub fn equality_hints(&self) -> Vec<(&str, &[Value])> {
        match &self.node {
            Node::Field(..) => self.own_hint().into_iter().collect(),
            Node::And(filters) => filters.iter().filter_map(Self::own_hint).collect(),
            Node::Constant(_) | Node::Or(_) | Node::Nor(_) => Vec::new(),
        }
    }

    fn own_hint(&self) -> Option<(&str, &[Value])> {
        match &self.node {
            Node::Field(path, predicate) if !path.is_stored_date() => {
                Some((path.single()?, predicate.equal_to()?))
            }
            Node::Field(..) | Node::Constant(_) | Node::And(_) | Node::Or(_) | Node::Nor(_) => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;
