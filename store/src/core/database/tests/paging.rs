//! Pages put together are the whole, in every order, for every size of page and through every kind of walk.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Database, START};
use crate::core::{
    body::Body,
    caller::Caller,
    database::{PageSpec, SchemaSource},
    filter::{Filter, oracle::find},
    sort::{Sort, oracle},
    testing::any_record,
    value,
};

/// A store of these records, each with its place as `i`.
fn filled(records: &[Map<String, Value>]) -> Database {
    let mut database = Database::new([0; 4]);
    database.set_time(START);
    let source = SchemaSource {
        name: "Row".to_owned(),
        document: b"{}".as_slice().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
    let mut batch = database.batch("Row", &Caller::Service).unwrap().unwrap();
    for (place, record) in records.iter().enumerate() {
        let mut record = record.clone();
        record.insert("i".to_owned(), json!(place));
        batch.add(record);
    }
    assert!(database.store(batch).unwrap().is_some());
    database
}

/// All items of a walk, and how many each page had.
fn walk(database: &mut Database, spec: &PageSpec, limit: usize) -> (Vec<Value>, Vec<usize>) {
    let (mut items, mut sizes, mut next) = (Vec::new(), Vec::new(), spec.clone());
    loop {
        let filter = next.filter().unwrap();
        let selection = database
            .select_now("Row", &Caller::Service, &filter)
            .unwrap();
        let page = next.page(&selection, limit).unwrap();
        sizes.push(page.items.len());
        items.extend(
            page.items
                .iter()
                .map(|item| serde_json::from_slice::<Value>(item).unwrap()),
        );
        let Some(cursor) = page.next else {
            return (items, sizes);
        };
        next = spec.clone().resume(&cursor).unwrap();
    }
}

/// The places of records that a query finds, in an order, by the slow reading of both.
fn expected(records: &[Map<String, Value>], sort: &str, filter: &Filter) -> Vec<u64> {
    let all: Vec<u64> = match sort {
        "" | "-created_date" => (0..)
            .take(records.len())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
        "created_date" => (0..).take(records.len()).collect(),
        sort => oracle::sorted(sort, records),
    };
    let matches = |place: &u64| {
        let record = &records[usize::try_from(*place).unwrap()];
        filter.matches(&Body::from(record)).unwrap()
    };
    all.into_iter().filter(matches).collect()
}

fn any_sort() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => prop::sample::select(vec!["", "created_date", "-created_date"]).prop_map(str::to_owned),
        2 => "-?[abc](\\.[abc0])?(,-?[abc])?",
    ]
}

proptest! {
    #[test]
    fn prop_pages_and_parts_make_up_the_whole(
        records in prop::collection::vec(any_record(), 0..40),
        sort in any_sort(),
        query in prop::sample::select(vec![json!({}), json!({"a": {"$exists": true}}), json!({"b": null})]),
        limit in 1_usize..9,
        skip in 0_usize..9,
    ) {
        let mut database = filled(&records);
        let filter = Filter::parse(&query).unwrap();
        let whole = expected(&records, &sort, &filter);
        let spec = PageSpec { entity: "Row".to_owned(), query, sort: sort.clone(), ..PageSpec::default() };
        let (items, sizes) = walk(&mut database, &spec, limit);
        let places: Vec<_> = items.iter().map(|item| item["i"].as_u64().unwrap()).collect();
        prop_assert_eq!(&places, &whole);
        let (last, full) = sizes.split_last().unwrap();
        prop_assert!(full.iter().all(|size| *size == limit) && (*last > 0 || whole.is_empty()));

        let selection = database.select_now("Row", &Caller::Service, &filter).unwrap();
        prop_assert_eq!(selection.count().unwrap(), whole.len());
        let part = selection.page(&Sort::parse(&sort).unwrap(), skip, limit).unwrap();
        let part: Vec<u64> = part.iter().map(|record| record.raw("i").unwrap().parse().unwrap()).collect();
        let wanted: Vec<_> = whole.into_iter().skip(skip).take(limit).collect();
        prop_assert_eq!(part, wanted);
    }

    #[test]
    fn prop_distinct_values_come_once_each_in_order(
        records in prop::collection::vec(any_record(), 0..20),
        field in "[abc](\\.[abc])?",
        limit in 1_usize..5,
    ) {
        let segments: Vec<_> = field.split('.').collect();
        let mut values = Vec::new();
        for record in &records {
            for (value, unfolds) in find(&Value::Object(record.clone()), &segments).into_iter().flatten() {
                match value {
                    Value::Array(items) if unfolds => values.extend(items),
                    value => values.push(value),
                }
            }
        }
        values.sort_by(oracle::order);
        values.dedup_by(|left, right| value::equals(left, right));
        let spec = PageSpec { entity: "Row".to_owned(), distinct: Some(field), ..PageSpec::default() };
        let (items, _) = walk(&mut filled(&records), &spec, limit);
        prop_assert!(value::equals(&json!(items), &json!(values)), "{items:?} {values:?}");
    }
}
