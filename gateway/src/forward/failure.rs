//! Why a call was not answered by the platform, in words for the caller and the developer.

use std::error::Error;

use proto::{Code, Failure};

use crate::layers::stalled;

/// There is no platform to send it to.
pub(super) fn no_upstream(feature: &str, reason: &str) -> Failure {
    let reason = match reason {
        "" => "there is no upstream",
        reason => reason,
    };
    let message = format!("{feature} is not available locally and was not forwarded: {reason}");
    Failure::new(Code::BadGateway, message)
}

/// It was sent, or should have been, and nothing usable came back.
pub(super) fn of(base: &str, error: &reqwest::Error) -> Failure {
    if let Some(failure) = stalled(error) {
        return failure;
    }
    let reason = root(error);
    let failure = if error.is_connect() {
        let message = format!("{base} could not be reached: {reason}");
        let hint = "check the connection, or start with `--offline` to work without it";
        Failure::new(Code::BadGateway, message).with_hint(hint)
    } else if error.is_timeout() {
        Failure::new(Code::Timeout, format!("{base} did not answer in time"))
    } else {
        let message = format!("{base} gave no usable answer: {reason}");
        Failure::new(Code::BadGateway, message)
    };
    failure.with_detail(error.source().map_or_else(String::new, ToString::to_string))
}

/// The innermost cause, which is the one that says something.
pub(super) fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
