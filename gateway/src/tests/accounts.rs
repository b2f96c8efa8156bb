//! Accounts: bodies, answers, and the sign-in routes that belong to the platform.

use super::{Harness, as_user, local::FOREIGN_PAGES};
use crate::session::{Identity, Keys};

const AUTH: &str = "/api/apps/app-1/auth";

#[tokio::test]
async fn a_login_gives_a_token_that_is_good() {
    let harness = Harness::new().await;
    let body = r#"{"email":"A@b.c","password":"right","turnstile_token":"x"}"#;
    let answer = harness.call(&format!("POST {AUTH}/login"), &[], body).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["success"], true);
    assert_eq!(json["user"]["full_name"], "U");
    let token = json["access_token"].as_str().unwrap();
    let identity = Keys::new(&super::KEY).verify(token).unwrap();
    let expected = Identity::User {
        email: "a@b.c".to_owned(),
        bypass_rules: false,
    };
    assert_eq!(identity, expected);
}

/// Path below the app, body; status, a part of the answer, and what the store was asked.
type Case = (&'static str, &'static str, u16, &'static str, &'static str);

const CALLS: &[Case] = &[
    (
        "/auth/login",
        r#"{"email":"a@b.c","password":"wrong"}"#,
        400,
        "Invalid email or password",
        "login a@b.c wrong",
    ),
    (
        "/auth/login",
        r#"{"email":"a@b.c"}"#,
        422,
        "Error in field password: Field required",
        "",
    ),
    ("/auth/login", "", 400, "Request body is missing", ""),
    ("/auth/login", "<", 400, "Malformed JSON", ""),
    (
        "/auth/register",
        r#"{"email":"a@b.c","password":"12345678"}"#,
        200,
        r#"{"id":"p1","message":"Registration successful. Please check your email for the verification code.","otp_expires_in_minutes":10}"#,
        "register a@b.c 12345678",
    ),
    (
        "/auth/verify-otp",
        r#"{"email":"a@b.c","otp_code":"123456"}"#,
        200,
        r#""message":"Email verified successfully. You are now logged in.","success":true}"#,
        "verify_code a@b.c 123456",
    ),
    (
        "/auth/resend-otp",
        r#"{"email":"a@b.c"}"#,
        200,
        r#""otp_expires_in_minutes":10"#,
        "resend_code a@b.c",
    ),
    (
        "/auth/reset-password-request",
        r#"{"email":"a@b.c"}"#,
        200,
        "message",
        "request_password_reset a@b.c",
    ),
    (
        "/auth/reset-password-request",
        r#"{"email":"x@b.c"}"#,
        200,
        "message",
        "request_password_reset x@b.c",
    ),
    (
        "/auth/reset-password",
        r#"{"reset_token":"t","new_password":"p"}"#,
        200,
        "message",
        "reset_password t p",
    ),
    (
        "/auth/change-password",
        r#"{"user_id":"u","current_password":"c","new_password":"n"}"#,
        200,
        "message",
        "change_password a@b.c u c n",
    ),
    (
        "/users/invite-user",
        r#"{"user_email":"x@b.c","role":"user"}"#,
        200,
        r#"{"success":true}"#,
        "invite_user a@b.c x@b.c user",
    ),
    (
        "/runtime/users/invite-user",
        r#"{"user_email":"x@b.c","role":"user"}"#,
        200,
        r#"{"success":true}"#,
        "invite_user a@b.c x@b.c user",
    ),
];

#[tokio::test]
async fn account_routes_are_calls_of_the_store() {
    let harness = Harness::new().await;
    let user = as_user("a@b.c");
    for &(path, body, status, fragment, call) in CALLS {
        let line = format!("POST /api/apps/app-1{path}");
        let answer = harness.call(&line, &[&user], body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(
            answer.text().contains(fragment),
            "{path}: {}",
            answer.text()
        );
        assert!(!answer.text().contains("t1"), "a reset token leaked");
        assert_eq!(harness.store.calls().join("; "), call, "{path}");
    }
    let code_leaks = harness
        .call(
            &format!("POST {AUTH}/register"),
            &[],
            r#"{"email":"a@b.c","password":"p"}"#,
        )
        .await;
    assert!(!code_leaks.text().contains("123456"));
}

#[tokio::test]
async fn provider_logins_go_to_the_platform() {
    let paths = [
        "/api/apps/auth/login?app_id=a&from_url=x",
        "/api/apps/auth/microsoft/login?app_id=a",
        "/api/apps/app-1/auth/sso/login?x=1",
    ];
    let online =
        Harness::with(|config| config.upstream_url = "https://up.example/".to_owned()).await;
    let offline =
        Harness::with(|config| config.upstream_off_reason = "--offline is set".to_owned()).await;
    for path in paths {
        let answer = online.get(path).await;
        assert_eq!(answer.status, 302, "{path}");
        assert_eq!(
            answer.header("location"),
            format!("https://up.example{path}")
        );
        let answer = offline.get(path).await;
        assert_eq!(answer.status, 502, "{path}");
        assert!(answer.text().contains("--offline is set"));
    }
}

#[tokio::test]
async fn a_logout_goes_back_to_pages_of_this_machine_only() {
    let harness = Harness::new().await;
    let logout = "/api/apps/auth/logout";
    let back = harness
        .get(&format!(
            "{logout}?from_url=http%3A%2F%2Flocalhost%3A5173%2Fa"
        ))
        .await;
    assert_eq!(back.status, 302);
    assert_eq!(back.header("location"), "http://localhost:5173/a");
    for url in FOREIGN_PAGES.into_iter().chain(["http://localhost\r\nX:1"]) {
        let url = percent_encoding::utf8_percent_encode(url, percent_encoding::NON_ALPHANUMERIC);
        let answer = harness.get(&format!("{logout}?from_url={url}")).await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(answer.header("location"), "", "{url}");
    }
    assert_eq!(harness.get(logout).await.status, 200);
}
