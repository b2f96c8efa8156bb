//! Adds one glob to the `include` of a `tsconfig.json`, as a person would: comments and layout stay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::diagnose::{Diagnostic, Place};
use super::scan::{self, Step};
use super::syntax;

/// What is to be done about a `tsconfig.json`.
#[derive(Debug)]
pub(crate) enum Include {
    /// It includes the glob.
    Present,
    /// Its new text.
    Added(String),
    /// It has to be added by hand, and why.
    Unclear(Box<Diagnostic>),
}

/// What the compiler includes where a configuration says nothing.
const EVERYTHING: &str = "**/*";

/// Finds out what has to be done so that `text`, without its byte order mark, includes `glob`. `file` names it in messages.
pub(crate) fn include(file: &str, text: &str, glob: &str) -> Include {
    let source: Arc<str> = text.into();
    let value = match syntax::parse(file, &source) {
        Ok(value) => value,
        Err(diagnostic) => return Include::Unclear(diagnostic),
    };
    let edited = match value.get("include") {
        Some(Value::Array(items)) if items.iter().any(|item| covers(item, glob)) => {
            return Include::Present;
        }
        Some(Value::Array(items)) => add_item(text, items.len(), glob),
        Some(_) => Err("its `include` is no list"),
        None => create(text, &value, glob),
    };
    let edited = edited.and_then(|edited| {
        is_as_meant(&value, &edited, glob)
            .then_some(edited)
            .ok_or("it is laid out in an unusual way")
    });
    match edited {
        Ok(edited) => Include::Added(edited),
        Err(reason) => {
            let message = format!("the generated types could not be added: {reason}");
            let hint = format!(
                "add {glob:?} to the `include` of the configuration that compiles your app"
            );
            let problem = Diagnostic::warning(file, message).hint(hint);
            Include::Unclear(Box::new(problem.at(&source, Place::of(&source, 0, 0))))
        }
    }
}

/// The glob itself, or a name for the same files. A plain `**/*` passes over folders that begin with a dot.
fn covers(item: &Value, glob: &str) -> bool {
    let Some(item) = item.as_str() else {
        return false;
    };
    let item = item.strip_prefix("./").unwrap_or(item);
    let folder = glob.trim_end_matches("/*.d.ts");
    let rest = item.strip_prefix(folder);
    rest.is_some_and(|rest| {
        [
            "",
            "/",
            "/*",
            "/*.ts",
            "/*.d.ts",
            "/**/*",
            "/**/*.ts",
            "/**/*.d.ts",
            "/types.d.ts",
        ]
        .contains(&rest)
    })
}

fn add_item(text: &str, count: usize, glob: &str) -> Result<String, &'static str> {
    let lost = "its `include` was not found";
    let list = scan::locate(text, &[Step::Key("include")])
        .ok_or(lost)?
        .value;
    let item = json!(glob).to_string();
    let Some(last) = count.checked_sub(1) else {
        return Ok(splice(text, list.start + 1, &item));
    };
    let last = scan::locate(text, &[Step::Key("include"), Step::Index(last)]).ok_or(lost)?;
    Ok(append(text, last.value.end, list.end, &item))
}

/// Adds an `include` that says what its absence said, and the glob.
fn create(text: &str, value: &Value, glob: &str) -> Result<String, &'static str> {
    let object = value.as_object().ok_or("it holds no object")?;
    if object.contains_key("references") && object.get("files") == Some(&json!([])) {
        return Err("it only refers to other configurations");
    }
    if object.contains_key("extends") {
        return Err("its `include` may come from the configuration that it extends");
    }
    let items = if object.contains_key("files") {
        json!([glob]).to_string()
    } else {
        format!("[{}, {}]", json!(EVERYTHING), json!(glob))
    };
    let entry = format!("\"include\": {items}");
    let whole = scan::locate(text, &[]).ok_or("it is empty")?.value;
    let ends = object.keys().filter_map(|key| {
        let found = scan::locate(text, &[Step::Key(key)])?;
        Some(found.value.end)
    });
    Ok(match ends.max() {
        Some(end) => append(text, end, whole.end, &entry),
        None => splice(text, whole.start + 1, &entry),
    })
}

/// Writes `item` after the last one of a list or object, which ends at `last`; the bracket closes before `close`.
fn append(text: &str, last: usize, close: usize, item: &str) -> String {
    let comma = scan::comma_after(text, last);
    let Some(line_end) = text[last..close].find('\n').map(|at| last + at) else {
        let separated = format!(", {item}");
        return splice(text, last, &separated);
    };
    let line_start = text[..last].rfind('\n').map_or(0, |at| at + 1);
    let line = &text[line_start..last];
    let indent = &line[..line.len() - line.trim_start().len()];
    let newline = if text[..line_end].ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    };
    let line_end = line_end - (newline.len() - 1);
    // A comma that stands on a line further down closes the item before it, wherever that is.
    let comma = comma.filter(|comma| *comma < line_end);
    let tail = if comma.is_some() { "," } else { "" };
    let added = splice(text, line_end, &format!("{newline}{indent}{item}{tail}"));
    match comma {
        Some(_) => added,
        None => splice(&added, last, ","),
    }
}

fn splice(text: &str, at: usize, added: &str) -> String {
    format!("{}{added}{}", &text[..at], &text[at..])
}

/// Nothing but `include` differs, and it has one item more, or two where it is new.
fn is_as_meant(old: &Value, edited: &str, glob: &str) -> bool {
    let Ok(new) = syntax::parse("", &edited.into()) else {
        return false;
    };
    let before: &[Value] = old["include"].as_array().map_or(&[], Vec::as_slice);
    let Some(after) = new["include"].as_array() else {
        return false;
    };
    let strip = |value: &Value| {
        let mut rest = value.clone();
        rest.as_object_mut()
            .map(|object| object.shift_remove("include"));
        rest
    };
    after.starts_with(before)
        && after.last().and_then(Value::as_str) == Some(glob)
        && strip(old) == strip(&new)
}

#[cfg(test)]
mod tests {
    use super::{Include, include};

    const GLOB: &str = "base44/.types/*.d.ts";

    fn edit(text: &str) -> String {
        match include("tsconfig.json", text, GLOB) {
            Include::Added(text) => text.replace(GLOB, "@"),
            Include::Present => "present".to_owned(),
            Include::Unclear(problem) => format!("unclear: {}", problem.message),
        }
    }

    #[test]
    fn the_glob_is_added_as_a_person_would() {
        for (before, after) in [
            (r#"{"include":[]}"#, r#"{"include":["@"]}"#),
            (r#"{"include": ["src"]}"#, r#"{"include": ["src", "@"]}"#),
            (
                r#"{"include": ["src",], "x": 1}"#,
                r#"{"include": ["src", "@",], "x": 1}"#,
            ),
            (
                "{\n  \"include\": [\n    \"src\", // ours\n    \"a\" // last\n  ]\n}",
                "{\n  \"include\": [\n    \"src\", // ours\n    \"a\", // last\n    \"@\"\n  ]\n}",
            ),
            (
                "{\n\t\"include\": [\n\t\t\"src\", // ours\n\t],\n}",
                "{\n\t\"include\": [\n\t\t\"src\", // ours\n\t\t\"@\",\n\t],\n}",
            ),
            (
                "{\r\n  \"include\": [\r\n    \"src\"\r\n  ]\r\n}",
                "{\r\n  \"include\": [\r\n    \"src\",\r\n    \"@\"\r\n  ]\r\n}",
            ),
            ("{}", r#"{"include": ["**/*", "@"]}"#),
            (
                "// top\n{\n  \"compilerOptions\": { \"strict\": true } // on\n}\n",
                "// top\n{\n  \"compilerOptions\": { \"strict\": true }, // on\n  \"include\": [\"**/*\", \"@\"]\n}\n",
            ),
            (
                "{\n  \"files\": [\"a.ts\"],\n}\n",
                "{\n  \"files\": [\"a.ts\"],\n  \"include\": [\"@\"],\n}\n",
            ),
        ] {
            assert_eq!(edit(before), after);
        }
    }

    #[test]
    fn it_is_added_once() {
        for item in [
            GLOB,
            "./base44/.types/types.d.ts",
            "base44/.types",
            "base44/.types/**/*",
        ] {
            assert_eq!(
                edit(&format!(r#"{{"include":["src","{item}"]}}"#)),
                "present",
                "{item}"
            );
        }
        let Include::Added(once) = include("tsconfig.json", "{}", GLOB) else {
            panic!("an empty configuration can be added to");
        };
        assert_eq!(edit(&once), "present");
    }

    #[test]
    fn what_is_not_clear_is_left_to_the_user() {
        for text in [
            "{",
            "[]",
            r#"{"include":"src"}"#,
            r#"{"files":[],"references":[{"path":"./app"}]}"#,
            r#"{"extends":"./base.json"}"#,
            r#"{"include":["a"],"include":["b"]}"#,
        ] {
            assert!(
                edit(text).starts_with("unclear: "),
                "{text}: {}",
                edit(text)
            );
        }
    }
}
