//! No file can make the reader fail: cut off anywhere, with bytes replaced, nested without end, or not a file at all.

use std::fs;

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::super::ReadError;
use super::{CONFIG, entity_names, read_dir, tree};

const CONFIG_TEXT: &str = "\u{feff}// ü\n{ \"name\": 'Shop', /* x */ visibility: \"public\", site: { serveCommand: 'a\\u0041' }, plugins: [ { source: './p' }, ], }\n";
const ENTITY_TEXT: &str = "{ name: 'T', properties: { a: { type: ['string'], rls: { read: { $or: [ { user_condition: { role: '{{user.role}}' } } ] } } } }, required: ['a'] }";
const FUNCTION_TEXT: &str = "{ name: 'f', entry: 'entry.ts', automations: [ { name: 'a', type: 'entity', entity_name: 'T', event_types: ['create'] } ] }";
const ENV_TEXT: &str = "export A=\"x\\n\ny\" # c\nB='ü'\nC: `z`\n";
const FILES: [(&str, &str); 4] = [
    (CONFIG.0, CONFIG_TEXT),
    ("base44/entities/t.jsonc", ENTITY_TEXT),
    ("base44/functions/f/function.jsonc", FUNCTION_TEXT),
    (".env", ENV_TEXT),
];

/// Reads the project and draws everything it says, which is where a wrong offset would show.
fn read_and_draw(dir: &std::path::Path) {
    let diagnostics = match read_dir(dir) {
        Ok(project) => project.diagnostics,
        Err(ReadError::Config { diagnostics, .. }) => diagnostics,
        Err(error) => panic!("{error}"),
    };
    for diagnostic in diagnostics {
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
        diagnostic.frame(80, false);
    }
}

/// Keys and texts that the reader gives a meaning to.
const WORDS: &[&str] = &[
    "name",
    "entry",
    "automations",
    "type",
    "properties",
    "items",
    "rls",
    "read",
    "write",
    "user_condition",
    "data.a",
    "$or",
    "$in",
    "enum",
    "required",
    "default",
    "pattern",
    "site",
    "serveCommand",
    "plugins",
    "source",
    "entitiesDir",
    "functionsDir",
    "plugin",
    "namespace",
    "visibility",
    "event_types",
    "cron_expression",
    "string",
    "object",
    "array",
    "entity",
    "../..",
    "/",
    ".",
    "",
    "a.b",
    "User",
    "{{user.email}}",
    "(",
    "\u{e9}\u{0}\n",
];

fn any_value() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(WORDS).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let members = prop::collection::vec((word(), inner.clone()), 0..4);
        prop_oneof![
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// One of the values in a document, counted through from the top.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(members) => members.values_mut().find_map(|member| nth(member, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A document with the value at that place, as far as there is one, replaced.
fn bent(text: &str, place: usize, with: Value) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let mut document: Value = json5::from_str(text).unwrap();
    if let Some(value) = nth(&mut document, &mut { place }) {
        *value = with;
    }
    document.to_string()
}

proptest! {
    #[test]
    fn prop_documents_of_any_shape_are_used_or_reported(
        file in any::<Index>(),
        place in 0_usize..20,
        value in any_value(),
    ) {
        let documents = [
            FILES[0],
            FILES[1],
            FILES[2],
            ("base44/.app.jsonc", "{ id: 'app-1' }"),
            ("base44/agents/a.jsonc", "{ name: 'helper' }"),
            ("base44/connectors/c.jsonc", "{ type: 'slack' }"),
            ("p/base44/config.jsonc", "{ name: 'p', plugin: { namespace: 'p' } }"),
        ];
        let dir = tree(&documents);
        let (path, text) = documents[file.index(documents.len())];
        fs::write(dir.path().join(path), bent(text, place, value)).unwrap();
        read_and_draw(dir.path());
    }
}

#[test]
fn a_document_is_bent_at_every_place() {
    let bent: Vec<String> = (0..4)
        .map(|place| bent("{ a: [1], }", place, json!(2)))
        .collect();
    assert_eq!(bent, ["2", r#"{"a":2}"#, r#"{"a":[2]}"#, r#"{"a":[1]}"#]);
}

#[test]
fn no_prefix_of_a_file_makes_it_fail() {
    for (path, text) in FILES {
        let dir = tree(&FILES);
        for end in 0..=text.len() {
            fs::write(dir.path().join(path), &text.as_bytes()[..end]).unwrap();
            read_and_draw(dir.path());
        }
    }
}

#[test]
fn no_replaced_byte_makes_it_fail() {
    let replacements = [
        b'{', b'}', b'[', b']', b'"', b'\'', b'\\', b'/', b'*', b'\n', b'0', 0x00, 0x1b, 0xc3, 0xff,
    ];
    for (path, text) in FILES {
        let dir = tree(&FILES);
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = replacements[at % replacements.len()];
            fs::write(dir.path().join(path), bytes).unwrap();
            read_and_draw(dir.path());
        }
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    for open in ["[", "{a:"] {
        let dir = tree(&[
            CONFIG,
            ("base44/entities/deep.jsonc", &open.repeat(200_000)),
            ("base44/entities/ok.jsonc", "{}"),
        ]);
        let project = read_dir(dir.path()).unwrap();
        assert_eq!(entity_names(&project), ["Ok"]);
        assert!(
            project.diagnostics[0].message.contains("nested"),
            "{:?}",
            project.diagnostics[0].message
        );
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_reported_with_the_systems_reason() {
    let dir = tree(&[
        CONFIG,
        ("base44/entities/ok.jsonc", "{}"),
        ("base44/entities/.keep", ""),
    ]);
    let entities = dir.path().join("base44/entities");
    std::os::unix::fs::symlink("nowhere", entities.join("dangling.jsonc")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", entities.join("endless.jsonc")).unwrap();
    let project = read_dir(dir.path()).unwrap();
    assert_eq!(entity_names(&project), ["Ok"]);
    insta::assert_snapshot!(super::said(&project), @r"
    base44/entities/dangling.jsonc: error: cannot read the file: No such file or directory (os error 2)
    base44/entities/endless.jsonc: error: this is not a regular file; expected a text file
    ");
}
