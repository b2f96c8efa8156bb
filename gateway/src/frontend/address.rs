//! Where the frontend listens: said by the command line once the frontend itself has said it, and waited for until then.

use std::time::Duration;

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use proto::{Code, Failure, v1::ConfigureRequest};
use tokio::{sync::watch, time::timeout};

/// What a configuration says of the frontend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// There is none.
    #[default]
    Nowhere,
    /// It has not said yet.
    Unknown,
    At(Authority),
    /// It speaks HTTPS, which is not spoken here.
    Secure(Authority),
}

impl Place {
    /// # Errors
    ///
    /// `BAD_REQUEST` when the address is none.
    pub(crate) fn of(config: &ConfigureRequest) -> Result<Self, Failure> {
        let url = config.frontend_url.as_str();
        if url.is_empty() {
            let is_coming = config.has_frontend;
            return Ok(if is_coming {
                Self::Unknown
            } else {
                Self::Nowhere
            });
        }
        let parts = url.parse::<Uri>().map(Uri::into_parts);
        let parts = parts
            .ok()
            .and_then(|parts| Some((parts.scheme?, parts.authority?)));
        match parts {
            Some((scheme, authority)) if scheme == Scheme::HTTP => Ok(Self::At(authority)),
            Some((scheme, authority)) if scheme == Scheme::HTTPS => Ok(Self::Secure(authority)),
            Some(_) | None => {
                let message = format!("`{url}` is no address of a frontend");
                Err(Failure::new(Code::BadRequest, message))
            }
        }
    }
}

/// The place now in force.
#[derive(Debug, Default)]
pub(crate) struct Address(watch::Sender<Place>);

impl Address {
    pub(crate) fn set(&self, place: Place) {
        self.0.send_if_modified(|old| {
            let is_new = *old != place;
            *old = place;
            is_new
        });
    }

    pub(crate) fn exists(&self) -> bool {
        *self.0.borrow() != Place::Nowhere
    }

    /// Waits for the address, at most that long.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` when it does not become known, `BAD_GATEWAY` when nobody here can speak to it.
    pub(crate) async fn get(&self, patience: Duration) -> Result<Authority, Failure> {
        let mut places = self.0.subscribe();
        let known = places.wait_for(|place| *place != Place::Unknown);
        let known = timeout(patience, known).await;
        match known.map(|known| known.map(|place| place.clone())) {
            Ok(Ok(Place::At(authority))) => Ok(authority),
            Ok(Ok(Place::Secure(authority))) => Err(secure(&authority)),
            Ok(Ok(Place::Nowhere | Place::Unknown) | Err(_)) | Err(_) => Err(unknown()),
        }
    }
}

fn unknown() -> Failure {
    let message = "The frontend has not said yet where it listens";
    let hint =
        "it must print an address such as http://localhost:5173; its output is in the terminal";
    Failure::new(Code::Unavailable, message).with_hint(hint)
}

fn secure(authority: &Authority) -> Failure {
    let message = format!("The frontend speaks HTTPS, and its pages are at https://{authority}");
    let hint = "let it serve plain HTTP to have all of the app at this address";
    Failure::new(Code::BadGateway, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proto::Code;

    use super::{Address, Place};

    #[tokio::test]
    async fn an_address_that_is_not_said_is_not_waited_for_for_ever() {
        let address = Address::default();
        address.set(Place::Unknown);
        assert!(address.exists());
        let failure = address.get(Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(failure.code(), Code::Unavailable);
        assert!(failure.hint().contains("must print an address"));
    }
}
