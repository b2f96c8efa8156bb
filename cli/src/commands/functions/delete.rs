//! `backlot functions delete`: removes functions from the platform, not from the project.

use serde_json::json;

use super::{
    names,
    outcome::{Outcome, Status},
};
use crate::{
    args::DeleteArgs,
    output::{CommandError, Done, Output},
    platform::{App, Surroundings},
    ui::{Table, counted},
};

pub(super) async fn delete(args: &DeleteArgs, output: Output) -> Result<Done, CommandError> {
    let names = names(&args.names);
    if names.is_empty() {
        return Err(CommandError::input("no function is named")
            .with_command("see which there are", "backlot functions list --remote"));
    }
    let surroundings = Surroundings::of(&args.app.dir);
    let app = App::find(&surroundings, args.app.app_id.as_deref(), output)?;
    let question = format!("Delete {} from the app {}", listed(&names), app.id());
    if !args.force && !output.confirm(&question, "--force").await? {
        return Ok(Done::new(
            "Nothing was deleted.",
            &json!({ "functions": [] }),
        ));
    }
    let deletions = delete_each(&app, &names, output).await?;
    let failed = deletions.iter().any(Outcome::has_failed);
    let mut table = Table::new(["function", "status"]);
    let mut errors = String::new();
    for one in &deletions {
        table.row([one.name.clone(), one.status.name().to_owned()]);
        if let Some(error) = &one.error {
            errors.push_str(&format!("\n\n{}: {error}", one.name));
        }
    }
    let report = json!({ "appId": app.id(), "functions": deletions });
    Ok(Done::new(format!("{table}{errors}"), &report).with_exit(u8::from(failed)))
}

/// Deletes one after the other.
///
/// # Errors
///
/// When nobody is logged in, before anything has been deleted.
pub(super) async fn delete_each(
    app: &App,
    names: &[String],
    output: Output,
) -> Result<Vec<Outcome>, CommandError> {
    let mut deletions = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names.len() > 1 {
            output.note(&format!("[{}/{}] deleting {name}", index + 1, names.len()));
        }
        let deleted = match app.delete_function(name).await {
            Ok(true) => Ok(Status::Deleted),
            Ok(false) => Ok(Status::NotFound),
            Err(error) if error.is_about_session() && index == 0 => return Err(error),
            Err(error) => Err(error),
        };
        deletions.push(Outcome::of(name, deleted));
    }
    Ok(deletions)
}

/// The names, as a question lists them.
pub(super) fn listed(names: &[String]) -> String {
    format!(
        "{} ({})",
        counted(names.len(), "function"),
        names.join(", ")
    )
}
