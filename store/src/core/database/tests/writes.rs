//! What writes leave behind when they are refused, and how they are told.

use serde_json::{Value, json};

use super::{START, database, fields, fill};
use crate::core::{
    caller::Caller,
    database::{Database, SchemaSource},
    fault::Fault,
    filter::Filter,
    users::PasswordHash,
};

const ANN: &str = "ann@example.com";

/// A database with one entity that takes any field.
fn open() -> Database {
    with_schema("Row", &json!({}))
}

fn with_schema(name: &str, schema: &Value) -> Database {
    let mut database = Database::new([0; 4]);
    database.set_time(START);
    let source = SchemaSource {
        name: name.to_owned(),
        document: serde_json::to_vec(schema).unwrap().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
    database
}

fn update_all(database: &mut Database, update: &Value) -> Result<usize, Fault> {
    let done = database.update_where("Row", &Caller::Service, &Filter::all(), update);
    done.map(|done| done.updated)
}

#[test]
fn a_record_does_not_grow_past_the_bound_of_a_document() {
    let mut database = open();
    let row = fields(&json!({"list": []}));
    database.create("Row", &Caller::Service, row).unwrap();
    let push = json!({"$push": {"list": "x".repeat(9 * 1024 * 1024)}});
    assert_eq!(update_all(&mut database, &push).unwrap(), 1);
    database.take_changes();
    let refused = update_all(&mut database, &push).unwrap_err();
    assert!(refused.to_string().contains("16 MiB"), "{refused}");
    assert!(database.take_changes().is_empty());

    let too_large = fields(&json!({"text": "x".repeat(17 * 1024 * 1024)}));
    let refused = database.create("Row", &Caller::Service, too_large);
    assert!(refused.is_err());
}

#[test]
fn one_update_lets_all_its_records_grow_by_a_bounded_amount() {
    let mut database = open();
    for _ in 0..500 {
        let row = fields(&json!({}));
        database.create("Row", &Caller::Service, row).unwrap();
    }
    database.take_changes();
    let set = json!({"$set": {"text": "x".repeat(200 * 1024)}});
    let refused = update_all(&mut database, &set).unwrap_err();
    assert!(refused.to_string().contains("64 MiB"), "{refused}");
    assert!(database.take_changes().is_empty());
}

#[test]
fn a_list_is_not_filled_with_a_large_gap() {
    let mut database = open();
    let row = fields(&json!({"list": []}));
    database.create("Row", &Caller::Service, row).unwrap();
    for (place, done) in [(1_000, true), (100_000, false)] {
        let set = json!({"$set": {format!("list.{place}"): 1}});
        assert_eq!(update_all(&mut database, &set).is_ok(), done, "{place}");
    }
}

#[test]
fn a_change_of_users_is_checked_against_the_changes_before_it_and_stores_all_or_none() {
    let rule = json!({"update": {"data.locked": {"$ne": true}}});
    let mut database = with_schema(
        "User",
        &json!({"properties": {"locked": {"type": "boolean"}, "plan": {"type": "string", "rls": rule}}}),
    );
    let id = database.vouch_user(ANN, "").unwrap().id;
    let caller = Caller::User {
        email: ANN.to_owned(),
        bypass_rules: false,
    };
    database.take_changes();
    let change = |value: Value| {
        let mut change = fields(&value);
        change.insert("id".to_owned(), json!(id));
        change
    };
    let changes = vec![
        change(json!({"locked": true})),
        change(json!({"plan": "gold"})),
    ];
    let refused = database.update_many("User", &caller, changes).unwrap_err();
    assert!(refused.to_string().contains("data.plan"), "{refused}");
    assert!(database.take_changes().is_empty());

    let changes = vec![
        change(json!({"plan": "gold"})),
        change(json!({"locked": true})),
    ];
    let written = database.update_many("User", &caller, changes).unwrap();
    for record in written {
        let record: Value = serde_json::from_slice(&record).unwrap();
        assert_eq!(
            (&record["plan"], &record["locked"]),
            (&json!("gold"), &json!(true))
        );
    }
}

#[test]
fn deletions_are_told_in_the_order_of_creation() {
    let mut database = database();
    fill(&mut database, 8);
    let created: Vec<_> = ids(&mut database);
    let deleted = database.delete_where("Row", &Caller::Service, &Filter::all());
    assert_eq!(deleted.unwrap(), 8);
    assert_eq!(ids(&mut database), created);
    assert_eq!(database.totals().records, 0);
}

/// The records of the changes since the last look.
fn ids(database: &mut Database) -> Vec<String> {
    let changes = database.take_changes().into_iter();
    changes
        .map(|change| change.record.unwrap().id().to_string())
        .collect()
}

#[test]
fn a_password_that_has_changed_since_it_was_shown_is_not_overwritten() {
    let mut database = open();
    let hash = |text: &str| PasswordHash(text.to_owned());
    database
        .register(ANN, hash("first"), "123456".to_owned())
        .unwrap();
    database.verify(ANN, "123456").unwrap();
    let shown = database.users().proof(ANN).unwrap();
    let change = |database: &mut Database, new| database.change_password(ANN, &shown, hash(new));
    assert!(change(&mut database, "second").is_ok());
    assert!(change(&mut database, "third").is_err());
}

#[test]
fn a_refusal_by_a_rule_carries_its_note_for_the_log_and_says_no_more_to_the_caller() {
    let mut database = database();
    fill(&mut database, 4);
    let id = ids(&mut database).pop().unwrap();
    let refused = database.get("Row", &Caller::Anonymous, &id).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("Entity Row with ID {id} not found")
    );
    assert!(matches!(refused, Fault::Noted(_)));
    let missing = database.get("Row", &Caller::Anonymous, "000000000000000000000000");
    assert!(matches!(missing, Err(Fault::NoSuchRecord { .. })));
}

#[test]
fn a_full_list_of_invitations_is_no_fault_of_the_role() {
    let mut database = open();
    let mut invite = |number: usize| {
        let email = format!("guest{number}@example.com");
        database.invite(&Caller::Service, &email, "user")
    };
    let mut refused = (0..20_000).map(&mut invite).filter_map(Result::err);
    assert!(matches!(refused.next(), Some(Fault::TooMany(_))));
    drop(refused);
    assert!(invite(0).is_ok(), "who is invited already can be again");
}
