//! `backlot functions pull`: deployed functions as files of the project. Nothing is ever deleted, and nothing that
//! differs here is overwritten without being agreed to.

mod plan;

use std::collections::HashSet;

use serde_json::json;

use self::plan::{Change, Plan};
use super::{project_and_app, stage};
use crate::{
    args::PullArgs,
    output::{CommandError, Done, ErrorCode, Output},
    platform::functions::RemoteFunction,
    project::{self, FunctionFile, Layout},
    ui::{Table, counted},
};

/// What a function's row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Written,
    Unchanged,
    OfPlugin,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::OfPlugin => "plugin, skipped",
        }
    }
}

pub(super) async fn pull(args: &PullArgs, output: Output) -> Result<Done, CommandError> {
    let (layout, app) = project_and_app(&args.app, output)?;
    let local = project::read_functions(&layout).value;
    let mut remote = app.deployed_functions().await?;
    if let Some(name) = &args.name {
        remote.retain(|function| function.name == *name);
        if remote.is_empty() {
            return Err(
                CommandError::input(format!("no function `{name}` is deployed"))
                    .with_command("see which there are", "backlot functions list --remote"),
            );
        }
    }
    let (plan, rows) = plan(&layout, &local, &remote)?;
    let overwritten = plan.overwritten(&layout);
    if !overwritten.is_empty() && !args.force {
        for file in &overwritten {
            output.note(&format!("  differs  {file}"));
        }
        let count = counted(overwritten.len(), "file");
        let question = format!("Overwrite {count} with what is deployed");
        if !output.confirm(&question, "--force").await? {
            let nothing = json!({ "appId": app.id(), "functions": [], "files": [] });
            return Ok(Done::new("Nothing was written.", &nothing));
        }
    }
    stage::write_all(&layout.config_dir, plan.writes()).map_err(|error| {
        let message = format!("cannot write the functions: {error}");
        CommandError::new(ErrorCode::FileRead, message)
            .with_hint("everything is as it was: check permissions and free space, and pull again")
    })?;
    Ok(report(&layout, app.id(), &plan, &rows))
}

type Rows = Vec<(String, Status)>;

fn plan(
    layout: &Layout,
    local: &[FunctionFile],
    remote: &[RemoteFunction],
) -> Result<(Plan, Rows), CommandError> {
    let of_plugin = |name: &str| {
        local
            .iter()
            .any(|one| one.name == name && one.plugin.is_some())
    };
    let mut plan = Plan::default();
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    for function in remote {
        let name = &function.name;
        if !seen.insert(name) {
            continue;
        }
        let status = if of_plugin(name) {
            Status::OfPlugin
        } else {
            let here = local.iter().find(|one| one.name == *name);
            match plan.add(layout, here, function)? {
                Change::None => Status::Unchanged,
                Change::Some => Status::Written,
            }
        };
        rows.push((name.clone(), status));
    }
    Ok((plan, rows))
}

fn report(layout: &Layout, app: &str, plan: &Plan, rows: &Rows) -> Done {
    let files: Vec<String> = plan
        .writes()
        .iter()
        .map(|write| layout.relative(&write.path))
        .collect();
    let functions = rows
        .iter()
        .map(|(name, status)| json!({ "name": name, "status": status.name() }));
    let report =
        json!({ "appId": app, "functions": functions.collect::<Vec<_>>(), "files": files });
    if rows.is_empty() {
        return Done::new("No functions are deployed.", &report);
    }
    let mut table = Table::new(["function", "status"]);
    for (name, status) in rows {
        table.row([name.clone(), status.name().to_owned()]);
    }
    let text = format!("{table}\n\n{} written", counted(files.len(), "file"));
    Done::new(text, &report)
}
