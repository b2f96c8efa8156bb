//! The HTTP client towards the platform.

use std::{sync::OnceLock, time::Duration};

use super::credential::Credentials;

/// How long the platform may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the platform may be silent: language models think for minutes.
const SILENCE: Duration = Duration::from_secs(300);

/// The way to the platform. Its client is made at the first call: reading the system's certificates would slow every
/// start.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    client: OnceLock<reqwest::Client>,
    credentials: Credentials,
}

impl Upstream {
    pub(crate) fn client(&self) -> &reqwest::Client {
        self.client.get_or_init(|| {
            // Only the first of a process counts; a second one changes nothing.
            let _ = rustls::crypto::ring::default_provider().install_default();
            trusting_the_system(options(SILENCE))
                .or_else(|_| options(SILENCE).tls_certs_only([]).build())
                .expect("the options are constant and the provider is installed")
        })
    }

    pub(crate) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

fn options(silence: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(silence)
        .redirect(reqwest::redirect::Policy::none())
}

/// A machine without certificates can still reach an upstream without TLS.
fn trusting_the_system(options: reqwest::ClientBuilder) -> reqwest::Result<reqwest::Client> {
    options.build().inspect_err(|error| {
        let reason = super::failure::root(error);
        tracing::warn!(
            "no https upstream can be trusted: {reason}; install `ca-certificates`, or name a file of them in SSL_CERT_FILE"
        );
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proto::Code;
    use tokio::net::TcpListener;

    use super::{Upstream, options};
    use crate::forward::failure;

    #[tokio::test]
    async fn a_platform_that_says_nothing_is_given_up_on() {
        // Installs the provider.
        let _ = Upstream::default().client();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let impatient = options(Duration::from_millis(50)).build().unwrap();
        let asking = impatient.get(&url).send();
        let (answer, _connection) = tokio::join!(asking, listener.accept());
        let failure = failure::of(&url, &answer.unwrap_err());
        assert_eq!(failure.code(), Code::Timeout);
        assert_eq!(failure.message(), format!("{url} did not answer in time"));
    }
}
