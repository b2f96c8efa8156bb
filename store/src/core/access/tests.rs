//! Rules against callers and records, as one table for each part of the grammar.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{EntityRules, Scope};
use crate::core::{
    body::Body,
    caller::Principal,
    fault::Operation,
    record::{Fields, Record},
    stamp::{Ids, Timestamp},
};

fn fields(value: &Value) -> Fields {
    value.as_object().unwrap().clone()
}

fn ann() -> Principal {
    let record = json!({
        "id": "u1", "email": "ann@example.com", "role": "user", "team": "red", "teams": ["red", "blue"],
        "level": 3, "nothing": null,
    });
    let id = Ids::new([0; 4]).next(Timestamp::default());
    Principal::User {
        record: Arc::new(Record::new(0, id, Body::from(&fields(&record)))),
        bypass_rules: false,
    }
}

fn grants(rule: &Value, record: &Value, principal: Principal) -> bool {
    let rules = EntityRules::parse(Some(&json!({ "read": rule })), &mut |_| {});
    let scope = Scope::new(principal, "Task".into(), "app1".into());
    let filter = rules.filter(Operation::Read, &scope);
    filter.matches(&fields(record)).unwrap()
}

fn record() -> Value {
    json!({
        "created_by": "ann@example.com", "created_by_id": "u1", "status": "open", "team": "red", "level": 3,
        "members": ["ann@example.com", "bob@example.com"], "shared_with": ["blue", "green"],
        "created_date": "2026-02-02T00:00:00.000Z", "id": "69800e800000000000000000",
    })
}

/// Rule, whether it grants Ann, whether it grants a visitor.
fn check(cases: Vec<(Value, bool, bool)>) {
    for (rule, user, visitor) in cases {
        assert_eq!(grants(&rule, &record(), ann()), user, "user: {rule}");
        let to_visitor = grants(&rule, &record(), Principal::Anonymous);
        assert_eq!(to_visitor, visitor, "visitor: {rule}");
        assert!(
            grants(&rule, &record(), Principal::Service),
            "service: {rule}"
        );
    }
}

#[test]
fn no_condition_means_everyone_and_false_means_nobody() {
    check(vec![
        (json!(null), true, true),
        (json!(true), true, true),
        (json!(""), true, true),
        (json!({}), true, true),
        (json!(false), false, false),
        (json!("yes"), false, false),
        (json!(1), false, false),
        (json!([{}]), false, false),
    ]);
}

#[test]
fn conditions_on_the_user_need_one() {
    check(vec![
        (json!({"user_condition": {"role": "user"}}), true, false),
        (json!({"user_condition": {"role": "admin"}}), false, false),
        (json!({"user_condition": {"data.team": "red"}}), true, false),
        (
            json!({"user_condition": {"id": "{{user.id}}"}}),
            true,
            false,
        ),
        (
            json!({"user_condition": {"role": {"$in": ["admin", "user"]}}}),
            true,
            false,
        ),
        (json!({"user_condition": {}}), false, false),
        (json!({"user_condition": {"$or": []}}), false, false),
        (
            json!({"$nor": [{"user_condition": {"role": "admin"}}]}),
            true,
            false,
        ),
    ]);
}

#[test]
fn conditions_on_the_record_hold_for_visitors_too() {
    check(vec![
        (json!({"data.status": "open"}), true, true),
        (json!({"data.status": {"$in": ["open", "new"]}}), true, true),
        (json!({"data.status": {"$nin": ["open"]}}), false, false),
        (json!({"data.level": {"$gte": 3, "$lt": 4}}), true, true),
        (json!({"data.missing": {"$exists": false}}), true, true),
        (
            json!({"data.members": {"$all": ["bob@example.com"]}}),
            true,
            true,
        ),
        (json!({"data.members": {"$size": 2}}), true, true),
        (
            json!({"data.status": {"$not": {"$eq": "open"}}}),
            false,
            false,
        ),
        (
            json!({"$or": [{"data.status": "new"}, {"data.level": 3}]}),
            true,
            true,
        ),
        (
            json!({"$and": [{"data.status": "new"}, {"data.level": 3}]}),
            false,
            false,
        ),
        (
            json!({"is_deleted": false, "app_id": "app1", "entity_name": "Task"}),
            true,
            true,
        ),
        (json!({"is_deleted": true}), false, false),
        (json!({"created_by_id": null}), false, false),
        (json!({"_id": "69800e800000000000000000"}), true, true),
    ]);
}

#[test]
fn templates_take_the_users_typed_value() {
    check(vec![
        (json!({"created_by": "{{user.email}}"}), true, false),
        (json!({"data.created_by": "{{ user.email }}"}), true, false),
        (json!({"data.team": "{{user.data.team}}"}), true, false),
        (json!({"data.team": "{{user.team}}"}), true, false),
        (json!({"data.level": "{{user.data.level}}"}), true, false),
        (json!({"data.members": "{{user.email}}"}), true, false),
        (
            json!({"data.members": {"$in": ["{{user.email}}", "x"]}}),
            true,
            false,
        ),
        (
            json!({"data.team": {"$in": "{{user.data.teams}}"}}),
            true,
            false,
        ),
        (json!({"data.team": "{{user.data.teams}}"}), true, false),
        (
            json!({"data.shared_with": "{{user.data.teams}}"}),
            true,
            false,
        ),
        (
            json!({"data.team": {"$nin": "{{user.data.teams}}"}}),
            false,
            false,
        ),
        (
            json!({"data.team": {"$in": "{{user.data.team}}"}}),
            false,
            false,
        ),
        (
            json!({"created_by": "{{user.data.team}}@example.com"}),
            false,
            false,
        ),
        (
            json!({"data.status": {"$in": ["{{user.data.none}}", "open"]}}),
            true,
            true,
        ),
    ]);
}

#[test]
fn what_does_not_resolve_grants_nothing_negated_or_not() {
    for template in [
        "{{user.data.none}}",
        "{{user.data.nothing}}",
        "{{record.id}}",
        "{{user}}",
    ] {
        check(vec![
            (json!({"data.missing": template}), false, false),
            (json!({"data.status": {"$ne": template}}), false, false),
            (json!({"data.status": {"$nin": [template]}}), false, false),
            (
                json!({"data.status": {"$not": {"$eq": template}}}),
                false,
                false,
            ),
            (json!({"$nor": [{"data.status": template}]}), false, false),
            (json!({"data.level": {"$gt": template}}), false, false),
        ]);
    }
}

#[test]
fn what_is_not_understood_grants_nothing_negated_or_not() {
    for wrong in [
        json!({"status": "open"}),
        json!({"data.status": {"$regex": "o"}}),
        json!({"$where": "1"}),
        json!({"$or": {}}),
        json!({"data.status": {"$in": "open"}}),
        json!({"data.place": {"city": "Rome"}}),
        json!({"data.status": {"$eq": "open", "x": 1}}),
        json!({"data.": 1}),
    ] {
        check(vec![
            (wrong.clone(), false, false),
            (json!({ "$nor": [wrong] }), false, false),
        ]);
    }
}

#[test]
fn write_stands_for_what_has_no_rule_of_its_own() {
    let rls = json!({"write": false, "update": true});
    let rules = EntityRules::parse(Some(&rls), &mut |_| {});
    let scope = Scope::new(ann(), "Task".into(), "app1".into());
    let open = |operation| rules.filter(operation, &scope).is_everything();
    let expected = [
        (Operation::Create, false),
        (Operation::Read, true),
        (Operation::Update, true),
        (Operation::Delete, false),
    ];
    for (operation, granted) in expected {
        assert_eq!(open(operation), granted, "{}", operation.name());
    }
}

#[test]
fn rules_that_are_no_object_grant_nothing_and_say_so_once() {
    let mut problems = Vec::new();
    let rules = EntityRules::parse(Some(&json!("open")), &mut |problem| problems.push(problem));
    let scope = Scope::new(ann(), "Task".into(), "app1".into());
    assert!(!rules.filter(Operation::Read, &scope).is_everything());
    assert_eq!(
        problems,
        ["`rls` must be an object; nobody may do anything"]
    );
}
