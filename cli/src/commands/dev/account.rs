//! The developer's token for forwarded calls: fetched when a call first needs it, so that a start asks the network nothing,
//! and again before its end or when the platform refuses it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::context::Context;
use crate::{
    desired::{UpstreamToken, app_id},
    platform::{App, Credentials, Environment, Platform},
};

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a token counts that names no end.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long things stay as they are, whatever is asked for meanwhile.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// How long a token is kept that is refused: the platform has other reasons as well for its 401.
    held: Duration,
    /// How long after a failure nobody tries again.
    failed: Duration,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            held: LEAST,
            failed: Duration::from_secs(30),
        }
    }
}

/// The least that a token is taken to last.
const LEAST: Duration = Duration::from_secs(60);

/// How long a fetch may take, a renewed login included.
const FETCH: Duration = Duration::from_secs(20);

/// What is being done about the token.
#[derive(Debug, Default)]
enum State {
    /// Nobody has needed one yet.
    #[default]
    Idle,
    Fetching(JoinHandle<Result<String, String>>),
    Held {
        since: Instant,
        until: Instant,
    },
    Failed {
        until: Instant,
    },
}

/// The developer's account on the platform, as far as forwarded calls are concerned.
#[derive(Debug)]
pub(super) struct Account {
    wanted: mpsc::Receiver<()>,
    state: State,
    rest: Rest,
}

impl Account {
    /// `wanted` says that the gateway needs a token, or another one.
    pub(super) fn new(wanted: mpsc::Receiver<()>) -> Self {
        Self {
            wanted,
            state: State::default(),
            rest: Rest::default(),
        }
    }

    /// Waits until the gateway has to be told something else, and returns that. Nothing is lost when it is dropped.
    pub(super) async fn changed(&mut self, context: &Context) -> UpstreamToken {
        self.changed_with(|| fetch(context)).await
    }

    async fn changed_with<F>(&mut self, fetch: F) -> UpstreamToken
    where
        F: Fn() -> JoinHandle<Result<String, String>>,
    {
        loop {
            match &mut self.state {
                State::Idle => {
                    wanted(&mut self.wanted).await;
                    self.state = State::Fetching(fetch());
                }
                State::Fetching(fetching) => {
                    let fetched = fetching.await;
                    let fetched = fetched.unwrap_or_else(|error| Err(error.to_string()));
                    return self.settle(fetched);
                }
                State::Held { since, until } => {
                    let (since, until) = (*since, *until);
                    tokio::select! {
                        () = wanted(&mut self.wanted) => {
                            if since.elapsed() >= self.rest.held {
                                self.state = State::Fetching(fetch());
                            }
                        }
                        () = sleep_until(until) => return self.forget(),
                    }
                }
                State::Failed { until } => {
                    sleep_until(*until).await;
                    return self.forget();
                }
            }
        }
    }

    fn settle(&mut self, fetched: Result<String, String>) -> UpstreamToken {
        let now = Instant::now();
        match fetched {
            Ok(token) => {
                let until = now + lifetime(&token);
                self.state = State::Held { since: now, until };
                UpstreamToken::Held(token)
            }
            Err(reason) => {
                self.state = State::Failed {
                    until: now + self.rest.failed,
                };
                UpstreamToken::Off(reason)
            }
        }
    }

    /// The next call that needs a token asks for one.
    fn forget(&mut self) -> UpstreamToken {
        while self.wanted.try_recv().is_ok() {}
        self.state = State::Idle;
        UpstreamToken::NotAskedFor
    }
}

/// The channel is open as long as the services are kept going.
async fn wanted(requests: &mut mpsc::Receiver<()>) {
    if requests.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

fn fetch(context: &Context) -> JoinHandle<Result<String, String>> {
    let environment = Environment::with(context.project.env.clone());
    let upstream = context.settings.upstream.clone().unwrap_or_default();
    let app_id = app_id(&context.project).to_owned();
    let email = context.developer.email.clone();
    tokio::spawn(async move {
        let fetching = fetch_as(&email, &environment, &upstream, app_id);
        let fetched = tokio::time::timeout(FETCH, fetching).await;
        fetched.unwrap_or_else(|_elapsed| Err(format!("{upstream} did not answer in time")))
    })
}

async fn fetch_as(
    email: &str,
    environment: &Environment,
    upstream: &str,
    app_id: String,
) -> Result<String, String> {
    let platform = Platform::at(upstream, environment).map_err(|error| error.message)?;
    if let Credentials::Login(login) = platform.credentials().await
        && !login.email.trim().eq_ignore_ascii_case(email)
    {
        return Err("somebody else has logged in since the start; start again".to_owned());
    }
    let token = App::new(platform, app_id).user_token().await;
    token.map_err(|error| error.message)
}

/// The claims that matter here. The signature is the platform's to check.
#[derive(Deserialize)]
struct Claims {
    /// Seconds since 1970.
    exp: i64,
}

/// How long a token is used.
fn lifetime(token: &str) -> Duration {
    let claims = token.split('.').nth(1).and_then(|claims| {
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Claims>(&claims).ok()
    });
    let Some(claims) = claims else {
        return LIFETIME;
    };
    let left = claims.exp.saturating_sub(Timestamp::now().as_second());
    let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
    // Beyond a day it makes no difference, and timers have an end.
    left.saturating_sub(MARGIN).clamp(LEAST, LIFETIME * 24)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jiff::Timestamp;
    use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

    use super::{Account, Rest, State, lifetime};
    use crate::desired::UpstreamToken;

    fn token(exp: i64) -> String {
        let claims = format!(r#"{{"exp":{exp}}}"#);
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_used_until_a_minute_before_its_end() {
        let now = Timestamp::now().as_second();
        let seconds = |token: &str| lifetime(token).as_secs();
        assert!((3530..=3540).contains(&seconds(&token(now + 3600))));
        assert_eq!(seconds(&token(now + 30)), 60);
        assert_eq!(seconds(&token(i64::MAX)), 24 * 60 * 60);
        assert_eq!(seconds("opaque"), 60 * 60);
    }

    #[tokio::test]
    async fn what_was_asked_during_a_failure_is_not_asked_again() {
        let (sender, receiver) = mpsc::channel(1);
        let mut account = Account::new(receiver);
        let off = account.settle(Err("offline".to_owned()));
        assert_eq!(off, UpstreamToken::Off("offline".to_owned()));
        assert!(matches!(account.state, State::Failed { .. }));
        sender.try_send(()).unwrap();
        assert_eq!(account.forget(), UpstreamToken::NotAskedFor);
        assert!(account.wanted.try_recv().is_err());
        let held = account.settle(Ok("t".to_owned()));
        assert_eq!(held, UpstreamToken::Held("t".to_owned()));
        let State::Held { since, until } = account.state else {
            panic!("{account:?}")
        };
        assert_eq!(until - since, Duration::from_secs(3600));
    }

    /// What is fetched: `token 1`, `token 2` and so on.
    fn numbered(count: &Cell<u32>) -> JoinHandle<Result<String, String>> {
        count.set(count.get() + 1);
        let token = format!("token {}", count.get());
        tokio::spawn(async move { Ok(token) })
    }

    #[tokio::test]
    async fn a_token_that_is_refused_while_the_server_runs_is_replaced_after_its_rest() {
        let count = Cell::new(0);
        let held = |number: u32| UpstreamToken::Held(format!("token {number}"));
        let (sender, receiver) = mpsc::channel(1);
        let mut account = Account::new(receiver);
        sender.send(()).await.unwrap();
        assert_eq!(account.changed_with(|| numbered(&count)).await, held(1));

        sender.send(()).await.unwrap();
        let soon = timeout(
            Duration::from_millis(50),
            account.changed_with(|| numbered(&count)),
        );
        assert!(soon.await.is_err(), "one refusal says little");

        account.rest = Rest {
            held: Duration::ZERO,
            ..Rest::default()
        };
        sender.send(()).await.unwrap();
        assert_eq!(account.changed_with(|| numbered(&count)).await, held(2));
    }
}
