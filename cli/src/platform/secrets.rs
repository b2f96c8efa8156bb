//! The platform's calls about the secrets of a deployed app.

use http::Method;
use indexmap::IndexMap;
use serde::Deserialize;

use super::{App, http::Call};
use crate::output::{CommandError, ErrorCode};

#[derive(Deserialize)]
struct Success {
    success: bool,
}

impl App {
    /// The names of the secrets; their values never leave the platform.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn secret_names(&self) -> Result<Vec<String>, CommandError> {
        let call = Call::get("secrets", "list the secrets");
        // The values are masked, and still nothing to keep.
        let masked: IndexMap<String, serde::de::IgnoredAny> = self.send(call).await?.json()?;
        Ok(masked.into_keys().collect())
    }

    /// Adds or replaces secrets.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn set_secrets(
        &self,
        secrets: &IndexMap<String, String>,
    ) -> Result<(), CommandError> {
        let call = Call::new(Method::POST, "secrets", "set the secrets").json(secrets);
        self.succeed(call, "the platform did not set the secrets")
            .await
    }

    /// Removes a secret.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn delete_secret(&self, name: &str) -> Result<(), CommandError> {
        let purpose = format!("delete the secret `{name}`");
        let call = Call::new(Method::DELETE, "secrets", purpose).query("secret_name", name);
        self.succeed(call, "the platform did not delete the secret")
            .await
    }

    async fn succeed(&self, call: Call, otherwise: &str) -> Result<(), CommandError> {
        let answer = self.send(call).await?;
        if answer.json::<Success>()?.success {
            return Ok(());
        }
        Err(CommandError {
            request_id: Some(answer.request_id),
            ..CommandError::new(ErrorCode::Api, otherwise)
        })
    }
}
