//! Says what was started, in the block above the address.

use crate::{
    desired::{DenoState, upstream_off_reason},
    login::Developer,
    port_owner,
    project::Project,
    settings::{PortChoice, Settings},
    supervisor::service::Component,
    ui::StartBlock,
};

/// The block for a project that is being served.
pub(super) fn of(
    project: &Project,
    settings: &Settings,
    developer: &Developer,
    deno: &DenoState,
) -> StartBlock {
    let mut block = StartBlock::default();
    let name = &project.layout.config.name;
    block.row(
        "App",
        match &project.app_id {
            Some(id) => format!("{name} ({id})"),
            None => format!("{name} (not linked)"),
        },
    );
    if let Some(command) = frontend_command(project, settings) {
        block.row("Frontend", command);
    }
    let entities: Vec<&str> = project
        .entities
        .iter()
        .map(|entity| entity.name.as_str())
        .collect();
    block.names("Entities", &entities);
    let functions: Vec<&str> = project
        .functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    block.names("Functions", &functions);
    if let (DenoState::Missing(reason), false) = (deno, functions.is_empty()) {
        block.row("", format!("not callable: {reason}"));
    }
    block.row("Signed in", signed_in(developer));
    block.row("Forwarded", forwarded(project, settings));
    block
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

/// The command that serves the project's frontend, when it is to be run.
pub(super) fn frontend_command<'a>(project: &'a Project, settings: &Settings) -> Option<&'a str> {
    let site = project.layout.config.site.as_ref()?;
    site.serve_command.as_deref().filter(|_| settings.frontend)
}

fn signed_in(developer: &Developer) -> String {
    if developer.logged_in {
        return format!("{} (any password)", developer.email);
    }
    format!("{} (any password; no Base44 login found)", developer.email)
}

fn forwarded(project: &Project, settings: &Settings) -> String {
    match (upstream_off_reason(project, settings), &settings.upstream) {
        (Some(reason), _) => format!("nothing: {reason}"),
        (None, upstream) => format!(
            "what is not local, to {}",
            upstream.as_deref().unwrap_or_default()
        ),
    }
}
