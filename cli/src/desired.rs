//! The desired state: what the services should be, as the messages that tell them so.
//!
//! It is always sent whole. A service that was restarted, or that missed something, is simply told again.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use proto::v1::{
    ApplyFunctionsRequest, ApplySchemasRequest, ConfigureRequest, EntitySchema, Function,
    SeedUserRequest,
};

use crate::{
    deno,
    login::Developer,
    project::{EntityFile, FunctionFile, Layout, Project, Visibility},
    settings::Settings,
};

const NOT_LINKED: &str = "the project is not linked to a deployed app";

/// The app id of a project that is not linked to a deployed app.
const UNLINKED: &str = "local";

/// Seconds without a request after which a function's process leaves.
const IDLE_SECONDS: u64 = 600;

/// The developer's own credentials: functions are somebody's code from the internet as often as not. The last six are
/// names that the platform keeps from deployed functions.
const WITHHELD: [&str; 11] = [
    "BASE44_ACCESS_TOKEN",
    "BASE44_REFRESH_TOKEN",
    "BASE44_API_KEY",
    "BACKLOT_TOKEN",
    "BACKLOT_DENO",
    "BASE44_ACTOR_PRIVATE_KEY",
    "BASE44_ACTOR_PUBLIC_KEY",
    "BASE44_ACTOR_SCRIPT_ID",
    "BASE44_PRIVATE_DATA_SOURCES",
    "BASE44_ACTIVATION_KEY",
    "BASE44_ACTIVATION_URL",
];

/// Everything that the three services are told.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) schemas: ApplySchemasRequest,
    /// Files whose mistakes have been shown: what the store says of them is nothing new.
    pub(crate) diagnosed: HashSet<String>,
    pub(crate) user: SeedUserRequest,
    pub(crate) functions: ApplyFunctionsRequest,
    /// Without the addresses of the others, which are known only when they listen.
    pub(crate) configuration: ConfigureRequest,
}

/// What besides the project goes into the desired state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) developer: &'a Developer,
    pub(crate) signing_key: [u8; 32],
    pub(crate) deno: &'a DenoState,
    pub(crate) frontend: &'a FrontendState,
    pub(crate) upstream_token: &'a UpstreamToken,
}

/// Whether pages are passed to the project's own frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FrontendState {
    /// There is none.
    None,
    /// It has not said yet where it listens.
    Starting,
    /// Here: `http://localhost:5173`.
    At(String),
}

/// The developer's token for forwarded calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum UpstreamToken {
    /// The gateway asks for it when a call needs it.
    #[default]
    NotAskedFor,
    Held(String),
    /// There is none, for this reason.
    Off(String),
}

/// Whether functions can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DenoState {
    /// With this executable.
    Found(PathBuf),
    /// Soon.
    Installing,
    /// Not on this machine, for this reason.
    Missing(String),
}

impl Desired {
    /// Translates a project as it was read.
    pub(crate) fn of(project: &Project, around: Surroundings<'_>) -> Self {
        let app_id = app_id(project);
        Self {
            schemas: ApplySchemasRequest {
                schemas: project
                    .entities
                    .iter()
                    .map(|entity| schema(entity, &project.layout))
                    .collect(),
                strict: around.settings.strict,
            },
            diagnosed: project
                .diagnostics
                .iter()
                .map(|diagnostic| diagnostic.file.clone())
                .collect(),
            user: SeedUserRequest {
                email: around.developer.email.clone(),
                full_name: around.developer.name.clone(),
                app_id: app_id.to_owned(),
            },
            functions: functions(project, around),
            configuration: configuration(project, around),
        }
    }
}

/// The linked app's id, or what stands for none.
pub(crate) fn app_id(project: &Project) -> &str {
    project.app_id.as_deref().unwrap_or(UNLINKED)
}

/// Why calls that cannot be served here are not forwarded either; nothing when they are.
pub(crate) fn upstream_off_reason(project: &Project, settings: &Settings) -> Option<&'static str> {
    match (&project.app_id, &settings.upstream) {
        (_, None) => Some("the server was started with --offline"),
        (None, Some(_)) => Some(NOT_LINKED),
        (Some(_), Some(_)) => None,
    }
}

/// The reason for callers, who cannot see the start's own lines.
fn with_remedy(reason: &str) -> String {
    match reason {
        NOT_LINKED => format!(
            "{reason}; to link it, write {{ \"id\": \"<the app's id>\" }} to base44/.app.jsonc"
        ),
        other => other.to_owned(),
    }
}

fn schema(entity: &EntityFile, layout: &Layout) -> EntitySchema {
    EntitySchema {
        name: entity.name.clone(),
        schema_json: entity.schema_json.clone().into(),
        source: layout.relative(&entity.path),
    }
}

fn functions(project: &Project, around: Surroundings<'_>) -> ApplyFunctionsRequest {
    let root = project.layout.root.as_path();
    let (deno, deno_missing) = match around.deno {
        DenoState::Found(path) => (path.to_string_lossy().into_owned(), String::new()),
        DenoState::Installing => (
            String::new(),
            "Deno is being installed; try again in a moment".to_owned(),
        ),
        DenoState::Missing(reason) => (String::new(), format!("{reason}; {}", deno::HOW_TO)),
    };
    ApplyFunctionsRequest {
        functions: project
            .functions
            .iter()
            .map(|file| function(file, &project.layout))
            .collect(),
        project_root: root.to_string_lossy().into_owned(),
        code_folders: texts(&project.layout.code_folders()),
        environment: environment(std::env::vars(), &project.env, app_id(project)),
        deno,
        deno_missing,
        all_permissions: around.settings.all_permissions,
        idle_seconds: IDLE_SECONDS,
    }
}

fn function(file: &FunctionFile, layout: &Layout) -> Function {
    Function {
        name: file.name.clone(),
        entry: file.entry.to_string_lossy().into_owned(),
        source: layout.relative(&file.entry),
    }
}

/// What functions see: the shell's variables first, then those of the project's files, without our own credentials.
fn environment(
    ambient: impl Iterator<Item = (String, String)>,
    project: &[(String, String)],
    app_id: &str,
) -> HashMap<String, String> {
    let mut all: HashMap<String, String> = project.iter().cloned().collect();
    all.extend(ambient);
    all.retain(|name, _| !WITHHELD.contains(&name.as_str()));
    all.insert("BASE44_APP_ID".to_owned(), app_id.to_owned());
    all
}

fn configuration(project: &Project, around: Surroundings<'_>) -> ConfigureRequest {
    let off = upstream_off_reason(project, around.settings);
    let upstream = around
        .settings
        .upstream
        .as_deref()
        .filter(|_| off.is_none());
    let visibility = project
        .layout
        .config
        .visibility
        .map_or("", |visibility| match visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
            Visibility::Workspace => "workspace",
        });
    let frontend_url = match around.frontend {
        FrontendState::None | FrontendState::Starting => String::new(),
        FrontendState::At(url) => url.clone(),
    };
    let (upstream_token, upstream_token_off_reason) = match around.upstream_token {
        UpstreamToken::NotAskedFor => ("", ""),
        UpstreamToken::Held(token) => (token.as_str(), ""),
        UpstreamToken::Off(reason) => ("", reason.as_str()),
    };
    ConfigureRequest {
        store_address: String::new(),
        runner_address: String::new(),
        app_id: app_id(project).to_owned(),
        app_name: project.layout.config.name.clone(),
        signing_key: around.signing_key.to_vec().into(),
        developer_email: around.developer.email.clone(),
        upstream_url: upstream.unwrap_or_default().to_owned(),
        upstream_off_reason: off.map_or_else(String::new, with_remedy),
        allowed_hosts: around.settings.allowed_hosts.clone(),
        visibility: visibility.to_owned(),
        frontend_url,
        has_frontend: *around.frontend != FrontendState::None,
        upstream_token: upstream_token.to_owned(),
        upstream_token_off_reason: upstream_token_off_reason.to_owned(),
    }
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    let texts = paths.iter().map(|path| path.to_string_lossy());
    texts.map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::environment;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn functions_see_the_shell_first_then_the_projects_files_and_no_credentials() {
        let ambient = pairs(&[
            ("A", "shell"),
            ("BASE44_ACCESS_TOKEN", "t"),
            ("BACKLOT_TOKEN", "t"),
            ("BASE44_ACTIVATION_KEY", "k"),
        ]);
        let project = pairs(&[
            ("A", "file"),
            ("B", "file"),
            ("BASE44_API_KEY", "k"),
            ("BASE44_APP_ID", "other"),
        ]);
        let seen = environment(ambient.into_iter(), &project, "app-1");
        let mut seen: Vec<_> = seen
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [("A", "shell"), ("B", "file"), ("BASE44_APP_ID", "app-1")]
        );
    }
}
