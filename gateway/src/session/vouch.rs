//! Tokens that this server did not sign: the platform is asked once whether it knows their bearer.
//!
//! So a sign-in through the platform really signs the person in here. A token nobody vouches for is worth nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::StatusCode;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, dangerous::insecure_decode_claims, decode, decode_header,
};
use parking_lot::Mutex;
use proto::v1::VouchUserRequest;
use serde::Deserialize;
use tokio::{sync::OnceCell, time::Instant};

use super::token::now;
use crate::state::{AppState, Setup};

/// The official development server signs with it, as everybody can read in its source.
const PUBLIC_SECRET: &[u8] = b"LOCAL_DEV_SECRET";

/// How long the platform may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How long its yes counts for a token that names no end.
const YES: Duration = Duration::from_secs(60 * 60);

/// How long its yes counts at most, whatever end the token names.
const LONGEST: Duration = Duration::from_secs(360 * 24 * 60 * 60);

/// How long its no counts.
const NO: Duration = Duration::from_secs(5 * 60);

/// How long it is not asked again when it could not be reached, or had trouble of its own.
const SILENCE: Duration = Duration::from_secs(10);

/// Tokens that are remembered; more than one developer's browsers ever hold.
const MEMORY: usize = 1024;

/// What is remembered of one token.
#[derive(Debug)]
struct Verdict {
    email: Option<String>,
    until: Instant,
}

/// The answers so far. Requests that come together ask once.
#[derive(Debug, Default)]
pub(crate) struct Vouchers(Mutex<HashMap<String, Arc<OnceCell<Verdict>>>>);

/// What the platform says of a user, as far as it matters here.
#[derive(Deserialize)]
struct Me {
    email: String,
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct End {
    exp: Option<u64>,
}

impl Vouchers {
    /// The e-mail of the local user for the token's bearer, if the platform knows them.
    pub(super) async fn vouch(
        &self,
        state: &AppState,
        setup: &Setup,
        token: &str,
    ) -> Option<String> {
        if setup.config.upstream_url.is_empty() {
            return None;
        }
        let left = lifetime(token)?;
        let cell = self.cell(token);
        let verdict = cell.get_or_init(|| ask(state, setup, token, left)).await;
        verdict.email.clone()
    }

    fn cell(&self, token: &str) -> Arc<OnceCell<Verdict>> {
        let mut known = self.0.lock();
        if let Some(cell) = known.get(token) {
            let is_good = |verdict: &Verdict| Instant::now() < verdict.until;
            if cell.get().is_none_or(is_good) {
                return cell.clone();
            }
        }
        if known.len() >= MEMORY {
            known.clear();
        }
        let cell = Arc::default();
        known.insert(token.to_owned(), Arc::clone(&cell));
        cell
    }
}

/// How long the token says that it is good; none when it is no token, or an old one. Nobody is asked about those.
fn lifetime(token: &str) -> Option<Duration> {
    // One without a signature names no algorithm that there is.
    decode_header(token).ok().filter(|_| !is_anybodys(token))?;
    let end: End = insecure_decode_claims(token).ok()?;
    let Some(exp) = end.exp else {
        return Some(YES);
    };
    exp.checked_sub(now())
        .filter(|left| *left > 0)
        .map(|left| Duration::from_secs(left).min(LONGEST))
}

/// Whether anybody can have signed it.
fn is_anybodys(token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    decode::<End>(token, &DecodingKey::from_secret(PUBLIC_SECRET), &validation).is_ok()
}

async fn ask(state: &AppState, setup: &Setup, token: &str, left: Duration) -> Verdict {
    let verdict = |email, lasts| Verdict {
        email,
        until: Instant::now() + lasts,
    };
    let me = match fetch(state, setup, token).await {
        Ok(Some(me)) => me,
        Ok(None) => return verdict(None, NO),
        Err(error) => {
            tracing::debug!(%error, "the platform could not be asked about a token");
            return verdict(None, SILENCE);
        }
    };
    let request = VouchUserRequest {
        email: me.email,
        full_name: me.full_name.unwrap_or_default(),
    };
    match setup.store.vouch_user(request).await {
        Ok(user) => {
            tracing::info!(email = user.email, "signed in through the platform");
            verdict(Some(user.email), left)
        }
        Err(failure) => {
            tracing::debug!(?failure, "a user whom the platform knows was not taken");
            verdict(None, SILENCE)
        }
    }
}

async fn fetch(state: &AppState, setup: &Setup, token: &str) -> Result<Option<Me>, reqwest::Error> {
    let config = &setup.config;
    let base = config.upstream_url.trim_end_matches('/');
    let url = format!("{base}/api/apps/{}/entities/User/me", config.app_id);
    let asked = state.upstream().client().get(url).bearer_auth(token);
    let answer = asked.timeout(ANSWER).send().await?;
    let no = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
    ];
    if no.contains(&answer.status()) {
        return Ok(None);
    }
    answer.error_for_status()?.json().await.map(Some)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, lifetime};
    use crate::session::Keys;

    #[test]
    fn a_token_that_ends_never_is_remembered_for_a_while() {
        // {"exp":18446744073709551615}
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4NDQ2NzQ0MDczNzA5NTUxNjE1fQ.c2ln";
        assert_eq!(lifetime(token), Some(LONGEST));
    }

    #[test]
    fn only_what_could_be_good_is_asked_about() {
        // {"alg":"none"}, and {"alg":"HS256","typ":"JWT"} with the official server's signature; both good until 2100.
        let none = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.";
        let public = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiJkZXZlbG9wZXJAZXhhbXBsZS5jb20iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.\
            1xYYVuUZ3hBIH_saAWD7nb9dUbHOBMRXgSkpfsYOlVE";
        for token in ["null", "", "a.b.c", "undefined", none, public] {
            assert_eq!(lifetime(token), None, "{token}");
        }
        let keys = Keys::new(&[9; 32]);
        assert!(lifetime(&keys.user("a@b.c").token).is_some());
        assert_eq!(lifetime(&keys.file("x", 0).token), None);
    }
}
