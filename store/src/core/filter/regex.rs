//! Regular expressions of queries. MongoDB speaks PCRE, whose look-around and back-references need a backtracking
//! engine; a limit on its steps keeps a hostile pattern from holding the server.

use fancy_regex::{Error, Regex, RegexBuilder, RuntimeError};

use super::dialect::from_pcre;
use crate::core::error::QueryError;

/// Some 100 ms at worst; patterns without look-around or back-references run in linear time and never come near it.
const STEP_LIMIT: usize = 1_000_000;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern with the letters of `$options`.
    pub(super) fn compile(pattern: &str, options: &str) -> Result<Self, QueryError> {
        let mut builder = RegexBuilder::new(&from_pcre(pattern));
        builder.backtrack_limit(STEP_LIMIT);
        for option in options.chars() {
            match option {
                'i' => builder.case_insensitive(true),
                'm' => builder.multi_line(true),
                's' => builder.dot_matches_new_line(true),
                'x' => builder.verbose_mode(true),
                // Text is Unicode already.
                'u' => &mut builder,
                other => {
                    return Err(QueryError::invalid(format!(
                        "$options does not know the letter \"{other}\"; it takes i, m, s, x and u"
                    )));
                }
            };
        }
        match builder.build() {
            Ok(regex) => Ok(Self { regex }),
            Err(error) => Err(QueryError::invalid(format!(
                "$regex does not compile: {error}"
            ))),
        }
    }

    /// Whether the text contains a match.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, QueryError> {
        self.regex.is_match(text).map_err(|error| match error {
            Error::RuntimeError(RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow) => {
                QueryError::LimitHit(format!(
                    "$regex takes more than {STEP_LIMIT} steps on a stored value; simplify the pattern, for example by removing nested repetition"
                ))
            }
            other => QueryError::invalid(format!("$regex failed: {other}")),
        })
    }
}
