//! Between messages and the core's own types.

use bytes::Bytes;
use proto::{Code, Failure, v1};
use serde_json::Value;
use tonic::Status;

use crate::core::{
    caller::Caller,
    database::{Known, SchemaChange, SchemaProblem, Shift},
    fault::Fault,
    filter::Filter,
    record::Fields,
};

/// Who asks; nobody when the message does not say.
pub(super) fn caller(caller: Option<v1::Caller>) -> Caller {
    use v1::caller::Kind;
    match caller.and_then(|caller| caller.kind) {
        None | Some(Kind::Anonymous(_)) => Caller::Anonymous,
        Some(Kind::Service(_)) => Caller::Service,
        Some(Kind::User(user)) => Caller::User {
            email: user.email,
            bypass_rules: user.bypass_rules,
        },
    }
}

/// Any JSON; `what` names it in the refusal.
pub(super) fn json(text: &Bytes, what: &str) -> Result<Value, Fault> {
    serde_json::from_slice(text)
        .map_err(|error| Fault::bad_request(format!("{what} must be JSON: {error}")))
}

/// A JSON object.
pub(super) fn object(text: &Bytes, what: &str) -> Result<Fields, Fault> {
    match json(text, what)? {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::bad_request(format!("{what} must be an object")))
        }
    }
}

/// A JSON array of objects.
pub(super) fn objects(text: &Bytes) -> Result<Vec<Fields>, Fault> {
    let Value::Array(entries) = json(text, "Request body")? else {
        return Err(Fault::bad_request("Request body must be an array"));
    };
    let entries = entries.into_iter().map(|entry| match entry {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Fault::bad_request("Each entry must be an object"))
        }
    });
    entries.collect()
}

/// A filter; all records when the text is empty.
pub(super) fn filter(text: &Bytes) -> Result<Filter, Fault> {
    match query(text)? {
        Value::Null if text.is_empty() => Ok(Filter::all()),
        query => Ok(Filter::parse(&query)?),
    }
}

/// A query; null when the text is empty.
pub(super) fn query(text: &Bytes) -> Result<Value, Fault> {
    match text.is_empty() {
        true => Ok(Value::Null),
        false => serde_json::from_slice(text)
            .map_err(|_| Fault::bad_request("Invalid query parameter 'q'")),
    }
}

/// A count that fits the message.
pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A number from a message, as far as this machine can count.
pub(super) fn size(number: Option<u64>) -> usize {
    number.map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX))
}

pub(super) fn user(user: Known) -> v1::UserResponse {
    v1::UserResponse {
        email: user.email,
        role: user.role,
        id: user.id,
        record_json: user.json,
    }
}

pub(super) fn schema_change(change: SchemaChange) -> v1::apply_schemas_response::EntityChange {
    use v1::apply_schemas_response::entity_change::Kind;
    let kind = match change.shift {
        Shift::Added => Kind::Added,
        Shift::Reshaped => Kind::Reshaped,
        Shift::Refreshed => Kind::Refreshed,
        Shift::Removed => Kind::Removed,
    };
    v1::apply_schemas_response::EntityChange {
        entity: change.entity,
        kind: kind.into(),
        cleared: count(change.cleared),
    }
}

pub(super) fn schema_problem(problem: SchemaProblem) -> v1::apply_schemas_response::SchemaProblem {
    v1::apply_schemas_response::SchemaProblem {
        entity: problem.entity,
        source: problem.source,
        message: problem.message,
        warning: problem.warning,
    }
}

/// The one place where the core's refusals get a code, and where what they note is logged.
pub(super) fn failure(fault: &Fault) -> Failure {
    fault.log();
    Failure::new(code(fault), fault.to_string())
}

fn code(fault: &Fault) -> Code {
    match fault {
        Fault::Query(_) | Fault::BadRequest(_) => Code::BadRequest,
        Fault::UnknownEntity(_) | Fault::NoSuchRecord { .. } => Code::NotFound,
        Fault::Denied { .. } | Fault::FieldsDenied { .. } | Fault::Forbidden(_) => Code::Forbidden,
        Fault::InvalidField { .. } | Fault::Unprocessable(_) => Code::Invalid,
        Fault::Unauthenticated(_) => Code::Unauthenticated,
        Fault::TooMany(_) => Code::RateLimited,
        Fault::Internal(_) => Code::Internal,
        Fault::Noted(noted) => code(&noted.fault),
    }
}

/// A refusal as it travels.
pub(super) fn status(fault: &Fault) -> Status {
    failure(fault).into()
}
