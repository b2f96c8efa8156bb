//! A value of a parsed document together with the way to it, so that a mistake in it can be reported at its line and column.

use serde_json::Value;

use super::diagnose::{Diagnostic, Severity};
use super::document::Document;
use super::scan::Step;

/// One value inside a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    document: &'a Document,
    pub(super) value: &'a Value,
    way: Option<(&'a Self, Step<'a>)>,
}

impl<'a> Node<'a> {
    pub(super) fn root(document: &'a Document) -> Self {
        Self {
            document,
            value: &document.value,
            way: None,
        }
    }

    /// The value under `key`, where this is an object that has it.
    pub(super) fn get<'n>(&'n self, key: &'n str) -> Option<Node<'n>> {
        let value = self.value.get(key)?;
        Some(self.child(value, Step::Key(key)))
    }

    /// The entries of an object in the order of the file; none of anything else.
    pub(super) fn entries<'n>(&'n self) -> impl Iterator<Item = (&'n str, Node<'n>)> {
        let object = self.value.as_object().into_iter().flatten();
        object.map(|(key, value)| (key.as_str(), self.child(value, Step::Key(key))))
    }

    /// The items of an array; none of anything else.
    pub(super) fn items<'n>(&'n self) -> impl Iterator<Item = Node<'n>> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| self.child(value, Step::Index(index)))
    }

    fn child<'n>(&'n self, value: &'n Value, step: Step<'n>) -> Node<'n> {
        Node {
            document: self.document,
            value,
            way: Some((self, step)),
        }
    }

    fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut way = self.way;
        while let Some((parent, step)) = way {
            steps.push(step);
            way = parent.way;
        }
        steps.reverse();
        steps
    }

    /// The way to this value as a person writes it: `plugins[0].source`; `the file` for the outermost value.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => path.extend([".", key]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        if path.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{path}`")
        }
    }

    /// An error at this value.
    pub(super) fn error(&self, message: impl Into<String>) -> Diagnostic {
        self.document.error_at_value(&self.steps(), message.into())
    }

    /// A warning at this value.
    pub(super) fn warning(&self, message: impl Into<String>) -> Diagnostic {
        warn(self.error(message))
    }

    /// An error at this value's key.
    pub(super) fn key_error(&self, message: impl Into<String>) -> Diagnostic {
        self.document.error_at_key(&self.steps(), message.into())
    }

    /// A warning at this value's key.
    pub(super) fn key_warning(&self, message: impl Into<String>) -> Diagnostic {
        warn(self.key_error(message))
    }

    /// The error that this value is of the wrong kind.
    pub(super) fn unexpected(&self, expected: impl Into<String>) -> Diagnostic {
        let message = format!("{} is {}", self.path(), describe(self.value));
        self.error(message).expected(expected)
    }

    /// The string under `key`. Another kind of value is reported; a missing key is not.
    pub(super) fn string<'n>(&'n self, key: &str, out: &mut Vec<Diagnostic>) -> Option<&'n str> {
        self.typed(key, "a string", Value::as_str, out)
    }

    /// The string under `key`, trimmed; one with nothing in it is reported too.
    pub(super) fn filled_string<'n>(
        &'n self,
        key: &str,
        out: &mut Vec<Diagnostic>,
    ) -> Option<&'n str> {
        let text = self.string(key, out)?.trim();
        if text.is_empty() {
            out.extend(self.get(key).map(|node| {
                node.error(format!("{} is empty", node.path()))
                    .expected("some text")
            }));
            return None;
        }
        Some(text)
    }

    /// What `accept` makes of the value under `key`. What it does not accept is reported; a missing key is not.
    pub(super) fn typed<'n, T>(
        &'n self,
        key: &str,
        expected: &str,
        accept: impl FnOnce(&'n Value) -> Option<T>,
        out: &mut Vec<Diagnostic>,
    ) -> Option<T> {
        let accepted = accept(self.value.get(key)?);
        if accepted.is_none() {
            out.extend(self.get(key).map(|node| node.unexpected(expected)));
        }
        accepted
    }
}

fn warn(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        ..diagnostic
    }
}

/// What kind of value it is, in words.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
