//! How long a process may take for what it is asked to do, and to say farewell.

use std::time::Duration;

/// How long a process may take for what it is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the order to load until it listens, downloads not counted.
    pub ready: Duration,
    /// The same since Deno began its last download: nobody says when that is done.
    pub download: Duration,
    /// From the order to start until it listens, whatever happens. The client of the runner waits as long.
    pub ready_at_most: Duration,
    /// A request, before the developer is warned: deployed functions are stopped at about this age.
    pub slow: Duration,
    /// What it has begun when a newer version has taken over.
    pub replaced: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(30),
            download: Duration::from_secs(90),
            ready_at_most: Duration::from_secs(295),
            slow: Duration::from_secs(60),
            replaced: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// How long a start may take in all, when the order to load came so long after the order to start, for a process may
    /// wait for its turn to boot, and the last download began so long after it.
    #[must_use]
    pub fn start(&self, told: Duration, last_download: Option<Duration>) -> Duration {
        let limit = last_download.map_or(told + self.ready, |last| last + self.download);
        limit.min(self.ready_at_most)
    }
}

/// How much time a process gets to finish what it has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// A newer version has taken over, be it as its error; nobody waits for the end of this one.
    Replaced,
    /// The function is gone or not in use.
    Dismissed,
    /// The runner ends.
    Stopped,
}

impl Farewell {
    /// After this long the process is killed.
    #[must_use]
    pub const fn limit(self, limits: &Limits) -> Duration {
        match self {
            Self::Replaced => limits.replaced,
            Self::Dismissed => Duration::from_secs(5),
            Self::Stopped => Duration::from_secs(3),
        }
    }

    /// Whether requests may still be on their way to the process.
    #[must_use]
    pub const fn lingers(self) -> bool {
        match self {
            Self::Replaced | Self::Dismissed => true,
            Self::Stopped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Farewell, Limits};

    #[test]
    fn a_start_has_half_a_minute_and_a_minute_and_a_half_from_its_last_download() {
        let seconds = Duration::from_secs;
        for (told, last_download, limit) in [
            (0, None, 30),
            (0, Some(0), 90),
            (0, Some(29), 119),
            (0, Some(200), 290),
            (0, Some(294), 295),
            // A long wait for a process leaves the function its time to load.
            (100, None, 130),
            (100, Some(120), 210),
            (290, None, 295),
        ] {
            let start = Limits::default().start(seconds(told), last_download.map(seconds));
            assert_eq!(start, seconds(limit), "{told} {last_download:?}");
        }
        let farewell = |farewell: Farewell| farewell.limit(&Limits::default());
        assert_eq!(farewell(Farewell::Replaced), seconds(60));
        assert!(farewell(Farewell::Stopped) < farewell(Farewell::Dismissed));
    }
}
