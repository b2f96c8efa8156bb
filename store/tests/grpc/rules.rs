//! Row and field rules, as different callers meet them.

use proto::v1;
use serde_json::json;

use crate::harness::{Store, anonymous, bytes, id, pluck, refusal, service, user};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";

async fn notes() -> Store {
    let schemas = json!({
        "Note": {
            "properties": {"text": {"type": "string"}, "public": {"type": "boolean"}},
            "rls": {
                "read": {"$or": [{"created_by": "{{user.email}}"}, {"data.public": true}]},
                "write": {"created_by": "{{user.email}}"},
            },
        },
        "Locked": {"properties": {"text": {"type": "string"}}, "rls": {"create": false, "read": false, "delete": false}},
        "Staff": {
            "properties": {
                "name": {"type": "string"},
                "salary": {"type": "number", "rls": {
                    "read": {"user_condition": {"role": "admin"}}, "write": {"user_condition": {"role": "admin"}}}},
                "profile": {"type": "object", "properties": {
                    "tier": {"type": "string", "rls": {"write": false}}, "nick": {"type": "string"}}},
            },
        },
    });
    let store = Store::start(schemas).await;
    store.join(ANN).await;
    store.join(BOB).await;
    store
}

#[tokio::test]
async fn a_hidden_record_looks_like_a_missing_one() {
    let store = notes().await;
    let note = store
        .create("Note", &user(ANN), json!({"text": "a"}))
        .await
        .unwrap();
    let missing = format!("NOT_FOUND: Entity Note with ID {} not found", id(&note));
    for caller in [
        user(BOB),
        anonymous(),
        user("nobody@example.com"),
        user("dev@example.com"),
    ] {
        assert_eq!(
            refusal(store.get("Note", &caller, id(&note)).await),
            missing
        );
        assert_eq!(
            refusal(store.update("Note", &caller, id(&note), json!({})).await),
            missing
        );
        assert_eq!(
            refusal(store.delete("Note", &caller, id(&note)).await),
            missing
        );
        assert_eq!(store.count("Note", &caller, json!({})).await.unwrap(), 0);
    }
    for caller in [user(ANN), service()] {
        assert_eq!(store.count("Note", &caller, json!({})).await.unwrap(), 1);
    }
    let bypass = v1::caller::User {
        email: BOB.into(),
        bypass_rules: true,
    };
    let bypass = v1::Caller {
        kind: Some(v1::caller::Kind::User(bypass)),
    };
    assert!(
        store
            .update("Note", &bypass, id(&note), json!({"text": "b"}))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn readable_is_not_writable() {
    let store = notes().await;
    let note = store
        .create("Note", &user(ANN), json!({"text": "a", "public": true}))
        .await
        .unwrap();
    for caller in [user(BOB), anonymous()] {
        assert!(store.get("Note", &caller, id(&note)).await.is_ok());
        assert!(
            refusal(store.update("Note", &caller, id(&note), json!({})).await)
                .starts_with("NOT_FOUND")
        );
    }
    let refused = store
        .create("Note", &anonymous(), json!({"public": true}))
        .await;
    assert_eq!(
        refusal(refused),
        "FORBIDDEN: Permission denied for create operation on Note entity"
    );
}

#[tokio::test]
async fn false_is_for_nobody_but_the_service_role() {
    let store = notes().await;
    let made = store
        .create("Locked", &service(), json!({"text": "a"}))
        .await
        .unwrap();
    let dev = user("dev@example.com");
    let refused = store.create("Locked", &dev, json!({})).await;
    assert_eq!(
        refusal(refused),
        "FORBIDDEN: Permission denied for create operation on Locked entity"
    );
    assert!(
        store
            .list(Store::query("Locked", &dev, json!({})))
            .await
            .unwrap()
            .is_empty()
    );
    let all = v1::DeleteWhereRequest {
        entity: "Locked".into(),
        caller: Some(dev),
        filter_json: bytes(&json!({})),
    };
    let refused = store.client.delete_where(all.clone()).await;
    assert_eq!(
        refusal(refused),
        "FORBIDDEN: Permission denied for delete operation on Locked entity"
    );
    assert!(store.get("Locked", &service(), id(&made)).await.is_ok());
    let all = v1::DeleteWhereRequest {
        caller: Some(service()),
        ..all
    };
    assert_eq!(store.client.delete_where(all).await.unwrap().deleted, 1);
}

#[tokio::test]
async fn a_hidden_field_is_neither_shown_nor_searched() {
    let store = notes().await;
    for (name, salary) in [("a", 1), ("b", 3), ("c", 2)] {
        store
            .create("Staff", &service(), json!({"name": name, "salary": salary}))
            .await
            .unwrap();
    }
    let (ann, admin) = (user(ANN), user("dev@example.com"));
    let by_salary = |caller| v1::QueryRequest {
        sort: "salary".into(),
        ..Store::query("Staff", caller, json!({}))
    };
    let seen = store.list(by_salary(&admin)).await.unwrap();
    assert_eq!(pluck(&seen, "name"), ["a", "c", "b"]);
    let seen = store.list(by_salary(&ann)).await.unwrap();
    assert_eq!(pluck(&seen, "name"), ["a", "b", "c"]);
    assert!(seen.iter().all(|record| record.get("salary").is_none()));
    assert_eq!(
        store
            .count("Staff", &admin, json!({"salary": 3}))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .count("Staff", &ann, json!({"salary": 3}))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .count("Staff", &ann, json!({"salary": null}))
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn protected_fields_may_only_be_sent_unchanged() {
    let store = notes().await;
    let ann = user(ANN);
    let set =
        "FORBIDDEN: You're not allowed to set the following fields: data.salary, data.profile.tier";
    let sent = json!({"name": "a", "salary": 1, "profile": {"tier": "gold"}});
    assert_eq!(
        refusal(store.create("Staff", &ann, sent.clone()).await),
        set
    );
    let made = store.create("Staff", &service(), sent).await.unwrap();
    let same = json!({"name": "b", "salary": 1, "profile": {"tier": "gold", "nick": "x"}});
    assert_eq!(
        store.update("Staff", &ann, id(&made), same).await.unwrap()["name"],
        "b"
    );
    let modify = "FORBIDDEN: You're not allowed to modify the following fields: data.profile.tier";
    for profile in [json!({"tier": "lead"}), json!({"nick": "y"}), json!(null)] {
        let changes = json!({"profile": profile});
        assert_eq!(
            refusal(store.update("Staff", &ann, id(&made), changes).await),
            modify
        );
    }
}
