//! No file can make the reader fail: cut off anywhere, with bytes replaced, nested without end, or not a file at all.

use std::fs;

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
