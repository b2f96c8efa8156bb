//! `automations` in `function.jsonc`. They do not run during development, so a mistake in one is a warning and takes nothing away.

use serde_json::Value;

use super::diagnose::Diagnostic;
use super::node::Node;

/// What the value of a key has to be.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    OneOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
    Texts,
    Count,
    Between(u64, u64),
    EachBetween(u64, u64),
    Cron,
    TimeOfDay,
    Conditions,
}

/// A key, whether it has to be there, and what it has to be.
type Field = (&'static str, Need, Shape);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

use Need::{Optional, Required};

const ONE_TIME: &[Field] = &[("one_time_date", Required, Shape::Text)];
const CRON: &[Field] = &[("cron_expression", Required, Shape::Cron)];
const SIMPLE: &[Field] = &[
    (
        "repeat_unit",
        Required,
        Shape::OneOf(&["minutes", "hours", "days", "weeks", "months"]),
    ),
    ("repeat_interval", Optional, Shape::Count),
    ("start_time", Optional, Shape::TimeOfDay),
    ("repeat_on_days", Optional, Shape::EachBetween(0, 6)),
    ("repeat_on_day_of_month", Optional, Shape::Between(1, 31)),
];
const END: &[Field] = &[
    (
        "ends_type",
        Optional,
        Shape::OneOf(&["never", "on", "after"]),
    ),
    ("ends_on_date", Optional, Shape::Text),
    ("ends_after_count", Optional, Shape::Count),
];
const ENTITY: &[Field] = &[
    ("entity_name", Required, Shape::Text),
    (
        "event_types",
        Required,
        Shape::SomeOf(&["create", "update", "delete"]),
    ),
];
const CONNECTOR: &[Field] = &[
    ("integration_type", Required, Shape::Text),
    ("events", Optional, Shape::Texts),
    ("resource_id", Optional, Shape::Text),
    ("trigger_conditions", Optional, Shape::Conditions),
];

/// The automations of a function's configuration, where it has any; every doubt about them is a warning.
pub(super) fn read(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<Vec<Value>> {
    let list = config.get("automations")?;
    let mut found = Vec::new();
    if !list.value.is_array() && !list.value.is_null() {
        found.push(list.unexpected("an array of automations"));
    }
    for automation in list.items() {
        check(&automation, &mut found);
    }
    out.extend(found.into_iter().map(|problem| Diagnostic {
        severity: super::diagnose::Severity::Warning,
        ..problem
    }));
    list.value.as_array().cloned()
}

fn check(automation: &Node<'_>, out: &mut Vec<Diagnostic>) {
    if !automation.value.is_object() {
        out.push(automation.unexpected("an object"));
        return;
    }
    field(automation, ("name", Required, Shape::Text), out);
    let optional = |value: &'_ Value, right: fn(&Value) -> bool| {
        (value.is_null() || right(value)).then_some(())
    };
    automation.typed(
        "description",
        "a string",
        |value| optional(value, Value::is_string),
        out,
    );
    automation.typed(
        "function_args",
        "an object",
        |value| optional(value, Value::is_object),
        out,
    );
    automation.typed("is_active", "true or false", Value::as_bool, out);
    for group in kind(automation, out) {
        for one in *group {
            field(automation, *one, out);
        }
    }
}

/// The keys that belong to the automation's kind.
fn kind(automation: &Node<'_>, out: &mut Vec<Diagnostic>) -> &'static [&'static [Field]] {
    let before = out.len();
    let mut choice = |key: &'static str, known: &'static [&'static str]| {
        field(automation, (key, Required, Shape::OneOf(known)), out);
        automation.value[key]
            .as_str()
            .filter(|value| known.contains(value))
    };
    let kind: &'static [&'static [Field]] =
        match choice("type", &["scheduled", "entity", "connector"]) {
            Some("entity") => &[ENTITY],
            Some("connector") => &[CONNECTOR],
            Some(_) => match choice("schedule_mode", &["one-time", "recurring"]) {
                Some("one-time") => &[ONE_TIME],
                Some(_) => match choice("schedule_type", &["cron", "simple"]) {
                    Some("cron") => &[CRON, END],
                    Some(_) => &[SIMPLE, END],
                    None => &[],
                },
                None => &[],
            },
            None => &[],
        };
    debug_assert!(
        !kind.is_empty() || out.len() > before,
        "a kind that is not known has been reported"
    );
    kind
}

fn field(holder: &Node<'_>, (key, need, shape): Field, out: &mut Vec<Diagnostic>) {
    match holder.get(key) {
        None if need == Required => {
            let problem = holder.error(format!("{} has no `{key}`", holder.path()));
            out.push(problem.expected(shape.expected()));
        }
        None => {}
        Some(node) if need == Optional && node.value.is_null() => {}
        Some(node) if matches!(shape, Shape::Conditions) => conditions(&node, out),
        Some(node) if shape.accepts(node.value) => {}
        Some(node) => out.push(node.unexpected(shape.expected())),
    }
}

fn conditions(group: &Node<'_>, out: &mut Vec<Diagnostic>) {
    field(
        group,
        ("logic", Optional, Shape::OneOf(&["and", "or"])),
        out,
    );
    let Some(list) = group
        .get("conditions")
        .filter(|list| list.value.as_array().is_some_and(|list| !list.is_empty()))
    else {
        out.push(
            group
                .error(format!("{} has no conditions", group.path()))
                .expected("at least one in `conditions`"),
        );
        return;
    };
    for condition in list.items() {
        if condition.get("conditions").is_some() {
            conditions(&condition, out);
        } else {
            field(&condition, ("field", Required, Shape::Text), out);
            field(&condition, ("operator", Required, Shape::Text), out);
        }
    }
}

impl Shape {
    fn accepts(self, value: &Value) -> bool {
        let text = value.as_str();
        let items = || value.as_array().into_iter().flatten();
        match self {
            Self::Text => text.is_some_and(|text| !text.trim().is_empty()),
            Self::OneOf(known) => text.is_some_and(|text| known.contains(&text)),
            Self::SomeOf(known) => {
                let all =
                    items().all(|item| item.as_str().is_some_and(|item| known.contains(&item)));
                all && items().next().is_some()
            }
            Self::Texts => value.is_array() && items().all(Value::is_string),
            Self::Count => value.as_u64().is_some_and(|count| count > 0),
            Self::Between(low, high) => value
                .as_u64()
                .is_some_and(|number| (low..=high).contains(&number)),
            Self::EachBetween(low, high) => {
                value.is_array() && items().all(|item| Self::Between(low, high).accepts(item))
            }
            Self::Cron => text.is_some_and(|text| text.split_whitespace().count() == 5),
            Self::TimeOfDay => text.is_some_and(is_time_of_day),
            Self::Conditions => value.is_object(),
        }
    }

    fn expected(self) -> String {
        match self {
            Self::Text => "some text".to_owned(),
            Self::OneOf(known) => format!("one of {}", known.join(", ")),
            Self::SomeOf(known) => format!("an array of one or more of {}", known.join(", ")),
            Self::Texts => "an array of strings".to_owned(),
            Self::Count => "a whole number, 1 or more".to_owned(),
            Self::Between(low, high) => format!("a whole number from {low} to {high}"),
            Self::EachBetween(low, high) => {
                format!("an array of whole numbers from {low} to {high}")
            }
            Self::Cron => "five fields: minute, hour, day of month, month, day of week".to_owned(),
            Self::TimeOfDay => "a time as HH:MM".to_owned(),
            Self::Conditions => "an object with `conditions`".to_owned(),
        }
    }
}

fn is_time_of_day(text: &str) -> bool {
    let part = |part: &str, below: u8| {
        part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number < below)
    };
    text.split_once(':')
        .is_some_and(|(hour, minute)| part(hour, 24) && part(minute, 60))
}
