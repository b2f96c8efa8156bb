//! What a server has printed, over HTTP: for scripts that read verification codes as a person does.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::{http, output::Output, server::Server};

/// Serves the lines until it is dropped.
#[derive(Debug)]
pub struct Terminal {
    url: String,
    serving: JoinHandle<()>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Terminal {
    /// Serves what `server` prints.
    ///
    /// # Panics
    ///
    /// When the system has no free port.
    pub async fn of(server: &Server) -> Self {
        let app = Router::new()
            .route("/", get(text))
            .with_state(server.shared_output());
        let (url, serving) = http::serve(app).await;
        Self {
            url: format!("{url}/"),
            serving,
        }
    }

    /// Where to read it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn text(State(output): State<Arc<Mutex<Output>>>) -> String {
    output.lock().text()
}
