//! Why a command ends early.

/// One sentence, what to do, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: u8,
}

impl Problem {
    /// Something the user asked for or wrote is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: 2,
        }
    }

    /// A part of the server failed for good.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self {
            exit: 1,
            ..Self::usage(message)
        }
    }

    /// Adds what to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }
}
