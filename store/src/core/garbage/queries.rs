//! Filters, sort orders, cursors, fields, updates and aggregations of any shape.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{anything, database, often, text, wild};
use crate::core::{
    aggregate::Aggregate, caller::Caller, database::PageSpec, filter::Filter, instant::Instant,
    project::Projection, sort::Sort, testing::any_record,
};

const OPERATORS: &[&str] = &[
    "a",
    "b",
    "c",
    "a.b",
    "b.0",
    "created_date",
    "id",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$size",
    "$all",
    "$elemMatch",
    "$regex",
    "$options",
    "$type",
    "$mod",
    "$where",
];

const CHANGES: &[&str] = &[
    "a",
    "b",
    "c",
    "a.b",
    "b.0",
    "c.99999999999",
    "id",
    "$set",
    "$unset",
    "$rename",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$currentDate",
    "$push",
    "$pull",
    "$addToSet",
    "$each",
    "$position",
    "$slice",
    "$sort",
    "$gt",
    "$in",
    "$setOnInsert",
];

const COLUMNS: &[&str] = &[
    "groupBy",
    "bucket",
    "dateBucket",
    "query",
    "having",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "countDistinct",
    "sort",
    "limit",
    "field",
    "unit",
    "timezone",
    "a",
    "b",
    "$gt",
];

fn queries() -> Vec<Value> {
    vec![
        json!({"a": {"$gt": 1, "$lte": "x"}, "$or": [{"b": {"$elemMatch": {"c": 2}}}, {"c": {"$size": 1}}]}),
        json!({"a": {"$regex": "^x", "$options": "i"}, "b.0": {"$not": {"$in": ["x"]}}}),
        json!({"$nor": [{"created_date": {"$gte": "2026-01-01"}}, {"id": {"$exists": true}}]}),
    ]
}

fn changes() -> Vec<Value> {
    vec![
        json!({"$set": {"a": 1}, "$push": {"e": {"$each": [1, 2], "$position": 0, "$slice": -2, "$sort": -1}}}),
        json!({"$inc": {"n": 2}, "$pull": {"e": {"c": {"$gt": 1}}}, "$currentDate": {"d": true}}),
        json!({"$rename": {"a": "z"}, "$unset": {"c.a": ""}, "$mul": {"n": 1.5}, "$addToSet": {"e": {"$each": [1]}}}),
        json!({"$min": {"n": 1, "a": "x"}, "$max": {"b": {"c": 1}}, "$set": {"e": [{"c": 2}], "d": "x"}}),
    ]
}

fn specs() -> Vec<Value> {
    vec![
        json!({"groupBy": ["a", "c.a"], "sum": "b", "count": true, "having": {"count": {"$gt": 0}}, "sort": "-count", "limit": 2}),
        json!({"groupBy": "created_date", "bucket": {"field": "created_date", "unit": "month"}, "avg": ["a"], "query": {"a": 1}}),
    ]
}

/// A cursor that was given out, with bytes of its document replaced.
fn cursors() -> impl Strategy<Value = String> {
    let spec = PageSpec {
        entity: "Row".to_owned(),
        sort: "a".to_owned(),
        ..PageSpec::default()
    };
    let mut database = database();
    let selection = database.select_now("Row", &Caller::Service, &Filter::all());
    let page = spec.page(&selection.unwrap(), 1).unwrap();
    let document = URL_SAFE_NO_PAD.decode(page.next.unwrap()).unwrap();
    let length = document.len();
    let bytes = prop::collection::vec((0..length, any::<u8>()), 0..3);
    let spoilt = bytes.prop_map(move |bytes| {
        let mut document = document.clone();
        for (place, byte) in bytes {
            document[place] = byte;
        }
        document
    });
    let keys = &["e", "q", "sort", "fields", "distinct", "after", "at", "seq"];
    let made_up = (anything(keys), anything(&["at", "seq"])).prop_map(|(mut spec, place)| {
        if let Value::Object(members) = &mut spec {
            members.insert("e".to_owned(), json!("Row"));
            members.insert("after".to_owned(), json!({"at": place, "seq": 7}));
        }
        spec.to_string().into_bytes()
    });
    prop_oneof![
        1 => "[A-Za-z0-9_=-]{0,30}",
        4 => prop_oneof![spoilt, made_up].prop_map(|document| URL_SAFE_NO_PAD.encode(document)),
    ]
}

/// Dates in every way of writing them, many of a day or an hour that there is not.
fn dates() -> impl Strategy<Value = String> {
    let day = (0_u16..=9999, 0_u8..14, 0_u8..33);
    let day = day.prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let time = "([T ][012][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,10})?)?)?";
    let zone = "(|Z|z|[+-][012][0-9]:?[0-6][0-9]|\\[UTC\\]|é)";
    let whole = (day, time, zone).prop_map(|(day, time, zone)| format!("{day}{time}{zone}"));
    prop_oneof![4 => whole, 1 => "[0-9TZ:+. -]{0,30}", 1 => ".{0,12}"]
}

#[test]
fn what_is_drawn_is_taken_often_enough_to_show_something() {
    let filter = |query: &Value| Filter::parse(query).is_ok();
    often("filters", &wild(queries(), OPERATORS), filter);
    let update = |update: &Value| {
        let done = database().update_where("Row", &Caller::Service, &Filter::all(), update);
        done.is_ok()
    };
    often("updates", &wild(changes(), CHANGES), update);
    let aggregate = |spec: &Value| Aggregate::parse(spec).is_ok();
    often("aggregations", &wild(specs(), COLUMNS), aggregate);
    let asked = PageSpec {
        entity: "Row".to_owned(),
        ..PageSpec::default()
    };
    let cursor = |cursor: &String| asked.clone().resume(cursor).is_ok();
    often("cursors", &cursors(), cursor);
    often("dates", &dates(), |date: &String| {
        Instant::parse(date).is_some()
    });
}

proptest! {
    #[test]
    fn prop_any_query_is_answered_or_refused(query in wild(queries(), OPERATORS), record in any_record()) {
        if let Ok(filter) = Filter::parse(&query) {
            let _ = filter.matches(&record);
            let found = database().select_now("Row", &Caller::Service, &filter);
            let _ = found.and_then(|found| found.count());
        }
    }

    #[test]
    fn prop_any_update_leaves_records_that_can_be_read_or_changes_nothing(update in wild(changes(), CHANGES)) {
        let mut database = database();
        let read = |database: &mut crate::core::database::Database| {
            let all = database.select_now("Row", &Caller::Service, &Filter::all()).unwrap();
            let page = PageSpec::default().page(&all, 9).unwrap().items;
            page.iter().map(|item| serde_json::from_slice::<Value>(item).unwrap()).collect::<Vec<_>>()
        };
        let before = read(&mut database);
        let changed = database.update_where("Row", &Caller::Service, &Filter::all(), &update);
        let after = read(&mut database);
        prop_assert_eq!(after.len(), before.len());
        if changed.is_err() {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn prop_any_aggregation_is_answered_or_refused(
        spec in wild(specs(), COLUMNS),
        records in prop::collection::vec(any_record(), 0..4),
    ) {
        if let Ok(aggregate) = Aggregate::parse(&spec) {
            let _ = aggregate.run(&records);
        }
    }

    #[test]
    fn prop_any_sort_order_is_total_or_refused(sort in prop_oneof![text(), "[-+a-c.,$ 0-9]{0,12}"], limit in 0_usize..4) {
        let mut database = database();
        let all = database.select_now("Row", &Caller::Service, &Filter::all()).unwrap();
        if let Ok(sort) = Sort::parse(&sort) {
            prop_assert_eq!(all.page(&sort, 0, limit).unwrap().len(), limit.min(3));
        }
    }

    #[test]
    fn prop_any_cursor_is_followed_or_refused(cursor in cursors(), limit in 0_usize..4) {
        let asked = PageSpec { entity: "Row".to_owned(), ..PageSpec::default() };
        let Ok(spec) = asked.resume(&cursor) else { return Ok(()) };
        let Ok(filter) = spec.filter() else { return Ok(()) };
        let mut database = database();
        let selection = database.select_now("Row", &Caller::Service, &filter).unwrap();
        let _ = spec.cost(&selection, limit);
        if let Ok(page) = spec.page(&selection, limit) {
            for item in page.items {
                prop_assert!(serde_json::from_slice::<Value>(&item).is_ok());
            }
        }
    }

    #[test]
    fn prop_any_list_of_fields_gives_records(fields in prop_oneof![text(), ".{0,20}"]) {
        let mut database = database();
        let all = database.select_now("Row", &Caller::Service, &Filter::all()).unwrap();
        let presenter = all.presenter(Projection::parse(&fields));
        for record in all.page(&Sort::default(), 0, 9).unwrap() {
            let shown: Value = serde_json::from_slice(&presenter.json(&record)).unwrap();
            prop_assert!(shown["id"].is_string());
        }
    }

    #[test]
    fn prop_any_date_is_read_or_not(text in dates()) {
        if let Some(instant) = Instant::parse(&text) {
            let day = instant.utc_date();
            prop_assert!(Instant::parse(&day.to_string()) <= Some(instant), "{text}: {day}");
        }
    }
}
