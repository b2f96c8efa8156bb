//! Says what was started, in the block above the address.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::context::Context;
use crate::{
    desired::{DenoState, app_id, upstream_off_reason},
    login::Developer,
    port_owner,
    project::Project,
    settings::{PortChoice, Settings},
    supervisor::service::Component,
    ui::{self, StartBlock},
};

/// A start that succeeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started<'a> {
    pub(super) context: &'a Context,
    pub(super) port: u16,
    pub(super) took: Duration,
}

impl Started<'_> {
    /// The block for a person.
    pub(super) fn block(&self) -> StartBlock {
        let Context {
            settings,
            project,
            frontend_command,
            developer,
            deno,
            ..
        } = self.context;
        let mut block = StartBlock::new(self.took, ui::columns());
        let name = &project.layout.config.name;
        block.row(
            "App",
            match &project.app_id {
                Some(id) => format!("{name} ({id})"),
                None => format!("{name} (not linked)"),
            },
        );
        if let Some(command) = frontend_command {
            block.row("Frontend", command);
        }
        block.names("Entities", &entities(project));
        let functions = functions(project);
        block.names("Functions", &functions);
        if let (DenoState::Missing(reason), false) = (deno, functions.is_empty()) {
            block.row("", format!("not callable: {reason}"));
        }
        block.row("Signed in", signed_in(developer));
        block.row("Forwarded", forwarded(project, settings, developer));
        block
    }

    /// The same for a program.
    pub(super) fn facts(&self) -> Map<String, Value> {
        let Context {
            settings,
            project,
            frontend_command,
            developer,
            deno,
            ..
        } = self.context;
        let not_forwarded = upstream_off_reason(project, settings);
        let facts = json!({
            "port": self.port,
            "pid": std::process::id(),
            "root": project.layout.root,
            "app": { "id": app_id(project), "name": project.layout.config.name, "linked": project.app_id.is_some() },
            "frontend": frontend_command,
            "entities": entities(project),
            "functions": functions(project),
            "functions_off": match deno {
                DenoState::Missing(reason) if !project.functions.is_empty() => Some(reason.as_str()),
                DenoState::Missing(_) => None,
                DenoState::Installing => Some("Deno is being installed"),
                DenoState::Found(_) => None,
            },
            "developer": { "email": developer.email, "logged_in": developer.logged_in },
            "upstream": settings.upstream.as_ref().filter(|_| not_forwarded.is_none()),
            "upstream_off": not_forwarded,
            "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        });
        match facts {
            Value::Object(facts) => facts,
            other => Map::from_iter([("facts".to_owned(), other)]),
        }
    }
}

fn entities(project: &Project) -> Vec<&str> {
    let names = project.entities.iter();
    names.map(|entity| entity.name.as_str()).collect()
}

fn functions(project: &Project) -> Vec<&str> {
    let names = project.functions.iter();
    names.map(|function| function.name.as_str()).collect()
}

/// Why the address is not the usual one, when it is not and nobody asked for another.
pub(super) fn moved(settings: &Settings, port: u16) -> Option<String> {
    let is_own = settings.attachments.get(Component::Gateway).is_none();
    match settings.port {
        PortChoice::From(usual) if is_own && usual != port => {
            let owner = port_owner::of(usual).map(|owner| format!(" by {owner}"));
            let owner = owner.unwrap_or_default();
            Some(format!(
                "port {usual} is in use{owner}; the next free one is {port}"
            ))
        }
        PortChoice::From(_) | PortChoice::Exactly(_) => None,
    }
}

fn signed_in(developer: &Developer) -> String {
    if developer.logged_in {
        return format!("{} (any password)", developer.email);
    }
    format!("{} (any password; no Base44 login found)", developer.email)
}

/// Only the developer's own calls and those of the service role carry the developer's credentials.
fn forwarded(project: &Project, settings: &Settings, developer: &Developer) -> String {
    let upstream = settings.upstream.as_deref().unwrap_or_default();
    match upstream_off_reason(project, settings) {
        Some(reason) => format!("nothing: {reason}"),
        None if developer.logged_in => {
            let email = &developer.email;
            format!("what is not local, to {upstream}, yours as {email}")
        }
        None => format!(
            "what is not local, to {upstream}, without credentials (`backlot login` gives yours)"
        ),
    }
}
