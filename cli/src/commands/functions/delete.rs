//! `backlot functions delete`: removes functions from the platform, not from the project.

use serde::Serialize;
use serde_json::json;

use super::{counted, names};
use crate::{
    args::DeleteArgs,
    output::{CommandError, Done, Output},
    platform::{App, Surroundings},
    ui::Table,
};

/// What became of one function.
#[derive(Serialize)]
pub(super) struct Deletion {
    pub(super) name: String,
    /// `deleted`, `not found` or `failed`.
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

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
    let failed = deletions
        .iter()
        .filter(|one| one.status == "failed")
        .count();
    let mut table = Table::new(["function", "status"]);
    let mut errors = String::new();
    for one in &deletions {
        table.row([one.name.clone(), one.status.to_owned()]);
        if let Some(error) = &one.error {
            errors.push_str(&format!("\n\n{}: {error}", one.name));
        }
    }
    let report = json!({ "appId": app.id(), "functions": deletions });
    Ok(Done::new(format!("{table}{errors}"), &report).with_exit(u8::from(failed > 0)))
}

/// Deletes one after the other. Ends early when nobody is logged in, which no later one would change.
pub(super) async fn delete_each(
    app: &App,
    names: &[String],
    output: Output,
) -> Result<Vec<Deletion>, CommandError> {
    let mut deletions = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names.len() > 1 {
            output.note(&format!("[{}/{}] deleting {name}", index + 1, names.len()));
        }
        let (status, error) = match app.delete_function(name).await {
            Ok(true) => ("deleted", None),
            Ok(false) => ("not found", None),
            Err(error) if error.is_about_session() => return Err(error),
            Err(error) => ("failed", Some(error.in_one_line())),
        };
        let name = name.clone();
        deletions.push(Deletion {
            name,
            status,
            error,
        });
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
