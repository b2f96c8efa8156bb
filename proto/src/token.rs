//! The launch token: what a process must show before one of ours takes orders from it.

use std::fmt;

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
};

use crate::{Code, Failure, hex, request_id};

const KEY: &str = "authorization";

/// A secret that the parent makes anew for every launch and gives to its children in the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct LaunchToken {
    secret: String,
    /// As it travels: made once, so that no service can find itself without it.
    bearer: MetadataValue<Ascii>,
}

impl LaunchToken {
    /// 128 random bits from the operating system, as hex.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let secret = hex::random()?;
        Ok(Self::parse(secret).expect("hex digits can travel in a header"))
    }

    /// A secret that somebody chose.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` when it is empty or cannot travel in a header, for which gRPC's metadata take ASCII only.
    pub fn parse(secret: String) -> Result<Self, Failure> {
        let travels = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let bearer = format!("Bearer {secret}").parse().ok();
        match bearer.filter(|_| travels) {
            Some(bearer) => Ok(Self { secret, bearer }),
            None => Err(Failure::new(
                Code::BadRequest,
                "The launch token is empty, or has characters that cannot travel in a header",
            )
            .with_hint("use ASCII characters without spaces in `BACKLOT_TOKEN` or `--token`")),
        }
    }

    /// The secret itself, for the environment of a child and for `backlot status`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for LaunchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaunchToken(…)")
    }
}

/// Client side: shows the token with every call.
#[derive(Clone, Debug, Default)]
pub struct Present(Option<MetadataValue<Ascii>>);

impl Present {
    /// Shows `token`, or nothing when the service asks for none.
    #[must_use]
    pub fn new(token: Option<&LaunchToken>) -> Self {
        Self(token.map(|token| token.bearer.clone()))
    }
}

impl Interceptor for Present {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request.metadata_mut().insert(KEY, bearer.clone());
        }
        if let Some(id) = request_id::current()
            && let Ok(id) = MetadataValue::try_from(id.as_str())
        {
            request.metadata_mut().insert(request_id::KEY, id);
        }
        Ok(request)
    }
}

/// Server side: refuses calls without the token. With none set, everybody on this machine may call.
#[derive(Clone, Debug, Default)]
pub struct Require(Option<MetadataValue<Ascii>>);

impl Require {
    /// Asks for `token`, or for nothing.
    #[must_use]
    pub fn new(token: Option<&LaunchToken>) -> Self {
        Self(token.map(|token| token.bearer.clone()))
    }
}

impl Interceptor for Require {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(expected) = &self.0 else {
            return Ok(request);
        };
        let given = request.metadata().get(KEY);
        if given.is_some_and(|given| same(given.as_encoded_bytes(), expected.as_encoded_bytes())) {
            return Ok(request);
        }
        let failure = Failure::new(
            Code::Unauthenticated,
            "this service asks for the launch token in the metadata key `authorization`",
        );
        Err(failure
            .with_hint("`backlot status --json` shows it as `token`")
            .into())
    }
}

/// Compares in a time that depends on the lengths only.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use tonic::{Request, service::Interceptor as _};

    use super::{LaunchToken, Present, Require};
    use crate::Code;

    #[test]
    fn only_the_right_token_passes() {
        let token = LaunchToken::random().unwrap();
        let other = LaunchToken::random().unwrap();
        for (shown, passes) in [(Some(&token), true), (Some(&other), false), (None, false)] {
            let request = Present::new(shown).call(Request::new(())).unwrap();
            let answer = Require::new(Some(&token)).call(request);
            assert_eq!(answer.is_ok(), passes, "shown {shown:?}");
        }
    }

    #[test]
    fn a_service_without_a_token_asks_for_none() {
        assert!(Require::new(None).call(Request::new(())).is_ok());
    }

    #[test]
    fn a_token_that_cannot_travel_is_refused() {
        for secret in ["", "geheimß", "two\nlines", "nul\0", "a space"] {
            let refused = LaunchToken::parse(secret.to_owned()).unwrap_err();
            assert_eq!(refused.code(), Code::BadRequest, "{secret:?}");
        }
        let token = LaunchToken::parse("Az09-._~+/=".to_owned()).unwrap();
        assert_eq!(token.expose(), "Az09-._~+/=");
    }

    #[test]
    fn a_token_does_not_show_itself_in_debug_output() {
        let token = LaunchToken::parse("secret".to_owned()).unwrap();
        assert!(!format!("{token:?}").contains("secret"));
    }
}
