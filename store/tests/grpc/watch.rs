//! The feed of changes, and many operations over one stream.

use futures_util::{StreamExt as _, stream};
use proto::v1::{self, change::Kind, operation::Request, operation_result::Result as Outcome};
use serde_json::json;

use crate::harness::{Store, anonymous, bytes, id, refusal, service, text_fields, user, value};

async fn watch(store: &Store, entity: &str, caller: v1::Caller) -> tonic::Streaming<v1::Change> {
    let request = v1::WatchRequest {
        entity: entity.into(),
        caller: Some(caller),
    };
    store.client.watch(request).await.unwrap()
}

async fn next(changes: &mut tonic::Streaming<v1::Change>) -> v1::Change {
    let wait = std::time::Duration::from_secs(60);
    let next = tokio::time::timeout(wait, changes.next()).await;
    next.expect("a change in time").unwrap().unwrap()
}

#[tokio::test]
async fn every_watcher_gets_what_they_may_see() {
    let mut note = text_fields(&["text", "secret", "owner"]);
    note["rls"] = json!({"read": {"data.owner": "{{user.email}}"}});
    note["properties"]["secret"]["rls"] = json!({"read": false});
    let store = Store::start(json!({"Note": note})).await;
    let ann = "ann@example.com";
    store.join(ann).await;
    let mut of_ann = watch(&store, "note", user(ann)).await;
    let mut of_service = watch(&store, "Note", service()).await;

    let made = store
        .create(
            "Note",
            &service(),
            json!({"text": "1", "secret": "s", "owner": ann}),
        )
        .await
        .unwrap();
    store
        .create("Note", &service(), json!({"text": "2", "owner": "bob"}))
        .await
        .unwrap();
    store
        .update("Note", &service(), id(&made), json!({"owner": "bob"}))
        .await
        .unwrap();
    store
        .update("Note", &service(), id(&made), json!({"owner": ann}))
        .await
        .unwrap();
    store.delete("Note", &service(), id(&made)).await.unwrap();

    let mut seen = Vec::new();
    for _ in 0..3 {
        let change = next(&mut of_ann).await;
        assert_eq!(
            (change.entity.as_str(), change.id.as_str()),
            ("Note", id(&made))
        );
        assert_eq!(value(&change.record_json).get("secret"), None);
        seen.push((change.kind(), change.sequence));
    }
    let first = seen[0].1;
    assert_eq!(
        seen,
        [
            (Kind::Create, first),
            (Kind::Update, first + 3),
            (Kind::Delete, first + 4)
        ]
    );

    let first = next(&mut of_service).await;
    assert_eq!(value(&first.record_json), made);
    assert_eq!(first.timestamp, "2026-02-02T02:40:00.000Z");
    assert_eq!(next(&mut of_service).await.kind(), Kind::Create);
}

#[tokio::test]
async fn a_cleared_entity_says_so_of_each_record() {
    let store =
        Store::start(json!({"Note": text_fields(&["a"]), "Other": text_fields(&["a"])})).await;
    let other = store.create("Other", &service(), json!({"a": "1"})).await;
    assert!(other.is_ok());
    let mut ids = Vec::new();
    for text in ["1", "2"] {
        let made = store.create("Note", &service(), json!({ "a": text })).await;
        ids.push(id(&made.unwrap()).to_owned());
    }
    let mut changes = watch(&store, "Note", anonymous()).await;
    store
        .apply(
            json!({"Note": text_fields(&["b"]), "Other": text_fields(&["b"])}),
            false,
        )
        .await;
    for id in ids {
        let change = next(&mut changes).await;
        assert_eq!((change.kind(), change.id), (Kind::Delete, id));
    }
    let change = next(&mut changes).await;
    assert_eq!((change.kind(), change.id.as_str()), (Kind::Clear, ""));
    let made = store.create("Note", &service(), json!({"b": "3"})).await;
    assert_eq!(next(&mut changes).await.id, id(&made.unwrap()));
    let status = store
        .client
        .store_status(v1::StoreStatusRequest {})
        .await
        .unwrap();
    assert_eq!((status.entities, status.users, status.watches), (2, 1, 1));
}

#[tokio::test]
async fn watching_is_refused_like_reading() {
    let store = Store::start(json!({})).await;
    for (entity, expected) in [("Nope", "NOT_FOUND"), ("User", "UNAUTHENTICATED")] {
        let request = v1::WatchRequest {
            entity: entity.into(),
            caller: None,
        };
        assert!(refusal(store.client.watch(request).await).starts_with(expected));
    }
}

#[tokio::test]
async fn operations_over_one_stream_are_answered_by_tag() {
    let store = Store::start(json!({"Note": text_fields(&["text"])})).await;
    let made = store
        .create("Note", &service(), json!({"text": "a"}))
        .await
        .unwrap();
    let operations = [
        Request::Get(v1::GetRequest {
            entity: "Note".into(),
            id: id(&made).into(),
            ..Default::default()
        }),
        Request::Get(v1::GetRequest {
            entity: "Note".into(),
            id: "none".into(),
            ..Default::default()
        }),
        Request::Update(v1::UpdateRequest {
            entity: "Note".into(),
            id: id(&made).into(),
            changes_json: bytes(&json!({})),
            ..Default::default()
        }),
    ];
    let operations = (0..).zip(operations).map(|(tag, request)| v1::Operation {
        tag,
        request: Some(request),
        request_id: String::new(),
    });
    let mut client = store.raw().await;
    let results = client
        .operate(stream::iter(operations.collect::<Vec<_>>()))
        .await
        .unwrap()
        .into_inner();
    let mut results: Vec<_> = results.map(Result::unwrap).collect().await;
    results.sort_by_key(|result| result.tag);
    let outcomes: Vec<_> = results
        .into_iter()
        .map(|result| result.result.unwrap())
        .collect();
    assert!(matches!(&outcomes[0], Outcome::Record(record) if value(&record.record_json) == made));
    assert!(matches!(&outcomes[1], Outcome::Failure(failure) if failure.code == "NOT_FOUND"));
    assert!(matches!(&outcomes[2], Outcome::Record(_)));
}

#[tokio::test]
async fn a_watcher_that_falls_behind_is_told_so() {
    let store = Store::start(json!({"Note": text_fields(&["text"])})).await;
    let mut changes = watch(&store, "Note", service()).await;
    // Enough to fill the connection's window with a tenth of them, and the feed with the rest.
    let text = "x".repeat(20_000);
    for _ in 0..1200 {
        let made = store
            .create("Note", &service(), json!({ "text": text }))
            .await;
        made.unwrap();
    }
    let wait = std::time::Duration::from_secs(60);
    let end = loop {
        let next = tokio::time::timeout(wait, changes.next()).await;
        if let Some(Err(status)) = next.expect("an end in time") {
            break proto::Failure::from_status("store", &status);
        }
    };
    assert_eq!(end.code(), proto::Code::RateLimited);
    assert!(changes.next().await.is_none());
}

#[tokio::test]
async fn a_watch_ends_with_the_store() {
    let store = Store::start(json!({"Note": text_fields(&["text"])})).await;
    let mut changes = watch(&store, "Note", service()).await;
    drop(store);
    let wait = std::time::Duration::from_secs(60);
    let end = tokio::time::timeout(wait, changes.next()).await;
    assert!(end.expect("an end in time").is_none());
}

#[tokio::test]
async fn users_are_watched_as_they_are_read() {
    let store = Store::start(json!({})).await;
    store.join("ann@example.com").await;
    let mut of_ann = watch(&store, "User", user("ann@example.com")).await;
    let mut of_dev = watch(&store, "User", user("dev@example.com")).await;
    let bob = store.join("bob@example.com").await;
    let ann = store.join("ann@example.com").await;
    let changed = store
        .update("User", &service(), &ann.id, json!({"role": "boss"}))
        .await;
    changed.unwrap();
    let to_dev = [next(&mut of_dev).await, next(&mut of_dev).await];
    assert_eq!(to_dev.map(|change| change.id), [bob.id, ann.id.clone()]);
    assert_eq!(next(&mut of_ann).await.id, ann.id);
}
