//! Entity schemas: read from a JSON document, compiled, compared and held against records.

mod field;
mod format;
mod limits;
mod parse;
mod shape;
mod validate;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

pub use self::{
    field::{Field, Limits, Type},
    format::is_email,
    limits::Strictness,
};
use super::{
    access::{EntityRules, FieldGuards},
    path::FieldPath,
    record::{Fields, is_built_in},
    value,
};

/// One entity's schema, compiled.
#[derive(Debug)]
pub struct Schema {
    name: String,
    source: String,
    document: Bytes,
    written: Value,
    shape: Value,
    fields: Option<IndexMap<String, Field>>,
    required: Vec<String>,
    rules: EntityRules,
    guards: FieldGuards,
}

impl Schema {
    /// Compiles a schema document; answers with what is worth a warning as well.
    ///
    /// # Errors
    ///
    /// A sentence when the document is not a schema.
    pub fn compile(
        name: &str,
        source: &str,
        document: Bytes,
    ) -> Result<(Self, Vec<String>), String> {
        let value: Value =
            serde_json::from_slice(&document).map_err(|error| format!("not JSON: {error}"))?;
        let parsed = parse::document(&value)?;
        let guards = FieldGuards::collect(parsed.fields.as_ref());
        let schema = Self {
            name: name.to_owned(),
            source: source.to_owned(),
            document,
            shape: shape::of(&value),
            fields: parsed.fields,
            required: parsed.required,
            rules: parsed.rules,
            guards,
            written: value,
        };
        Ok((schema, parsed.warnings))
    }

    /// A schema that knows no field, for users of an app that declares none of its own.
    #[must_use]
    pub fn bare(name: &str) -> Self {
        let document = Bytes::from_static(br#"{"properties":{}}"#);
        let (schema, _) = Self::compile(name, "", document).expect("the document is a schema");
        schema
    }

    /// The entity's name as clients should write it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it comes from, relative to the project.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The document as it came.
    #[must_use]
    pub const fn document(&self) -> &Bytes {
        &self.document
    }

    /// The document, parsed: rules as their author wrote them.
    #[must_use]
    pub const fn written(&self) -> &Value {
        &self.written
    }

    /// Who may do what.
    #[must_use]
    pub const fn rules(&self) -> &EntityRules {
        &self.rules
    }

    /// Who may read and write which field.
    #[must_use]
    pub const fn guards(&self) -> &FieldGuards {
        &self.guards
    }

    /// Whether records of `other` fit this schema as well as their own.
    #[must_use]
    pub fn has_shape_of(&self, other: &Self) -> bool {
        value::equals(&self.shape, &other.shape)
    }

    /// Whether this is the same schema in every respect.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name && self.source == other.source && self.document == other.document
    }

    /// Whether clients may set the field. A schema without any `properties` takes every field.
    #[must_use]
    pub fn takes(&self, field: &str) -> bool {
        let declared = |fields: &IndexMap<String, Field>| fields.contains_key(field);
        !is_built_in(field) && self.fields.as_ref().is_none_or(declared)
    }

    /// Drops what clients cannot set: built-in fields and those that the schema does not know.
    pub fn retain_known(&self, fields: &mut Fields) {
        fields.retain(|name, _| self.takes(name));
    }

    /// Adds the defaults of absent fields. An explicit null stays.
    pub fn apply_defaults(&self, fields: &mut Fields) {
        for (name, field) in self.declared() {
            if let Some(default) = &field.default
                && !is_built_in(name)
                && !fields.contains_key(name)
            {
                fields.insert(name.clone(), default.clone());
            }
        }
    }

    /// The definition of a dotted path, through objects and the elements of lists.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        let mut parts = path.split('.');
        let mut field = self.fields.as_ref()?.get(parts.next()?)?;
        for part in parts {
            field = field.items.as_deref().unwrap_or(field);
            field = field.properties.get(part)?;
        }
        Some(field)
    }

    /// Whether the field at `path` holds plain dates.
    #[must_use]
    pub fn is_date(&self, path: &str) -> bool {
        let field = self.field(&FieldPath::parse(path).to_string());
        field.is_some_and(|field| field.limits.format.as_deref() == Some("date"))
    }

    fn declared(&self) -> impl Iterator<Item = (&String, &Field)> {
        self.fields.iter().flatten()
    }
}
