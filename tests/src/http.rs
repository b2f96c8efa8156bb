//! The HTTP client of the tests, which never leaves this machine, answers read whole, and servers of the tests' own.

use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

/// How long one request may take, the first call of a function included.
const LIMIT: Duration = Duration::from_secs(300);

/// A client that follows no redirects and uses no proxy.
///
/// # Panics
///
/// Never: its options are constant.
#[must_use]
pub fn client() -> reqwest::Client {
    // Other crates of the workspace turn TLS on, which wants a provider even where it is not used. That one is there
    // already is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT);
    client
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("the options are constant")
}

/// Serves an app on a free port of this machine until the task is aborted, and says where.
pub(crate) async fn serve(app: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("the system has free ports");
    let address = listener.local_addr().expect("it is bound");
    let serving = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    (format!("http://{address}"), serving)
}

/// An address of this machine at which nobody answers, and nobody else will as long as this is kept.
#[derive(Debug)]
pub struct Nobody(TcpSocket);

impl Nobody {
    /// Takes the address.
    ///
    /// # Panics
    ///
    /// When the system has no free port.
    #[must_use]
    pub fn home() -> Self {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        socket
            .bind(([127, 0, 0, 1], 0).into())
            .expect("the system has free ports");
        Self(socket)
    }

    /// `127.0.0.1:…`
    ///
    /// # Panics
    ///
    /// Never: it is bound.
    #[must_use]
    pub fn address(&self) -> String {
        self.0.local_addr().expect("it is bound").to_string()
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// Sends a request and reads the answer to its end.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        Self::try_to(request)
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The same, for requests that may find nobody.
    ///
    /// # Errors
    ///
    /// When there is no answer, or not a whole one.
    pub async fn try_to(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON, of an answer that must have this status.
    ///
    /// # Panics
    ///
    /// When it has another.
    #[must_use]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}
