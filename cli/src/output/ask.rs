//! Questions, asked in a terminal only: a script says `--force` or `--yes` instead.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{CommandError, Output};

impl Output {
    /// Whether there is somebody to ask.
    pub(crate) fn is_interactive(self) -> bool {
        !self.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks `question` (without its question mark) and answers whether it was agreed to. `flag`, such as `--force`,
    /// is what a script would say.
    ///
    /// # Errors
    ///
    /// `INVALID_INPUT` where there is nobody to ask.
    pub(crate) async fn confirm(self, question: &str, flag: &str) -> Result<bool, CommandError> {
        if !self.is_interactive() {
            let message = format!("nobody is here to be asked: {question}?");
            return Err(CommandError::input(message).with_hint(format!("say yes with {flag}")));
        }
        let prompt = format!("{question}? [y/N] ");
        let asking = tokio::task::spawn_blocking(move || -> io::Result<String> {
            let mut err = io::stderr();
            write!(err, "{prompt}").and_then(|()| err.flush())?;
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer)?;
            Ok(answer)
        });
        // A terminal that cannot be read has not agreed.
        let answer = asking.await.ok().and_then(Result::ok).unwrap_or_default();
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}
