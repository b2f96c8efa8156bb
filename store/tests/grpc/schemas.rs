//! What a change of schemas does to records.

use proto::v1::{self, apply_schemas_response::entity_change::Kind};
use serde_json::{Value, json};

use crate::harness::{Store, anonymous, service, text_fields};

fn kinds(answer: &v1::ApplySchemasResponse) -> Vec<(&str, Kind, u64)> {
    let changes = answer.changes.iter();
    changes
        .map(|change| (change.entity.as_str(), change.kind(), change.cleared))
        .collect()
}

#[tokio::test]
async fn only_another_shape_clears_and_only_its_own_entity() {
    let schemas =
        json!({"A": text_fields(&["x"]), "B": text_fields(&["x"]), "C": text_fields(&["x"])});
    let store = Store::start(schemas.clone()).await;
    for entity in ["A", "B", "C"] {
        store
            .create(entity, &service(), json!({"x": "1"}))
            .await
            .unwrap();
    }
    assert!(store.apply(schemas.clone(), false).await.changes.is_empty());

    let mut with_rules = text_fields(&["x"]);
    with_rules["rls"] = json!({"read": false});
    let next = json!({"A": text_fields(&["x", "y"]), "B": with_rules, "D": {}});
    let answer = store.apply(next, false).await;
    let expected = [
        ("A", Kind::Reshaped, 1),
        ("B", Kind::Refreshed, 0),
        ("D", Kind::Added, 0),
        ("C", Kind::Removed, 1),
    ];
    assert_eq!(kinds(&answer), expected);
    assert_eq!(store.count("A", &service(), json!({})).await.unwrap(), 0);
    assert_eq!(store.count("B", &service(), json!({})).await.unwrap(), 1);
    assert_eq!(store.count("B", &anonymous(), json!({})).await.unwrap(), 0);
    assert!(store.count("C", &service(), json!({})).await.is_err());
}

#[tokio::test]
async fn a_refused_schema_leaves_what_was_served() {
    let store = Store::start(json!({"A": text_fields(&["x"])})).await;
    store
        .create("A", &service(), json!({"x": "1"}))
        .await
        .unwrap();
    let answer = store
        .apply(json!({"A": [], "User": text_fields(&["email"])}), false)
        .await;
    assert!(answer.changes.is_empty());
    let refused: Vec<_> = answer
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(refused[0], "a schema must be a JSON object");
    assert!(
        refused[1]
            .starts_with("Invalid User schema: User schema cannot contain base fields: email.")
    );
    assert_eq!(store.count("A", &service(), json!({})).await.unwrap(), 1);
}

#[tokio::test]
async fn rules_that_grant_nothing_by_mistake_are_reported() {
    let mut task = text_fields(&["status"]);
    task["rls"] = json!({"read": {"status": "open"}, "update": {"data.status": {"$regex": "x"}}});
    let store = Store::start(json!({})).await;
    let answer = store.apply(json!({"Task": task}), false).await;
    let messages: Vec<_> = answer
        .problems
        .iter()
        .map(|problem| (problem.message.as_str(), problem.warning))
        .collect();
    let expected = [
        (
            "rule `update`: unknown operator `$regex`; it grants nothing",
            true,
        ),
        (
            "rule `read`: `status` grants nothing: write `data.status` for a field of the record",
            true,
        ),
    ];
    assert_eq!(messages, expected);
}

#[tokio::test]
async fn an_entity_without_properties_takes_every_field() {
    let store = Store::start(json!({"Loose": {}, "commerce.Product": text_fields(&["x"])})).await;
    let made = store
        .create("Loose", &anonymous(), json!({"a": {"b": 1}}))
        .await
        .unwrap();
    assert_eq!(made["a"], json!({"b": 1}));
    let made = store
        .create("commerce.Product", &anonymous(), json!({"x": "1", "y": 1}))
        .await
        .unwrap();
    assert_eq!(made.get("y"), None::<&Value>);
}

#[tokio::test]
async fn strictness_refuses_what_is_else_only_warned_about() {
    let schema = json!({"properties": {"status": {"type": "string", "enum": ["a"]}}});
    let store = Store::start(json!({"Task": schema})).await;
    assert!(
        store
            .create("Task", &service(), json!({"status": "b"}))
            .await
            .is_ok()
    );
    store.apply(json!({"Task": schema}), true).await;
    assert!(
        store
            .create("Task", &service(), json!({"status": "b"}))
            .await
            .is_err()
    );
}
