//! A shell that outlives the runner by a moment: it knows the process groups of functions, and kills them when the runner
//! is gone without having done so.
//!
//! A function's process ends by itself when its connection to the runner does, and whoever started the runner ends its
//! groups. Neither helps when both were killed and the function is in an endless loop.

use std::{
    fs::File,
    io::{self, Write as _},
    process::Stdio,
};

use parking_lot::Mutex;
use tokio::process::{Child, Command};

/// Reads `+ GROUP` and `- GROUP`, and kills at the end of its input what is left. In a group of its own, since signals to
/// the runner's are not for it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r sign group; do
  case $sign in
    +) groups="$groups $group" ;;
    -) left=
       for other in $groups; do [ "$other" = "$group" ] || left="$left $other"; done
       groups=$left ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
"#;

/// The shell. Without one it does nothing: processes end in the other two ways.
#[derive(Debug)]
pub(crate) struct Reaper {
    input: Option<Mutex<File>>,
    _shell: Option<Child>,
}

impl Reaper {
    /// Starts the shell.
    #[must_use]
    pub(crate) fn start() -> Self {
        let (input, shell) = match start() {
            Ok((input, shell)) => (Some(Mutex::new(input)), Some(shell)),
            Err(error) => {
                tracing::debug!(%error, "no shell watches over the runner");
                (None, None)
            }
        };
        Self {
            input,
            _shell: shell,
        }
    }

    /// A group is to end with the runner.
    pub(crate) fn add(&self, group: i32) {
        self.tell('+', group);
    }

    /// A group has ended; its number may become somebody else's.
    pub(crate) fn remove(&self, group: i32) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: i32) {
        if let Some(input) = &self.input {
            // A few bytes at a time do not fill a pipe. A shell that is gone is no worse than none.
            let _ = writeln!(input.lock(), "{sign} {group}");
        }
    }
}

fn start() -> io::Result<(File, Child)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a group of its own is what it gets, and it ends with its input"
    )]
    let mut command = Command::new("/bin/sh");
    let mut shell = command
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let input = shell.stdin.take();
    let input = input.ok_or_else(|| io::Error::other("the shell has no input"))?;
    Ok((File::from(input.into_owned_fd()?), shell))
}
