//! The database in process, with a fixed time and fixed ids.

mod matrix;
mod paging;
mod writes;

use serde_json::{Value, json};

use super::{Database, SchemaSource, Selection};
use crate::core::{
    caller::Caller, change::Kind, filter::Filter, project::Projection, record::Fields, sort::Sort,
    stamp::Timestamp,
};

const START: Timestamp = Timestamp::from_millis(1_770_000_000_000);

fn database() -> Database {
    let mut database = Database::new([0; 4]);
    database.set_time(START);
    let schema = json!({
        "properties": {
            "n": {"type": "integer"}, "group": {"type": "string"},
            "secret": {"type": "string", "rls": {"read": {"data.group": "g1"}}},
        },
        "rls": {"read": {"$or": [{"data.group": "g1"}, {"data.group": "g2"}]}},
    });
    let source = SchemaSource {
        name: "Row".to_owned(),
        document: serde_json::to_vec(&schema).unwrap().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
    database
}

fn fields(value: &Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn fill(database: &mut Database, count: usize) {
    for n in 0..count {
        let row = json!({"n": n, "group": format!("g{}", n % 4), "secret": format!("s{}", n % 2)});
        database
            .create("Row", &Caller::Service, fields(&row))
            .unwrap();
    }
}

fn select(database: &mut Database, caller: &Caller, filter: &Value) -> Selection {
    let filter = Filter::parse(filter).unwrap();
    database.select_now("Row", caller, &filter).unwrap()
}

fn numbers(selection: &Selection, sort: &str, skip: usize, limit: usize) -> Vec<u64> {
    let page = selection.page(&Sort::parse(sort).unwrap(), skip, limit);
    let rows = page.unwrap().into_iter();
    rows.map(|record| record.raw("n").unwrap().parse().unwrap())
        .collect()
}

#[test]
fn ids_and_dates_follow_the_clock_which_never_goes_back() {
    let mut database = database();
    fill(&mut database, 1);
    database.set_time(Timestamp::from_millis(0));
    fill(&mut database, 1);
    let all = select(&mut database, &Caller::Service, &json!({}));
    let rows = all.page(&Sort::default(), 0, 9).unwrap();
    let stamps = rows
        .iter()
        .map(|row| ["id", "created_date"].map(|name| row.text(name).unwrap()));
    let date = "2026-02-02T02:40:00.000Z";
    let expected = [
        ["69800e800000000000000001", date],
        ["69800e800000000000000000", date],
    ];
    assert_eq!(stamps.collect::<Vec<_>>(), expected);
}

#[test]
fn an_index_finds_what_reading_everything_finds() {
    let mut small = database();
    fill(&mut small, 200);
    let mut large = database();
    fill(&mut large, 1000);
    let filters = [
        json!({"group": "g1"}),
        json!({"group": ["g1", "g2"], "n": {"$lt": 50}}),
        json!({"secret": "s1"}),
        json!({"group": null}),
        json!({"group": "g3"}),
    ];
    for caller in [Caller::Service, Caller::Anonymous] {
        for filter in &filters {
            let found = numbers(
                &select(&mut large, &caller, filter),
                "created_date",
                0,
                5000,
            );
            let first: Vec<_> = found.into_iter().filter(|n| *n < 200).collect();
            let read = numbers(&select(&mut small, &caller, filter), "n", 0, 5000);
            assert_eq!(first, read, "{filter}");
        }
    }
    let indexed = select(&mut large, &Caller::Service, &json!({"n": 7}));
    assert_eq!(indexed.cost(&Sort::default(), 20), 1);
}

#[test]
fn the_newest_cost_what_is_returned() {
    let mut database = database();
    fill(&mut database, 600);
    let all = select(&mut database, &Caller::Service, &json!({}));
    assert_eq!(all.cost(&Sort::default(), 20), 20);
    assert_eq!(numbers(&all, "", 1, 2), [598, 597]);
}

#[test]
fn a_selection_is_of_one_moment() {
    let mut database = database();
    fill(&mut database, 300);
    let then = select(&mut database, &Caller::Service, &json!({"group": "g1"}));
    let everything = Filter::all();
    assert_eq!(
        database
            .delete_where("Row", &Caller::Service, &everything)
            .unwrap(),
        300
    );
    fill(&mut database, 4);
    assert_eq!(then.count().unwrap(), 75);
    let now = select(&mut database, &Caller::Service, &json!({"group": "g1"}));
    assert_eq!(now.count().unwrap(), 1);
}

#[test]
fn a_field_rule_may_look_at_the_record() {
    let mut database = database();
    fill(&mut database, 4);
    let visible = select(&mut database, &Caller::Anonymous, &json!({}));
    let presenter = visible.presenter(Projection::parse("group,secret"));
    let rows = visible.page(&Sort::parse("n").unwrap(), 0, 9).unwrap();
    let shown = rows
        .iter()
        .map(|row| serde_json::from_slice::<Value>(&presenter.json(row)).unwrap());
    let shown: Vec<_> = shown
        .map(|row| (row["group"].clone(), row["secret"].clone()))
        .collect();
    assert_eq!(
        shown,
        [(json!("g1"), json!("s1")), (json!("g2"), Value::Null)]
    );
    let searched = select(&mut database, &Caller::Anonymous, &json!({"secret": "s0"}));
    assert_eq!(searched.count().unwrap(), 0);
}

#[test]
fn changes_come_in_the_order_of_commit() {
    let mut database = database();
    let first = database
        .create("Row", &Caller::Service, fields(&json!({"n": 1})))
        .unwrap();
    let first: Value = serde_json::from_slice(&first).unwrap();
    let id = first["id"].as_str().unwrap();
    database
        .update("Row", &Caller::Service, id, fields(&json!({"n": 2})))
        .unwrap();
    database.delete("Row", &Caller::Service, id).unwrap();
    assert!(database.delete("Row", &Caller::Service, id).is_err());
    let changes = database.take_changes();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| (change.sequence, change.kind))
        .collect();
    assert_eq!(
        seen,
        [(1, Kind::Create), (2, Kind::Update), (3, Kind::Delete)]
    );
    let entry = serde_json::to_value(crate::core::change::Entry::from(&changes[1])).unwrap();
    assert_eq!(
        (&entry["kind"], &entry["record"]["n"]),
        (&json!("update"), &json!(2))
    );
    assert!(database.take_changes().is_empty());
}

#[test]
fn a_refused_bulk_write_leaves_no_trace() {
    let mut database = database();
    let rows = [json!({"n": 1}), json!({"n": "two"})];
    let mut batch = database.batch("Row", &Caller::Service).unwrap().unwrap();
    rows.iter().for_each(|row| batch.add(fields(row)));
    assert!(database.store(batch).is_err());
    assert_eq!(database.totals().records, 0);
    assert!(database.take_changes().is_empty());
}

#[test]
fn a_batch_that_was_gathered_for_another_schema_is_not_stored() {
    let mut database = database();
    let mut batch = database.batch("Row", &Caller::Service).unwrap().unwrap();
    batch.add(fields(&json!({"n": 1})));
    let source = SchemaSource {
        name: "Row".to_owned(),
        document: br#"{"properties": {"n": {"type": "string"}}}"#.as_slice().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
    assert!(database.store(batch).unwrap().is_none());
    assert_eq!(database.totals().records, 0);
    assert!(database.batch("User", &Caller::Service).unwrap().is_none());
    assert!(database.batch("None", &Caller::Service).is_err());
}

#[test]
fn operators_cannot_nest_a_record_deeper_than_it_can_be_read() {
    let mut database = Database::new([0; 4]);
    let source = SchemaSource {
        name: "Row".to_owned(),
        document: b"{}".as_slice().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
    let first = fields(&json!({"a": 1}));
    database.create("Row", &Caller::Service, first).unwrap();
    let inner = vec!["b"; 60].join(".");
    for (from, to, done) in [
        ("a", format!("c.{inner}"), true),
        ("c", format!("a.{inner}"), false),
    ] {
        let update = json!({"$rename": {from: to}});
        let outcome = database.update_where("Row", &Caller::Service, &Filter::all(), &update);
        assert_eq!(outcome.is_ok(), done, "{outcome:?}");
    }
    let all = select(
        &mut database,
        &Caller::Service,
        &json!({"c": {"$exists": true}}),
    );
    assert_eq!(all.count().unwrap(), 1);
}
