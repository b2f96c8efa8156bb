//! `config.jsonc`: the project's name, where its parts lie, how its frontend is built and served, and its plugins.
//! The keys and their defaults are those of the official command line tool; unknown keys are ignored.

use std::path::Path;

use super::diagnose::Diagnostic;
use super::document::Document;
use super::node::Node;

/// Who may open the deployed app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Everyone, without a login.
    Public,
    /// Invited users, with a login.
    Private,
    /// The members of the workspace, with a login.
    Workspace,
}

/// The frontend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Shell command that serves it during development. Without one there is no frontend to run.
    pub(crate) serve_command: Option<String>,
    /// Shell command that installs what it needs.
    pub(crate) install_command: String,
}

/// One entry of `plugins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginSource {
    /// A path relative to the configuration's directory (it starts with `.`), an absolute path, or an npm package's name.
    pub(crate) source: String,
    /// A diagnostic at the entry, to be completed when the plugin turns out not to be usable.
    pub(super) blame: Diagnostic,
}

/// What `config.jsonc` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The app's name; never empty.
    pub(crate) name: String,
    /// Who may open the deployed app; `None` leaves that as it is.
    pub(crate) visibility: Option<Visibility>,
    /// The frontend, where the file has a `site` block.
    pub(crate) site: Option<Site>,
    /// Directory of the entity schemas, relative to the configuration's directory; `entities` by default.
    pub(crate) entities_dir: String,
    /// Directory of the functions, relative to the configuration's directory; `functions` by default.
    pub(crate) functions_dir: String,
    /// Directory of the actors, which are not served locally; `actors` by default.
    pub(crate) actors_dir: String,
    /// Directory of the agents, which are not served locally; `agents` by default.
    pub(crate) agents_dir: String,
    /// Directory of the connectors, which are not served locally; `connectors` by default.
    pub(crate) connectors_dir: String,
    /// Marks the project as a plugin and prefixes its functions.
    pub(crate) plugin_namespace: Option<String>,
    /// Plugins whose entities and functions this project takes in.
    pub(crate) plugins: Vec<PluginSource>,
    /// A diagnostic at `entitiesDir` and at `functionsDir`, where they are given, for a directory that does not exist.
    pub(super) entities_blame: Option<Diagnostic>,
    pub(super) functions_blame: Option<Diagnostic>,
}

/// Directories of which nothing is used locally; their keys are only checked.
const OTHER_DIRS: [&str; 2] = ["agentSkillsDir", "authDir"];

/// What only a deployment of the frontend uses; checked as well.
const DEPLOYMENT_KEYS: [&str; 3] = ["installCommand", "buildCommand", "outputDirectory"];

/// Reads the file; `None`, and every mistake in `out`, when there is at least one.
pub(super) fn read(root: &Path, path: &Path, out: &mut Vec<Diagnostic>) -> Option<Config> {
    let before = out
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    let document = Document::read_object(root, path, out)?;
    let config = parse(&Node::root(&document), out);
    let after = out
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    (before == after).then_some(config)
}

fn parse(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Config {
    for key in OTHER_DIRS {
        config.filled_string(key, out);
    }
    config.string("description", out);
    Config {
        name: name(config, out),
        visibility: visibility(config, out),
        site: site(config, out),
        entities_dir: directory(config, "entitiesDir", "entities", out),
        functions_dir: directory(config, "functionsDir", "functions", out),
        actors_dir: directory(config, "actorsDir", "actors", out),
        agents_dir: directory(config, "agentsDir", "agents", out),
        connectors_dir: directory(config, "connectorsDir", "connectors", out),
        plugin_namespace: namespace(config, out),
        plugins: plugins(config, out),
        entities_blame: config.get("entitiesDir").map(|node| node.warning("")),
        functions_blame: config.get("functionsDir").map(|node| node.warning("")),
    }
}

fn directory(config: &Node<'_>, key: &str, usual: &str, out: &mut Vec<Diagnostic>) -> String {
    config.filled_string(key, out).unwrap_or(usual).to_owned()
}

fn name(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> String {
    if config.get("name").is_none() {
        let missing = config.error("`name` is missing").expected("the app's name");
        out.push(missing.hint("add \"name\": \"My app\""));
    }
    config
        .filled_string("name", out)
        .unwrap_or_default()
        .to_owned()
}

fn visibility(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<Visibility> {
    let expected = "\"public\", \"private\" or \"workspace\"";
    let known = |value: &serde_json::Value| match value.as_str()? {
        "public" => Some(Visibility::Public),
        "private" => Some(Visibility::Private),
        "workspace" => Some(Visibility::Workspace),
        _ => None,
    };
    config.typed("visibility", expected, known, out)
}

fn site(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<Site> {
    config.typed("site", "an object", serde_json::Value::as_object, out)?;
    let site = config.get("site")?;
    for key in DEPLOYMENT_KEYS {
        site.string(key, out);
    }
    Some(Site {
        serve_command: site
            .string("serveCommand", out)
            .filter(|command| !command.trim().is_empty())
            .map(str::to_owned),
        install_command: site
            .get("installCommand")
            .and_then(|command| command.value.as_str())
            .filter(|command| !command.trim().is_empty())
            .unwrap_or("npm install")
            .to_owned(),
    })
}

fn namespace(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<String> {
    config.typed("plugin", "an object", serde_json::Value::as_object, out)?;
    let plugin = config.get("plugin")?;
    let Some(node) = plugin.get("namespace") else {
        out.push(
            plugin
                .error("`plugin.namespace` is missing")
                .expected("a name for the plugin"),
        );
        return None;
    };
    let name = plugin.string("namespace", out)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        out.push(node.unexpected("letters, digits, `_` and `-`"));
        return None;
    }
    Some(name.to_owned())
}

fn plugins(config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Vec<PluginSource> {
    config.typed(
        "plugins",
        "an array of `{ \"source\": … }`",
        serde_json::Value::as_array,
        out,
    );
    let list = config.get("plugins");
    let mut plugins = Vec::new();
    for plugin in list.iter().flat_map(|list| list.items()) {
        match plugin.get("source") {
            None => out.push(plugin.unexpected("`{ \"source\": \"<path or npm package>\" }`")),
            Some(node) => {
                let source = plugin.filled_string("source", out);
                plugins.extend(source.map(|source| PluginSource {
                    source: source.to_owned(),
                    blame: node.error(""),
                }));
            }
        }
    }
    plugins
}
