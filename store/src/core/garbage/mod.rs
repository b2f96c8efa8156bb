//! What comes from outside can be anything: the core takes it or refuses it, in bounded time, and never panics. Documents
//! here are made of the words that the core knows, and of valid documents that something else was put into.

mod documents;
mod queries;
mod time;

use proptest::{prelude::*, sample::Index, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{
    caller::Caller,
    database::{Database, SchemaSource},
    stamp::Timestamp,
};

/// Text that something in the core gives a meaning to.
const WORDS: [&str; 24] = [
    "{{user.email}}",
    "{{user.data.a}}",
    "{{user",
    "}}{{",
    "2026-02-02T02:40:00.000Z",
    "2026-02-30",
    "9999-12-31T23:59:60+24:00",
    "(a+)+$",
    "(?<=a)b\\K",
    "[",
    "a{1,9999}",
    "1e400",
    "string",
    "object",
    "array",
    "-created_date",
    "a,b,-c",
    "a.$.b",
    "a..b",
    "$a",
    ".",
    "é\u{0}",
    "__proto__",
    "id",
];

/// Any text: words of the core, paths, and noise.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        2 => "[abc](\\.([abc]|[0-9]{1,12}|\\$|)){0,3}",
        1 => ".{0,6}",
    ]
}

/// Any JSON value whose keys are mostly these.
fn anything(keys: &'static [&'static str]) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let key = prop_oneof![
        4 => prop::sample::select(keys).prop_map(str::to_owned),
        1 => text(),
    ];
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = prop::collection::vec((key.clone(), inner.clone()), 0..4);
        prop_oneof![
            2 => members.prop_map(|members| Value::Object(members.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    });
    value.boxed()
}

/// One of these valid documents with one of its values replaced by anything.
fn bent(valid: Vec<Value>, keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let valid = prop::sample::select(valid);
    (valid, any::<Index>(), anything(keys)).prop_map(|(mut document, place, value)| {
        let place = place.index(values_in(&document));
        replace(&mut document, &mut Some(place), &value);
        document
    })
}

/// Either of them.
fn wild(valid: Vec<Value>, keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![anything(keys), bent(valid, keys)]
}

/// A strategy of which less than one value in eight is taken shows little but refusals.
fn often<T>(what: &str, strategy: &impl Strategy<Value = T>, taken: impl Fn(&T) -> bool) {
    const DRAWS: usize = 240;
    let mut runner = TestRunner::deterministic();
    let mut draw = || strategy.new_tree(&mut runner).unwrap().current();
    let count = (0..DRAWS).filter(|_| taken(&draw())).count();
    assert!(count >= DRAWS / 8, "{what}: {count} of {DRAWS} are taken");
}

fn values_in(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Array(items) => items.iter().map(values_in).sum(),
        Value::Object(members) => members.values().map(values_in).sum(),
        _ => 0,
    };
    1 + inside
}

/// Replaces the value that is reached after so many others, and counts down to it.
fn replace(value: &mut Value, left: &mut Option<usize>, with: &Value) {
    match left {
        None => {}
        Some(0) => {
            *value = with.clone();
            *left = None;
        }
        Some(count) => {
            *count -= 1;
            match value {
                Value::Array(items) => items.iter_mut().for_each(|item| replace(item, left, with)),
                Value::Object(members) => members
                    .values_mut()
                    .for_each(|member| replace(member, left, with)),
                _ => {}
            }
        }
    }
}

/// A store of three records without a schema to speak of.
fn database() -> Database {
    let mut database = Database::new([0; 4]);
    database.set_time(Timestamp::from_millis(1_770_000_000_000));
    apply(&mut database, &json!({}));
    for record in [
        json!({"a": 1, "b": ["x", {"c": 2}], "c": {"a": null}}),
        json!({"a": "2026-02-02", "b": -0.5, "c": [[1], []]}),
        json!({"b": true, "c": "é"}),
    ] {
        let record = record.as_object().unwrap().clone();
        database.create("Row", &Caller::Service, record).unwrap();
    }
    database
}

fn apply(database: &mut Database, schema: &Value) {
    let source = SchemaSource {
        name: "Row".to_owned(),
        document: serde_json::to_vec(schema).unwrap().into(),
        source: String::new(),
    };
    database.apply_schemas(vec![source], false);
}
