//! Taking in the whole set of schemas. Entities whose shape changed or that are gone lose their records, all others keep
//! theirs; a schema that is refused leaves what was served under its name.

use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;

use super::{Database, Entity};
use crate::core::{
    change::Kind,
    collection::Collection,
    schema::{Schema, Strictness},
    users::USER,
};

/// A schema as it is handed in.
#[derive(Clone, Debug)]
pub struct SchemaSource {
    /// The entity's name, in the spelling that clients should use.
    pub name: String,
    /// The schema document as JSON.
    pub document: Bytes,
    /// Its file, relative to the project.
    pub source: String,
}

/// What happened to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// New.
    Added,
    /// Another shape; its records are gone.
    Reshaped,
    /// Another document of the same shape; its records are still there.
    Refreshed,
    /// Gone, with its records.
    Removed,
}

/// An entity whose schema is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    /// The entity.
    pub entity: String,
    /// What happened to it.
    pub shift: Shift,
    /// How many records are gone.
    pub cleared: usize,
}

/// Something wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// The entity.
    pub entity: String,
    /// The schema's file, relative to the project.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// Whether the schema is served all the same.
    pub warning: bool,
}

/// The outcome of taking schemas in.
#[derive(Debug, Default)]
pub struct Applied {
    /// In the order of the schemas, then what is gone.
    pub changes: Vec<SchemaChange>,
    /// In the order of the schemas.
    pub problems: Vec<SchemaProblem>,
}

impl Database {
    /// Replaces the set of schemas.
    pub fn apply_schemas(&mut self, sources: Vec<SchemaSource>, strict: bool) -> Applied {
        self.strictness = Arc::new(Strictness::new(strict));
        self.respelled.lock().clear();
        let mut applied = Applied::default();
        let mut before = std::mem::take(&mut self.entities);
        let mut has_users = false;
        for source in sources {
            if source.name.eq_ignore_ascii_case(USER) {
                has_users = true;
                self.apply_user_schema(&source, &mut applied);
            } else {
                let old = before.shift_remove(&source.name);
                self.apply_schema(source, old, &mut applied);
            }
        }
        if !has_users && self.users.own_schema().is_some() {
            self.users.set_schema(None);
            applied.note(USER, Shift::Removed, 0);
        }
        self.remove_entities(before, &mut applied);
        applied
    }

    fn apply_schema(&mut self, source: SchemaSource, old: Option<Entity>, applied: &mut Applied) {
        let is_first = !self.entities.contains_key(&source.name);
        let old = match old {
            // Compiling is what costs, and what was warned about has been.
            Some(old) if is_first && is_known(&source, &old.schema) => {
                self.entities.insert(source.name, old);
                return;
            }
            other => other,
        };
        let compiled = check_name(&source.name).and_then(|()| {
            if self.entities.contains_key(&source.name) {
                return Err("another file already defines this entity".to_owned());
            }
            Schema::compile(&source.name, &source.source, source.document.clone())
        });
        match compiled {
            Ok((schema, warnings)) => {
                applied.warn(&source, warnings);
                self.install(schema, old, applied);
            }
            Err(message) => {
                applied.refuse(&source, message);
                if let Some(old) = old {
                    self.entities.insert(source.name, old);
                }
            }
        }
    }

    fn install(&mut self, schema: Schema, old: Option<Entity>, applied: &mut Applied) {
        let name = schema.name().to_owned();
        let entity = match old {
            None => {
                applied.note(&name, Shift::Added, 0);
                Entity {
                    name: name.as_str().into(),
                    schema: Arc::new(schema),
                    records: Collection::default(),
                }
            }
            Some(old) if schema.is_same_as(&old.schema) => old,
            Some(old) if schema.has_shape_of(&old.schema) => {
                applied.note(&name, Shift::Refreshed, 0);
                Entity {
                    schema: Arc::new(schema),
                    ..old
                }
            }
            Some(old) => {
                applied.note(&name, Shift::Reshaped, old.records.len());
                self.note_cleared(&old);
                Entity {
                    schema: Arc::new(schema),
                    records: Collection::default(),
                    name: old.name,
                }
            }
        };
        self.entities.insert(name, entity);
    }

    /// Accounts stay, whatever happens to the schema; defaults of new fields reach those who are there already.
    fn apply_user_schema(&mut self, source: &SchemaSource, applied: &mut Applied) {
        let compiled = Schema::compile(USER, &source.source, source.document.clone());
        let compiled = compiled.and_then(|(schema, mut warnings)| {
            warnings.extend(check_user_fields(&schema)?);
            Ok((schema, warnings))
        });
        let (schema, warnings) = match compiled {
            Ok(compiled) => compiled,
            Err(message) => return applied.refuse(source, message),
        };
        applied.warn(source, warnings);
        match self.users.own_schema() {
            Some(old) if schema.is_same_as(old) => return,
            Some(old) if schema.has_shape_of(old) => applied.note(USER, Shift::Refreshed, 0),
            Some(_) => applied.note(USER, Shift::Reshaped, 0),
            None => applied.note(USER, Shift::Added, 0),
        }
        self.users.set_schema(Some(Arc::new(schema)));
    }

    fn remove_entities(&mut self, gone: IndexMap<String, Entity>, applied: &mut Applied) {
        for (name, entity) in gone {
            applied.note(&name, Shift::Removed, entity.records.len());
            self.note_cleared(&entity);
        }
    }

    /// Each record is told to be deleted, since whoever shows records knows of nothing else that makes them go.
    fn note_cleared(&mut self, entity: &Entity) {
        for record in entity.records.snapshot().iter() {
            self.note(Kind::Delete, &entity.name, Some(Arc::clone(record)));
        }
        self.note(Kind::Clear, &entity.name, None);
    }
}

impl Applied {
    fn note(&mut self, entity: &str, shift: Shift, cleared: usize) {
        self.changes.push(SchemaChange {
            entity: entity.to_owned(),
            shift,
            cleared,
        });
    }

    fn warn(&mut self, source: &SchemaSource, messages: Vec<String>) {
        let problems = messages.into_iter();
        self.problems.extend(problems.map(|message| SchemaProblem {
            entity: source.name.clone(),
            source: source.source.clone(),
            message,
            warning: true,
        }));
    }

    fn refuse(&mut self, source: &SchemaSource, message: String) {
        self.problems.push(SchemaProblem {
            entity: source.name.clone(),
            source: source.source.clone(),
            message,
            warning: false,
        });
    }
}

/// The same document of the same file.
fn is_known(source: &SchemaSource, schema: &Schema) -> bool {
    source.source == schema.source() && source.document == *schema.document()
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    match !name.is_empty() && name.chars().all(fits) {
        true => Ok(()),
        false => Err(format!(
            "`{name}` is no name for an entity: use letters, digits, `_`, `.` and `-`"
        )),
    }
}

/// The platform owns these fields of a user. Older apps list the roles they use in a property `role`.
fn check_user_fields(schema: &Schema) -> Result<Vec<String>, String> {
    for field in ["full_name", "email"] {
        if schema.field(field).is_some() {
            return Err(format!(
                "Invalid User schema: User schema cannot contain base fields: {field}. These fields are built-in and \
                 managed by the system."
            ));
        }
    }
    let role = schema.field("role");
    let warning =
        role.map(|_| "`role` is built in; what the schema says of it is ignored".to_owned());
    Ok(warning.into_iter().collect())
}
