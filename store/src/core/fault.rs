//! Everything a request to the store can be refused for, in the words that the caller reads.

use super::{error::QueryError, note::Noted};

/// What a write or a read does, for messages and for choosing the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Adding a record.
    Create,
    /// Reading or watching records.
    Read,
    /// Changing a record.
    Update,
    /// Removing a record.
    Delete,
}

impl Operation {
    /// The rule's key in a schema, and the word in a message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Why the store refused. The texts are the platform's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A filter, a sort, an update document or an aggregation that cannot be run.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The request makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// No schema has this name.
    #[error("Entity \"{0}\" not found")]
    UnknownEntity(String),
    /// No record has this id, or the caller may not know of it.
    #[error("Entity {entity} with ID {id} not found")]
    NoSuchRecord {
        /// In the schema's spelling.
        entity: String,
        /// As asked for.
        id: String,
    },
    /// An entity rule refuses the operation.
    #[error("Permission denied for {} operation on {entity} entity", .operation.name())]
    Denied {
        /// What was tried.
        operation: Operation,
        /// In the schema's spelling.
        entity: String,
    },
    /// Field rules refuse the write.
    #[error(
        "You're not allowed to {} the following fields: {}",
        if matches!(.operation, Operation::Create) { "set" } else { "modify" },
        .fields.join(", ")
    )]
    FieldsDenied {
        /// Creating or updating.
        operation: Operation,
        /// `data.` and the dotted path, in the schema's order.
        fields: Vec<String>,
    },
    /// The record does not fit its schema.
    #[error("Error in field {field}: {problem}")]
    InvalidField {
        /// Dotted path, with `[0]` for elements.
        field: String,
        /// The first thing that is wrong with it.
        problem: String,
    },
    /// Another reason why what was sent is not acceptable in content.
    #[error("{0}")]
    Unprocessable(String),
    /// Needs somebody who is signed in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Signed in, but not entitled.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Too many tries.
    #[error("{0}")]
    TooMany(&'static str),
    /// The store itself cannot do what it should.
    #[error("{0}")]
    Internal(&'static str),
    /// One of these, of which the log has more to say.
    #[error("{0}")]
    Noted(Box<Noted>),
}

impl Fault {
    /// A request that makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Operation};

    #[test]
    fn refusals_speak_the_words_of_the_platform() {
        let fields = vec!["data.a".to_owned(), "data.b.c".to_owned()];
        let cases = [
            (
                Fault::Denied {
                    operation: Operation::Create,
                    entity: "Task".to_owned(),
                },
                "Permission denied for create operation on Task entity",
            ),
            (
                Fault::FieldsDenied {
                    operation: Operation::Create,
                    fields: fields.clone(),
                },
                "You're not allowed to set the following fields: data.a, data.b.c",
            ),
            (
                Fault::FieldsDenied {
                    operation: Operation::Update,
                    fields,
                },
                "You're not allowed to modify the following fields: data.a, data.b.c",
            ),
            (
                Fault::UnknownEntity("X".to_owned()),
                "Entity \"X\" not found",
            ),
        ];
        for (fault, text) in cases {
            assert_eq!(fault.to_string(), text);
        }
    }
}
