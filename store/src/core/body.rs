//! What a stored record holds. Its one form is the JSON text that answers send; beside it stands only where each field
//! begins, so that filters look at single fields in place.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    record::Fields,
    value::{Lent, ValueRef},
};

/// A JSON object without white space, and where its keys begin.
#[derive(Debug)]
pub struct Body {
    json: Box<str>,
    starts: Box<[Start]>,
}

/// Where a key begins. In a body of less than 16 MiB its upper eight bits are the key's tag, so that a search seldom
/// has to look at a text that is not the right one: texts are far apart in memory, these are not.
type Start = u32;

/// Bits of a position beside a tag.
const NEAR: u32 = 24;

/// What tells most keys apart. Keys that share it are compared.
fn tag(key: &[u8]) -> u8 {
    let mix = |tag: u8, byte: &u8| tag.rotate_left(3) ^ byte;
    let length = key.len().to_le_bytes()[0];
    key.iter().fold(length, mix)
}

impl Body {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Lent<'_>> {
        self.raw(name).map(read)
    }

    /// The text of a field; `None` when there is none, or another kind of value.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.get(name)? {
            Lent::Ref(value) => value.as_str().map(Cow::Borrowed),
            Lent::Owned(Value::String(text)) => Some(Cow::Owned(text)),
            Lent::Owned(_) => None,
        }
    }

    /// The JSON text of a field's value. The same text means the same value.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.find(&escaped(name))
    }

    /// All of it as JSON text.
    #[must_use]
    pub const fn json(&self) -> &str {
        &self.json
    }

    /// All of it, parsed.
    #[must_use]
    pub fn fields(&self) -> Fields {
        serde_json::from_str(&self.json).expect("the store wrote this JSON itself")
    }

    /// The body with other values for some fields; those that it does not have come at its end.
    #[must_use]
    pub fn with(&self, changes: &Fields) -> Self {
        let mut writer = BodyWriter::default();
        writer.json.reserve(self.json.len() + changes.len() * 64);
        writer.starts.reserve(self.starts.len() + changes.len());
        for member in self.members() {
            let name = member.name();
            match changes.get(&*name) {
                Some(value) => writer.add(&name, value),
                None => writer.copy(&member),
            }
        }
        for (name, value) in changes {
            if self.raw(name).is_none() {
                writer.add(name, value);
            }
        }
        writer.finish()
    }

    /// Its fields one by one, as they are written.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        (0..self.starts.len()).filter_map(|place| {
            let text = self.json.get(self.start(place)?..self.end(place))?;
            let key = text.get(1..)?;
            let end = end_of_text(key)?;
            let (key, value) = (key.get(..end)?, key.get(end + 2..)?);
            Some(Member { text, key, value })
        })
    }

    /// The value behind a key, which is given as it is written between its quotation marks.
    fn find(&self, key: &str) -> Option<&str> {
        let json = self.json.as_bytes();
        let is_key = |start: usize| {
            let (from, to) = (start + 1, start + 1 + key.len());
            json.get(to) == Some(&b'"') && json.get(from..to) == Some(key.as_bytes())
        };
        let tag = self.has_tags().then(|| u32::from(tag(key.as_bytes())));
        let is_likely = |start: Start| tag.is_none_or(|tag| start >> NEAR == tag);
        let place = (0..self.starts.len()).find(|place| {
            is_likely(self.starts[*place]) && self.start(*place).is_some_and(is_key)
        })?;
        let value = self.start(place)? + key.len() + "\"\":".len();
        self.json.get(value..self.end(place))
    }

    fn has_tags(&self) -> bool {
        self.json.len() < 1 << NEAR
    }

    fn start(&self, place: usize) -> Option<usize> {
        let start = *self.starts.get(place)?;
        let near = start & ((1 << NEAR) - 1);
        usize::try_from(if self.has_tags() { near } else { start }).ok()
    }

    /// Where the comma or the brace behind a member is.
    fn end(&self, place: usize) -> usize {
        self.start(place + 1).unwrap_or(self.json.len()) - 1
    }
}

impl From<&Fields> for Body {
    fn from(fields: &Fields) -> Self {
        let mut writer = BodyWriter::default();
        writer.extend(fields);
        writer.finish()
    }
}

/// A field as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Key, colon and value.
    pub text: &'a str,
    value: &'a str,
    key: &'a str,
}

impl<'a> Member<'a> {
    /// The field's name.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        if !self.key.contains('\\') {
            return Cow::Borrowed(self.key);
        }
        let name = serde_json::from_str(&format!("\"{}\"", self.key));
        Cow::Owned(name.unwrap_or_default())
    }

    /// The value, parsed.
    #[must_use]
    pub fn value(&self) -> Value {
        read(self.value).into_value()
    }
}

/// A value from the text that the store wrote for it. Only texts without escapes can be looked at in place.
fn read(json: &str) -> Lent<'_> {
    let inner = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.as_bytes().contains(&b'\\') => Lent::Ref(ValueRef::Text(inner)),
        Some(_) | None => Lent::Owned(serde_json::from_str(json).unwrap_or_default()),
    }
}

/// A name as JSON writes it between quotation marks.
fn escaped(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let quoted = Value::from(name).to_string();
    Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
}

/// Where the text ends whose opening mark has been read.
fn end_of_text(json: &str) -> Option<usize> {
    let mut is_escaped = false;
    json.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// A body that is being written: fields are added at its end.
#[derive(Clone, Debug, Default)]
pub struct BodyWriter {
    json: Vec<u8>,
    starts: Vec<(Start, u8)>,
}

impl BodyWriter {
    /// Adds fields, none of which is there already.
    pub fn extend(&mut self, fields: &Fields) {
        self.starts.reserve(fields.len());
        for (name, value) in fields {
            self.add(name, value);
        }
    }

    /// Adds a field that is not there already.
    pub fn add(&mut self, name: &str, value: &Value) {
        let start = self.begin();
        write(&mut self.json, &name);
        let key = self.json.get(start + 1..self.json.len() - 1);
        let tag = tag(key.unwrap_or_default());
        self.note(start, tag);
        self.json.push(b':');
        write(&mut self.json, value);
    }

    /// Adds a field as it is written elsewhere.
    fn copy(&mut self, member: &Member<'_>) {
        let start = self.begin();
        self.json.extend_from_slice(member.text.as_bytes());
        self.note(start, tag(member.key.as_bytes()));
    }

    fn begin(&mut self) -> usize {
        let is_first = self.json.is_empty();
        self.json.push(if is_first { b'{' } else { b',' });
        self.json.len()
    }

    fn note(&mut self, start: usize, tag: u8) {
        // Past 4 GiB, which no process would hold, fields are written but not found.
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        self.starts.push((start, tag));
    }

    /// The body.
    #[must_use]
    pub fn finish(mut self) -> Body {
        if self.json.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
        let has_tags = self.json.len() < 1 << NEAR;
        let tagged = |(start, tag)| match has_tags {
            true => start | u32::from(tag) << NEAR,
            false => start,
        };
        let json = String::from_utf8(self.json).expect("JSON is UTF-8");
        Body {
            json: json.into_boxed_str(),
            starts: self.starts.into_iter().map(tagged).collect(),
        }
    }
}

/// Appends the JSON text of anything that is made of JSON values.
pub fn write(json: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(json, value).expect("JSON values have text keys and finite numbers");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Body, NEAR};
    use crate::core::{
        record::Fields,
        testing::{any_value, object},
        value::Lent,
    };

    fn fields() -> impl Strategy<Value = Fields> {
        let value = prop_oneof![
            any_value(),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from)
        ];
        prop::collection::vec((".{0,4}", value), 0..6)
            .prop_map(|members| members.into_iter().collect())
    }

    fn get(body: &Body, name: &str) -> Option<Value> {
        body.get(name).map(Lent::into_value)
    }

    #[test]
    fn fields_are_found_by_their_whole_names() {
        let body = Body::from(&object(json!({
            "a": "b\":1,\"c", "ab": "x", "": 0, "a\"": 1, "a\\": 2, "\u{1}é": 3, "b": "é\n", "n": -1.5e-7, "z": [],
        })));
        let expected = [
            ("a", json!("b\":1,\"c")),
            ("ab", json!("x")),
            ("", json!(0)),
            ("a\"", json!(1)),
            ("a\\", json!(2)),
            ("\u{1}é", json!(3)),
            ("b", json!("é\n")),
            ("n", json!(-1.5e-7)),
            ("z", json!([])),
        ];
        for (name, value) in &expected {
            assert_eq!(get(&body, name).as_ref(), Some(value), "{name}");
        }
        for absent in ["c", "a\":\"b", "b\\", "abc", "a\\\""] {
            assert_eq!(get(&body, absent), None, "{absent}");
        }
        let members = body
            .members()
            .map(|member| (member.name().into_owned(), member.value()));
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(members.collect::<Vec<_>>(), expected);
        assert_eq!(Body::from(&object(json!({}))).json(), "{}");
    }

    #[test]
    fn fields_are_found_in_bodies_that_are_too_long_for_tags() {
        let long = "x".repeat(1 << NEAR);
        let body = Body::from(&object(json!({"a": 1, "b": long, "c": 3})));
        assert_eq!(get(&body, "c"), Some(json!(3)));
        assert_eq!(get(&body, "d"), None);
        let short = body.with(&object(json!({"b": "", "d": 4})));
        assert_eq!(short.json(), r#"{"a":1,"b":"","c":3,"d":4}"#);
        assert_eq!(get(&short, "d"), Some(json!(4)));
    }

    proptest! {
        #[test]
        fn prop_changes_are_those_of_an_object(before in fields(), changes in fields()) {
            let body = Body::from(&before).with(&changes);
            let mut expected = before;
            expected.extend(changes);
            let whole = Body::from(&expected);
            prop_assert_eq!(body.json(), whole.json());
            for (name, value) in &expected {
                prop_assert_eq!(&get(&body, name), &Some(value.clone()));
            }
        }

        #[test]
        fn prop_what_is_written_is_read_back(
            fields in fields(), absent in ".{0,3}",
        ) {
            let body = Body::from(&fields);
            prop_assert_eq!(&body.fields(), &fields);
            for (name, value) in &fields {
                prop_assert_eq!(&get(&body, name), &Some(value.clone()));
            }
            prop_assert_eq!(get(&body, &absent), fields.get(&absent).cloned());
        }
    }
}
