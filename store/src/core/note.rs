//! What the log tells of a refusal and the caller may not know. It is gathered where the refusal happens and written where
//! that is answered: nobody else waits for a slow reader of the log.

use std::{fmt, sync::Arc};

use serde_json::Value;

use super::fault::{Fault, Operation};

/// A refusal with its notes.
#[derive(Debug)]
pub struct Noted {
    /// What the caller is told.
    pub fault: Fault,
    notes: Vec<Note>,
}

/// One line of the log.
#[derive(Debug)]
pub enum Note {
    /// A rule refused.
    Rule(Box<Refusal>),
    /// One of the records of a request is the reason for refusing them all.
    Item {
        /// In the schema's spelling.
        entity: Arc<str>,
        /// Which of them, from 1.
        number: usize,
        /// How many there are.
        all: usize,
    },
}

/// A rule that refused something.
#[derive(Debug)]
pub struct Refusal {
    /// In the schema's spelling.
    pub entity: Arc<str>,
    /// What was tried.
    pub operation: Operation,
    /// The record, where it has an id already.
    pub id: Option<String>,
    /// `data.` and the dotted path of the field whose rule it is; none for a rule of the entity.
    pub field: Option<String>,
    /// Who tried.
    pub caller: String,
    /// As the schema writes it.
    pub rule: Value,
    /// What the rule looked at.
    pub values: Value,
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl Fault {
    /// The same refusal with one note more.
    #[must_use]
    pub fn noting(self, note: Note) -> Self {
        let mut noted = match self {
            Self::Noted(noted) => noted,
            fault => Box::new(Noted {
                fault,
                notes: Vec::new(),
            }),
        };
        noted.notes.push(note);
        Self::Noted(noted)
    }

    /// The same refusal in other words.
    #[must_use]
    pub fn reworded(self, word: impl FnOnce(&Self) -> Self) -> Self {
        match self {
            Self::Noted(mut noted) => {
                noted.fault = word(&noted.fault);
                Self::Noted(noted)
            }
            fault => word(&fault),
        }
    }

    /// Writes to the log what the developer has to see: the notes, and that an entity is asked for which does not exist,
    /// since clients show their users the status only.
    pub fn log(&self) {
        match self {
            Self::Noted(noted) => noted.notes.iter().for_each(|note| note.log(&noted.fault)),
            Self::UnknownEntity(_) => tracing::warn!("{self}; the project has no such schema"),
            _ => {}
        }
    }
}

impl Note {
    fn log(&self, fault: &Fault) {
        match self {
            Self::Rule(refusal) => refusal.log(),
            Self::Item {
                entity,
                number,
                all,
            } => tracing::warn!(
                entity = &**entity,
                "nothing was written, because of record {number} of {all}: {fault}"
            ),
        }
    }
}

impl Refusal {
    fn log(&self) {
        let kind = match self.field {
            Some(_) => "a field rule",
            None => "an entity rule",
        };
        tracing::warn!(
            entity = &*self.entity,
            operation = self.operation.name(),
            id = self.id,
            caller = self.caller,
            field = self.field,
            rule = %self.rule,
            values = %self.values,
            "refused by {kind}"
        );
    }
}
