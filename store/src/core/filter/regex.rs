//! Regular expressions of queries. MongoDB speaks PCRE, whose look-around and back-references need a backtracking
//! engine; a limit on its steps for one value, and one on the time for all of a query, keep a hostile pattern from holding
//! the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fancy_regex::{Error, Regex, RegexBuilder, RuntimeError};

use super::dialect::from_pcre;
use crate::core::error::QueryError;

/// Some 100 ms at worst; patterns without look-around or back-references run in linear time and never come near it.
const STEP_LIMIT: usize = 1_000_000;

/// What the patterns of one query may take together. Under a lock nobody else gets on meanwhile, and whoever asked waits
/// no longer than ten seconds.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// The time that is left for the patterns of one query; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: Duration,
    spent_nanos: Arc<AtomicU64>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(TIME_LIMIT)
    }
}

impl Budget {
    fn of(limit: Duration) -> Self {
        Self {
            limit,
            spent_nanos: Arc::default(),
        }
    }

    fn is_spent(&self) -> bool {
        Duration::from_nanos(self.spent_nanos.load(Ordering::Relaxed)) > self.limit
    }

    fn spend(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.spent_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    budget: Budget,
}

impl Pattern {
    /// Compiles a pattern with the letters of `$options`.
    pub(super) fn compile(
        pattern: &str,
        options: &str,
        budget: &Budget,
    ) -> Result<Self, QueryError> {
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
            Ok(regex) => Ok(Self {
                regex,
                budget: budget.clone(),
            }),
            Err(error) => Err(QueryError::invalid(format!(
                "$regex does not compile: {error}"
            ))),
        }
    }

    /// Whether the text contains a match.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, QueryError> {
        if self.budget.is_spent() {
            return Err(QueryError::LimitHit(format!(
                "the regular expressions of this request take more than {} s; simplify them, or narrow the query by other fields",
                self.budget.limit.as_secs()
            )));
        }
        let began = Instant::now();
        let found = self.regex.is_match(text);
        self.budget.spend(began.elapsed());
        found.map_err(|error| match error {
            Error::RuntimeError(RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow) => {
                QueryError::LimitHit(format!(
                    "$regex takes more than {STEP_LIMIT} steps on a stored value; simplify the pattern, for example by removing nested repetition"
                ))
            }
            other => QueryError::invalid(format!("$regex failed: {other}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Budget, Pattern};

    #[test]
    fn the_patterns_of_a_query_share_a_limit_of_time() {
        let budget = Budget::of(Duration::from_nanos(1));
        // Far from the limit of steps, and never done within a nanosecond.
        let slow = Pattern::compile("^(?=a)(a|a)*$", "", &budget).unwrap();
        let other = Pattern::compile("b", "", &budget).unwrap();
        let text = format!("{}b", "a".repeat(12));
        assert_eq!(slow.is_match(&text), Ok(false));
        for pattern in [&slow, &other] {
            let refused = pattern.is_match(&text).unwrap_err().to_string();
            assert!(refused.contains("regular expressions"), "{refused}");
        }
        let alone = Pattern::compile("b", "", &Budget::default()).unwrap();
        assert_eq!(alone.is_match(&text), Ok(true));
    }
}
