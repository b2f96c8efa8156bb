//! Plugins: where they are found, what they add, and how a project extends their entities.

use serde_json::json;

use super::{entity_names, function_names, read_dir, said, schema, tree};

const HOST: (&str, &str) = (
    "base44/config.jsonc",
    "{ name: 'Shop', plugins: [ { source: '../plugins/pay' }, { source: '@acme/mail' } ] }",
);
const PAY: (&str, &str) = (
    "plugins/pay/base44/config.jsonc",
    "{ name: 'Pay', plugin: { namespace: 'pay' } }",
);
const MAIL: (&str, &str) = (
    "node_modules/@acme/mail/config.json",
    "{ name: 'Mail', plugin: { namespace: 'mail' } }",
);
const PACKAGE: (&str, &str) = ("node_modules/@acme/mail/package.json", "{}");
const INVOICE: (&str, &str) = (
    "plugins/pay/base44/entities/invoice.jsonc",
    "{ name: 'Invoice', title: 'I', properties: { sum: { type: 'number' } }, required: ['sum'] }",
);

#[test]
fn plugins_add_entities_and_prefixed_functions() {
    let dir = tree(&[
        HOST,
        PAY,
        MAIL,
        PACKAGE,
        INVOICE,
        ("plugins/pay/base44/functions/charge/entry.ts", ""),
        ("node_modules/@acme/mail/functions/send/entry.ts", ""),
        ("base44/functions/charge/entry.ts", ""),
        ("base44/entities/task.jsonc", "{}"),
        (
            "base44/entities/invoice.jsonc",
            "{ name: 'Invoice', properties: { note: { type: 'string' } }, required: ['note'] }",
        ),
    ]);
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(said(&project), "");
    assert_eq!(entity_names(&project), ["Invoice", "Task"]);
    assert_eq!(
        function_names(&project),
        ["charge", "pay__charge", "mail__send"]
    );
    assert_eq!(project.functions[1].plugin.as_deref(), Some("pay"));
    let invoice = schema(&project, "Invoice");
    assert_eq!(invoice["required"], json!(["sum", "note"]));
    assert_eq!(
        invoice["properties"],
        json!({"sum": {"type": "number"}, "note": {"type": "string"}})
    );
    assert_eq!(invoice["title"], "I");
    let extended = project.entities[0].extended_by.clone().unwrap();
    assert!(
        extended.ends_with("base44/entities/invoice.jsonc"),
        "{extended:?}"
    );
}

#[test]
fn an_extension_that_overrides_is_left_out_whole() {
    let dir = tree(&[
        HOST,
        PAY,
        MAIL,
        PACKAGE,
        INVOICE,
        (
            "base44/entities/invoice.jsonc",
            "{ name: 'Invoice', title: '', rls: {},\n properties: { sum: { type: 'string' }, note: { type: 'string' } }, required: ['sum'] }",
        ),
    ]);
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(
        schema(&project, "Invoice")["properties"],
        json!({"sum": {"type": "number"}})
    );
    insta::assert_snapshot!(said(&project), @r"
    base44/entities/invoice.jsonc:1:20: error: `Invoice` extends a plugin's entity and cannot override `title`
    hint: remove `title`
    base44/entities/invoice.jsonc:1:31: error: `Invoice` extends a plugin's entity and cannot override `rls`
    hint: remove `rls`
    base44/entities/invoice.jsonc:2:16: error: the plugin already defines the property `sum`
    hint: give the added property another name
    ");
}

#[test]
fn plugins_that_cannot_be_used_are_reported_and_left_out() {
    let config = "{ name: 'Shop', plugins: [\n { source: './none' },\n { source: 'not-installed' },\n { source: '../empty' },\n \
        { source: '../plain' },\n { source: '../nested' },\n { source: '../one' },\n { source: '../two' },\n { source: '../three' } ] }";
    let dir = tree(&[
        (HOST.0, config),
        ("empty/x.txt", ""),
        ("plain/config.jsonc", "{ name: 'Plain' }"),
        (
            "nested/config.jsonc",
            "{ name: 'N', plugin: { namespace: 'n' }, plugins: [{ source: './x' }] }",
        ),
        (
            "one/config.jsonc",
            "{ name: 'One', plugin: { namespace: 'same' } }",
        ),
        ("one/entities/task.jsonc", "{}"),
        (
            "two/config.jsonc",
            "{ name: 'Two', plugin: { namespace: 'same' } }",
        ),
        (
            "three/config.jsonc",
            "{ name: 'Three', plugin: { namespace: 'three' } }",
        ),
        ("three/entities/task.jsonc", "{}"),
    ]);
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(project.layout.plugins.len(), 2);
    assert_eq!(project.entities[0].plugin.as_deref(), Some("same"));
    insta::assert_snapshot!(said(&project), @r#"
    base44/config.jsonc:2:12: error: the plugin "./none" was not found
    hint: the path is relative to the directory of this file
    base44/config.jsonc:3:12: error: the plugin "not-installed" was not found
    hint: install the package, for example with `npm install`
    base44/config.jsonc:4:12: error: empty holds no Base44 project; expected base44/config.jsonc or config.jsonc in it
    plain/config.jsonc: error: the project loads this one as a plugin, "../plain", but it is none; expected `plugin.namespace`
    hint: add "plugin": { "namespace": "…" }
    nested/config.jsonc: error: a plugin cannot have plugins of its own
    hint: the plugin "../nested" is left out
    base44/config.jsonc:8:12: error: the plugins "../one" and "../two" have the same namespace `same`
    hint: the first one is used; remove the other
    three/entities/task.jsonc:1:1: error: the entity `Task` is defined by two plugins, `same` and `three`
    hint: one/entities/task.jsonc is used and this file is left out: rename or remove one of the two
    "#);
}
