//! The script: a file, or what comes from standard input.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _, Read, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use crate::output::{CommandError, ErrorCode};

/// What Deno calls a module from standard input, in the current folder, so that relative imports start there.
const FROM_INPUT: &str = "$deno$stdin.mts";

/// A script that is there.
#[derive(Debug)]
pub(super) enum Script {
    /// Absolute.
    File(PathBuf),
    /// All of standard input, in a file that nobody else can open, at its beginning.
    Input(File),
}

impl Script {
    /// The script in `file`, or the one on standard input.
    ///
    /// # Errors
    ///
    /// When there is none; a terminal is not read from.
    pub(super) fn find(file: Option<&Path>) -> Result<Self, CommandError> {
        let Some(file) = file else {
            let input = io::stdin();
            if input.is_terminal() {
                return Err(none());
            }
            return from_input(input.lock());
        };
        if !file.is_file() {
            let message = format!("there is no script {}", file.display());
            return Err(
                CommandError::new(ErrorCode::FileNotFound, message).with_hint(
                    "name a file, or leave it out and pipe the script into `backlot exec`",
                ),
            );
        }
        let path = std::path::absolute(file).map_err(|error| unreadable(&error))?;
        Ok(Self::File(path))
    }

    /// What Deno is told to run.
    pub(super) fn argument(&self) -> OsString {
        match self {
            Self::File(path) => path.into(),
            Self::Input(_) => "-".into(),
        }
    }

    /// Where it is, as Deno's main module.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Input(_) => env::current_dir().unwrap_or_default().join(FROM_INPUT),
        }
    }
}

fn from_input(mut input: impl Read) -> Result<Script, CommandError> {
    let mut text = Vec::new();
    input
        .read_to_end(&mut text)
        .map_err(|error| unreadable(&error))?;
    if text.trim_ascii().is_empty() {
        return Err(none());
    }
    let keep = || {
        let mut file = tempfile::tempfile()?;
        file.write_all(&text)?;
        file.rewind()?;
        Ok(file)
    };
    keep()
        .map(Script::Input)
        .map_err(|error| unreadable(&error))
}

fn none() -> CommandError {
    CommandError::input("there is no script to run")
        .with_command("name a file", "backlot exec script.ts")
        .with_command(
            "or pipe one in",
            "echo 'console.log(await base44.auth.me())' | backlot exec",
        )
}

fn unreadable(error: &io::Error) -> CommandError {
    CommandError::new(
        ErrorCode::FileRead,
        format!("cannot read the script: {error}"),
    )
    .with_hint("check that the disk and its folder for temporary files have room")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{Script, from_input};

    #[test]
    fn a_script_from_input_is_read_whole_and_an_empty_one_is_none() {
        let Script::Input(mut file) = from_input(&b"console.log(1)"[..]).unwrap() else {
            panic!("it comes from input");
        };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "console.log(1)");
        for empty in ["", " \n\t"] {
            let refused = from_input(empty.as_bytes()).unwrap_err();
            assert_eq!(refused.message, "there is no script to run");
        }
    }
}
