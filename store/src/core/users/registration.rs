//! Registration: an address and a password wait for a code, and the right code makes the user.

use std::sync::Arc;

use super::{Newcomer, PasswordHash, Users, address, check_address, codes::same, is_long_enough};
use crate::core::{
    fault::Fault,
    record::Record,
    stamp::{RecordId, Timestamp},
};

/// How long a code is good for, in minutes.
pub const CODE_MINUTES: u32 = 10;

/// Wrong tries after which a code is no good any more.
const TRIES: u32 = 5;

/// Registrations, and invitations, that wait at the same time.
const MAX_WAITING: usize = 10_000;

/// Length of a role's name at most.
const MAX_ROLE_BYTES: usize = 64;

/// A registration that waits for its code.
#[derive(Debug)]
pub(super) struct Registration {
    id: String,
    password: PasswordHash,
    code: String,
    expires: Timestamp,
    wrong_tries: u32,
}

/// What the developer is shown in the terminal instead of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Id of the registration.
    pub id: String,
    /// Six digits.
    pub code: String,
}

impl Users {
    /// Whether a registration can begin with these; answers with the address as it is kept. Asked before the password
    /// is hashed, which takes long.
    ///
    /// # Errors
    ///
    /// For an address that is not an e-mail address or is taken, and for a short password.
    pub fn check_registration(&self, email: &str, password: &str) -> Result<String, Fault> {
        let email = check_address(email)?;
        if !is_long_enough(password) {
            return Err(Fault::bad_request(super::SHORT_PASSWORD));
        }
        if self.accounts.contains_key(&email) {
            return Err(Fault::bad_request("A user with this email already exists"));
        }
        Ok(email)
    }

    /// Begins a registration, in the place of one for the same address that still waits.
    ///
    /// # Errors
    ///
    /// When the address was taken meanwhile, or too many wait already.
    pub fn register(
        &mut self,
        email: &str,
        password: PasswordHash,
        pending: Pending,
        now: Timestamp,
    ) -> Result<Pending, Fault> {
        let email = check_address(email)?;
        if self.accounts.contains_key(&email) {
            return Err(Fault::bad_request("A user with this email already exists"));
        }
        self.registrations
            .retain(|_, waiting| waiting.expires > now);
        if self.registrations.len() >= MAX_WAITING {
            return Err(Fault::TooMany(
                "Too many registrations are waiting for their codes",
            ));
        }
        let registration = Registration {
            id: pending.id.clone(),
            password,
            code: pending.code.clone(),
            expires: now.plus_minutes(CODE_MINUTES.into()),
            wrong_tries: 0,
        };
        self.registrations.insert(email, registration);
        Ok(pending)
    }

    /// Gives a waiting registration another code.
    ///
    /// # Errors
    ///
    /// When none waits for this address.
    pub fn renew_code(
        &mut self,
        email: &str,
        code: String,
        now: Timestamp,
    ) -> Result<Pending, Fault> {
        let waiting = self.registrations.get_mut(&address(email));
        let waiting = waiting
            .ok_or_else(|| Fault::bad_request("No registration is waiting for this address"))?;
        waiting.code.clone_from(&code);
        waiting.expires = now.plus_minutes(CODE_MINUTES.into());
        waiting.wrong_tries = 0;
        Ok(Pending {
            id: waiting.id.clone(),
            code,
        })
    }

    /// Ends a registration: the right code makes the user.
    ///
    /// # Errors
    ///
    /// For a wrong or old code, and after too many wrong ones.
    pub fn verify(
        &mut self,
        email: &str,
        code: &str,
        id: RecordId,
        now: Timestamp,
    ) -> Result<Arc<Record>, Fault> {
        let email = address(email);
        let waiting = self.registrations.get_mut(&email);
        let waiting = waiting.ok_or_else(|| Fault::bad_request("Invalid verification code"))?;
        if waiting.wrong_tries >= TRIES {
            return Err(Fault::TooMany("Too many wrong codes. Ask for a new one."));
        }
        if waiting.expires <= now {
            return Err(Fault::bad_request("Verification code has expired"));
        }
        if !same(code.trim(), &waiting.code) {
            waiting.wrong_tries += 1;
            return Err(Fault::bad_request("Invalid verification code"));
        }
        let password = waiting.password.clone();
        self.registrations.remove(&email);
        if self.accounts.contains_key(&email) {
            return Err(Fault::bad_request("A user with this email already exists"));
        }
        let role = self.invitations.remove(&email);
        let newcomer = Newcomer {
            email: &email,
            full_name: "",
            role: role.as_deref().unwrap_or("user"),
        };
        let record = self.add(id, now, newcomer);
        self.set_password(&email, password);
        Ok(record)
    }

    /// Notes the role of somebody who is expected to register.
    ///
    /// # Errors
    ///
    /// When the address is not an e-mail address or is taken already, the role is too long, or too many wait already.
    pub fn invite(&mut self, email: &str, role: &str) -> Result<(), Fault> {
        let email = check_address(email)?;
        if self.accounts.contains_key(&email) {
            return Err(Fault::bad_request("A user with this email already exists"));
        }
        let role = match role.trim() {
            "" => "user",
            role => role,
        };
        if role.len() > MAX_ROLE_BYTES {
            return Err(Fault::bad_request("Invalid role"));
        }
        if self.invitations.len() >= MAX_WAITING && !self.invitations.contains_key(&email) {
            return Err(Fault::TooMany("Too many invitations are open"));
        }
        self.invitations.insert(email, role.to_owned());
        Ok(())
    }
}
