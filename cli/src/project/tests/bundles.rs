//! What is deployed of a function, and what is refused.

use super::super::bundle;
use super::{CONFIG, Files, read_dir, tree};

/// The paths that would be sent of the function `name`, and what is wrong.
fn sent(files: Files<'_>, name: &str) -> (Vec<String>, Vec<String>) {
    let dir = tree(&[&[CONFIG], files].concat());
    let project = read_dir(dir.path()).unwrap();
    let function = project
        .functions
        .iter()
        .find(|function| function.name == name)
        .unwrap();
    let mut out = Vec::new();
    let bundle = bundle(&project.layout, function, &mut out);
    assert!(!out.is_empty() || bundle.files.iter().any(|file| file.path == bundle.entry));
    let paths = bundle.files.into_iter().map(|file| file.path).collect();
    (paths, out.iter().map(ToString::to_string).collect())
}

#[test]
fn a_function_is_sent_with_its_folder_all_shared_code_and_what_it_imports() {
    let (paths, problems) = sent(
        &[
            (
                "base44/functions/mail/send/entry.ts",
                "import '../../../lib/x.mts'; import 'npm:zod'",
            ),
            ("base44/functions/mail/send/function.jsonc", "{}"),
            ("base44/functions/mail/send/part/a.js", ""),
            ("base44/functions/mail/send/notes.md", ""),
            ("base44/functions/mail/send/.hidden.ts", ""),
            ("base44/functions/mail/send/node_modules/p/index.js", ""),
            ("base44/functions/other/entry.ts", ""),
            ("base44/shared/deep/b.ts", ""),
            ("base44/shared/a.json", "{}"),
            (
                "base44/lib/x.mts",
                "export * from '../functions/other/entry.ts'",
            ),
        ],
        "mail/send",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let expected = [
        "entry.ts",
        "function.jsonc",
        "part/a.js",
        "../../../shared/a.json",
        "../../../shared/deep/b.ts",
        "../../../lib/x.mts",
        "../../other/entry.ts",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn imports_that_leave_the_folder_of_the_configuration_are_errors_with_their_place() {
    let (_, problems) = sent(
        &[
            (
                "base44/functions/f/entry.ts",
                "const text = '../../../no';\nimport '../../shared/s.ts';",
            ),
            (
                "base44/shared/s.ts",
                "export * from '../../src/x.ts';\nimport(\"/etc/x.ts\")",
            ),
            ("src/x.ts", ""),
        ],
        "f",
    );
    let hint = "\nhint: only code in base44/ is deployed: move the file to base44/shared";
    let expected = [
        format!(
            "base44/shared/s.ts:1:16: error: the import \"../../src/x.ts\" leaves base44/{hint}"
        ),
        format!("base44/shared/s.ts:2:9: error: the import \"/etc/x.ts\" leaves base44/{hint}"),
    ];
    assert_eq!(problems, expected);
}

#[test]
fn an_entry_in_a_subfolder_keeps_its_path() {
    let (paths, problems) = sent(
        &[
            (
                "base44/functions/f/function.jsonc",
                r#"{ "entry": "src/main.ts" }"#,
            ),
            ("base44/functions/f/src/main.ts", ""),
        ],
        "f",
    );
    assert_eq!(
        (paths, problems),
        (
            vec!["function.jsonc".to_owned(), "src/main.ts".to_owned()],
            vec![]
        )
    );
}
