//! One record at a time, and lists of them.

use proto::v1;
use serde_json::{Value, json};

use crate::harness::{Store, anonymous, id, pluck, refusal, service, user};

async fn tasks() -> Store {
    let task = json!({
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "string", "default": "open"},
            "rank": {"type": "number"},
            "due": {"type": "string", "format": "date"},
        },
        "required": ["title"],
    });
    Store::start(json!({"Task": task})).await
}

#[tokio::test]
async fn a_new_record_has_defaults_and_stamps_and_nothing_unknown() {
    let store = tasks().await;
    let dev = user("dev@example.com");
    let sent =
        json!({"title": "a", "unknown": 1, "id": "mine", "created_by": "x", "is_sample": true});
    let record = store.create("Task", &dev, sent).await.unwrap();
    let me = record["created_by_id"].clone();
    assert_eq!(
        record,
        json!({
            "title": "a", "status": "open", "id": record["id"],
            "created_date": "2026-02-02T02:40:00.000Z", "updated_date": "2026-02-02T02:40:00.000Z",
            "created_by_id": me, "created_by": "dev@example.com", "is_sample": false,
        })
    );
    assert_eq!(id(&record).len(), 24);
    assert_eq!(
        store.get("Task", &anonymous(), id(&record)).await.unwrap(),
        record
    );
}

#[tokio::test]
async fn visitors_and_the_service_role_stamp_their_records_too() {
    let store = tasks().await;
    let by_visitor = store
        .create("Task", &anonymous(), json!({"title": "a"}))
        .await
        .unwrap();
    assert_eq!(
        (&by_visitor["created_by"], &by_visitor["created_by_id"]),
        (&Value::Null, &Value::Null)
    );
    let by_service = store
        .create("Task", &service(), json!({"title": "a"}))
        .await
        .unwrap();
    assert_eq!(by_service["created_by"], "server@server.com");
    assert_eq!(by_service["created_by_id"], "service-role");
}

#[tokio::test]
async fn an_update_changes_the_given_fields_and_the_date() {
    let store = tasks().await;
    let made = store
        .create(
            "Task",
            &service(),
            json!({"title": "a", "rank": 1, "due": "2026-01-01"}),
        )
        .await
        .unwrap();
    store.clock.advance(1);
    let changes = json!({"title": "b", "due": null, "id": "x", "created_date": "x", "unknown": 1});
    let changed = store
        .update("Task", &service(), id(&made), changes)
        .await
        .unwrap();
    let mut expected = made.clone();
    expected["title"] = "b".into();
    expected["due"] = Value::Null;
    expected["updated_date"] = "2026-02-02T02:41:00.000Z".into();
    assert_eq!(changed, expected);
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_platforms_words() {
    let store = tasks().await;
    let everyone = anonymous();
    let made = store
        .create("Task", &everyone, json!({"title": "a"}))
        .await
        .unwrap();
    let gone = "69800e800000000000000fff";
    let cases = [
        (
            refusal(store.create("Task", &everyone, json!({})).await),
            "INVALID: Error in field title: Field required",
        ),
        (
            refusal(store.create("Task", &everyone, json!({"title": 1})).await),
            "INVALID: Error in field title: Input should be a valid string",
        ),
        (
            refusal(store.create("Task", &everyone, json!([])).await),
            "BAD_REQUEST: Request body must be an object",
        ),
        (
            refusal(store.create("Nope", &everyone, json!({})).await),
            "NOT_FOUND: Entity \"Nope\" not found",
        ),
        (
            refusal(
                store
                    .update("Task", &everyone, id(&made), json!({"title": null}))
                    .await,
            ),
            "INVALID: Error in field title: Input should be a valid string",
        ),
        (
            refusal(store.update("Task", &everyone, gone, json!({})).await),
            "NOT_FOUND: Entity Task with ID 69800e800000000000000fff not found",
        ),
        (
            refusal(store.get("Task", &everyone, "me").await),
            "NOT_FOUND: Entity Task with ID me not found",
        ),
        (
            refusal(store.delete("Task", &everyone, gone).await),
            "NOT_FOUND: Entity Task with ID 69800e800000000000000fff not found",
        ),
        (
            refusal(
                store
                    .count("Task", &everyone, json!({"a": {"$foo": 1}}))
                    .await,
            ),
            "BAD_REQUEST: unknown operator: $foo",
        ),
    ];
    for (refusal, expected) in cases {
        assert_eq!(refusal, expected);
    }
}

#[tokio::test]
async fn lists_are_filtered_sorted_cut_and_projected() {
    let store = tasks().await;
    for (title, rank) in [("a", 3), ("b", 1), ("c", 2), ("d", 1)] {
        store
            .create("Task", &service(), json!({"title": title, "rank": rank}))
            .await
            .unwrap();
    }
    let all = Store::query("Task", &anonymous(), json!({}));
    let cases: [(v1::QueryRequest, &[&str]); 6] = [
        (all.clone(), &["d", "c", "b", "a"]),
        (
            v1::QueryRequest {
                sort: "created_date".into(),
                limit: Some(2),
                ..all.clone()
            },
            &["a", "b"],
        ),
        (
            v1::QueryRequest {
                sort: "rank".into(),
                ..all.clone()
            },
            &["b", "d", "c", "a"],
        ),
        (
            v1::QueryRequest {
                sort: "-rank".into(),
                skip: Some(1),
                ..all.clone()
            },
            &["c", "d", "b"],
        ),
        (
            Store::query("task", &anonymous(), json!({"rank": 1})),
            &["d", "b"],
        ),
        (
            Store::query(
                "Task",
                &anonymous(),
                json!({"rank": [2, 3], "title": {"$ne": "a"}}),
            ),
            &["c"],
        ),
    ];
    for (query, titles) in cases {
        let text = format!("{query:?}");
        assert_eq!(
            pluck(&store.list(query).await.unwrap(), "title"),
            titles,
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_projection_has_the_named_fields_and_the_id() {
    let store = tasks().await;
    let sent = json!({"title": "d", "rank": 1});
    store.create("Task", &service(), sent).await.unwrap();
    let query = v1::QueryRequest {
        fields: vec!["title".into()],
        ..Store::query("Task", &anonymous(), json!({}))
    };
    let rows = store.list(query).await.unwrap();
    assert_eq!(rows[0], json!({"title": "d", "id": rows[0]["id"]}));
}

#[tokio::test]
async fn a_deleted_record_is_gone() {
    let store = tasks().await;
    let made = store
        .create("Task", &anonymous(), json!({"title": "a"}))
        .await
        .unwrap();
    store.delete("Task", &anonymous(), id(&made)).await.unwrap();
    assert_eq!(
        store.count("Task", &anonymous(), json!({})).await.unwrap(),
        0
    );
    assert!(store.get("Task", &anonymous(), id(&made)).await.is_err());
}

#[tokio::test]
async fn aggregates_group_what_the_caller_may_read() {
    let store = tasks().await;
    for (title, rank) in [("a", 3), ("b", 1), ("a", 2)] {
        store
            .create("Task", &service(), json!({"title": title, "rank": rank}))
            .await
            .unwrap();
    }
    let spec = json!({"groupBy": "title", "sum": "rank", "query": {"rank": {"$gt": 1}}});
    let request = v1::AggregateRequest {
        entity: "Task".into(),
        caller: Some(anonymous()),
        spec_json: crate::harness::bytes(&spec),
    };
    let answer = store.client.aggregate(request).await.unwrap();
    let rows: Vec<_> = answer
        .rows_json
        .iter()
        .map(|row| crate::harness::value(row))
        .collect();
    assert_eq!(rows, [json!({"title": "a", "count": 2, "sum_rank": 5})]);
}
