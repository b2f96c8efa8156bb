//! `.env.local` and `.env`.

use super::super::read_with;
use super::{CONFIG, project, said, tree};

#[test]
fn values_are_read_as_dotenv_reads_them() {
    let cases = [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  A = spaced  ", "spaced"),
        ("A: yaml", "yaml"),
        ("A=", ""),
        ("A=x # note", "x"),
        ("A=x#note", "x"),
        ("A='x # y'", "x # y"),
        ("A=\"a\\nb\"", "a\nb"),
        ("A='a\\nb'", "a\\nb"),
        ("A=\"one\ntwo\" # end\nB=2", "one\ntwo"),
        ("A=`it's \"so\"`", "it's \"so\""),
        ("A=\"say \\\"hi\\\"\"", "say \\\"hi\\\""),
        ("A={\"k\": 1}", "{\"k\": 1}"),
        ("A=a=b", "a=b"),
        ("A=1\r\nB=2\r\n", "1"),
        ("\u{feff}A=1", "1"),
        ("A=1\nA=2", "2"),
        ("# A=0\n\nA=ü", "ü"),
    ];
    for (text, expected) in cases {
        let project = project(&[(".env", text)]);
        assert_eq!(
            project.env.first(),
            Some(&("A".to_owned(), expected.to_owned())),
            "{text:?}"
        );
        assert_eq!(said(&project), "", "{text:?}");
    }
}

#[test]
fn the_process_wins_over_local_and_local_over_the_rest() {
    let dir = tree(&[
        CONFIG,
        (".env.local", "A=local\nB=local"),
        (".env", "A=env\nB=env\nC=env"),
    ]);
    let ambient = |name: &str| (name == "B").then(|| "ambient".to_owned());
    let env = read_with(dir.path(), ambient).unwrap().env;
    assert_eq!(
        env,
        [
            ("A".to_owned(), "local".to_owned()),
            ("C".to_owned(), "env".to_owned())
        ]
    );
}

#[test]
fn shared_names_fill_what_is_unset() {
    let dir = tree(&[
        CONFIG,
        (
            ".env",
            "BASE44_PROJECTS_BASE44_APP_ID=a\nBASE44_API_URL=own\nBASE44_PROJECTS_BASE44_API_URL=shared\nBASE44_PROJECTS_OTHER=x",
        ),
    ]);
    let ambient =
        |name: &str| (name == "BASE44_PROJECTS_BASE44_ACCESS_TOKEN").then(|| "t".to_owned());
    let env = read_with(dir.path(), ambient).unwrap().env;
    let value = |name: &str| {
        env.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("BASE44_APP_ID"), Some("a"));
    assert_eq!(value("BASE44_API_URL"), Some("own"));
    assert_eq!(value("BASE44_ACCESS_TOKEN"), Some("t"));
    assert_eq!(
        (value("OTHER"), value("BASE44_REFRESH_TOKEN")),
        (None, None)
    );
}

#[test]
fn odd_lines_are_warned_about_without_showing_them() {
    let project = project(&[(".env", "A=1\n  sk-secret\nB=\"open\nC=3\n=x")]);
    let keys: Vec<&str> = project.env.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["A", "B", "C"]);
    insta::assert_snapshot!(said(&project), @r"
    .env:2:3: warning: this line assigns nothing and is ignored; expected `NAME=value`
    .env:3:1: warning: the quotes are never closed; the value ends with its line
    hint: close the quotes, or put others around a value that contains them
    .env:5:1: warning: this line assigns nothing and is ignored; expected `NAME=value`
    ");
}
