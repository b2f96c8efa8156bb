//! Every method of the data API, under every kind of rule, for every kind of caller.
//!
//! Each rule guards one operation at a time, everything else being open. From the two columns of who passes a rule follows
//! what each method must do; a method that is refused must leave everything as it was.

use serde_json::{Value, json};

use super::{Database, START, fields};
use crate::core::{
    caller::Caller,
    database::{SchemaSource, Taken},
    fault::{Fault, Operation},
    filter::Filter,
    sort::Sort,
    testing::rows,
};

/// Rule | who passes with a red, published record of Ann's | who passes with such a record of their own.
/// Ann is in the red team, Bob in the blue one, the admin in none. The service role, and who may pass by, always pass.
const RULES: &str = r#"
null | visitor ann bob admin | visitor ann bob admin
true | visitor ann bob admin | visitor ann bob admin
{} | visitor ann bob admin | visitor ann bob admin
false | - | -
{"user_condition": {"role": {"$in": ["user", "admin"]}}} | ann bob admin | ann bob admin
{"user_condition": {"role": "admin"}} | admin | admin
{"user_condition": {"role": {"$ne": "user"}}} | admin | admin
{"created_by": "{{user.email}}"} | ann | ann bob admin
{"created_by_id": "{{user.id}}"} | ann | ann bob admin
{"data.team": "{{user.data.team}}"} | ann | ann
{"data.team": {"$ne": "{{user.data.team}}"}} | bob | bob
{"$nor": [{"data.team": "{{user.data.team}}"}]} | bob | bob
{"data.members": "{{user.email}}"} | bob | bob
{"data.published": true} | visitor ann bob admin | visitor ann bob admin
{"data.published": false} | - | -
{"data.missing": null} | visitor ann bob admin | visitor ann bob admin
{"$or": [{"created_by": "{{user.email}}"}, {"user_condition": {"role": "admin"}}]} | ann admin | ann bob admin
{"$and": [{"data.published": true}, {"user_condition": {"role": "user"}}]} | ann bob | ann bob
{"created_by": "{{user.email}}", "data.team": "blue"} | - | -
{"team": "red"} | - | -
{"data.team": {"$regex": "r"}} | - | -
"#;

const CALLERS: [&str; 6] = ["visitor", "ann", "bob", "admin", "passer", "service"];

const GUARDED: [Operation; 4] = [
    Operation::Create,
    Operation::Read,
    Operation::Update,
    Operation::Delete,
];

/// A method, the operations whose rules it must pass, and what it does; the answer is how many records it is about.
type Method = (
    &'static str,
    &'static [Operation],
    fn(&mut Database, &Caller, &str) -> Result<usize, Fault>,
);

const METHODS: [Method; 10] = [
    ("get", &[Operation::Read], |database, caller, id| {
        database.get("Row", caller, id).map(|_| 1)
    }),
    ("list", &[Operation::Read], |database, caller, _| {
        let found = database.select_now("Row", caller, &Filter::all())?;
        Ok(found.page(&Sort::default(), 0, 9)?.len())
    }),
    ("count", &[Operation::Read], |database, caller, _| {
        let Taken::Selection(found) = database.select("Row", caller, &Filter::all())? else {
            return Ok(0);
        };
        found.count()
    }),
    ("create", &[Operation::Create], |database, caller, _| {
        database.create("Row", caller, record()).map(|_| 1)
    }),
    (
        "bulk create",
        &[Operation::Create],
        |database, caller, _| {
            let mut batch = database.batch("Row", caller)?.unwrap();
            batch.add(record());
            Ok(database.store(batch)?.unwrap().records.len())
        },
    ),
    (
        "update",
        &[Operation::Read, Operation::Update],
        |database, caller, id| database.update("Row", caller, id, change()).map(|_| 1),
    ),
    (
        "bulk update",
        &[Operation::Read, Operation::Update],
        |database, caller, id| {
            let mut change = change();
            change.insert("id".to_owned(), json!(id));
            database
                .update_many("Row", caller, vec![change])
                .map(|made| made.len())
        },
    ),
    (
        "update many",
        &[Operation::Read, Operation::Update],
        |database, caller, _| {
            let update = json!({"$set": {"n": 2}});
            database
                .update_where("Row", caller, &Filter::all(), &update)
                .map(|done| done.updated)
        },
    ),
    (
        "delete",
        &[Operation::Read, Operation::Delete],
        |database, caller, id| database.delete("Row", caller, id).map(|()| 1),
    ),
    (
        "delete many",
        &[Operation::Read, Operation::Delete],
        |database, caller, _| database.delete_where("Row", caller, &Filter::all()),
    ),
];

fn record() -> crate::core::record::Fields {
    fields(&json!({"team": "red", "members": ["bob@example.com"], "published": true, "n": 1}))
}

fn change() -> crate::core::record::Fields {
    fields(&json!({"n": 2}))
}

fn caller(name: &str) -> Caller {
    match name {
        "visitor" => Caller::Anonymous,
        "service" => Caller::Service,
        name => Caller::User {
            email: format!(
                "{}@example.com",
                if name == "passer" { "bob" } else { name }
            ),
            bypass_rules: name == "passer",
        },
    }
}

/// A store in which a rule guards an operation, and the id of Ann's record in it.
fn guarded(rule: &Value, operation: Operation) -> (Database, String) {
    let schema = |name: &str, document: Value| SchemaSource {
        name: name.to_owned(),
        document: serde_json::to_vec(&document).unwrap().into(),
        source: String::new(),
    };
    let properties = json!({"team": {}, "members": {}, "published": {}, "n": {}});
    let open = schema("Row", json!({"properties": properties}));
    let users = schema("User", json!({"properties": {"team": {"type": "string"}}}));
    let rls = json!({operation.name(): rule});
    let closed = schema("Row", json!({"properties": properties, "rls": rls}));

    let mut database = Database::new([0; 4]);
    database.set_time(START);
    database.apply_schemas(vec![open, users.clone()], false);
    database.seed_user("admin@example.com", "", "app1");
    for (name, team) in [("ann", "red"), ("bob", "blue")] {
        database
            .vouch_user(&format!("{name}@example.com"), "")
            .unwrap();
        database
            .update_me(&caller(name), fields(&json!({"team": team})))
            .unwrap();
    }
    let made = database.create("Row", &caller("ann"), record()).unwrap();
    let made: Value = serde_json::from_slice(&made).unwrap();
    database.apply_schemas(vec![closed, users], false);
    (database, made["id"].as_str().unwrap().to_owned())
}

fn everything(database: &mut Database) -> Vec<String> {
    let all = database
        .select_now("Row", &Caller::Service, &Filter::all())
        .unwrap();
    let all = all.page(&Sort::default(), 0, 9).unwrap();
    all.iter().map(|record| record.json().to_owned()).collect()
}

/// What is wrong in one row of the matrix: one caller under one rule, through all methods.
fn problems(rule: &Value, guard: Operation, name: &str, passes: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut database, mut id) = guarded(rule, guard);
    let before = everything(&mut database);
    for (method, needs, act) in METHODS {
        let outcome = act(&mut database, &caller(name), &id);
        let granted = passes || !needs.contains(&guard);
        let done = matches!(outcome, Ok(1));
        let reads = matches!(needs, [Operation::Read]);
        let changed = everything(&mut database) != before;
        if done != granted || changed != (granted && !reads) {
            let guard = guard.name();
            wrong.push(format!(
                "{method} under {guard} {rule} by {name}: {outcome:?}"
            ));
        }
        if changed {
            (database, id) = guarded(rule, guard);
        }
    }
    wrong
}

#[test]
fn methods_rules_and_callers() {
    let mut wrong = Vec::new();
    for [rule, existing, own] in rows::<3>(RULES) {
        let rule: Value = serde_json::from_str(rule).unwrap();
        for guard in GUARDED {
            let passing = match guard {
                Operation::Create => own,
                Operation::Read | Operation::Update | Operation::Delete => existing,
            };
            for name in CALLERS {
                let exempt = ["passer", "service"].contains(&name);
                let passes = exempt || passing.split(' ').any(|one| one == name);
                wrong.extend(problems(&rule, guard, name, passes));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cells:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
