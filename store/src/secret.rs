//! Codes, tokens and password hashes.

use std::{
    num::NonZero,
    sync::{Arc, LazyLock},
    thread,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use tokio::sync::Semaphore;

use crate::{
    core::{fault::Fault, users::PasswordHash},
    state::elsewhere,
};

/// KiB of memory that one hash takes.
const MEMORY: u32 = 4 * 1024;

/// How often it goes over that memory.
const PASSES: u32 = 3;

/// Six digits that nobody can foresee.
pub(crate) fn code() -> Result<String, Fault> {
    // 4_294_000_000 is the greatest multiple of a million below 2^32: numbers above it would favour small codes.
    loop {
        let number = getrandom::u32().map_err(no_randomness)?;
        if number < 4_294_000_000 {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

/// 128 bits that nobody can foresee, as hex.
pub(crate) fn token() -> Result<String, Fault> {
    proto::hex::random().map_err(no_randomness)
}

fn no_randomness(error: getrandom::Error) -> Fault {
    tracing::error!(%error, "the operating system has no randomness to give");
    Fault::Internal("The operating system has no randomness to give")
}

/// Argon2id, as cheap as it can be and still be one: what it keeps from being read are passwords in this machine's memory,
/// and many people may sign in at once on it.
fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, 1, None).expect("the numbers are within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password, on a thread that may block: it is meant to take long.
pub(crate) async fn hash(password: String) -> Result<PasswordHash, Fault> {
    in_turn(move || {
        let mut salt = [0_u8; 16];
        getrandom::fill(&mut salt).map_err(no_randomness)?;
        let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt);
        let hash = hash.map_err(|_| Fault::bad_request("This password cannot be used"))?;
        Ok(PasswordHash(hash.to_string()))
    })
    .await
}

/// Whether this is the password, on a thread that may block.
pub(crate) async fn is_right(password: String, hash: PasswordHash) -> Result<bool, Fault> {
    in_turn(move || {
        let Ok(hash) = phc::PasswordHash::new(&hash.0) else {
            return Ok(false);
        };
        let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
        Ok(verified.is_ok())
    })
    .await
}

/// Hashes that are made at the same time: each takes a whole processor and 19 MiB.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Arc::new(Semaphore::new(processors))
});

/// Works on a password when it is its turn. The turn is the work's, not the caller's, who may go away meanwhile.
async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let turn = Arc::clone(&TURNS).acquire_owned().await;
    let turn = turn.expect("nobody closes the semaphore");
    elsewhere(move || {
        let outcome = work();
        drop(turn);
        outcome
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{code, hash, is_right, token};

    #[test]
    fn codes_are_six_digits_and_tokens_differ() {
        let code = code().unwrap();
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
        assert_ne!(token().unwrap(), token().unwrap());
    }

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$"));
        assert!(
            is_right("correct horse".to_owned(), hash.clone())
                .await
                .unwrap()
        );
        assert!(!is_right("wrong horse".to_owned(), hash).await.unwrap());
    }
}
