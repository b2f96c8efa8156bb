//! What became of each function of a command about many.

use serde::Serialize;

use crate::output::CommandError;

/// What became of one function.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) status: Status,
    /// Where it is worth telling.
    #[serde(rename = "durationMs", skip_serializing_if = "Option::is_none")]
    pub(super) duration_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// In a word, for the table and for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Status {
    #[serde(rename = "deployed")]
    Deployed,
    #[serde(rename = "unchanged")]
    Unchanged,
    #[serde(rename = "deleted")]
    Deleted,
    #[serde(rename = "not found")]
    NotFound,
    #[serde(rename = "failed")]
    Failed,
}

impl Status {
    /// In the order in which a summary counts them.
    pub(super) const ALL: [Self; 5] = [
        Self::Deployed,
        Self::Unchanged,
        Self::Deleted,
        Self::NotFound,
        Self::Failed,
    ];

    /// As in JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::NotFound => "not found",
            Self::Failed => "failed",
        }
    }
}

impl Outcome {
    pub(super) fn of(name: &str, done: Result<Status, CommandError>) -> Self {
        let (status, error) = match done {
            Ok(status) => (status, None),
            Err(error) => (Status::Failed, Some(error.in_one_line())),
        };
        Self {
            name: name.to_owned(),
            status,
            duration_ms: None,
            error,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.status == Status::Failed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Status;

    #[test]
    fn a_status_is_the_same_word_in_a_table_and_in_json() {
        for status in Status::ALL {
            assert_eq!(json!(status), json!(status.name()));
        }
    }
}
