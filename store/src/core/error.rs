//! The one error of the query language: what the caller asked for cannot be answered as asked. Its text is written for the
//! caller and may be shown to them as it is.

use std::fmt::Display;

/// A query, sort order, update or aggregation that is refused; HTTP's 400 in either case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The request is malformed; the text names the operator or the key at fault.
    #[error("{0}")]
    Invalid(String),
    /// The request is well formed but would cost more than the server spends on one; the text names the limit.
    #[error("{0}")]
    LimitHit(String),
}

impl QueryError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    pub(crate) fn unknown_operator(name: impl Display) -> Self {
        Self::Invalid(format!("unknown operator: {name}"))
    }
}
