//! Keyset walks over records and over distinct values.

use proto::v1;
use serde_json::{Value, json};

use crate::harness::{Store, anonymous, bytes, id, refusal, service, value};

async fn letters() -> Store {
    let schema = json!({"properties": {"letter": {"type": "string"}, "tags": {"type": "array"}}});
    let store = Store::start(json!({"Letter": schema})).await;
    for (letter, tags) in [
        ("a", json!([2, 1])),
        ("b", json!(null)),
        ("c", json!([1, "x"])),
        ("d", json!(3)),
        ("e", json!([])),
    ] {
        let made = store
            .create(
                "Letter",
                &service(),
                json!({"letter": letter, "tags": tags}),
            )
            .await;
        if tags != json!(3) {
            made.unwrap();
        }
    }
    store
}

fn request(sort: &str) -> v1::PageRequest {
    v1::PageRequest {
        entity: "Letter".into(),
        caller: Some(anonymous()),
        sort: sort.into(),
        limit: Some(2),
        ..v1::PageRequest::default()
    }
}

async fn walk(store: &Store, first: v1::PageRequest) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut next = first;
    loop {
        let page = store.client.page(next.clone()).await.unwrap();
        pages.push(page.items_json.iter().map(|item| value(item)).collect());
        let Some(cursor) = page.next_cursor else {
            return pages;
        };
        next.cursor = cursor;
    }
}

#[tokio::test]
async fn a_walk_sees_every_record_once_in_every_order() {
    let store = letters().await;
    for (sort, expected) in [
        ("", "ec,ba"),
        ("created_date", "ab,ce"),
        ("-letter", "ec,ba"),
        ("letter", "ab,ce"),
    ] {
        let pages = walk(&store, request(sort)).await;
        let letters = pages.iter().map(|page| {
            page.iter()
                .map(|item| item["letter"].as_str().unwrap())
                .collect::<String>()
        });
        assert_eq!(letters.collect::<Vec<_>>().join(","), expected, "{sort}");
    }
}

#[tokio::test]
async fn deletions_between_pages_move_nothing() {
    let store = letters().await;
    for sort in ["", "-letter"] {
        let store = letters().await;
        let page = store.client.page(request(sort)).await.unwrap();
        for item in &page.items_json {
            store
                .delete("Letter", &service(), id(&value(item)))
                .await
                .unwrap();
        }
        let cursor = page.next_cursor.unwrap();
        let rest = store
            .client
            .page(v1::PageRequest {
                cursor,
                ..request(sort)
            })
            .await
            .unwrap();
        assert_eq!(value(&rest.items_json[0])["letter"], "b");
    }
    drop(store);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_walk() {
    let store = letters().await;
    let cursor = store
        .client
        .page(request("letter"))
        .await
        .unwrap()
        .next_cursor
        .unwrap();
    let resumed = v1::PageRequest {
        cursor: cursor.clone(),
        ..request("")
    };
    let page = store.client.page(resumed).await.unwrap();
    assert_eq!(value(&page.items_json[0])["letter"], "c");
    let filtered = v1::PageRequest {
        filter_json: bytes(&json!({"letter": "a"})),
        ..request("")
    };
    for other in [request("-letter"), filtered] {
        let other = v1::PageRequest {
            cursor: cursor.clone(),
            ..other
        };
        assert_eq!(
            refusal(store.client.page(other).await),
            "BAD_REQUEST: Cursor does not match the query"
        );
    }
    let broken = v1::PageRequest {
        cursor: "x".into(),
        ..request("")
    };
    assert_eq!(
        refusal(store.client.page(broken).await),
        "BAD_REQUEST: Invalid cursor"
    );
}

#[tokio::test]
async fn distinct_values_come_in_order_with_elements_on_their_own() {
    let store = letters().await;
    let tags = v1::PageRequest {
        distinct: Some("tags".into()),
        ..request("")
    };
    let pages = walk(&store, tags).await;
    assert_eq!(
        pages,
        [vec![json!(null), json!(1)], vec![json!(2), json!("x")]]
    );
}
