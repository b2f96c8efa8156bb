//! What the platform's refusals mean, and what a broken connection to it is told as.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::http::{Answer, Call};
use crate::output::{CommandError, ErrorCode};

/// Characters of an answer that is no JSON that are shown.
const EXCERPT: usize = 500;

/// Whether the same call may succeed a moment later; the official tool repeats after the same.
pub(crate) const fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long the platform asks to wait: seconds, or an HTTP date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The platform refused `call`. `wait` is how long it asked to wait.
pub(super) fn refused(
    call: &Call,
    answer: &Answer,
    with_key: bool,
    wait: Option<Duration>,
) -> CommandError {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let status = match &body {
        // The platform's own way to say that something is not there.
        Some(body) if body["error_type"] == "KeyError" => StatusCode::NOT_FOUND,
        _ => answer.status,
    };
    let said = match &body {
        Some(body) => explanation(body),
        None => in_words(answer),
    };
    let error = CommandError {
        status_code: Some(status.as_u16()),
        request_id: Some(answer.request_id.clone()),
        ..CommandError::new(ErrorCode::Api, format!("cannot {}: {said}", call.purpose()))
    };
    let error = error.with_details(body.iter().flat_map(mistakes));
    let reason = body
        .as_ref()
        .and_then(|body| body["extra_data"]["reason"].as_str());
    match (reason, wait) {
        (Some("requires_backend_platform_app"), _) => error.with_hint(
            "this works for apps that were made on the command line only: link the project to one of those",
        ),
        (_, Some(wait)) if is_transient(status.as_u16()) => {
            error.with_hint(format!("try again in {} s", wait.as_secs().max(1)))
        }
        _ => hinted(error, status, with_key),
    }
}

fn hinted(error: CommandError, status: StatusCode, with_key: bool) -> CommandError {
    match status.as_u16() {
        401 if with_key => error.with_hint(
            "the workspace key in BASE44_API_KEY was refused: check that it is valid and may reach this app",
        ),
        401 => error.with_command("log in again", "backlot login"),
        403 => error.with_hint("your account may not do this: ask the app's owner for access"),
        404 => error.with_hint("check the app's id and the name"),
        300..=399 => error.with_hint("check that BASE44_API_URL is the platform's own address"),
        500.. => error.with_hint(
            "this is the platform's own failure: try again later, and give its support the request id",
        ),
        _ => error,
    }
}

/// The platform could not be reached.
pub(super) fn unreachable(call: &Call, base: &str, reason: &str) -> CommandError {
    let purpose = call.purpose();
    CommandError::new(
        ErrorCode::Api,
        format!("cannot {purpose}: {base} could not be reached: {reason}"),
    )
    .with_hint("check your network connection, and BASE44_API_URL where it is set")
}

/// What a JSON body says went wrong.
fn explanation(body: &Value) -> String {
    let said = ["message", "detail", "error_description", "error"]
        .into_iter()
        .map(|key| &body[key])
        .find(|said| !said.is_null());
    match said.unwrap_or(body) {
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

/// What an answer that is no JSON says.
fn in_words(answer: &Answer) -> String {
    let text = plain(&String::from_utf8_lossy(&answer.body));
    let status = answer.status;
    if text.is_empty() {
        format!("{status}, without an explanation")
    } else {
        format!("{status}: {text}")
    }
}

/// `extra_data.errors`, one line each.
fn mistakes(body: &Value) -> Vec<String> {
    let errors = body["extra_data"]["errors"].as_array();
    let line = |error: &Value| {
        let (name, message) = (error["name"].as_str()?, error["message"].as_str()?);
        Some(plain(&format!("{name}: {message}")))
    };
    errors.into_iter().flatten().filter_map(line).collect()
}

/// Text from outside on one line of bounded length, unable to steer the terminal.
pub(super) fn plain(text: &str) -> String {
    let mut plain: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    plain.retain(|c| !c.is_control());
    if let Some((end, _)) = plain.char_indices().nth(EXCERPT) {
        plain.truncate(end);
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, header};
    use jiff::Timestamp;
    use serde_json::json;

    use proptest::prelude::*;

    use super::{EXCERPT, explanation, mistakes, plain, retry_after};

    proptest! {
        #[test]
        fn prop_whatever_the_platform_says_fits_on_a_line(
            text in "(.|\\p{Cc}|\\p{Cf}|\n){0,40}",
            key in prop::sample::select(vec!["message", "detail", "error_description", "error", "extra_data"]),
            wait in "([0-9]{1,25}|[A-Z][a-z]{2}, [0-9]{1,2} Nov [0-9]{4} 07:00:09 GMT|[ -~]{0,12})",
        ) {
            for body in [json!({ key: text }), json!([text]), json!({ key: { "errors": [{ "name": text, "message": text }] } })] {
                let said = explanation(&body);
                prop_assert!(!said.chars().any(char::is_control), "{said:?}");
                prop_assert!(said.chars().count() <= EXCERPT + 1);
                prop_assert!(mistakes(&body).iter().all(|line| !line.chars().any(char::is_control)));
            }
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, wait.parse().unwrap());
            let _ = retry_after(&headers, Timestamp::UNIX_EPOCH);
        }
    }

    #[test]
    fn the_platforms_explanation_is_found() {
        for (body, said) in [
            (json!({ "message": "m", "detail": "d" }), "m"),
            (json!({ "message": null, "detail": "d" }), "d"),
            (
                json!({ "detail": [{ "loc": ["name"] }] }),
                r#"[{"loc":["name"]}]"#,
            ),
            (json!({ "error": "e" }), "e"),
            (json!(["x"]), r#"["x"]"#),
        ] {
            assert_eq!(explanation(&body), said);
        }
        let body = json!({ "extra_data": { "errors": [{ "name": "a.ts", "message": "no" }, 1] } });
        assert_eq!(mistakes(&body), ["a.ts: no"]);
    }

    #[test]
    fn text_from_outside_stays_on_one_line() {
        assert_eq!(plain(" a\n\u{1b}[31mb\t c "), "a [31mb c");
        assert_eq!(plain(&"x".repeat(600)).chars().count(), 501);
    }

    #[test]
    fn the_wait_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-21T07:00:00Z".parse().unwrap();
        for (value, wait) in [
            ("3", Some(3)),
            ("Sat, 21 Nov 2026 07:00:09 GMT", Some(9)),
            ("Sat, 21 Nov 2026 06:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            assert_eq!(
                retry_after(&headers, now),
                wait.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
