//! Many records in one call: all or none.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use proto::{Failure, v1};
use serde_json::{Value, json};

use crate::harness::{Store, anonymous, bytes, id, pluck, records_of, refusal, service, value};

async fn items() -> Store {
    let item = json!({"properties": {"sku": {"type": "string"}, "stock": {"type": "number"}}, "required": ["sku"]});
    Store::start(json!({"Item": item})).await
}

async fn gather(
    answer: Result<tonic::Streaming<v1::RecordChunk>, Failure>,
) -> Result<Vec<Value>, Failure> {
    let chunks: Vec<_> = answer?.collect().await;
    let records = chunks
        .into_iter()
        .flat_map(|chunk| records_of(&chunk.unwrap()));
    Ok(records.collect())
}

async fn create_many(store: &Store, records: Value) -> Result<Vec<Value>, Failure> {
    let request = v1::CreateManyRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        records_json: bytes(&records),
    };
    gather(store.client.create_many(request).await).await
}

async fn update_many(store: &Store, changes: Value) -> Result<Vec<Value>, Failure> {
    let request = v1::UpdateManyRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        changes_json: bytes(&changes),
    };
    gather(store.client.update_many(request).await).await
}

async fn total(store: &Store) -> u64 {
    store.count("Item", &service(), json!({})).await.unwrap()
}

#[tokio::test]
async fn many_are_created_in_order_or_not_at_all() {
    let store = items().await;
    let made = create_many(&store, json!([{"sku": "a"}, {"sku": "b"}]))
        .await
        .unwrap();
    assert_eq!(pluck(&made, "sku"), ["a", "b"]);
    assert!(create_many(&store, json!([])).await.unwrap().is_empty());
    let cases = [
        (
            json!([{"sku": "c"}, {}]),
            "INVALID: Error in field sku: Field required",
        ),
        (
            json!({"sku": "c"}),
            "BAD_REQUEST: Request body must be an array",
        ),
        (json!([1]), "BAD_REQUEST: Each entry must be an object"),
    ];
    for (records, expected) in cases {
        assert_eq!(refusal(create_many(&store, records).await), expected);
    }
    assert_eq!(total(&store).await, 2);
}

#[tokio::test]
async fn a_long_answer_comes_in_chunks() {
    let store = items().await;
    let records: Vec<_> = (0..3000)
        .map(|number| json!({"sku": format!("{number:0>300}")}))
        .collect();
    let made = create_many(&store, json!(records)).await.unwrap();
    assert_eq!(made.len(), 3000);
    let all = store
        .client
        .query(Store::query("Item", &anonymous(), json!({})))
        .await
        .unwrap();
    let chunks: Vec<_> = all
        .map(|chunk| records_of(&chunk.unwrap()).len())
        .collect()
        .await;
    assert!(chunks.len() > 3);
    assert_eq!(chunks.iter().sum::<usize>(), 3000);
}

#[tokio::test]
async fn many_are_updated_by_id_or_not_at_all() {
    let store = items().await;
    let made = create_many(&store, json!([{"sku": "a"}, {"sku": "b"}]))
        .await
        .unwrap();
    let (a, b) = (id(&made[0]), id(&made[1]));
    let changed = update_many(
        &store,
        json!([{"id": b, "stock": 1}, {"id": a, "stock": 2}, {"id": b, "sku": "c"}]),
    )
    .await
    .unwrap();
    assert_eq!(pluck(&changed, "sku"), ["c", "a", "c"]);
    assert_eq!(pluck(&changed, "stock"), [1, 2, 1]);
    let gone = "69800e800000000000000fff";
    let too_many: Vec<_> = (0..501).map(|_| json!({"id": a})).collect();
    let cases = [
        (
            json!([{"id": a, "stock": 9}, {"id": gone}]),
            "NOT_FOUND: Entity Item with ID 69800e800000000000000fff not found",
        ),
        (
            json!([{"id": a, "stock": 9}, {"id": b, "stock": "x"}]),
            "INVALID: Error in field stock: Input should be a valid number",
        ),
        (
            json!([{"stock": 9}]),
            "BAD_REQUEST: Each record must have an id",
        ),
        (
            json!(too_many),
            "BAD_REQUEST: At most 500 records can be written in one call, not 501",
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(refusal(update_many(&store, changes).await), expected);
    }
    assert_eq!(store.get("Item", &service(), a).await.unwrap()["stock"], 2);
}

async fn update_where(store: &Store, filter: Value, update: Value) -> Result<(u64, bool), Failure> {
    let request = v1::UpdateWhereRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        filter_json: bytes(&filter),
        update_json: bytes(&update),
    };
    store
        .client
        .update_where(request)
        .await
        .map(|answer| (answer.updated, answer.has_more))
}

#[tokio::test]
async fn operators_change_five_hundred_at_a_time() {
    let store = items().await;
    let records: Vec<_> = (0..700).map(|_| json!({"sku": "a", "stock": 0})).collect();
    create_many(&store, json!(records)).await.unwrap();
    let (query, update) = (json!({"stock": 0}), json!({"$inc": {"stock": 5}}));
    assert_eq!(
        update_where(&store, query.clone(), update.clone())
            .await
            .unwrap(),
        (500, true)
    );
    assert_eq!(
        update_where(&store, query, update).await.unwrap(),
        (200, false)
    );
    assert_eq!(
        store
            .count("Item", &service(), json!({"stock": 5}))
            .await
            .unwrap(),
        700
    );
    let refused = update_where(&store, json!({}), json!({"$set": {"stock": "x"}})).await;
    assert_eq!(
        refusal(refused),
        "INVALID: Error in field stock: Input should be a valid number"
    );
    assert!(
        refusal(update_where(&store, json!({}), json!({"$grow": {"stock": 1}})).await)
            .starts_with("BAD_REQUEST")
    );
}

async fn upsert(
    store: &Store,
    request: v1::UpsertRequest,
) -> (v1::upsert_response::Counts, Vec<Value>) {
    use v1::upsert_response::Part;
    let mut answer = store.client.upsert(request).await.unwrap();
    let (mut counts, mut records) = (None, Vec::new());
    while let Some(message) = answer.message().await.unwrap() {
        match message.part.unwrap() {
            Part::Counts(found) => assert_eq!(counts.replace(found), None),
            Part::Records(chunk) => records.extend(records_of(&chunk)),
        }
    }
    (counts.unwrap(), records)
}

async fn import(
    store: &Store,
    entity: &str,
    content: impl Into<Bytes>,
) -> Result<(v1::import_response::Outcome, Vec<Value>), Failure> {
    use v1::{
        import_request::{Header, Part as Sent},
        import_response::Part,
    };
    let header = Header {
        entity: entity.into(),
        caller: Some(anonymous()),
        file_name: "items.csv".into(),
    };
    let content = content.into();
    let bytes = content.len();
    let parts = [Sent::Header(header), Sent::Content(content)];
    let parts = parts.map(|part| v1::ImportRequest { part: Some(part) });
    let mut answer = store.client.import(stream::iter(parts), bytes).await?;
    let (mut outcome, mut records) = (None, Vec::new());
    while let Some(message) = answer.message().await.unwrap() {
        match message.part.unwrap() {
            Part::Outcome(found) => assert_eq!(outcome.replace(found), None),
            Part::Records(chunk) => records.extend(records_of(&chunk)),
        }
    }
    Ok((outcome.unwrap(), records))
}

#[tokio::test]
async fn an_upsert_updates_what_has_the_key_and_creates_the_rest() {
    let store = items().await;
    create_many(&store, json!([{"sku": "a", "stock": 1}]))
        .await
        .unwrap();
    let records =
        json!([{"sku": "b", "stock": 1}, {"sku": "a", "stock": 2}, {"sku": "b", "stock": 3}]);
    let request = v1::UpsertRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        records_json: bytes(&records),
        key: vec!["sku".into()],
    };
    let (counts, written) = upsert(&store, request.clone()).await;
    assert_eq!((counts.created, counts.updated), (1, 1));
    assert_eq!(
        (pluck(&written, "sku"), pluck(&written, "stock")),
        (vec![json!("b"), json!("a")], vec![json!(3), json!(2)])
    );
    let keyless = v1::UpsertRequest {
        key: vec!["stock".into(), "color".into()],
        ..request.clone()
    };
    assert_eq!(
        refusal(store.client.upsert(keyless).await),
        "BAD_REQUEST: Each record must have a value for the key field color"
    );
    let empty = v1::UpsertRequest {
        key: Vec::new(),
        ..request
    };
    assert_eq!(
        refusal(store.client.upsert(empty).await),
        "BAD_REQUEST: `key` must name at least one field"
    );
}

#[tokio::test]
async fn a_lost_body_deletes_nothing_and_an_empty_filter_everything() {
    let store = items().await;
    create_many(&store, json!([{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]))
        .await
        .unwrap();
    let request = v1::DeleteWhereRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        ..Default::default()
    };
    assert!(refusal(store.client.delete_where(request.clone()).await).starts_with("BAD_REQUEST"));
    let filtered = v1::DeleteWhereRequest {
        filter_json: bytes(&json!({"sku": "b"})),
        ..request.clone()
    };
    assert_eq!(
        store.client.delete_where(filtered).await.unwrap().deleted,
        1
    );
    let all = v1::DeleteWhereRequest {
        filter_json: bytes(&json!({})),
        ..request
    };
    assert_eq!(store.client.delete_where(all).await.unwrap().deleted, 2);
    assert_eq!(total(&store).await, 0);
}

#[tokio::test]
async fn a_file_is_imported_whole_or_not_at_all() {
    let store = items().await;
    let (good, added) = import(&store, "Item", "sku,stock,color\na,1,red\nb,,\n")
        .await
        .unwrap();
    assert_eq!(pluck(&added, "sku"), ["a", "b"]);
    assert_eq!(
        (good.imported, good.details.as_str()),
        (
            true,
            "Successfully imported 2 entities with RLS enforcement"
        )
    );
    let (bad, added) = import(&store, "Item", "sku,stock\nc,1\nd,many\n")
        .await
        .unwrap();
    assert!(added.is_empty());
    assert_eq!(
        (bad.imported, bad.details.as_str()),
        (
            false,
            "Line 3: Error in field stock: Input should be a valid number"
        )
    );
    assert_eq!(total(&store).await, 2);
    assert_eq!(
        refusal(import(&store, "Nope", "a\n1\n").await),
        "NOT_FOUND: Entity \"Nope\" not found"
    );
}

#[tokio::test]
async fn answers_longer_than_a_message_arrive_whole() {
    let number = 450;
    let text = "x".repeat(150 * 1024);
    assert!(number * text.len() > proto::MESSAGE_LIMIT);
    let schema = json!({"properties": {"sku": {"type": "string"}, "text": {"type": "string", "default": text}}});
    let store = Store::start(json!({ "Item": schema })).await;
    let skus: Vec<_> = (0..number).map(|number| number.to_string()).collect();

    let file = format!("sku\n{}\n", skus.join("\n"));
    let (outcome, added) = import(&store, "Item", file).await.unwrap();
    assert!(outcome.imported);
    assert_eq!(pluck(&added, "sku"), skus);

    let records: Vec<_> = skus.iter().map(|sku| json!({ "sku": sku })).collect();
    let request = v1::UpsertRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        records_json: bytes(&json!(records)),
        key: vec!["sku".into()],
    };
    let (counts, updated) = upsert(&store, request).await;
    assert_eq!((counts.created, counts.updated), (0, 450));
    assert_eq!(pluck(&updated, "sku"), skus);

    let mut request = v1::PageRequest {
        entity: "Item".into(),
        caller: Some(anonymous()),
        sort: "created_date".into(),
        limit: Some(5000),
        ..v1::PageRequest::default()
    };
    let (mut walked, mut pages) = (Vec::new(), 0);
    loop {
        let page = store.client.page(request.clone()).await.unwrap();
        walked.extend(
            page.items_json
                .iter()
                .map(|item| value(item)["sku"].clone()),
        );
        pages += 1;
        match page.next_cursor {
            Some(cursor) => request.cursor = cursor,
            None => break,
        }
    }
    assert_eq!(walked, skus);
    assert!(pages > 1, "{pages}");
}
