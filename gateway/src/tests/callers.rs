//! Who calls, and what that changes: tokens, and the users' own routes.

use super::{
    Harness, as_service, as_user,
    entities::{AT, check},
};

#[tokio::test]
async fn users_have_rules_of_their_own() {
    let harness = Harness::new().await;
    let anonymous = [
        (
            "GET /User/me",
            "",
            401,
            "Authentication required to view users",
            "",
        ),
        ("PUT /User/me", "{}", 401, "Unauthorized", ""),
        (
            "GET /User",
            "",
            401,
            "Authentication required to list users",
            "",
        ),
        (
            "GET /user/count",
            "",
            401,
            "Authentication required to list users",
            "",
        ),
        ("POST /User", "{}", 401, "Unauthorized", ""),
        ("DELETE /User", "", 401, "Unauthorized", ""),
        ("POST /User/bulk", "[]", 200, "{}", ""),
        ("DELETE /User/1", "", 200, "{}", ""),
    ];
    check(&harness, &[], &anonymous).await;
    let signed_in = [
        ("GET /User/me", "", 200, r#"{"id":"1"}"#, "get_me a@b.c"),
        (
            "PUT /User/me",
            "{}",
            200,
            r#"{"id":"1"}"#,
            "update_me a@b.c {}",
        ),
        ("GET /User/1", "", 200, r#"{"id":"1"}"#, "get User a@b.c 1"),
        (
            "POST /User",
            "{}",
            200,
            r#"{"id":"1"}"#,
            "create User a@b.c {}",
        ),
        (
            "DELETE /User",
            "",
            200,
            r#"{"success":true,"deleted":0}"#,
            "",
        ),
        ("DELETE /User/1", "", 200, "{}", ""),
    ];
    check(&harness, &[&as_user("a@b.c")], &signed_in).await;
}

#[tokio::test]
async fn the_token_says_who_calls() {
    let harness = Harness::new().await;
    let bypass = "x-bypass-rls: true".to_owned();
    let cases = [
        (vec![as_user("a@b.c")], "a@b.c"),
        (vec![as_service()], "service()"),
        (
            vec![as_user("dev@example.com"), bypass.clone()],
            "dev@example.com!",
        ),
        (vec![as_user("a@b.c"), bypass.clone()], "a@b.c"),
        (vec![bypass], "anonymous"),
        (vec!["authorization: Bearer forged".to_owned()], "anonymous"),
        (vec!["authorization: Basic x".to_owned()], "anonymous"),
        (vec!["authorization: Bearer null".to_owned()], "anonymous"),
    ];
    for (headers, caller) in cases {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        harness
            .call(&format!("GET {AT}/Task/1"), &headers, "")
            .await;
        assert_eq!(harness.store.calls(), [format!("get Task {caller} 1")]);
    }
}
