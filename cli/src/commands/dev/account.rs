//! The developer's token for forwarded calls: fetched when a call first needs it, so that a start asks the network nothing,
//! and again before its end or when the platform refuses it.

use std::time::Duration;

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
    platform::{App, Credentials, Environment, Platform, jwt},
};

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a token counts that names no end.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long a token is kept that was fetched because another one was refused: when it is refused as well, the platform
/// has other reasons for its 401.
const REST: Duration = Duration::from_secs(60);

/// How long after a failure nobody tries again.
const PAUSE: Duration = Duration::from_secs(30);

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
    Fetching {
        fetching: JoinHandle<Result<String, String>>,
        /// It takes the place of one that was refused.
        replaces: bool,
    },
    Held {
        /// Until then a refusal changes nothing.
        settled: Instant,
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
}

impl Account {
    /// `wanted` says that the gateway needs a token, or another one.
    pub(super) fn new(wanted: mpsc::Receiver<()>) -> Self {
        Self {
            wanted,
            state: State::default(),
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
                    self.state = State::fetching(fetch(), false);
                }
                State::Fetching { fetching, replaces } => {
                    let fetched = fetching.await;
                    let fetched = fetched.unwrap_or_else(|error| Err(error.to_string()));
                    let replaces = *replaces;
                    return self.settle(fetched, replaces);
                }
                State::Held { settled, until } => {
                    let (settled, until) = (*settled, *until);
                    tokio::select! {
                        () = wanted(&mut self.wanted) => {
                            if Instant::now() >= settled {
                                self.state = State::fetching(fetch(), true);
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

    /// Calls that were refused while the token was fetched were refused with the one before it.
    fn settle(&mut self, fetched: Result<String, String>, replaces: bool) -> UpstreamToken {
        let now = Instant::now();
        match fetched {
            Ok(token) => {
                let until = now + lifetime(&token);
                let settled = if replaces { now + REST } else { now };
                while self.wanted.try_recv().is_ok() {}
                self.state = State::Held { settled, until };
                UpstreamToken::Held(token)
            }
            Err(reason) => {
                self.state = State::Failed { until: now + PAUSE };
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

impl State {
    const fn fetching(fetching: JoinHandle<Result<String, String>>, replaces: bool) -> Self {
        Self::Fetching { fetching, replaces }
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

/// The claims that matter here.
#[derive(Deserialize)]
struct Claims {
    /// Seconds since 1970.
    exp: i64,
}

/// How long a token is used.
fn lifetime(token: &str) -> Duration {
    let Some(claims) = jwt::claims::<Claims>(token) else {
        return LIFETIME;
    };
    let left = claims.exp.saturating_sub(Timestamp::now().as_second());
    let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
    // Beyond a day it makes no difference, and timers have an end.
    left.saturating_sub(MARGIN).clamp(LEAST, LIFETIME * 24)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jiff::Timestamp;
    use tokio::{sync::mpsc, task::JoinHandle, time::advance};

    use super::{Account, PAUSE, REST, State, lifetime};
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

    /// What is fetched: `token 1`, `token 2` and so on, and failures where `broken` says so.
    struct Source {
        count: Cell<u32>,
        broken: Cell<bool>,
    }

    impl Source {
        fn fetch(&self) -> JoinHandle<Result<String, String>> {
            self.count.set(self.count.get() + 1);
            let fetched = match self.broken.get() {
                true => Err("offline".to_owned()),
                false => Ok(format!("token {}", self.count.get())),
            };
            tokio::spawn(async move { fetched })
        }
    }

    /// An account, how it is told that a token is wanted, and where its tokens come from. Time stands still unless it is
    /// moved, or nothing else is left to wait for.
    fn account() -> (Account, mpsc::Sender<()>, Source) {
        let (sender, receiver) = mpsc::channel(1);
        let source = Source {
            count: Cell::new(0),
            broken: Cell::new(false),
        };
        (Account::new(receiver), sender, source)
    }

    fn held(number: u32) -> UpstreamToken {
        UpstreamToken::Held(format!("token {number}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_refused_is_replaced_at_once_and_the_next_one_after_its_rest() {
        let (mut account, want, source) = account();
        for number in 1..=2 {
            want.try_send(()).unwrap();
            let told = account.changed_with(|| source.fetch()).await;
            assert_eq!(told, held(number));
        }
        // The second took the first one's place: when it is refused too, another one would be no better.
        want.try_send(()).unwrap();
        let told = account.changed_with(|| source.fetch()).await;
        assert_eq!((told, source.count.get()), (UpstreamToken::NotAskedFor, 2));

        for number in 3..=4 {
            want.try_send(()).unwrap();
            assert_eq!(account.changed_with(|| source.fetch()).await, held(number));
        }
        advance(REST).await;
        want.try_send(()).unwrap();
        assert_eq!(account.changed_with(|| source.fetch()).await, held(5));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_the_old_token_do_not_count_against_the_new_one() {
        let (mut account, want, source) = account();
        want.try_send(()).unwrap();
        let fetch = || {
            // Another call is refused before the answer is there.
            let _ = want.try_send(());
            source.fetch()
        };
        assert_eq!(account.changed_with(fetch).await, held(1));
        assert!(account.wanted.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_during_a_failure_is_not_asked_again() {
        let (mut account, want, source) = account();
        source.broken.set(true);
        want.try_send(()).unwrap();
        let told = account.changed_with(|| source.fetch()).await;
        assert_eq!(told, UpstreamToken::Off("offline".to_owned()));
        let failed = tokio::time::Instant::now();
        want.try_send(()).unwrap();
        let told = account.changed_with(|| source.fetch()).await;
        assert_eq!(told, UpstreamToken::NotAskedFor);
        assert!(failed.elapsed() >= PAUSE);
        assert!(account.wanted.try_recv().is_err());
        assert!(matches!(account.state, State::Idle));
        assert_eq!(source.count.get(), 1);
    }
}
