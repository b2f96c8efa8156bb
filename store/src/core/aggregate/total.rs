//! What is computed over the records of a group.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::core::value::{ValueRef, double, integer};

/// A computation over the values of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Sum,
    Average,
    Minimum,
    Maximum,
    CountDistinct,
}

/// A computation under way.
#[derive(Debug)]
pub(super) enum Total {
    Sum(Sum),
    Average(Sum),
    Minimum(Option<Value>),
    Maximum(Option<Value>),
    CountDistinct(HashSet<Vec<u8>>),
}

impl Total {
    pub(super) fn new(measure: Measure) -> Self {
        match measure {
            Measure::Sum => Self::Sum(Sum::default()),
            Measure::Average => Self::Average(Sum::default()),
            Measure::Minimum => Self::Minimum(None),
            Measure::Maximum => Self::Maximum(None),
            Measure::CountDistinct => Self::CountDistinct(HashSet::new()),
        }
    }

    /// Takes in one value; null counts as none.
    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        if value.is_null() {
            return;
        }
        match self {
            Self::Sum(sum) | Self::Average(sum) => sum.add(value),
            Self::Minimum(best) => replace(best, value, Ordering::Less),
            Self::Maximum(best) => replace(best, value, Ordering::Greater),
            Self::CountDistinct(seen) => {
                let mut key = Vec::new();
                value.write_key(&mut key);
                seen.insert(key);
            }
        }
    }

    pub(super) fn finish(self) -> Value {
        match self {
            Self::Sum(sum) => sum.total(),
            Self::Average(sum) => sum.average(),
            Self::Minimum(best) | Self::Maximum(best) => best.unwrap_or(Value::Null),
            Self::CountDistinct(seen) => Value::from(seen.len()),
        }
    }
}

fn replace(best: &mut Option<Value>, value: ValueRef<'_>, when: Ordering) {
    if best
        .as_ref()
        .is_none_or(|best| value.compare(best.into()) == when)
    {
        *best = Some(value.to_value());
    }
}

/// A sum that is exact on integers and carries the rounding error of doubles along (Neumaier's summation), so that ten
/// times `0.1` is `1`; MongoDB compensates its sums too.
#[derive(Debug, Default)]
pub(super) struct Sum {
    integers: i128,
    doubles: f64,
    lost: f64,
    has_doubles: bool,
    count: u64,
}

impl Sum {
    fn add(&mut self, value: ValueRef<'_>) {
        let ValueRef::Value(Value::Number(number)) = value else {
            return;
        };
        self.count += 1;
        match integer(number) {
            Some(integer) => self.integers += integer,
            None => self.add_double(double(number)),
        }
    }

    fn add_double(&mut self, double: f64) {
        let sum = self.doubles + double;
        self.lost += if self.doubles.abs() >= double.abs() {
            (self.doubles - sum) + double
        } else {
            (double - sum) + self.doubles
        };
        self.doubles = sum;
        self.has_doubles = true;
    }

    fn as_double(&self) -> f64 {
        self.integers as f64 + (self.doubles + self.lost)
    }

    fn total(&self) -> Value {
        match Number::from_i128(self.integers) {
            Some(exact) if !self.has_doubles => Value::Number(exact),
            _ => number(self.as_double()),
        }
    }

    fn average(&self) -> Value {
        if self.count == 0 {
            Value::Null
        } else {
            number(self.as_double() / self.count as f64)
        }
    }
}

/// Whole doubles are written as integers, as JavaScript would write them.
fn number(double: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if double.fract() == 0.0 && double.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        let whole = double as i64;
        Value::from(whole)
    } else {
        Value::from(double)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn total(measure: Measure, values: &[Value]) -> Value {
        let mut total = Total::new(measure);
        values.iter().for_each(|value| total.add(value.into()));
        total.finish()
    }

    #[test]
    fn sums_keep_what_plain_doubles_lose() {
        let cases = [
            (vec![json!(0.1); 10], json!(1)),
            (vec![json!(1e16), json!(1.5), json!(-1e16)], json!(1.5)),
            (vec![json!(i64::MAX), json!(i64::MAX)], json!(u64::MAX - 1)),
            (
                vec![json!(i64::MAX), json!(1), json!(0.5), json!(i64::MIN)],
                json!(0.5),
            ),
            (vec![json!(1e308), json!(1e308)], json!(null)),
            (vec![], json!(0)),
        ];
        for (values, expected) in cases {
            assert_eq!(total(Measure::Sum, &values), expected, "{values:?}");
        }
    }

    #[test]
    fn averages_of_whole_numbers_are_written_whole() {
        assert_eq!(
            total(Measure::Average, &[json!(1), json!(3), json!("x")]),
            json!(2)
        );
        assert_eq!(total(Measure::Average, &[json!(1), json!(2)]), json!(1.5));
        assert_eq!(total(Measure::Average, &[json!("x")]), json!(null));
    }
}
