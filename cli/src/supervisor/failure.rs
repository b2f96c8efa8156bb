//! Why a service is not up, in words for the terminal.

use proto::process::FailReason;

use super::service::{Component, StartFailure};
use crate::{port_owner, ui::Problem};

/// A service could not be started. `port` is the one that the gateway was to serve on.
pub(super) fn to_start(failure: &StartFailure, port: u16) -> Problem {
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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::TcpListener;

    use super::{FailReason, StartFailure, to_start};

    #[test]
    fn a_port_that_is_taken_is_the_one_that_was_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let failure = StartFailure {
            reason: FailReason::AddressInUse,
            message: "taken".to_owned(),
            hint: String::new(),
            tail: Vec::new(),
        };
        let said = to_start(&failure, port).message;
        let expected = format!("Port {port} is already in use by ");
        assert!(said.starts_with(&expected), "{said}");
    }
}
