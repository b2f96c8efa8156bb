//! Functions: where they are found, what they are called, and what is refused.

use super::super::{read_entities, read_functions};
use super::{CONFIG, function_names, project, read_dir, said, tree};

#[test]
fn directories_and_configurations_make_functions() {
    let project = project(&[
        ("base44/functions/email/send/entry.ts", ""),
        ("base44/functions/email/entry.js", ""),
        (
            "base44/functions/commerce/cart/function.jsonc",
            "\u{feff}{ name: 'commerce/storefront-cart', entry: 'main.ts', triggers: [], }",
        ),
        ("base44/functions/commerce/cart/main.ts", ""),
        ("base44/functions/commerce/cart/entry.ts", ""),
        ("base44/functions/plain/function.json", "{}"),
        ("base44/functions/plain/entry.TS", ""),
        (
            "base44/functions/v1.2/function.jsonc",
            "{ name: 'versioned' }",
        ),
        ("base44/functions/v1.2/entry.ts", ""),
        ("base44/functions/notes/readme.md", ""),
        ("base44/functions/plain/node_modules/p/entry.ts", ""),
        ("base44/functions/.cache/entry.ts", ""),
        ("base44/shared/commerce/entry.ts", ""),
    ]);
    assert_eq!(said(&project), "");
    assert_eq!(
        function_names(&project),
        [
            "commerce/storefront-cart",
            "email",
            "email/send",
            "plain",
            "versioned"
        ]
    );
    let cart = &project.functions[0];
    assert!(cart.entry.ends_with("commerce/cart/main.ts"), "{cart:?}");
    assert!(
        cart.config
            .as_ref()
            .is_some_and(|config| config.ends_with("function.jsonc")),
        "{cart:?}"
    );
    assert!(project.functions[3].entry.ends_with("plain/entry.TS"));
}

#[test]
fn what_cannot_be_a_function_is_reported_and_the_others_stay() {
    let project = project(&[
        ("base44/functions/entry.ts", ""),
        ("base44/functions/a.b/entry.ts", ""),
        ("base44/functions/broken/function.jsonc", "{ name: 'x' "),
        ("base44/functions/broken/entry.ts", ""),
        ("base44/functions/dots/function.jsonc", "{ name: 'a.b' }"),
        ("base44/functions/dots/entry.ts", ""),
        (
            "base44/functions/gone/function.jsonc",
            "{\n  name: 'gone',\n  entry: 'src/main.ts' }",
        ),
        (
            "base44/functions/kinds/function.jsonc",
            "{ name: [], entry: 1 }",
        ),
        ("base44/functions/no-code/function.jsonc", "{}"),
        ("base44/functions/ok/entry.ts", ""),
        ("base44/functions/ok/entry.js", ""),
        ("base44/functions/slash/function.jsonc", "{ name: 'a//b' }"),
        ("base44/functions/slash/entry.ts", ""),
        ("base44/functions/twice/function.jsonc", "{ name: 'ok' }"),
        ("base44/functions/twice/entry.ts", ""),
        ("base44/functions/v1.0/function.jsonc", "{}"),
        ("base44/functions/v1.0/entry.ts", ""),
    ]);
    assert_eq!(function_names(&project), ["ok"]);
    insta::assert_snapshot!(said(&project), @r#"
    base44/functions/entry.ts: error: an entry file directly in the functions directory is not a function
    hint: move it into a directory of its own, for example hello/entry.ts
    base44/functions/a.b/entry.ts: warning: not a function: its directory `a.b` has a dot in its name
    hint: rename the directory, or give it a function.jsonc with a `name`
    base44/functions/broken/function.jsonc:1:1: error: this `{` is never closed; expected `}` before the end of the file
    base44/functions/dots/function.jsonc:1:9: error: `name` is the string "a.b"; expected a name without dots
    base44/functions/gone/function.jsonc:3:10: error: there is no file base44/functions/gone/src/main.ts
    hint: create it, or correct the path: it is relative to the directory of this file
    base44/functions/kinds/function.jsonc:1:9: error: `name` is an array; expected a string
    base44/functions/kinds/function.jsonc:1:20: error: `entry` is the number 1; expected a string
    base44/functions/no-code/function.jsonc:1:1: error: the function has no code; expected `entry`, or a file entry.ts or entry.js beside this one
    base44/functions/ok/entry.js: warning: this file is not used: entry.ts stands beside it
    hint: remove one of the two
    base44/functions/slash/function.jsonc:1:9: error: `name` is the string "a//b"; expected a name, or names with single slashes between them
    base44/functions/v1.0/function.jsonc:1:1: error: the directory `v1.0` cannot name the function; expected a name without dots
    hint: add "name": "…"
    base44/functions/twice/function.jsonc:1:9: error: the function `ok` is already defined by base44/functions/ok/entry.ts
    hint: base44/functions/ok/entry.ts is used and this one is left out: rename or remove one of the two
    "#);
}

#[test]
fn more_than_fifty_functions_are_warned_about() {
    let paths: Vec<String> = (0..52)
        .map(|number| format!("base44/functions/f{number}/entry.ts"))
        .collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
    let project = project(&files);
    assert_eq!(project.functions.len(), 52);
    insta::assert_snapshot!(said(&project), @r"
    base44/functions: warning: the project has 52 functions; expected at most 50
    hint: all of them run here, but Base44 will not deploy them
    ");
    assert_eq!(said(&super::project(&files[..50])), "");
}

#[test]
fn automations_are_kept_and_doubts_about_them_are_warnings() {
    let good = "{ automations: [\n { name: 'a', type: 'scheduled', schedule_mode: 'one-time', one_time_date: '2030-01-01T00:00:00Z', description: null },\n \
        { name: 'b', type: 'scheduled', schedule_mode: 'recurring', schedule_type: 'cron', cron_expression: '0 9 * * 1', ends_type: 'after', ends_after_count: 3 },\n \
        { name: 'c', type: 'scheduled', schedule_mode: 'recurring', schedule_type: 'simple', repeat_unit: 'weeks', repeat_on_days: [0, 6], start_time: '09:30' },\n \
        { name: 'd', type: 'entity', entity_name: 'Task', event_types: ['create'], is_active: false, function_args: {} },\n \
        { name: 'e', type: 'connector', integration_type: 'slack', events: [], trigger_conditions: { logic: 'or', conditions: [ { conditions: [ { field: 'x', operator: 'equals', value: 1 } ] } ] } },\n] }";
    let bad = "{ automations: [ 5, {},\n { name: '', type: 'hourly', is_active: 'yes' },\n \
        { name: 'b', type: 'scheduled', schedule_mode: 'recurring', schedule_type: 'cron', cron_expression: '* *' },\n \
        { name: 'c', type: 'scheduled', schedule_mode: 'recurring', schedule_type: 'simple', repeat_unit: 'years', repeat_interval: 0, start_time: '9:75', repeat_on_days: [7] },\n \
        { name: 'd', type: 'entity', event_types: [] },\n { name: 'e', type: 'connector', integration_type: 'slack', trigger_conditions: {} } ] }";
    let project = project(&[
        ("base44/functions/good/function.jsonc", good),
        ("base44/functions/good/entry.ts", ""),
        ("base44/functions/odd/function.jsonc", bad),
        ("base44/functions/odd/entry.ts", ""),
    ]);
    let counts: Vec<usize> = project
        .functions
        .iter()
        .map(|function| function.automations.as_ref().map_or(0, Vec::len))
        .collect();
    assert_eq!(counts, [5, 7]);
    assert!(
        project
            .diagnostics
            .iter()
            .all(|diagnostic| !diagnostic.is_error())
    );
    insta::assert_snapshot!(said(&project), @r#"
    base44/functions/odd/function.jsonc:1:18: warning: `automations[0]` is the number 5; expected an object
    base44/functions/odd/function.jsonc:1:21: warning: `automations[1]` has no `name`; expected some text
    base44/functions/odd/function.jsonc:1:21: warning: `automations[1]` has no `type`; expected one of scheduled, entity, connector
    base44/functions/odd/function.jsonc:2:10: warning: `automations[2].name` is an empty string; expected some text
    base44/functions/odd/function.jsonc:2:20: warning: `automations[2].type` is the string "hourly"; expected one of scheduled, entity, connector
    base44/functions/odd/function.jsonc:2:41: warning: `automations[2].is_active` is the string "yes"; expected true or false
    base44/functions/odd/function.jsonc:3:102: warning: `automations[3].cron_expression` is the string "* *"; expected five fields: minute, hour, day of month, month, day of week
    base44/functions/odd/function.jsonc:4:100: warning: `automations[4].repeat_unit` is the string "years"; expected one of minutes, hours, days, weeks, months
    base44/functions/odd/function.jsonc:4:126: warning: `automations[4].repeat_interval` is the number 0; expected a whole number, 1 or more
    base44/functions/odd/function.jsonc:4:141: warning: `automations[4].start_time` is the string "9:75"; expected a time as HH:MM
    base44/functions/odd/function.jsonc:4:165: warning: `automations[4].repeat_on_days` is an array; expected an array of whole numbers from 0 to 6
    base44/functions/odd/function.jsonc:5:2: warning: `automations[5]` has no `entity_name`; expected some text
    base44/functions/odd/function.jsonc:5:44: warning: `automations[5].event_types` is an array; expected an array of one or more of create, update, delete
    base44/functions/odd/function.jsonc:6:81: warning: `automations[6].trigger_conditions` has no conditions; expected at least one in `conditions`
    "#);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let dir = tree(&[
        CONFIG,
        ("base44/functions/a/entry.ts", ""),
        ("elsewhere/b/entry.ts", ""),
    ]);
    let functions = dir.path().join("base44/functions");
    std::os::unix::fs::symlink(&functions, functions.join("a/again")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), functions.join("linked")).unwrap();
    std::os::unix::fs::symlink("nowhere", functions.join("dangling")).unwrap();
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(function_names(&project), ["a", "linked/b"]);
    assert_eq!(said(&project), "");
}

#[test]
fn parts_can_be_read_again_after_a_change() {
    let dir = tree(&[
        CONFIG,
        ("base44/functions/a/entry.ts", ""),
        ("base44/entities/task.jsonc", "{}"),
    ]);
    let layout = read_dir(dir.path()).unwrap().layout;
    std::fs::write(dir.path().join("base44/entities/task.jsonc"), "{").unwrap();
    std::fs::remove_file(dir.path().join("base44/functions/a/entry.ts")).unwrap();
    let entities = read_entities(&layout);
    assert!(entities.value.is_empty());
    assert_eq!(entities.diagnostics.len(), 1);
    assert!(read_functions(&layout).value.is_empty());
}
