//! What the system lets this process have: each socket is an open file, and shells allow few by default.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// What macOS grants without being asked twice, where it calls the hard limit infinite.
const CERTAIN: rlim_t = 10_240;

/// Allows as many open files as the system does. Fewer are no reason not to serve.
pub(crate) fn raise_open_files() {
    let files = Resource::RLIMIT_NOFILE;
    let raised = getrlimit(files).and_then(|(soft, hard)| {
        let mut tried = Ok(());
        for wanted in candidates(soft, hard) {
            tried = setrlimit(files, wanted, hard);
            if tried.is_ok() {
                break;
            }
        }
        tried
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// What to ask for in place of `soft`, the best first.
fn candidates(soft: rlim_t, hard: rlim_t) -> Vec<rlim_t> {
    let mut wanted = vec![hard, CERTAIN.min(hard)];
    wanted.dedup();
    wanted.retain(|wanted| *wanted > soft);
    wanted
}

#[cfg(test)]
mod tests {
    use super::{CERTAIN, candidates, rlim_t};

    #[test]
    fn as_many_files_as_the_system_allows_are_asked_for() {
        let cases: [(rlim_t, rlim_t, &[rlim_t]); 5] = [
            (1024, 1024, &[]),
            (1024, 4096, &[4096]),
            (256, rlim_t::MAX, &[rlim_t::MAX, CERTAIN]),
            (65_536, rlim_t::MAX, &[rlim_t::MAX]),
            (256, CERTAIN, &[CERTAIN]),
        ];
        for (soft, hard, expected) in cases {
            assert_eq!(candidates(soft, hard), expected, "{soft} of {hard}");
        }
    }
}
