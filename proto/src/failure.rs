//! An error on its way between processes: one text for the caller, one for the log, and a code that both sides know.

use std::fmt;

use tonic::Status;

use crate::{Code, rpc_status, v1::FailureDetail};

/// Bytes of a text that travels in a status. Trailers are limited, and nobody reads more.
const TEXT_LIMIT: usize = 4096;

/// The full name of the message that carries a failure.
const DETAIL: &str = "backlot.v1.FailureDetail";

/// A failed request.
///
/// It has no `Display` on purpose: `message` may be shown to the caller, `detail` may not, and whoever prints one has to
/// choose.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    code: Code,
    message: String,
    detail: String,
    hint: String,
    error_type: Option<String>,
}

impl Failure {
    /// A failure that is explained fully by what the caller may read.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: String::new(),
            hint: String::new(),
            error_type: None,
        }
    }

    /// Adds what only the log should say.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds what the developer can do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Replaces the `error_type` that the code implies.
    #[must_use]
    pub fn with_error_type(mut self, error_type: impl Into<String>) -> Self {
        self.error_type = Some(error_type.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What the caller may read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What only the log should say; empty when there is nothing more.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What the developer can do next; empty when there is nothing.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// `error_type` of an HTTP body.
    #[must_use]
    pub fn error_type(&self) -> &str {
        self.error_type
            .as_deref()
            .unwrap_or_else(|| self.code.error_type())
    }

    /// Reads what a service answered. A status without our details comes from the transport: `service` was not
    /// reached or broke off, and the caller gets that instead of a protocol library's words.
    #[must_use]
    pub fn from_status(service: &str, status: &Status) -> Self {
        Self::from_details(status.details())
            .unwrap_or_else(|| Self::from_transport(service, status))
    }

    fn from_details(details: &[u8]) -> Option<Self> {
        let detail: FailureDetail = rpc_status::detail(details, DETAIL)?;
        Self::try_from(detail).ok()
    }

    fn from_transport(service: &str, status: &Status) -> Self {
        let message = match Code::from_grpc(status.code()) {
            code @ (Code::Internal | Code::Unavailable) => {
                let failure = Self::new(
                    Code::Unavailable,
                    format!("The {service} is not available right now"),
                );
                return failure.with_detail(format!("{}: {}", code.name(), status.message()));
            }
            Code::Timeout => format!("The {service} did not answer in time"),
            _ => status.message().to_owned(),
        };
        Self::new(Code::from_grpc(status.code()), message).with_detail(status.message())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.detail)
    }
}

impl TryFrom<FailureDetail> for Failure {
    /// The name of a code that this side does not know.
    type Error = String;

    fn try_from(detail: FailureDetail) -> Result<Self, String> {
        Ok(Self {
            code: Code::from_name(&detail.code).ok_or(detail.code)?,
            message: detail.message,
            detail: detail.detail,
            hint: detail.hint,
            error_type: Some(detail.error_type).filter(|text| !text.is_empty()),
        })
    }
}

impl From<Failure> for FailureDetail {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code.name().to_owned(),
            message: cut(failure.message),
            detail: cut(failure.detail),
            hint: cut(failure.hint),
            error_type: failure.error_type.unwrap_or_default(),
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let code = failure.code.grpc();
        let detail = FailureDetail::from(failure);
        let message = detail.message.clone();
        let details = rpc_status::encode(code, &message, DETAIL, &detail);
        Self::with_details(code, message, details)
    }
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_LIMIT {
        text.truncate(text.floor_char_boundary(TEXT_LIMIT));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};
    use tonic::{Code as Grpc, Status};

    use super::{Failure, TEXT_LIMIT};
    use crate::Code;

    proptest! {
        #[test]
        fn prop_details_of_any_bytes_are_read_or_taken_for_the_transports(
            number in 0_i32..18,
            edits in prop::collection::vec((any::<Index>(), any::<u8>()), 0..4),
            end in any::<Index>(),
        ) {
            let whole = Status::from(Failure::new(Code::NotFound, "gone").with_hint("look elsewhere"));
            let mut details = whole.details().to_vec();
            for (place, byte) in edits {
                let place = place.index(details.len());
                details[place] = byte;
            }
            details.truncate(end.index(details.len() + 40).min(details.len()));
            let status = Status::with_details(Grpc::from(number), "said", details.into());
            let failure = Failure::from_status("store", &status);
            prop_assert!((400..600).contains(&failure.code().http()), "{failure:?}");
        }
    }

    #[test]
    fn a_failure_survives_the_way_through_a_status() {
        for code in Code::ALL {
            let failure = Failure::new(code, "for the caller")
                .with_detail("for the log")
                .with_hint("do this")
                .with_error_type("KeyError");
            let status = Status::from(failure.clone());
            assert_eq!(status.code(), code.grpc());
            assert_eq!(Failure::from_status("store", &status), failure);
        }
    }

    #[test]
    fn a_transport_error_names_the_service_and_keeps_its_words_for_the_log() {
        let failure = Failure::from_status("store", &Status::internal("h2 protocol error"));
        assert_eq!(failure.code(), Code::Unavailable);
        assert_eq!(failure.message(), "The store is not available right now");
        assert!(failure.detail().contains("h2 protocol error"));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let status = Status::from(Failure::new(Code::BadRequest, "ä".repeat(TEXT_LIMIT)));
        assert!(status.message().len() <= TEXT_LIMIT + '…'.len_utf8());
        assert!(status.message().ends_with("ä…"));
    }
}
