//! Users as an entity: who may read and change whom.

use proto::v1;
use serde_json::json;

use crate::harness::{
    Store, anonymous, bytes, id, pluck, record_of, refusal, service, user, value,
};

const ANN: &str = "ann@example.com";
const DEV: &str = "dev@example.com";

async fn app() -> Store {
    let user = json!({
        "properties": {
            "team": {"type": "string", "default": "none"},
            "role": {"type": "string", "enum": ["user", "boss"]},
            "plan": {"type": "string", "rls": {"write": false}},
        },
        "required": ["role", "team"],
    });
    Store::start(json!({"User": user, "Task": {"properties": {"x": {"type": "string"}}}})).await
}

async fn me(store: &Store, caller: v1::Caller) -> Result<serde_json::Value, proto::Failure> {
    store
        .client
        .get_me(v1::GetMeRequest {
            caller: Some(caller),
        })
        .await
        .map(record_of)
}

async fn update_me(
    store: &Store,
    changes: serde_json::Value,
) -> Result<serde_json::Value, proto::Failure> {
    let request = v1::UpdateMeRequest {
        caller: Some(user(ANN)),
        changes_json: bytes(&changes),
    };
    store.client.update_me(request).await.map(record_of)
}

#[tokio::test]
async fn the_developer_is_an_admin_and_seeding_again_renames_them() {
    let store = app().await;
    let first = me(&store, user(DEV)).await.unwrap();
    for (field, expected) in [
        ("email", json!(DEV)),
        ("full_name", json!("Dev")),
        ("role", json!("admin")),
        ("_app_role", json!("admin")),
        ("collaborator_role", json!("editor")),
        ("is_verified", json!(true)),
        ("is_service", json!(false)),
        ("disabled", json!(null)),
        ("app_id", json!("app1")),
        ("team", json!("none")),
    ] {
        assert_eq!(first[field], expected, "{field}");
    }
    let again = store.seed("DEV@example.com").await;
    assert_eq!(again.id, id(&first));
    assert_eq!(value(&again.record_json), first);
}

#[tokio::test]
async fn me_needs_an_account() {
    let store = app().await;
    for caller in [anonymous(), user("gone@example.com"), service()] {
        assert_eq!(
            refusal(me(&store, caller).await),
            "UNAUTHENTICATED: Authentication required to view users"
        );
    }
}

#[tokio::test]
async fn people_change_their_own_fields_and_not_what_the_platform_manages() {
    let store = app().await;
    store.join(ANN).await;
    let changed = update_me(
        &store,
        json!({"team": "red", "email": "x@y.zz", "full_name": "X", "unknown": 1, "role": "user"}),
    )
    .await
    .unwrap();
    assert_eq!(
        (&changed["team"], &changed["email"], &changed["full_name"]),
        (&json!("red"), &json!(ANN), &json!("ann"))
    );
    assert_eq!(changed.get("unknown"), None);
    let cases = [
        (
            json!({"role": "admin", "team": "blue"}),
            "FORBIDDEN: You do not have permission to update user roles.",
        ),
        (
            json!({"plan": "gold"}),
            "FORBIDDEN: You're not allowed to modify the following fields: data.plan",
        ),
        (
            json!({"team": 1}),
            "INVALID: Error in field team: Input should be a valid string",
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(refusal(update_me(&store, changes).await), expected);
    }
    assert_eq!(me(&store, user(ANN)).await.unwrap()["team"], "red");
}

#[tokio::test]
async fn users_see_themselves_and_admins_see_all() {
    let store = app().await;
    let ann = store.join(ANN).await;
    let dev = me(&store, user(DEV)).await.unwrap();
    let all = |caller: &v1::Caller| v1::QueryRequest {
        sort: "email".into(),
        ..Store::query("user", caller, json!({}))
    };
    assert_eq!(
        pluck(&store.list(all(&user(ANN))).await.unwrap(), "email"),
        [ANN]
    );
    for caller in [user(DEV), service()] {
        assert_eq!(
            pluck(&store.list(all(&caller)).await.unwrap(), "email"),
            [ANN, DEV]
        );
    }
    assert_eq!(
        refusal(store.list(all(&anonymous())).await),
        "UNAUTHENTICATED: Authentication required to list users"
    );
    assert!(store.get("User", &user(ANN), &ann.id).await.is_ok());
    assert!(store.get("User", &user(DEV), &ann.id).await.is_ok());
    assert!(refusal(store.get("User", &user(ANN), id(&dev)).await).starts_with("NOT_FOUND"));
    let foreign = store
        .update("User", &user(ANN), id(&dev), json!({"team": "x"}))
        .await;
    assert_eq!(
        refusal(foreign),
        "FORBIDDEN: You are not authorized to update this user"
    );
    let promoted = store
        .update("User", &user(DEV), &ann.id, json!({"role": "boss"}))
        .await
        .unwrap();
    assert_eq!(
        (&promoted["role"], &promoted["_app_role"]),
        (&json!("boss"), &json!("boss"))
    );
}

#[tokio::test]
async fn creating_and_deleting_users_changes_nothing() {
    let store = app().await;
    let ann = store.join(ANN).await;
    let echo = store
        .create("User", &user(ANN), json!({"email": "new@example.com"}))
        .await
        .unwrap();
    assert_eq!(
        (&echo["email"], &echo["created_by"]),
        (&json!("new@example.com"), &json!(ANN))
    );
    assert!(store.create("User", &anonymous(), json!({})).await.is_err());
    store.delete("User", &service(), &ann.id).await.unwrap();
    let all = v1::DeleteWhereRequest {
        entity: "User".into(),
        caller: Some(service()),
        filter_json: bytes(&json!({})),
    };
    assert_eq!(
        store
            .client
            .delete_where(all.clone())
            .await
            .unwrap()
            .deleted,
        0
    );
    let all = v1::DeleteWhereRequest {
        caller: None,
        ..all
    };
    assert_eq!(
        refusal(store.client.delete_where(all).await),
        "UNAUTHENTICATED: Unauthorized"
    );
    assert_eq!(store.count("User", &service(), json!({})).await.unwrap(), 2);
}

#[tokio::test]
async fn accounts_outlive_their_schema() {
    let store = app().await;
    store.join(ANN).await;
    let schemas = json!({"User": {"properties": {"level": {"type": "number", "default": 1}}}});
    store.apply(schemas, false).await;
    let ann = me(&store, user(ANN)).await.unwrap();
    assert_eq!((&ann["level"], &ann["team"]), (&json!(1), &json!("none")));
}
