//! Tokens that were touched or made up.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, header};
use proptest::{prelude::*, sample::Index};
use serde_json::Value;

use super::{always, check_shape, runner, runtime, with_header};
use crate::{
    session::Keys,
    tests::{Harness, KEY},
};

#[test]
fn prop_a_token_that_was_touched_is_refused() {
    let keys = Keys::new(&KEY);
    let tokens = [
        keys.user("a@b.c").token,
        keys.service(Some("a@b.c")).token,
        keys.file("a.png", 60).token,
    ];
    let alphabet = "[A-Za-z0-9_.=-]|[^a]";
    let touched = (
        prop::sample::select(tokens.to_vec()),
        any::<Index>(),
        alphabet,
    );
    let ran = runner(256).run(&touched, |(token, place, with)| {
        let place = place.index(token.len());
        let mut other = token.clone();
        other.replace_range(place..=place, &with);
        if other != token {
            prop_assert!(keys.verify(&other).is_err(), "{other}");
            prop_assert!(!keys.opens_file(&other, "a.png"), "{other}");
        }
        prop_assert!(keys.verify(&with).is_err());
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn prop_a_token_that_was_made_up_opens_nothing() {
    let word = || {
        prop::sample::select(vec![
            "alg", "typ", "none", "HS256", "HS512", "JWT", "sub", "exp", "iat", "a@b.c", "svc", "",
        ])
    };
    let number = any::<i64>().prop_map(Value::from);
    let value = prop_oneof![word().prop_map(Value::from), number];
    let members = prop::collection::vec((word(), value), 0..5);
    let document = members.prop_map(|members| {
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    });
    let part = move || {
        document
            .clone()
            .prop_map(|json| URL_SAFE_NO_PAD.encode(json.to_string()))
    };
    let token = (part(), part(), "[A-Za-z0-9_-]{0,43}")
        .prop_map(|(header, claims, signature)| format!("{header}.{claims}.{signature}"));
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    always((&runtime, 64), &token, async |token: String| {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let me = "/api/apps/app-1/entities/User/me";
        let answer = harness
            .send(with_header(me, header::AUTHORIZATION, value))
            .await;
        check_shape(&answer)?;
        prop_assert_eq!(answer.status, 401);
        let file = format!("/media/private/a.png?token={token}");
        let answer = harness.get(&file).await;
        check_shape(&answer)?;
        prop_assert!(answer.status.is_client_error());
        Ok(())
    });
}
