//! Why a service is not up, in words for the terminal.

use proto::process::FailReason;

use super::service::{Component, StartFailure};
use crate::{
    port_owner,
    settings::{PortChoice, Settings},
    ui::Problem,
};

/// A service could not be started.
pub(super) fn to_start(failure: &StartFailure, settings: &Settings) -> Problem {
    let (PortChoice::Exactly(port) | PortChoice::From(port)) = settings.port;
    let message = match (failure.reason, port_owner::of(port)) {
        (FailReason::AddressInUse, Some(owner)) => {
            format!("Port {port} is already in use by {owner}")
        }
        _ => failure.message.clone(),
    };
    Problem::broken(with_tail(message, &failure.tail)).with_hint(failure.hint.clone())
}

/// A service ended too often.
pub(super) fn too_often(component: Component, reason: &str, tail: &[String]) -> Problem {
    let message = format!("the {component} failed more than three times within a minute: {reason}");
    Problem::broken(with_tail(message, tail))
        .with_hint("run it with `BACKLOT_LOG=debug` in the environment to see more of what it does")
}

fn with_tail(mut message: String, tail: &[String]) -> String {
    for line in tail {
        message.push_str("\n  | ");
        message.push_str(line);
    }
    message
}
