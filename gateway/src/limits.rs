//! What the system lets this process have: each socket is an open file, and shells allow few by default.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// What macOS grants without being asked twice, where it calls the hard limit infinite.
const CERTAIN: rlim_t = 10_240;

/// Allows as many open files as the system does. Fewer are no reason not to serve.
pub(crate) fn raise_open_files() {
    let files = Resource::RLIMIT_NOFILE;
    let raised = getrlimit(files).and_then(|(soft, hard)| {
        if soft >= hard {
            return Ok(());
        }
        let certain = CERTAIN.clamp(soft, hard);
        setrlimit(files, hard, hard).or_else(|_| setrlimit(files, certain, hard))
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::{Resource, getrlimit, raise_open_files, setrlimit};

    #[test]
    fn as_many_files_as_the_system_allows_may_be_open() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(512), hard).unwrap();
        raise_open_files();
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(soft == hard || soft > 512, "{soft} of {hard}");
    }
}
