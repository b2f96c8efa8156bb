//! Accounts: passwords, codes, tokens and invitations.

use proto::v1;
use serde_json::json;

use crate::harness::{Store, refusal, user, value};

const ANN: &str = "ann@example.com";
const DEV: &str = "dev@example.com";

async fn app() -> Store {
    Store::start(json!({})).await
}

async fn login(store: &Store, email: &str, password: &str) -> Result<String, proto::Failure> {
    let request = v1::LoginRequest {
        email: email.into(),
        password: password.into(),
    };
    store.client.login(request).await.map(|user| user.email)
}

async fn register(
    store: &Store,
    email: &str,
    password: &str,
) -> Result<v1::CodeResponse, proto::Failure> {
    let request = v1::RegisterRequest {
        email: email.into(),
        password: password.into(),
    };
    store.client.register(request).await
}

async fn verify(
    store: &Store,
    email: &str,
    code: &str,
) -> Result<v1::UserResponse, proto::Failure> {
    let request = v1::VerifyCodeRequest {
        email: email.into(),
        code: code.into(),
    };
    store.client.verify_code(request).await
}

fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn any_password_is_for_the_developer_alone() {
    let store = app().await;
    store.join(ANN).await;
    assert_eq!(
        login(&store, " Dev@Example.com", "whatever").await.unwrap(),
        DEV
    );
    assert_eq!(
        refusal(login(&store, ANN, "whatever").await),
        "BAD_REQUEST: Invalid email or password"
    );
    assert_eq!(
        refusal(login(&store, "server@server.com", "x").await),
        "UNAUTHENTICATED: Unauthorized"
    );
    store.seed("other@example.com").await;
    assert_eq!(
        refusal(login(&store, DEV, "whatever").await),
        "BAD_REQUEST: Invalid email or password"
    );
}

#[tokio::test]
async fn registering_takes_the_last_password_and_the_last_code() {
    let store = app().await;
    let first = register(&store, "Eve@Example.com", "password-1")
        .await
        .unwrap();
    assert_eq!((first.code.len(), first.expires_in_minutes), (6, 10));
    assert_eq!(
        refusal(login(&store, "eve@example.com", "password-1").await),
        "UNAUTHENTICATED: Unauthorized"
    );
    let second = register(&store, "eve@example.com", "password-2")
        .await
        .unwrap();
    let eve = verify(&store, "eve@example.com", &second.code)
        .await
        .unwrap();
    assert_eq!(
        (eve.email.as_str(), eve.role.as_str()),
        ("eve@example.com", "user")
    );
    assert_eq!(value(&eve.record_json)["full_name"], "eve");
    assert!(login(&store, "eve@example.com", "password-2").await.is_ok());
    assert_eq!(
        refusal(login(&store, "eve@example.com", "password-1").await),
        "BAD_REQUEST: Invalid email or password"
    );
    assert_eq!(
        refusal(verify(&store, "eve@example.com", &second.code).await),
        "BAD_REQUEST: Invalid verification code"
    );
    for (email, password, expected) in [
        (
            "eve@example.com",
            "password-1",
            "BAD_REQUEST: A user with this email already exists",
        ),
        (
            "server@server.com",
            "password-1",
            "BAD_REQUEST: A user with this email already exists",
        ),
        (
            "fay@example.com",
            "short",
            "BAD_REQUEST: Password must be at least 8 characters long",
        ),
        (
            "fay",
            "password-1",
            "BAD_REQUEST: Please enter a valid email address",
        ),
    ] {
        assert_eq!(refusal(register(&store, email, password).await), expected);
    }
}

#[tokio::test]
async fn a_code_ends_with_time_and_with_wrong_tries() {
    let store = app().await;
    let code = register(&store, ANN, "password-1").await.unwrap().code;
    for _ in 0..5 {
        assert_eq!(
            refusal(verify(&store, ANN, &wrong(&code)).await),
            "BAD_REQUEST: Invalid verification code"
        );
    }
    assert_eq!(
        refusal(verify(&store, ANN, &code).await),
        "RATE_LIMITED: Too many wrong codes. Ask for a new one."
    );
    let resend = v1::ResendCodeRequest { email: ANN.into() };
    let code = store.client.resend_code(resend.clone()).await.unwrap().code;
    store.clock.advance(10);
    assert_eq!(
        refusal(verify(&store, ANN, &code).await),
        "BAD_REQUEST: Verification code has expired"
    );
    let code = store.client.resend_code(resend).await.unwrap().code;
    assert!(verify(&store, ANN, &code).await.is_ok());
}

#[tokio::test]
async fn passwords_are_reset_with_a_token_and_changed_with_the_old_one() {
    let store = app().await;
    let code = register(&store, ANN, "password-1").await.unwrap().code;
    let ann = verify(&store, ANN, &code).await.unwrap();
    let ask = |email: &str| {
        store
            .client
            .request_password_reset(v1::RequestPasswordResetRequest {
                email: email.into(),
            })
    };
    assert_eq!(ask("nobody@example.com").await.unwrap().token, "");
    let token = ask(ANN).await.unwrap().token;
    let reset = |token: &str, password: &str| {
        store.client.reset_password(v1::ResetPasswordRequest {
            token: token.into(),
            new_password: password.into(),
        })
    };
    assert_eq!(
        refusal(reset(&token, "short").await),
        "INVALID: Password must be at least 8 characters long"
    );
    assert_eq!(
        refusal(reset("", "password-2").await),
        "BAD_REQUEST: Invalid or expired reset token"
    );
    reset(&token, "password-2").await.unwrap();
    assert_eq!(
        refusal(reset(&token, "password-3").await),
        "BAD_REQUEST: Invalid or expired reset token"
    );
    assert!(login(&store, ANN, "password-2").await.is_ok());
    let change = |caller, user_id: &str, current: &str| {
        store.client.change_password(v1::ChangePasswordRequest {
            caller: Some(caller),
            user_id: user_id.into(),
            current_password: current.into(),
            new_password: "password-4".into(),
        })
    };
    assert!(refusal(change(user(ANN), &ann.id, "password-1").await).starts_with("UNAUTHENTICATED"));
    assert!(refusal(change(user(DEV), &ann.id, "password-2").await).starts_with("FORBIDDEN"));
    change(user(ANN), &ann.id, "password-2").await.unwrap();
    assert!(login(&store, ANN, "password-4").await.is_ok());
}

#[tokio::test]
async fn an_invitation_decides_the_role_of_a_newcomer() {
    let store = app().await;
    store.join(ANN).await;
    let invite = |caller, email: &str| {
        store.client.invite_user(v1::InviteUserRequest {
            caller: Some(caller),
            email: email.into(),
            role: "admin".into(),
        })
    };
    assert!(refusal(invite(user(ANN), "gil@example.com").await).starts_with("FORBIDDEN"));
    assert!(refusal(invite(user(DEV), "gil").await).starts_with("BAD_REQUEST"));
    invite(user(DEV), "gil@example.com").await.unwrap();
    let code = register(&store, "gil@example.com", "password-1")
        .await
        .unwrap()
        .code;
    assert_eq!(
        verify(&store, "gil@example.com", &code).await.unwrap().role,
        "admin"
    );
}
