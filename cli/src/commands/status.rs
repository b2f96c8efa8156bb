//! `backlot status`: whether this project's server runs, and where.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    args::StatusArgs,
    descriptor::{self, Descriptor},
    places::Places,
    project,
    ui::Problem,
};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    running: bool,
    #[serde(flatten)]
    server: Option<Descriptor>,
}

pub(crate) fn run(args: &StatusArgs) -> ExitCode {
    super::ended(status(args).map(|()| ExitCode::SUCCESS))
}

fn status(args: &StatusArgs) -> Result<(), Problem> {
    let layout = project::read_layout(&args.dir)
        .map_err(|error| Problem::usage(error.to_string()).with_hint(error.hint()))?;
    let path = Places::of_this_user().descriptor(&layout.value.root);
    let server = descriptor::running(&path)
        .map_err(|error| Problem::broken(format!("cannot read {}: {error}", path.display())))?;
    let text = if args.json {
        let running = server.is_some();
        serde_json::to_string(&Report { running, server }).expect("a report is plain data")
    } else {
        describe(server.as_ref())
    };
    super::print(&text);
    Ok(())
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
