//! Plays a scenario: sends its requests, compares the answers, remembers what later steps need.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder, multipart};
use serde_json::{Value, json};

use super::{
    Caller, Scenario, Step,
    compare::{difference, fill, fill_text},
    target::{APP, Target},
};
use crate::http::{Answer, client};

/// The password of everybody who registers.
const PASSWORD: &str = "correct horse battery";

/// Plays a scenario to its end, or to the first answer that is not the expected one.
///
/// # Errors
///
/// What was different, as a sentence.
pub async fn play(scenario: &Scenario, target: &mut Target) -> Result<(), String> {
    let mut play = Play {
        target,
        client: client(),
        known: BTreeMap::new(),
        tokens: BTreeMap::new(),
    };
    play.known.insert("app".to_owned(), APP.into());
    let developer = play.target.developer().to_owned();
    play.known.insert("developer".to_owned(), developer.into());
    let url = play.target.url().to_owned();
    play.known.insert("url".to_owned(), url.into());
    // A megabyte would be hard to read in a file.
    play.known
        .insert("long".to_owned(), "x".repeat(1 << 20).into());
    for step in &scenario.steps {
        play.step(step)
            .await
            .map_err(|difference| format!("`{}`: {difference}", step.request))?;
    }
    Ok(())
}

struct Play<'a> {
    target: &'a mut Target,
    client: reqwest::Client,
    known: BTreeMap<String, Value>,
    tokens: BTreeMap<Caller, String>,
}

impl Play<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let request = self.request(step).await?;
        let answer = Answer::try_to(request)
            .await
            .map_err(|error| format!("no whole answer ({error})"))?;
        self.compare(step, &answer)?;
        for (name, pointer) in &step.keep {
            let body: Value =
                serde_json::from_str(&answer.text).map_err(|_| "the body is no JSON".to_owned())?;
            let value = body.pointer(pointer);
            let value = value.ok_or_else(|| format!("the body has no {pointer}"))?;
            self.known.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    fn compare(&self, step: &Step, answer: &Answer) -> Result<(), String> {
        let expect = &step.expect;
        if answer.status != expect.status {
            return Err(format!("status {}, not {}", answer.status, expect.status));
        }
        for (name, part) in &expect.headers {
            let value = answer.headers.get(name);
            let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
            let part = fill_text(part, &self.known);
            let as_expected = match part.strip_prefix('=') {
                Some(whole) => value == whole,
                None if part == "<absent>" => value.is_empty(),
                None => value.contains(&part),
            };
            if !as_expected {
                return Err(format!("header {name} is `{value}`, not `{part}`"));
            }
        }
        if let Some(text) = &expect.text
            && fill_text(text, &self.known) != answer.text
        {
            return Err(format!("body is `{}`", answer.text));
        }
        let Some(expected) = &expect.json else {
            return Ok(());
        };
        let body: Value = serde_json::from_str(&answer.text).map_err(|_| {
            let kind = answer.headers.get("content-type");
            format!("the body is no JSON but {kind:?}")
        })?;
        difference(&fill(expected, &self.known), &body).map_or(Ok(()), Err)
    }

    async fn request(&mut self, step: &Step) -> Result<RequestBuilder, String> {
        let (method, path) = step.request.split_once(' ').expect("method and path");
        let method: Method = method.parse().expect("a method");
        let path = fill_text(path, &self.known);
        let mut request = self.client.request(method, self.address(&path));
        if let Some(token) = self.token(step.caller).await? {
            request = request.bearer_auth(token);
        }
        for (name, value) in &step.headers {
            request = request.header(name, fill_text(value, &self.known));
        }
        if let Some(body) = &step.json {
            request = request.json(&fill(body, &self.known));
        }
        if let Some(body) = &step.raw {
            if !step.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body.clone());
        }
        if let Some(file) = &step.file {
            let part = multipart::Part::text(file.text.clone()).file_name(file.name.clone());
            request = request.multipart(multipart::Form::new().part("file", part));
        }
        Ok(request)
    }

    fn address(&self, path: &str) -> String {
        let url = self.target.url();
        if path.starts_with('/') {
            format!("{url}{path}")
        } else {
            format!("{url}/api/apps/{APP}/{path}")
        }
    }

    /// The token of a caller, got as any client would get it.
    async fn token(&mut self, caller: Caller) -> Result<Option<String>, String> {
        if caller == Caller::Anonymous {
            return Ok(None);
        }
        if let Some(token) = self.tokens.get(&caller) {
            return Ok(Some(token.clone()));
        }
        let token = match caller {
            Caller::Anonymous => return Ok(None),
            Caller::Developer => {
                let email = self.target.developer().to_owned();
                self.log_in(&email).await
            }
            Caller::User => self.register("user@example.com").await,
            Caller::Stranger => self.register("stranger@example.com").await,
            Caller::Service => self.service().await,
        };
        let token = token.ok_or_else(|| format!("cannot become {caller:?}"))?;
        self.tokens.insert(caller, token.clone());
        Ok(Some(token))
    }

    async fn log_in(&self, email: &str) -> Option<String> {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post("auth/login", &body).await["access_token"]
            .as_str()
            .map(str::to_owned)
    }

    async fn register(&mut self, email: &str) -> Option<String> {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post("auth/register", &body).await;
        let code = self.target.next_code().await?;
        let body = json!({ "email": email, "otp_code": code });
        self.post("auth/verify-otp", &body).await;
        self.log_in(email).await
    }

    /// A function sees the service token in its headers; the project's `tokens` tells it.
    async fn service(&self) -> Option<String> {
        let answer = self.post("functions/tokens", &json!({})).await;
        let header = answer["service"].as_str()?;
        Some(header.strip_prefix("Bearer ")?.to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(self.address(path)).json(body);
        let text = Answer::try_to(request).await.map(|answer| answer.text);
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or(Value::Null)
    }
}
