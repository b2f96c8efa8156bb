//! From a rule and a caller to a filter: templates are filled in, and what depends on the caller alone becomes a
//! constant, so that a rule which does not look at the record costs nothing per record.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    operand::Operand,
    rule::{Comparison, Condition, Rule},
};
use crate::core::{
    caller::Principal,
    filter::{Budget, Filter, Predicate, Truth},
    record::{Fields, Record},
    view::View,
};

/// For whom, and where, a rule is evaluated.
#[derive(Clone, Debug)]
pub struct Scope {
    principal: Principal,
    entity: Arc<str>,
    app_id: Arc<str>,
}

impl Scope {
    /// The scope of rules of `entity` in the app `app_id` for a caller.
    #[must_use]
    pub const fn new(principal: Principal, entity: Arc<str>, app_id: Arc<str>) -> Self {
        Self {
            principal,
            entity,
            app_id,
        }
    }

    /// The caller.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether rules do not apply.
    #[must_use]
    pub const fn is_exempt(&self) -> bool {
        self.principal.is_exempt()
    }

    pub(super) fn user(&self) -> Option<&Arc<Record>> {
        self.principal.user()
    }

    /// What the platform keeps beside every record.
    fn constants(&self) -> Fields {
        let values = [
            ("app_id", json!(&*self.app_id)),
            ("entity_name", json!(&*self.entity)),
            ("environment", json!("dev")),
            ("is_deleted", json!(false)),
            ("deleted_date", Value::Null),
        ];
        let named = values.map(|(name, value)| (name.to_owned(), value));
        Map::from_iter(named)
    }
}

impl Rule {
    /// The records for which the rule holds.
    #[must_use]
    pub fn compile(&self, scope: &Scope) -> Filter {
        if scope.is_exempt() {
            return Filter::all();
        }
        match self {
            Self::Everyone => Filter::all(),
            Self::Nobody => Filter::constant(Truth::False),
            Self::When(condition) => condition.compile(scope),
        }
    }
}

impl Condition {
    fn compile(&self, scope: &Scope) -> Filter {
        let compile_all = |list: &[Self]| list.iter().map(|one| one.compile(scope)).collect();
        match self {
            Self::All(list) => Filter::and(compile_all(list)),
            Self::Any(list) => Filter::or(compile_all(list)),
            Self::None(list) => Filter::nor(compile_all(list)),
            Self::User(attribute, comparison) => match scope.user() {
                Some(user) => decide(&comparison.compile(attribute, scope), user),
                None => Filter::constant(Truth::Unknown),
            },
            Self::Record(field, comparison) => comparison.compile(field, scope),
            Self::Constant(name, comparison) => {
                decide(&comparison.compile(name, scope), &scope.constants())
            }
            Self::Never => Filter::constant(Truth::Unknown),
        }
    }
}

/// What the filter says about something that is known already.
fn decide<'a>(filter: &Filter, known: impl Into<View<'a>>) -> Filter {
    Filter::constant(filter.evaluate(known).unwrap_or(Truth::Unknown))
}

impl Comparison {
    fn compile(&self, field: &str, scope: &Scope) -> Filter {
        match self {
            Self::Equals(operand) => equals(field, operand, scope),
            Self::Operators(operators) => Filter::and(
                operators
                    .iter()
                    .map(|(name, operand)| operator(field, name, operand, scope))
                    .collect(),
            ),
            Self::Not(comparison) => Filter::nor(vec![comparison.compile(field, scope)]),
            Self::All(list) => {
                Filter::and(list.iter().map(|one| one.compile(field, scope)).collect())
            }
        }
    }
}

/// A template that stands for a list means any of it; a list that is written out is a value.
fn equals(field: &str, operand: &Operand, scope: &Scope) -> Filter {
    let value = operand.resolve(scope.user());
    match (operand, value) {
        (_, None) => Filter::constant(Truth::Unknown),
        (Operand::Template(_), Some(Value::Array(any))) => {
            Filter::field(field, Predicate::one_of(any))
        }
        (_, Some(value)) => Filter::field(field, Predicate::equal(value)),
    }
}

fn operator(field: &str, name: &str, operand: &Operand, scope: &Scope) -> Filter {
    match name {
        "$ne" => Filter::nor(vec![equals(field, operand, scope)]),
        "$in" => one_of(field, operand, scope),
        "$nin" => Filter::nor(vec![one_of(field, operand, scope)]),
        _ => {
            let Some(value) = operand.resolve(scope.user()) else {
                return Filter::constant(Truth::Unknown);
            };
            let mut operators = Map::new();
            operators.insert(name.to_owned(), value);
            match Predicate::parse(&Value::Object(operators), &Budget::default()) {
                Ok(predicate) => Filter::field(field, predicate),
                Err(_) => Filter::constant(Truth::Unknown),
            }
        }
    }
}

/// An entry that does not resolve leaves the others: true when one of them matches, else unknown.
fn one_of(field: &str, operand: &Operand, scope: &Scope) -> Filter {
    let Some((entries, unresolved)) = operand.resolve_list(scope.user()) else {
        return Filter::constant(Truth::Unknown);
    };
    let known = Filter::field(field, Predicate::one_of(entries));
    match unresolved {
        true => Filter::or(vec![known, Filter::constant(Truth::Unknown)]),
        false => known,
    }
}
