//! Entity schemas: every `*.json` and `*.jsonc` directly in the entities directory, those of plugins first.
//! A file that cannot be used is reported and left out; the others are not affected.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::diagnose::Diagnostic;
use super::document::Document;
use super::layout::{Layout, Source};
use super::node::Node;
use super::rules::Rules;
use super::walk;
use super::{extension, root, schema};

/// One entity as its files define it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityFile {
    /// Matches `^[A-Za-z0-9_.-]+$`; unique in the project.
    pub name: String,
    /// The file, absolute; the plugin's file where the entity is a plugin's.
    pub path: PathBuf,
    /// The schema as strict JSON with `name`, `type` and `properties` filled in, keys in the order of the file.
    pub schema_json: String,
    /// The namespace of the plugin that defines it.
    pub plugin: Option<String>,
    /// The project's file that extends a plugin's entity.
    pub extended_by: Option<PathBuf>,
}

#[derive(Debug)]
struct Loaded {
    document: Document,
    schema: Value,
    plugin: Option<String>,
    extended_by: Option<PathBuf>,
}

/// Reads all entities of the project and of its plugins.
pub(super) fn read(layout: &Layout, out: &mut Vec<Diagnostic>) -> Vec<EntityFile> {
    let mut entities = IndexMap::new();
    for source in layout.sources() {
        for path in files(layout, &source, out) {
            if let Some(document) = Document::read_object(&layout.root, &path, out) {
                add(document, &source, &mut entities, out);
            }
        }
    }
    entities.into_iter().map(finish).collect()
}

fn finish((name, loaded): (String, Loaded)) -> EntityFile {
    EntityFile {
        name,
        path: loaded.document.path,
        schema_json: loaded.schema.to_string(),
        plugin: loaded.plugin,
        extended_by: loaded.extended_by,
    }
}

fn files(layout: &Layout, source: &Source<'_>, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let directory = source.entities_dir();
    if !layout.check_dir(&directory, source.config.entities_blame.as_ref(), out) {
        return Vec::new();
    }
    let mut paths = walk::list(&layout.root, &directory, out);
    paths.retain(|path| root::is_json(path) && !is_hidden(path) && !path.is_dir());
    paths
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn add(
    document: Document,
    source: &Source<'_>,
    entities: &mut IndexMap<String, Loaded>,
    out: &mut Vec<Diagnostic>,
) {
    let Some(name) = name_of(&document, out) else {
        return;
    };
    let node = Node::root(&document);
    let mut found = Vec::new();
    let extends = entities
        .get(&name)
        .is_some_and(|known| known.plugin.is_some() && source.namespace.is_none());
    schema::check(&node, &name, &mut found);
    let usable = !found.iter().any(Diagnostic::is_error);
    out.append(&mut found);
    if !usable {
        return;
    }
    if let Some(known) = entities.get(&name).filter(|_| !extends) {
        out.push(duplicate(&node, &name, known, source));
        return;
    }
    let base = entities.get(&name).map(|known| &known.schema);
    Rules::new(&name, fields(base, document.value.get("properties")), out).check(&node);
    if let Some(known) = entities.get_mut(&name) {
        if known.extended_by.is_some() {
            out.push(duplicate(&node, &name, known, source));
        } else if extension::merge(&mut known.schema, &node, &name, out) {
            known.extended_by = Some(document.path.clone());
        }
    } else {
        let schema = normalised(&document.value, &name);
        let plugin = source.namespace.map(str::to_owned);
        entities.insert(
            name,
            Loaded {
                document,
                schema,
                plugin,
                extended_by: None,
            },
        );
    }
}

fn fields(base: Option<&Value>, own: Option<&Value>) -> impl Iterator<Item = String> {
    let base = base.and_then(|schema| schema.get("properties"));
    let objects = [base, own]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    objects
        .flat_map(Map::keys)
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
}

fn duplicate(node: &Node<'_>, name: &str, known: &Loaded, source: &Source<'_>) -> Diagnostic {
    let first = &known.document.file;
    let message = match (&known.plugin, source.namespace) {
        (Some(one), Some(other)) if one != other => {
            format!("the entity `{name}` is defined by two plugins, `{one}` and `{other}`")
        }
        _ => format!("the entity `{name}` is already defined in {first}"),
    };
    let problem = match node.get("name") {
        Some(name) => name.error(message),
        None => node.error(message),
    };
    problem.hint(format!(
        "{first} is used and this file is left out: rename or remove one of the two"
    ))
}

/// The value of `name`, else the file's name in PascalCase.
fn name_of(document: &Document, out: &mut Vec<Diagnostic>) -> Option<String> {
    let node = Node::root(document);
    let given = match node.get("name") {
        Some(_) => node.string("name", out)?.to_owned(),
        None => pascal_case(
            &document
                .path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy(),
        ),
    };
    if !is_name(&given) {
        out.push(match node.get("name") {
            Some(name) => name.unexpected("a name of letters, digits, `_`, `.` and `-`"),
            None => node
                .error(format!("the file's name gives no entity name: `{given}`"))
                .hint("add \"name\": \"…\""),
        });
        return None;
    }
    if given != "User" && given.eq_ignore_ascii_case("User") {
        out.extend(node.get("name").map(|name| {
            name.warning(format!(
                "`{given}` is read as `User`, the built-in entity of users"
            ))
        }));
        return Some("User".to_owned());
    }
    Some(given)
}

/// Letters, digits, `_`, `.` and `-`.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !name.is_empty() && name.chars().all(allowed)
}

/// `order-item` and `order_item` are `OrderItem`; what stands before a dot is a prefix and stays (`commerce.order-item`).
fn pascal_case(stem: &str) -> String {
    let (prefix, last) = stem.rsplit_once('.').map_or(("", stem), |(_, last)| {
        stem.split_at(stem.len() - last.len())
    });
    let mut name = prefix.to_owned();
    for part in last.split(['-', '_', ' ']) {
        let mut chars = part.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(chars.as_str());
    }
    name
}

fn normalised(schema: &Value, name: &str) -> Value {
    let mut whole = json!({ "name": name, "type": "object" });
    if let (Some(whole), Some(given)) = (whole.as_object_mut(), schema.as_object()) {
        let rest = given
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "name" | "type"));
        whole.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
        whole.entry("properties").or_insert_with(|| json!({}));
    }
    whole
}
