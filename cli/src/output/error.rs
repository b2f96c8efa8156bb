//! Why a one-shot command failed: a code, one sentence, what to do, and where the platform's own log has more.
//!
//! The codes and the JSON keys are those of the official command line tool, so that a script can use either.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{platform::is_transient, project::ReadError, ui::Problem};

/// What kind of failure it is, as scripts read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    AuthRequired,
    AuthExpired,
    ConfigNotFound,
    ConfigInvalid,
    ConfigExists,
    InvalidInput,
    DependencyNotFound,
    Api,
    FileNotFound,
    FileRead,
    Internal,
    DeploymentFailed,
    TypeGeneration,
}

impl ErrorCode {
    /// The official tool's name for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AuthRequired => "AUTH_REQUIRED",
            Self::AuthExpired => "AUTH_EXPIRED",
            Self::ConfigNotFound => "CONFIG_NOT_FOUND",
            Self::ConfigInvalid => "CONFIG_INVALID",
            Self::ConfigExists => "CONFIG_EXISTS",
            Self::InvalidInput => "INVALID_INPUT",
            Self::DependencyNotFound => "DEPENDENCY_NOT_FOUND",
            Self::Api => "API_ERROR",
            Self::FileNotFound => "FILE_NOT_FOUND",
            Self::FileRead => "FILE_READ_ERROR",
            Self::Internal => "INTERNAL_ERROR",
            Self::DeploymentFailed => "RESOURCE_DEPLOYMENT_FAILED",
            Self::TypeGeneration => "TYPE_GENERATION_ERROR",
        }
    }

    /// 2 for what the user asked for or wrote, 1 for what went wrong on the way.
    pub(crate) const fn exit(self) -> u8 {
        match self {
            Self::ConfigNotFound
            | Self::ConfigInvalid
            | Self::ConfigExists
            | Self::InvalidInput => 2,
            Self::AuthRequired
            | Self::AuthExpired
            | Self::DependencyNotFound
            | Self::Api
            | Self::FileNotFound
            | Self::FileRead
            | Self::Internal
            | Self::DeploymentFailed
            | Self::TypeGeneration => 1,
        }
    }
}

/// What the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    message: String,
    /// To be typed as it stands.
    command: Option<String>,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.command
            .iter()
            .try_for_each(|command| write!(f, ": {command}"))
    }
}

/// A failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CommandError {
    pub(crate) code: ErrorCode,
    /// One sentence without a full stop.
    pub(crate) message: String,
    /// More of it, such as each mistake of a file; one line each.
    pub(crate) details: Vec<String>,
    pub(crate) hints: Vec<Hint>,
    /// The platform's HTTP status.
    pub(crate) status_code: Option<u16>,
    /// The platform's id of the request, for its support.
    pub(crate) request_id: Option<String>,
}

impl CommandError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            hints: Vec::new(),
            status_code: None,
            request_id: None,
        }
    }

    /// What the user asked for cannot be done.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message)
    }

    /// Adds what to do about it.
    pub(crate) fn with_hint(mut self, message: impl Into<String>) -> Self {
        let message = message.into();
        if !message.is_empty() {
            let command = None;
            self.hints.push(Hint { message, command });
        }
        self
    }

    /// Adds what to type.
    pub(crate) fn with_command(
        mut self,
        message: impl Into<String>,
        command: impl Into<String>,
    ) -> Self {
        self.hints.push(Hint {
            message: message.into(),
            command: Some(command.into()),
        });
        self
    }

    /// Adds lines that say more.
    pub(crate) fn with_details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Whether the login is what is wrong, so that no other call would fare better.
    pub(crate) fn is_about_session(&self) -> bool {
        matches!(self.code, ErrorCode::AuthRequired | ErrorCode::AuthExpired)
            || self.status_code == Some(401)
    }

    /// Whether the same call to the platform may succeed a moment later: it got no answer, or one that passes.
    pub(crate) fn may_pass(&self) -> bool {
        self.code == ErrorCode::Api && self.status_code.is_none_or(is_transient)
    }

    /// The sentence with its details and the request's id, for a row of a table.
    pub(crate) fn in_one_line(&self) -> String {
        let details = self.details.iter().map(|detail| format!("; {detail}"));
        let id = self
            .request_id
            .iter()
            .map(|id| format!(" (request id {id})"));
        std::iter::once(self.message.clone())
            .chain(details)
            .chain(id)
            .collect()
    }

    /// The official tool's envelope: `{error, code, details?, hints?, statusCode?, requestId?}`.
    pub(crate) fn to_json(&self) -> Value {
        let mut envelope = Map::new();
        envelope.insert("error".to_owned(), json!(self.message));
        envelope.insert("code".to_owned(), json!(self.code.name()));
        if !self.details.is_empty() {
            envelope.insert("details".to_owned(), json!(self.details));
        }
        if !self.hints.is_empty() {
            let hints = self.hints.iter().map(|hint| match &hint.command {
                Some(command) => json!({ "message": hint.message, "command": command }),
                None => json!({ "message": hint.message }),
            });
            envelope.insert("hints".to_owned(), hints.collect());
        }
        if let Some(status) = self.status_code {
            envelope.insert("statusCode".to_owned(), json!(status));
        }
        if let Some(id) = &self.request_id {
            envelope.insert("requestId".to_owned(), json!(id));
        }
        Value::Object(envelope)
    }
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        Self::from(&error)
    }
}

impl From<&ReadError> for CommandError {
    fn from(error: &ReadError) -> Self {
        let message = error.to_string();
        let hint = error.hint();
        let found = match error {
            ReadError::Start { .. } => Self::input(message),
            ReadError::NotFound { .. } | ReadError::Gone { .. } => {
                Self::new(ErrorCode::ConfigNotFound, message)
            }
            ReadError::Config { diagnostics, .. } => Self::new(ErrorCode::ConfigInvalid, message)
                .with_details(diagnostics.iter().map(ToString::to_string)),
        };
        found.with_hint(hint)
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        let code = match problem.exit {
            2 => ErrorCode::InvalidInput,
            _ => ErrorCode::Internal,
        };
        Self::new(code, problem.message).with_hint(problem.hint.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CommandError, ErrorCode};

    #[test]
    fn what_has_no_answer_or_a_passing_one_is_worth_another_try_and_a_refusal_is_not() {
        let refused = |status_code| CommandError {
            status_code,
            ..CommandError::new(ErrorCode::Api, "refused")
        };
        for (status, expected) in [
            (None, true),
            (Some(408), true),
            (Some(429), true),
            (Some(500), true),
            (Some(503), true),
            (Some(400), false),
            (Some(431), false),
            (Some(451), false),
            (Some(501), false),
        ] {
            assert_eq!(refused(status).may_pass(), expected, "{status:?}");
        }
        assert!(!CommandError::new(ErrorCode::AuthExpired, "over").may_pass());
    }

    #[test]
    fn the_envelope_has_the_official_keys_and_leaves_out_what_is_empty() {
        let bare = CommandError::input("no");
        assert_eq!(
            bare.to_json(),
            json!({ "error": "no", "code": "INVALID_INPUT" })
        );
        let full = CommandError {
            status_code: Some(401),
            request_id: Some("r".to_owned()),
            ..CommandError::new(ErrorCode::Api, "refused")
        };
        let full = full
            .with_details(["a: b".to_owned()])
            .with_hint("look")
            .with_command("log in", "backlot login");
        assert_eq!(
            full.to_json(),
            json!({
                "error": "refused", "code": "API_ERROR", "details": ["a: b"],
                "hints": [{ "message": "look" }, { "message": "log in", "command": "backlot login" }],
                "statusCode": 401, "requestId": "r",
            })
        );
    }
}
