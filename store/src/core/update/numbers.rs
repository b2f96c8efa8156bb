//! `$inc` and `$mul`: exact on integers, double otherwise.

use serde_json::{Number, Value};

use crate::core::error::QueryError;
use crate::core::path::FieldPath;
use crate::core::value::{double, integer};

/// A calculation on a field's number.
#[derive(Debug, Clone)]
pub(super) enum Arithmetic {
    Increment(Number),
    Multiply(Number),
}

impl Arithmetic {
    /// The field's next value; a missing field counts as zero, a null does not.
    pub(super) fn apply(
        &self,
        current: Option<&Value>,
        target: &FieldPath,
    ) -> Result<Value, QueryError> {
        let current = match current {
            None => Number::from(0),
            Some(Value::Number(current)) => current.clone(),
            Some(_) => {
                return Err(QueryError::invalid(format!(
                    "{} needs a number at \"{target}\"",
                    self.operator()
                )));
            }
        };
        let result = match self {
            Self::Increment(amount) => {
                calculate(&current, amount, i128::checked_add, |left, right| {
                    left + right
                })
            }
            Self::Multiply(factor) => {
                calculate(&current, factor, i128::checked_mul, |left, right| {
                    left * right
                })
            }
        };
        result.map(Value::Number).ok_or_else(|| {
            QueryError::invalid(format!(
                "{} of \"{target}\" gives a number that is too large",
                self.operator()
            ))
        })
    }

    fn operator(&self) -> &'static str {
        match self {
            Self::Increment(_) => "$inc",
            Self::Multiply(_) => "$mul",
        }
    }
}

fn calculate(
    left: &Number,
    right: &Number,
    exact: impl Fn(i128, i128) -> Option<i128>,
    rounded: impl Fn(f64, f64) -> f64,
) -> Option<Number> {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Number::from_i128(exact(left, right)?),
        _ => Number::from_f64(rounded(double(left), double(right))),
    }
}
