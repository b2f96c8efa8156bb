//! The TypeScript type of the values that a schema allows. Names of global types are not used: an entity may be called
//! `Array` or `Record`.

use indexmap::IndexSet;
use serde_json::{Map, Value};

use super::{comment, names};

/// Nested deeper than this, or in a circle of references, a value can be anything.
const DEEPEST: usize = 40;

/// References within what references point to; each may be written many times, and so may those in it.
const MOST_FOLLOWED: usize = 5;

const ANYTHING: &str = "unknown";

/// Turns the parts of one document into types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes<'a> {
    /// What local references point into.
    document: &'a Value,
    depth: usize,
    followed: Option<&'a Followed<'a>>,
}

/// A reference that is being followed, and the one in whose target it was found.
#[derive(Debug)]
struct Followed<'a> {
    reference: &'a str,
    before: Option<&'a Self>,
}

impl<'a> Shapes<'a> {
    pub(super) const fn of(document: &'a Value) -> Self {
        Self {
            document,
            depth: 0,
            followed: None,
        }
    }

    /// The type of a value; further lines of it begin with `indent`.
    pub(super) fn value(self, schema: &Value, indent: &str) -> String {
        let mut union = Union::default();
        self.add(schema, indent, &mut union);
        if schema["nullable"] == true {
            union.add("null".to_owned());
        }
        union.to_type()
    }

    /// The members of an object type, a line and its comment each.
    pub(super) fn members(self, schema: &Value, indent: &str) -> String {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let member = |(name, property): (&String, &Value)| {
            let mark = if required.iter().any(|item| item == name) {
                ""
            } else {
                "?"
            };
            let kind = self.deeper(property, indent);
            let comment = comment::of(property, indent);
            format!("{comment}{indent}{}{mark}: {kind};\n", names::key(name))
        };
        properties.iter().map(member).collect()
    }

    fn add(self, schema: &Value, indent: &str, union: &mut Union) {
        if let Some(reference) = schema["$ref"].as_str() {
            return union.add(self.follow(reference, indent));
        }
        if let Some(value) = schema.get("const") {
            return union.add(literal(value));
        }
        if let Some(values) = schema["enum"]
            .as_array()
            .filter(|values| !values.is_empty())
        {
            return values.iter().for_each(|value| union.add(literal(value)));
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[key].as_array().filter(|choices| !choices.is_empty()) {
                return choices
                    .iter()
                    .for_each(|choice| union.add(self.deeper(choice, indent)));
            }
        }
        match &schema["type"] {
            Value::String(kind) => union.add(self.typed(kind, schema, indent)),
            Value::Array(kinds) if !kinds.is_empty() => {
                let kinds: IndexSet<_> = kinds.iter().filter_map(Value::as_str).collect();
                for kind in kinds {
                    union.add(self.typed(kind, schema, indent));
                }
            }
            _ if schema.get("properties").is_some() => {
                union.add(self.typed("object", schema, indent));
            }
            _ if schema.get("items").is_some() => union.add(self.typed("array", schema, indent)),
            _ => union.add(ANYTHING.to_owned()),
        }
    }

    /// What a reference points to; one that leads to itself is not followed again.
    fn follow(self, reference: &str, indent: &str) -> String {
        let target = reference
            .strip_prefix('#')
            .and_then(|at| self.document.pointer(at));
        let before = std::iter::successors(self.followed, |followed| followed.before);
        let is_new = before
            .clone()
            .all(|followed| followed.reference != reference);
        match target.filter(|_| is_new && before.count() < MOST_FOLLOWED) {
            None => ANYTHING.to_owned(),
            Some(target) => {
                let followed = Followed {
                    reference,
                    before: self.followed,
                };
                let followed = Some(&followed);
                Shapes { followed, ..self }.deeper(target, indent)
            }
        }
    }

    fn typed(self, kind: &str, schema: &Value, indent: &str) -> String {
        match kind {
            "string" | "binary" => "string".to_owned(),
            "number" | "integer" => "number".to_owned(),
            "boolean" | "null" => kind.to_owned(),
            "array" => self.array(schema.get("items"), indent),
            "object" => self.object(schema, indent),
            _ => ANYTHING.to_owned(),
        }
    }

    fn array(self, items: Option<&Value>, indent: &str) -> String {
        let item = items.map_or_else(|| ANYTHING.to_owned(), |items| self.deeper(items, indent));
        // A closing brace ends an object type; everything else with blanks in it is a union.
        if item.contains(' ') && !(item.starts_with('{') && is_one_object(&item)) {
            format!("({item})[]")
        } else {
            format!("{item}[]")
        }
    }

    /// Unknown keys of nested objects are kept by the server, but a type that allowed them would hide every mistake.
    fn object(self, schema: &Value, indent: &str) -> String {
        let inner = format!("{indent}  ");
        let members = self.members(schema, &inner);
        let others = match &schema["additionalProperties"] {
            more @ Value::Object(_) => self.deeper(more, &inner),
            _ => ANYTHING.to_owned(),
        };
        if members.is_empty() {
            return format!("{{ [key: string]: {others} }}");
        }
        format!("{{\n{members}{indent}}}")
    }

    fn deeper(self, schema: &Value, indent: &str) -> String {
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return ANYTHING.to_owned();
        }
        Self { depth, ..self }.value(schema, indent)
    }
}

/// Whether the brace that opens an object type is closed only at its end.
fn is_one_object(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (offset, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !quoted {
            return offset + 1 == text.len();
        }
    }
    false
}

/// The type that has one value.
fn literal(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", names::key(key), literal(value)))
                .collect();
            format!("{{ {} }}", entries.join("; "))
        }
    }
}

/// Types that a value may have, each once.
#[derive(Debug, Default)]
struct Union(Vec<String>);

impl Union {
    fn add(&mut self, kind: String) {
        if !self.0.contains(&kind) {
            self.0.push(kind);
        }
    }

    fn to_type(&self) -> String {
        match self.0.as_slice() {
            [] => ANYTHING.to_owned(),
            kinds if kinds.iter().any(|kind| kind == ANYTHING) => ANYTHING.to_owned(),
            kinds => kinds.join(" | "),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Shapes;

    fn shape(schema: &Value) -> String {
        Shapes::of(&json!({ "$defs": { "tag": { "type": "string" } } })).value(schema, "")
    }

    #[test]
    fn every_kind_of_schema_has_its_type() {
        for (schema, kind) in [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": "binary" }), "string"),
            (json!({ "type": "number" }), "number"),
            (json!({ "type": "integer" }), "number"),
            (json!({ "type": "boolean" }), "boolean"),
            (json!({ "type": "null" }), "null"),
            (json!({ "type": ["string", "null"] }), "string | null"),
            (json!({ "type": ["number", "integer"] }), "number"),
            (
                json!({ "type": "string", "nullable": true }),
                "string | null",
            ),
            (json!({ "type": "array" }), "unknown[]"),
            (
                json!({ "type": "array", "items": { "type": "string" } }),
                "string[]",
            ),
            (
                json!({ "type": "array", "items": { "enum": ["a", "b"] } }),
                "(\"a\" | \"b\")[]",
            ),
            (
                json!({ "type": "array", "items": { "enum": ["a b"] } }),
                "(\"a b\")[]",
            ),
            (
                json!({ "type": "array", "items": { "type": "array", "items": { "type": "number" } } }),
                "number[][]",
            ),
            (json!({ "type": "object" }), "{ [key: string]: unknown }"),
            (
                json!({ "type": "object", "additionalProperties": { "type": "number" } }),
                "{ [key: string]: number }",
            ),
            (
                json!({ "type": "string", "enum": ["a", 1, true, null, "a", { "b c": [1] }] }),
                "\"a\" | 1 | true | null | { \"b c\": [1] }",
            ),
            (json!({ "enum": [] }), "unknown"),
            (json!({ "const": "x" }), "\"x\""),
            (
                json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
                "string | number",
            ),
            (json!({ "$ref": "#/$defs/tag" }), "string"),
            (json!({ "$ref": "elsewhere.json" }), "unknown"),
            (json!({ "type": "money" }), "unknown"),
            (json!({}), "unknown"),
            (json!(7), "unknown"),
        ] {
            assert_eq!(shape(&schema), kind, "{schema}");
        }
    }

    #[test]
    fn objects_nest_with_their_comments() {
        let schema = json!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "a-b": { "type": "string", "description": "First" },
                    "at": { "properties": { "x": { "type": "number" } }, "required": ["x"] },
                },
                "required": ["a-b"],
            },
        });
        let expected = "{\n  /** First */\n  \"a-b\": string;\n  at?: {\n    x: number;\n  };\n}[]";
        assert_eq!(shape(&schema), expected);
    }

    #[test]
    fn a_circle_of_references_ends() {
        let document = json!({ "properties": { "children": { "items": { "$ref": "#" } } } });
        let kind = Shapes::of(&document).value(&json!({ "$ref": "#/properties/children" }), "");
        assert!(kind.contains("unknown"), "{kind}");
    }

    #[test]
    fn several_circles_of_references_do_not_multiply() {
        let to = |at: &str| json!({ "$ref": at });
        let document = json!({ "properties": { "a": to("#"), "b": to("#"), "c": { "anyOf": [to("#"), to("#/properties/a")] } } });
        let text = Shapes::of(&document).members(&document, "");
        assert!(text.lines().count() < 100, "{text}");
        let nested = (0..40).fold(
            json!({}),
            |inner, _| json!({ "type": ["object", "object"], "properties": { "a": inner } }),
        );
        assert_eq!(shape(&nested).matches("a?:").count(), 40);
    }
}
