//! Tokens that were not taken: the developer is told of each once, however often it is sent.

use std::collections::HashSet;

use parking_lot::Mutex;

/// Tokens that are remembered; more than one developer's browsers ever hold.
const MEMORY: usize = 1024;

/// Those of which the developer knows.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<HashSet<String>>);

impl Strangers {
    /// True once for each. What is no token in form is somebody else's key, which functions may well expect.
    pub(super) fn is_new(&self, token: &str) -> bool {
        // `{"` in the encoding of tokens.
        if !token.starts_with("eyJ") {
            return false;
        }
        let mut known = self.0.lock();
        if known.len() >= MEMORY {
            known.clear();
        }
        known.insert(token.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Strangers;
    use crate::session::Keys;

    #[test]
    fn each_token_is_told_of_once_and_other_keys_never() {
        let strangers = Strangers::default();
        let token = Keys::new(&[9; 32]).user("a@b.c").token;
        assert!(strangers.is_new(&token));
        assert!(!strangers.is_new(&token));
        assert!(strangers.is_new(&Keys::new(&[8; 32]).user("a@b.c").token));
        for key in ["", "null", "whsec_x", "a.b.c"] {
            assert!(!strangers.is_new(key), "{key}");
        }
    }
}
