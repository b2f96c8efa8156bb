//! Schemas, rules, records and uploaded tables of any shape.

use std::{cell::Cell, sync::Arc};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{anything, apply, database, often, wild};
use crate::core::{
    access::{EntityRules, Scope},
    body::Body,
    caller::{Caller, Principal},
    fault::Operation,
    filter::Filter,
    record::Record,
    schema::Schema,
    stamp::{Ids, Timestamp},
    testing::{any_record, object},
};

const KEYWORDS: &[&str] = &[
    "properties",
    "type",
    "required",
    "items",
    "enum",
    "format",
    "pattern",
    "default",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "rls",
    "read",
    "write",
    "create",
    "a",
    "b",
    "c",
    "schema",
    "$ref",
    "user_condition",
    "data.a",
    "$or",
];

const RULES: &[&str] = &[
    "read",
    "write",
    "create",
    "update",
    "delete",
    "user_condition",
    "role",
    "data.a",
    "data.b.c",
    "created_by",
    "created_by_id",
    "app_id",
    "entity_name",
    "$or",
    "$and",
    "$nor",
    "$not",
    "$in",
    "$eq",
    "$ne",
    "$gt",
    "$size",
    "$exists",
    "$all",
    "$elemMatch",
];

fn schemas() -> Vec<Value> {
    vec![json!({"properties": {
            "a": {"type": ["string", "null"], "enum": ["x"], "pattern": "^x", "minLength": 1, "default": "x"},
            "b": {"type": "array", "items": {"type": "object", "properties": {"c": {"type": "number", "minimum": 1}}}},
            "c": {"type": "object", "rls": {"read": {"data.a": "{{user.email}}"}, "write": false}},
        }, "required": ["a"], "rls": {"read": {"$or": [{"created_by": "{{user.email}}"}]}}})]
}

fn rules() -> Vec<Value> {
    vec![
        json!({"read": {"$or": [{"user_condition": {"role": "admin"}}, {"data.a": {"$in": "{{user.data.teams}}"}}]}, "write": false}),
        json!({"create": {"$nor": [{"data.b.c": {"$not": {"$gt": 1}}}]}, "delete": {"created_by_id": "{{user.id}}", "app_id": "x"}}),
    ]
}

/// A table as people upload them and its name, with bytes of any kind put into it.
fn tables() -> impl Strategy<Value = (String, Vec<u8>)> {
    let valid = prop::sample::select(vec![
        ("a.csv", &b"\xef\xbb\xbfa,b,c\r\n\"x, \"\"y\"\"\",\"[{\"\"c\"\":2}]\",\"{\"\"k\"\":1}\"\r\nx,,\r\n"[..]),
        ("a.json", br#"[{"a":"x","b":[{"c":2}]},{"a":"xy","c":{"k":null}}]"#),
    ]);
    let pieces = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            prop::sample::select(vec![
                &b"\""[..],
                b",",
                b"\n",
                b"{",
                b"]",
                b"\xff",
                b"\0",
                b"1e999",
            ]),
        ),
        0..4,
    );
    let spoilt = (valid, pieces).prop_map(|((name, valid), pieces)| {
        let mut bytes = valid.to_vec();
        for (place, piece) in pieces {
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..place, piece.iter().copied());
        }
        (name.to_owned(), bytes)
    });
    let noise = (
        "(a\\.csv|a\\.json|.{0,4})",
        prop::collection::vec(any::<u8>(), 0..40),
    );
    prop_oneof![5 => spoilt, 1 => noise]
}

#[test]
fn what_is_drawn_is_taken_often_enough_to_show_something() {
    let schema = |schema: &Value| {
        let document = serde_json::to_vec(schema).unwrap();
        Schema::compile("Row", "", document.into()).is_ok()
    };
    often("schemas", &wild(schemas(), KEYWORDS), schema);
    let rule = |rules: &Value| {
        let complaints = Cell::new(0);
        let complain = &mut |_: String| complaints.set(complaints.get() + 1);
        let _ = EntityRules::parse(Some(rules), complain);
        complaints.get() == 0
    };
    often("rules", &wild(rules(), RULES), rule);
    often("tables", &tables(), |(name, content)| {
        let mut database = database();
        apply(&mut database, &schemas()[0]);
        let mut batch = database.batch("Row", &Caller::Service).unwrap().unwrap();
        let taken = batch.add_file(name, content);
        taken.and_then(|()| database.store(batch)).is_ok()
    });
}

fn ann() -> Principal {
    let record = json!({"id": "u1", "email": "ann@example.com", "role": "user", "teams": ["x"], "a": {"b": 1}});
    let id = Ids::new([0; 4]).next(Timestamp::default());
    Principal::User {
        record: Arc::new(Record::new(0, id, Body::from(&object(record)))),
        bypass_rules: false,
    }
}

proptest! {
    #[test]
    fn prop_any_schema_compiles_or_says_why_not(schema in wild(schemas(), KEYWORDS), record in any_record()) {
        let document = serde_json::to_vec(&schema).unwrap();
        match Schema::compile("Row", "", document.into()) {
            Err(why) => prop_assert!(!why.is_empty()),
            Ok((compiled, _)) => prop_assert!(compiled.has_shape_of(&compiled)),
        }
        // Whatever the schema was, the store goes on, and what it takes it gives back.
        let mut database = database();
        apply(&mut database, &schema);
        if let Ok(made) = database.create("Row", &Caller::Service, record) {
            let made: Value = serde_json::from_slice(&made).unwrap();
            let id = made["id"].as_str().unwrap();
            let filter = Filter::parse(&json!({"id": id})).unwrap();
            let found = database.select_now("Row", &Caller::Service, &filter).unwrap();
            prop_assert_eq!(found.count().unwrap(), 1);
        }
    }

    #[test]
    fn prop_bytes_that_are_no_schema_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let _ = Schema::compile("Row", "", bytes.into());
    }

    #[test]
    fn prop_any_rule_compiles_and_what_it_does_not_understand_grants_nothing(
        rules in wild(rules(), RULES),
        record in any_record(),
    ) {
        let mut complaints = 0;
        let compiled = EntityRules::parse(Some(&rules), &mut |complaint| {
            assert!(!complaint.is_empty());
            complaints += 1;
        });
        for principal in [Principal::Anonymous, ann()] {
            let scope = Scope::new(principal, "Row".into(), "app".into());
            for operation in [Operation::Create, Operation::Read, Operation::Update, Operation::Delete] {
                let _ = compiled.filter(operation, &scope).matches(&record);
            }
        }
        let nonsense = json!({"read": {"data.a": {"$nonsense": rules}}});
        let compiled = EntityRules::parse(Some(&nonsense), &mut |_| {});
        let scope = Scope::new(ann(), "Row".into(), "app".into());
        prop_assert!(!compiled.filter(Operation::Read, &scope).matches(&record).unwrap_or(false));
    }

    #[test]
    fn prop_any_record_is_stored_as_it_came_or_refused(record in anything(KEYWORDS)) {
        let Value::Object(record) = record else { return Ok(()) };
        let made = database().create("Row", &Caller::Service, record.clone());
        if let Ok(made) = made {
            let made: Value = serde_json::from_slice(&made).unwrap();
            for (name, value) in record.iter().filter(|(name, _)| name.len() == 1) {
                prop_assert_eq!(&made[name], value);
            }
        }
    }

    #[test]
    fn prop_any_upload_is_imported_or_refused_whole((name, content) in tables()) {
        let mut database = database();
        apply(&mut database, &schemas()[0]);
        let mut batch = database.batch("Row", &Caller::Service).unwrap().unwrap();
        let count = |database: &mut crate::core::database::Database| {
            database.select_now("Row", &Caller::Service, &Filter::all()).unwrap().count().unwrap()
        };
        let before = count(&mut database);
        let taken = batch.add_file(&name, &content).and_then(|()| database.store(batch));
        let added = taken.map_or(0, |stored| stored.unwrap().records.len());
        prop_assert_eq!(count(&mut database), before + added);
    }
}
