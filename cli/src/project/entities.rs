//! Entity schemas: every `*.json` and `*.jsonc` directly in the entities directory, those of plugins first.
//! A file that cannot be used is reported and left out; the others are not affected.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::diagnose::Diagnostic;
use super::document::Document;
use super::layout::{Layout, Source};
use super::node::Node;
use super::rules::Rules;
use super::stamp::Stamp;
use super::walk;
use super::{extension, root, schema};

/// One entity as its files define it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityFile {
    /// Matches `^[A-Za-z0-9_.-]+$`; unique in the project.
    pub(crate) name: String,
    /// The file, absolute; the plugin's file where the entity is a plugin's.
    pub(crate) path: PathBuf,
    /// The schema as strict JSON with `name`, `type` and `properties` filled in, keys in the order of the file.
    pub(crate) schema_json: String,
    /// The namespace of the plugin that defines it.
    pub(crate) plugin: Option<String>,
    /// The project's file that extends a plugin's entity.
    pub(crate) extended_by: Option<PathBuf>,
}

/// The files as they were last read; one that was not saved since is not read again.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(HashMap<PathBuf, (Option<Stamp>, Arc<File>)>);

/// One file, as far as it can be judged without the others.
#[derive(Debug)]
struct File {
    diagnostics: Vec<Diagnostic>,
    schema: Option<Schema>,
}

/// A file that can be used.
#[derive(Debug)]
struct Schema {
    name: String,
    document: Document,
    normalised: Value,
    json: String,
    /// What is wrong with the rules, when nothing is extended.
    rules: Vec<Diagnostic>,
}

/// An entity while it is being put together.
#[derive(Debug)]
struct Loaded {
    file: Arc<File>,
    path: PathBuf,
    /// Where it is not just what the file says.
    extended: Option<(Value, PathBuf)>,
    plugin: Option<String>,
    /// The file's name for people.
    shown: String,
}

impl Files {
    /// Forgets what lies in `path`, or is it.
    pub(super) fn forget(&mut self, path: &Path) {
        self.0.retain(|known, _| !known.starts_with(path));
    }

    /// The stamp is taken first: a file that is written meanwhile is read again next time.
    fn read(&self, layout: &Layout, path: &Path) -> (Option<Stamp>, Arc<File>) {
        let stamp = std::fs::metadata(path).ok().as_ref().map(Stamp::of);
        match self.0.get(path) {
            Some((known, file)) if known.is_some() && *known == stamp => (stamp, Arc::clone(file)),
            Some(_) | None => (stamp, Arc::new(File::read(&layout.root, path))),
        }
    }
}

impl File {
    fn read(root: &Path, path: &Path) -> Self {
        let mut diagnostics = Vec::new();
        let schema = Document::read_object(root, path, &mut diagnostics)
            .and_then(|document| Schema::of(document, &mut diagnostics));
        Self {
            diagnostics,
            schema,
        }
    }
}

impl Schema {
    fn of(document: Document, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let name = name_of(&document, out)?;
        let node = Node::root(&document);
        let mut found = Vec::new();
        schema::check(&node, &name, &mut found);
        let usable = !found.iter().any(Diagnostic::is_error);
        out.append(&mut found);
        if !usable {
            return None;
        }
        let mut rules = Vec::new();
        let own = fields(None, document.value.get("properties"));
        Rules::new(&name, own, &mut rules).check(&node);
        let normalised = normalised(&document.value, &name);
        Some(Self {
            json: normalised.to_string(),
            normalised,
            rules,
            name,
            document,
        })
    }
}

/// Reads all entities of the project and of its plugins, and remembers in `known` what it read.
pub(super) fn read(
    layout: &Layout,
    known: &mut Files,
    out: &mut Vec<Diagnostic>,
) -> Vec<EntityFile> {
    let mut entities = IndexMap::new();
    let mut read = HashMap::new();
    for source in layout.sources() {
        for path in files(layout, &source, out) {
            let (stamp, file) = known.read(layout, &path);
            out.extend(file.diagnostics.iter().cloned());
            add(&file, &source, &mut entities, out);
            read.insert(path, (stamp, file));
        }
    }
    known.0 = read;
    entities.into_iter().map(finish).collect()
}

fn finish((name, loaded): (String, Loaded)) -> EntityFile {
    let own = || {
        loaded
            .file
            .schema
            .as_ref()
            .map(|schema| schema.json.clone())
    };
    let (schema_json, extended_by) = match loaded.extended {
        Some((schema, path)) => (schema.to_string(), Some(path)),
        None => (own().unwrap_or_default(), None),
    };
    EntityFile {
        name,
        path: loaded.path,
        schema_json,
        plugin: loaded.plugin,
        extended_by,
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
    file: &Arc<File>,
    source: &Source<'_>,
    entities: &mut IndexMap<String, Loaded>,
    out: &mut Vec<Diagnostic>,
) {
    let Some(schema) = &file.schema else { return };
    let node = Node::root(&schema.document);
    let Some(known) = entities.get_mut(&schema.name) else {
        out.extend(schema.rules.iter().cloned());
        let twin = |name: &&String| name.eq_ignore_ascii_case(&schema.name);
        if let Some(twin) = entities.keys().find(twin) {
            let message = format!("`{}` and `{twin}` differ in case only", schema.name);
            let blame = node.get("name").unwrap_or(node);
            let hint = "rename one of the two: other tools take them for the same entity";
            out.push(blame.warning(message).hint(hint));
        }
        let loaded = Loaded {
            file: Arc::clone(file),
            path: schema.document.path.clone(),
            extended: None,
            plugin: source.namespace.map(str::to_owned),
            shown: schema.document.file.clone(),
        };
        entities.insert(schema.name.clone(), loaded);
        return;
    };
    let extends = known.plugin.is_some() && source.namespace.is_none();
    if !extends {
        out.push(duplicate(&node, &schema.name, known, source));
        return;
    }
    let base = match (&known.extended, &known.file.schema) {
        (Some((extended, _)), _) => Some(extended),
        (None, Some(schema)) => Some(&schema.normalised),
        (None, None) => None,
    };
    let own = schema.document.value.get("properties");
    Rules::new(&schema.name, fields(base, own), out).check(&node);
    if known.extended.is_some() {
        out.push(duplicate(&node, &schema.name, known, source));
        return;
    }
    let mut base = base.cloned().unwrap_or_default();
    if extension::merge(&mut base, &node, &schema.name, out) {
        known.extended = Some((base, schema.document.path.clone()));
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
    let first = &known.shown;
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
