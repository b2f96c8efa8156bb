//! Texts of any kind: read or reported, never a failure; and what is edited reads as it was meant.

use proptest::prelude::*;
use serde_json::json;

use super::super::scan::{self, Step};
use super::super::tsconfig::{Include, include};
use super::super::{env, env_edit, syntax};

const GLOB: &str = "base44/.types/*.d.ts";

/// The bits of JSON5, in any order.
const JSON5: &str = "(\\{|\\}|\\[|\\]|:|,|\"|'|\\\\|//|/\\*|\\*/|\n|\r\n|\u{feff}|\u{2028}| |a|é|include|extends|0x|1e9|-|NaN|null|\\$ref){0,24}";

/// The bits of an env file, in any order.
const ENV: &str = "(A|B|export |=|: |\"|'|`|#|\\\\|\\\\n|\n|\r\n|\r| |\t|é|\u{feff}|\\$){0,24}";

/// A `tsconfig.json` as people lay them out.
fn configurations() -> impl Strategy<Value = String> {
    let blank = "( |\n|\n  |\r\n|\t| // c\n|/\\* x \\*/){0,2}";
    let item = prop::sample::select(vec!["\"src\"", "'**/*.ts'", "\"a,b\"", "1"]);
    let items = prop::collection::vec((blank, item, blank), 0..3).prop_map(|items| {
        let items: Vec<_> = items
            .into_iter()
            .map(|(before, item, after)| format!("{before}{item}{after}"))
            .collect();
        items.join(",")
    });
    let comma = prop::sample::select(vec!["", ","]);
    let key = prop::sample::select(vec![
        "\"include\"",
        "include",
        "\"files\"",
        "'inc\\u006cude'",
    ]);
    (key, items, blank, comma, blank).prop_map(|(key, items, one, comma, two)| {
        let last = if items.is_empty() { "" } else { comma };
        format!("{{{one}\"x\":{{}},{two}{key}:{one}[{items}{last}{two}]{comma}{one}}}{two}")
    })
}

proptest! {
    #[test]
    fn prop_any_json5_is_read_or_reported_at_a_place_in_it(text in prop_oneof![JSON5, ".{0,40}"]) {
        let source = text.as_str().into();
        if let Err(problem) = syntax::parse("a.jsonc", &source) {
            prop_assert!(!problem.message.is_empty());
            problem.frame(80, false);
            problem.frame(1, true);
        }
        for step in [Step::Key("a"), Step::Key("include"), Step::Index(1)] {
            if let Some(found) = scan::locate(&text, &[step, Step::Index(0)]) {
                prop_assert!(text.get(found.value).is_some());
            }
        }
        for (_, range) in scan::repeated_keys(&text) {
            prop_assert!(text.get(range).is_some());
        }
        let _ = (scan::unclosed(&text), scan::too_deep(&text, 3), scan::is_empty(&text));
    }

    #[test]
    fn prop_every_value_is_found_where_it_stands(value in "[a-zé\"'\\\\{\\[,/* ]{0,8}", before in "( |\n|/\\*]\\*/|//}\n){0,3}") {
        let text = format!("{{{before}a:{before}[1,{before}{},],}}", json!(value));
        let found = scan::locate(&text, &[Step::Key("a"), Step::Index(1)]).unwrap();
        prop_assert_eq!(&text[found.value], json!(value).to_string());
    }

    #[test]
    fn prop_a_glob_is_added_once_and_nothing_else_changes(text in prop_oneof![4 => configurations(), 1 => JSON5]) {
        if let Include::Added(edited) = include("tsconfig.json", &text, GLOB) {
            prop_assert!(matches!(include("tsconfig.json", &edited, GLOB), Include::Present), "{edited}");
            let read = |text: &str| {
                let mut value = syntax::parse("", &text.into()).unwrap();
                value.as_object_mut().unwrap().shift_remove("include");
                value
            };
            prop_assert_eq!(read(&text), read(&edited));
        }
    }

    #[test]
    fn prop_any_env_file_is_read_and_a_variable_set_in_it_is_read_back(
        text in prop_oneof![ENV, ".{0,40}"],
        value in prop_oneof![ENV, ".{0,20}"],
    ) {
        let before = env::parse(".env", &text, &mut Vec::new());
        let mut edited = text;
        if env_edit::assign(&mut edited, "A", &value, &mut env_edit::Edited::default()).is_err() {
            return Ok(());
        }
        let after = env::parse(".env", &edited, &mut Vec::new());
        let of = |variables: &[(String, String)]| {
            let others = variables.iter().filter(|(name, _)| name != "A");
            others.cloned().collect::<Vec<_>>()
        };
        let set = after.iter().find(|(name, _)| name == "A");
        prop_assert_eq!(set.map(|(_, value)| value.as_str()), Some(value.as_str()), "{:?}", edited);
        prop_assert_eq!(of(&before), of(&after), "{:?}", edited);
    }
}

#[test]
fn long_texts_are_read_in_one_pass() {
    for unit in [
        "{a:", "[", "\"", "/*", "a:1,", "'\\\n", "A=\"x\n", "\u{2028}",
    ] {
        let text = unit.repeat(20_000);
        assert!(
            syntax::parse("a.jsonc", &text.as_str().into()).is_err(),
            "{unit}"
        );
        let mut told = Vec::new();
        env::parse(".env", &text, &mut told);
        assert!(told.len() <= 20, "{unit}");
        let _ = include("tsconfig.json", &text, GLOB);
    }
    let value = syntax::parse(
        "a.jsonc",
        &format!("[{}]", "1,".repeat(20_000)).as_str().into(),
    );
    assert_eq!(value.unwrap().as_array().map(Vec::len), Some(20_000));
}
