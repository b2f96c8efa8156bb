//! New passwords: with a token that was asked for, or with the old one.

use super::{PasswordHash, Proof, SHORT_PASSWORD, Users, address, codes::same, is_long_enough};
use crate::core::{fault::Fault, stamp::Timestamp};

/// How long a token is good for, in minutes.
const TOKEN_MINUTES: u64 = 60;

/// Tokens that are out at the same time.
const MAX_TOKENS: usize = 100;

/// The words for an old password that is not the one that counts.
pub const WRONG_PASSWORD: &str = "The current password is wrong";

/// A token that lets its holder set a password, once.
#[derive(Debug)]
pub(super) struct Reset {
    email: String,
    token: String,
    expires: Timestamp,
}

impl Users {
    /// Notes `token` for the user with this address; whether there is one. An earlier token is no good any more.
    pub fn request_reset(&mut self, email: &str, token: &str, now: Timestamp) -> bool {
        let email = address(email);
        self.resets
            .retain(|reset| reset.expires > now && reset.email != email);
        if !self.accounts.contains_key(&email) {
            return false;
        }
        if self.resets.len() >= MAX_TOKENS {
            self.resets.remove(0);
        }
        self.resets.push(Reset {
            email,
            token: token.to_owned(),
            expires: now.plus_minutes(TOKEN_MINUTES),
        });
        true
    }

    /// Whether a password can be set with this token; asked before the password is hashed, which takes long.
    ///
    /// # Errors
    ///
    /// For a token that is wrong or old, and for a short password.
    pub fn check_reset(&self, token: &str, password: &str, now: Timestamp) -> Result<(), Fault> {
        self.find_reset(token, now)?;
        check_new(password)
    }

    /// Sets a password with a token, which is used up by that.
    ///
    /// # Errors
    ///
    /// When the token is wrong or old.
    pub fn reset(&mut self, token: &str, hash: PasswordHash, now: Timestamp) -> Result<(), Fault> {
        let place = self.find_reset(token, now)?;
        let reset = self.resets.remove(place);
        self.set_password(&reset.email, hash);
        Ok(())
    }

    /// Sets a password for a user who has shown the old one; `shown` is what it was held against.
    ///
    /// # Errors
    ///
    /// When the password has changed since.
    pub fn change_password(
        &mut self,
        email: &str,
        shown: &Proof,
        hash: PasswordHash,
    ) -> Result<(), Fault> {
        if self.proof(email)? != *shown {
            return Err(Fault::Unauthenticated(WRONG_PASSWORD));
        }
        self.set_password(&address(email), hash);
        Ok(())
    }

    fn find_reset(&self, token: &str, now: Timestamp) -> Result<usize, Fault> {
        let fits = |reset: &Reset| same(&reset.token, token) && reset.expires > now;
        let place = self.resets.iter().position(fits);
        place.ok_or_else(|| Fault::bad_request("Invalid or expired reset token"))
    }
}

/// Refuses a new password that is too short.
///
/// # Errors
///
/// With the words for the person who typed it.
pub fn check_new(password: &str) -> Result<(), Fault> {
    match is_long_enough(password) {
        true => Ok(()),
        false => Err(Fault::Unprocessable(SHORT_PASSWORD.to_owned())),
    }
}
