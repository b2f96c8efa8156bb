//! `backlot status`: whether this project's server runs, and where.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    args::StatusArgs,
    commands::running::Running,
    descriptor::Descriptor,
    output::{CommandError, Done, Output},
    project,
};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    running: bool,
    #[serde(flatten)]
    server: Option<Descriptor>,
}

pub(crate) fn run(args: &StatusArgs) -> ExitCode {
    Output::new(args.json).finish(status(args))
}

fn status(args: &StatusArgs) -> Result<Done, CommandError> {
    let root = project::read_layout(&args.dir)?.value.root;
    let server = Running::find(&root)?.map(|running| running.descriptor);
    let text = describe(server.as_ref());
    let running = server.is_some();
    Ok(Done::new(text, &Report { running, server }))
}

fn describe(server: Option<&Descriptor>) -> String {
    let Some(server) = server else {
        return "No dev server is running for this project.".to_owned();
    };
    let mut text = format!(
        "Dev server is running at {} (pid {}, app {})",
        server.url, server.pid, server.app_id
    );
    for (name, service) in &server.services {
        text.push_str(&format!("\n  {name:<8} gRPC {}", service.grpc));
    }
    text
}
