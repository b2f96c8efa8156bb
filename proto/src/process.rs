//! What a parent and a child process of ours say to each other.
//!
//! A child speaks on its standard output, one JSON object a line, and nothing else ever goes there. The parent speaks by
//! keeping the child's standard input open: its end means that the parent is gone, whatever it died of. No pid files, no
//! ports picked in advance, no reading of log lines.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    process, thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// A line on a child's standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Announcement {
    /// The child has bound its addresses and is about to serve them.
    Listening {
        /// `store`, `runner` or `gateway`.
        service: String,
        /// Where its gRPC services are.
        grpc: SocketAddr,
        /// Where it speaks HTTP; only the gateway does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http: Option<SocketAddr>,
        /// Its process id.
        pid: u32,
    },
    /// The child cannot start and is about to end.
    Failed {
        /// What kind of reason, for a parent that wants to try something else.
        reason: FailReason,
        /// One sentence for the user.
        message: String,
        /// What the user can do next; may be empty.
        #[serde(default)]
        hint: String,
    },
    /// The child started a process group of its own. Should the child be killed, its parent ends that group.
    GroupStarted {
        /// Process group id.
        group: i32,
    },
    /// That group is gone.
    GroupEnded {
        /// Process group id.
        group: i32,
    },
}

/// Why a child could not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// Somebody else listens on the address.
    AddressInUse,
    /// Anything else.
    Other,
}

impl Announcement {
    /// Writes the line. A parent that no longer reads is no error: the lifeline says that it is gone.
    pub fn send(&self) {
        let mut line = serde_json::to_vec(self).expect("an announcement is plain data");
        line.push(b'\n');
        let mut out = io::stdout().lock();
        let _ = out.write_all(&line).and_then(|()| out.flush());
    }

    /// Reads a line of a child's output.
    ///
    /// # Errors
    ///
    /// When it is not an announcement.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

/// How long a process may go on after its parent is gone. Nobody waits for its answers any more, and it must not
/// outlive its parent by more than three seconds.
const ORPHAN_LIMIT: Duration = Duration::from_secs(2);

/// Cancels `gone` when standard input ends, which is when the parent does, and ends the process two seconds later
/// in case something hangs.
///
/// A thread of its own, because a blocking read of standard input would hold up the end of the runtime.
///
/// # Errors
///
/// When the thread cannot be started.
pub fn watch_lifeline(gone: CancellationToken) -> io::Result<()> {
    thread::Builder::new()
        .name("lifeline".to_owned())
        .spawn(move || {
            let mut buffer = [0_u8; 64];
            let mut input = io::stdin().lock();
            loop {
                match input.read(&mut buffer) {
                    Ok(0) => break,
                    Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                    Ok(_) | Err(_) => {}
                }
            }
            gone.cancel();
            end_after(ORPHAN_LIMIT);
        })
        .map(drop)
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "the last resort of a process that nobody waits for, in a thread that does nothing else"
)]
fn end_after(limit: Duration) {
    thread::sleep(limit);
    process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::{Announcement, FailReason};

    #[test]
    fn announcements_are_tagged_json() {
        let listening = Announcement::Listening {
            service: "store".to_owned(),
            grpc: "127.0.0.1:7401".parse().unwrap(),
            http: None,
            pid: 7,
        };
        let line = r#"{"event":"listening","service":"store","grpc":"127.0.0.1:7401","pid":7}"#;
        assert_eq!(serde_json::to_string(&listening).unwrap(), line);
        assert_eq!(Announcement::parse(line).unwrap(), listening);
    }

    #[test]
    fn a_hint_may_be_missing() {
        let line = r#"{"event":"failed","reason":"address_in_use","message":"busy"}"#;
        let expected = Announcement::Failed {
            reason: FailReason::AddressInUse,
            message: "busy".to_owned(),
            hint: String::new(),
        };
        assert_eq!(Announcement::parse(line).unwrap(), expected);
    }

    #[test]
    fn other_output_is_not_an_announcement() {
        assert!(Announcement::parse("Listening on port 80").is_err());
    }
}
