//! Session tokens: HS256, signed with the project's own key, verified in signature and expiry, always.

use std::{collections::HashMap, fmt};

use http::HeaderValue;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Identity;

/// How long a token lasts, in seconds: the 360 days that the official development server gives, because the SDK keeps
/// tokens in the browser and knows no refresh.
const LIFETIME: u64 = 360 * 24 * 60 * 60;

/// Subject of the service role, as the official development server has it; nobody can register it.
const SERVICE_SUBJECT: &str = "server@server.com";

/// Marks a token of the service role, so that the subject alone never does.
const SERVICE_ROLE: &str = "service";

/// Marks the signature of one file's address, which is no identity.
const FILE_ROLE: &str = "file";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// For whom the service role acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Actor>,
}

#[derive(Serialize, Deserialize)]
struct Actor {
    sub: String,
}

/// A token and its end.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) token: String,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Once good.
    Expired,
    /// Not signed here, or no token at all. The platform may still know it.
    Foreign,
}

/// How long a service token is given out again, in seconds. Every call of a function carries one, and signing anew each
/// time costs more than the rest of the headers.
const REUSE: u64 = 60 * 60;

/// Users whose service tokens are kept at the same time.
const KEPT: usize = 256;

/// Signs and verifies.
pub(crate) struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
    /// By the user for whom they act; the empty name is nobody's.
    service: Mutex<HashMap<String, (HeaderValue, u64)>>,
}

impl Keys {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            header: Header::new(Algorithm::HS256),
            validation,
            service: Mutex::default(),
        }
    }

    /// A token for an account.
    pub(crate) fn user(&self, email: &str) -> Minted {
        self.sign(email.to_owned(), None, None)
    }

    /// A token for the service role; it names the user for whom it acts when there is one.
    pub(crate) fn service(&self, on_behalf_of: Option<&str>) -> Minted {
        let act = on_behalf_of.map(|email| Actor {
            sub: email.to_owned(),
        });
        self.sign(
            SERVICE_SUBJECT.to_owned(),
            Some(SERVICE_ROLE.to_owned()),
            act,
        )
    }

    /// `Bearer …` of a service token that is not much older than new.
    pub(crate) fn service_bearer(&self, on_behalf_of: Option<&str>) -> HeaderValue {
        let (user, now) = (on_behalf_of.unwrap_or_default(), now());
        let mut kept = self.service.lock();
        match kept.get(user) {
            Some((bearer, until)) if now < *until => return bearer.clone(),
            Some(_) | None => {}
        }
        let token = self.service(on_behalf_of).token;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut bearer = bearer.expect("a token is letters, digits and dots");
        bearer.set_sensitive(true);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(user.to_owned(), (bearer.clone(), now + REUSE));
        bearer
    }

    /// The signature of a private file's address, good for `lifetime` seconds.
    pub(crate) fn file(&self, name: &str, lifetime: u64) -> Minted {
        let role = Some(FILE_ROLE.to_owned());
        self.sign_for(lifetime, name.to_owned(), role, None)
    }

    /// Whether `token` is the signature of this file's address and still good.
    pub(crate) fn opens_file(&self, token: &str, name: &str) -> bool {
        let decoded = decode::<Claims>(token, &self.decoding, &self.validation);
        decoded.is_ok_and(|token| {
            token.claims.role.as_deref() == Some(FILE_ROLE) && token.claims.sub == name
        })
    }

    /// Whether this key signed it, for whatever and however long ago.
    pub(crate) fn signed(&self, token: &str) -> bool {
        match decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(_) => true,
            Err(error) => refusal(error.kind()) == Refusal::Expired,
        }
    }

    fn sign(&self, sub: String, role: Option<String>, act: Option<Actor>) -> Minted {
        self.sign_for(LIFETIME, sub, role, act)
    }

    fn sign_for(
        &self,
        lifetime: u64,
        sub: String,
        role: Option<String>,
        act: Option<Actor>,
    ) -> Minted {
        let iat = now();
        let exp = iat + lifetime;
        let claims = Claims {
            sub,
            iat,
            exp,
            role,
            act,
        };
        let token = encode(&self.header, &claims, &self.encoding)
            .expect("an HMAC over plain claims cannot fail");
        Minted {
            token,
            expires_at: exp,
        }
    }

    /// Reads a token.
    ///
    /// # Errors
    ///
    /// Why it is not taken.
    pub(crate) fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        let decoded = decode::<Claims>(token, &self.decoding, &self.validation);
        let claims = decoded.map_err(|error| refusal(error.kind()))?.claims;
        match (claims.role.as_deref(), claims.sub.as_str()) {
            (Some(SERVICE_ROLE), SERVICE_SUBJECT) => Ok(Identity::Service {
                on_behalf_of: claims.act.map(|actor| actor.sub),
            }),
            (None, email) if email != SERVICE_SUBJECT => Ok(Identity::User {
                email: claims.sub,
                bypass_rules: false,
            }),
            _ => Err(Refusal::Foreign),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

fn refusal(kind: &ErrorKind) -> Refusal {
    if matches!(kind, ErrorKind::ExpiredSignature) {
        return Refusal::Expired;
    }
    Refusal::Foreign
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use serde_json::json;

    use super::{Keys, Refusal};
    use crate::session::Identity;

    const SECRET: [u8; 32] = [7; 32];

    fn signed(algorithm: Algorithm, secret: &[u8], claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(secret);
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    #[test]
    fn what_is_signed_here_is_read_back() {
        let keys = Keys::new(&SECRET);
        let user = Identity::User {
            email: "a@b.c".to_owned(),
            bypass_rules: false,
        };
        assert_eq!(keys.verify(&keys.user("a@b.c").token), Ok(user));
        for on_behalf_of in [None, Some("a@b.c")] {
            let service = Identity::Service {
                on_behalf_of: on_behalf_of.map(str::to_owned),
            };
            let token = keys.service(on_behalf_of).token;
            assert_eq!(keys.verify(&token), Ok(service));
        }
    }

    #[test]
    fn the_signature_of_a_file_opens_that_file_and_nothing_else() {
        let keys = Keys::new(&SECRET);
        let token = keys.file("a.png", 60).token;
        assert!(keys.opens_file(&token, "a.png"));
        assert!(!keys.opens_file(&token, "b.png"));
        let late = json!({"sub": "a.png", "iat": 1, "exp": 2, "role": "file"});
        assert!(!keys.opens_file(&signed(Algorithm::HS256, &SECRET, &late), "a.png"));
        assert!(!keys.opens_file(&keys.user("a.png").token, "a.png"));
        assert!(!keys.opens_file(&Keys::new(&[8; 32]).file("a.png", 60).token, "a.png"));
        assert_eq!(keys.verify(&token), Err(Refusal::Foreign));
        assert!(keys.signed(&token));
    }

    #[test]
    fn nothing_else_is_taken() {
        let keys = Keys::new(&SECRET);
        let good = json!({"sub": "a@b.c", "iat": 1, "exp": 9_999_999_999_u64});
        let late = json!({"sub": "a@b.c", "iat": 1, "exp": 2});
        let endless = json!({"sub": "a@b.c", "iat": 1});
        let posing = json!({"sub": "server@server.com", "iat": 1, "exp": 9_999_999_999_u64});
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhQGIuYyIsImlhdCI6MSwiZXhwIjo5OTk5OTk5OTk5fQ.";
        let cases = [
            (signed(Algorithm::HS256, &SECRET, &late), Refusal::Expired),
            (
                signed(Algorithm::HS256, &SECRET, &endless),
                Refusal::Foreign,
            ),
            (signed(Algorithm::HS256, &SECRET, &posing), Refusal::Foreign),
            (
                signed(Algorithm::HS256, b"LOCAL_DEV_SECRET", &good),
                Refusal::Foreign,
            ),
            (signed(Algorithm::HS512, &SECRET, &good), Refusal::Foreign),
            (none.to_owned(), Refusal::Foreign),
            ("null".to_owned(), Refusal::Foreign),
            (String::new(), Refusal::Foreign),
        ];
        for (token, refusal) in cases {
            assert_eq!(keys.verify(&token), Err(refusal), "{token}");
            if refusal == Refusal::Expired {
                assert!(keys.signed(&token), "{token}");
            }
        }
        assert!(!keys.signed(none));
        let token = signed(Algorithm::HS256, &SECRET, &good);
        assert!(keys.verify(&token).is_ok());
    }

    #[test]
    fn a_token_from_a_clock_that_was_ahead_is_good_and_one_past_its_end_is_not() {
        let keys = Keys::new(&SECRET);
        let now = super::now();
        let token = |iat: u64, exp: u64| {
            let claims = json!({"sub": "a@b.c", "iat": iat, "exp": exp});
            keys.verify(&signed(Algorithm::HS256, &SECRET, &claims))
                .map(|_| ())
        };
        assert_eq!(token(now + 86_400, now + 2 * 86_400), Ok(()));
        assert_eq!(token(now, u64::MAX), Ok(()));
        assert_eq!(token(now - 10, now - 1), Err(Refusal::Expired));
    }
}
