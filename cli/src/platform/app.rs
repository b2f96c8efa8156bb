//! One app on the platform: what every app-scoped call has in common, and what local commands ask about it.

use serde::Deserialize;

use super::{
    Platform, Unsent,
    http::{Answer, Call, segment},
};
use crate::output::{CommandError, Output};

/// An app, and the session in which it is asked for.
pub(crate) struct App {
    platform: Platform,
    id: String,
}

#[derive(Deserialize)]
struct UserToken {
    token: String,
}

#[derive(Deserialize)]
struct PublishedUrl {
    url: String,
}

impl App {
    /// The app `id` (see [`super::Surroundings::app_id`]).
    pub(crate) const fn new(platform: Platform, id: String) -> Self {
        Self { platform, id }
    }

    /// The app that a command of this folder works on, with notes on standard error about waits.
    ///
    /// # Errors
    ///
    /// When nothing names an app, or the environment names no usable platform.
    pub(crate) fn find(
        surroundings: &super::Surroundings,
        given: Option<&str>,
        output: Output,
    ) -> Result<Self, CommandError> {
        let id = surroundings.app_id(given)?;
        let platform = Platform::open(&surroundings.environment)?.with_notes(output);
        Ok(Self::new(platform, id))
    }

    /// The app's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// A token with which the person who is logged in calls the deployed app itself, as one of its users.
    ///
    /// # Errors
    ///
    /// As [`Platform::send`].
    pub(crate) async fn user_token(&self) -> Result<String, CommandError> {
        let call = Call::get("auth/token", "exchange your login for a token of the app");
        let answer: UserToken = self.send(call).await?.json()?;
        Ok(answer.token)
    }

    /// Where the deployed app is, without a slash at the end.
    ///
    /// # Errors
    ///
    /// As [`Platform::send`].
    pub(crate) async fn published_url(&self) -> Result<String, CommandError> {
        let path = format!("api/apps/platform/{}/published-url", segment(&self.id));
        let call = Call::get(path, "look up the app's address");
        let answer: PublishedUrl = self.platform.send(&call).await?.json()?;
        Ok(answer.url.trim_end_matches('/').to_owned())
    }

    /// Makes a call whose path is relative to the app's own.
    ///
    /// # Errors
    ///
    /// As [`Platform::send`].
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, CommandError> {
        self.platform.send(&call.under(&self.folder())).await
    }

    /// Opens a stream of events of this app.
    ///
    /// # Errors
    ///
    /// As [`Platform::stream`].
    pub(crate) async fn stream(&self, call: Call) -> Result<reqwest::Response, Unsent> {
        self.platform.stream(&call.under(&self.folder())).await
    }

    fn folder(&self) -> String {
        format!("api/apps/{}/", segment(&self.id))
    }
}
