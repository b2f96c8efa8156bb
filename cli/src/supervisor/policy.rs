//! When a service that ended is started again, and when not any more.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Restarts within [`WINDOW`] before we give up.
const LIMIT: usize = 3;
const WINDOW: Duration = Duration::from_secs(60);
/// Doubled with each restart in the window.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// What to do about an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Start it again after this long.
    Restart(Duration),
    /// It has ended too often.
    GiveUp,
}

/// Remembers the recent ends of one service.
#[derive(Debug, Default)]
pub(crate) struct CrashPolicy {
    recent: VecDeque<Instant>,
}

impl CrashPolicy {
    /// The service ended at `now` without having been asked to.
    pub(crate) fn ended(&mut self, now: Instant) -> Verdict {
        while self
            .recent
            .front()
            .is_some_and(|end| now.duration_since(*end) >= WINDOW)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= LIMIT {
            return Verdict::GiveUp;
        }
        let doublings = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        self.recent.push_back(now);
        Verdict::Restart(FIRST_WAIT * 2_u32.saturating_pow(doublings))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{CrashPolicy, Verdict};

    #[test]
    fn three_restarts_a_minute_with_growing_waits_and_no_more() {
        let mut policy = CrashPolicy::default();
        let start = Instant::now();
        let verdicts: Vec<Verdict> = (0..4)
            .map(|second| policy.ended(start + Duration::from_secs(second)))
            .collect();
        let restart = |millis| Verdict::Restart(Duration::from_millis(millis));
        assert_eq!(
            verdicts,
            [restart(100), restart(200), restart(400), Verdict::GiveUp]
        );
    }

    #[test]
    fn a_minute_later_the_count_starts_anew() {
        let mut policy = CrashPolicy::default();
        let start = Instant::now();
        for second in 0..3 {
            policy.ended(start + Duration::from_secs(second));
        }
        let later = policy.ended(start + Duration::from_secs(63));
        assert_eq!(later, Verdict::Restart(Duration::from_millis(100)));
    }
}
