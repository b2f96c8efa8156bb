//! `backlot functions list --remote`: what is deployed, and what the platform and the project mean by the same
//! automations.

use serde_json::{Map, Value, json};

use crate::{
    args::AppArgs,
    output::{CommandError, Done, Output},
    platform::{App, Surroundings, functions::RemoteFunction},
    ui::{Table, counted},
};

pub(super) async fn list(args: &AppArgs, output: Output) -> Result<Done, CommandError> {
    let surroundings = Surroundings::of(&args.dir);
    let app = App::find(&surroundings, args.app_id.as_deref(), output)?;
    let functions = app.deployed_functions().await?;
    let rows = functions.iter().map(|function| {
        json!({
            "name": function.name, "entry": function.entry,
            "files": function.files.len(), "automations": function.automations.len(),
        })
    });
    let report = json!({ "appId": app.id(), "functions": rows.collect::<Vec<_>>() });
    Ok(Done::new(text(&functions), &report))
}

fn text(functions: &[RemoteFunction]) -> String {
    if functions.is_empty() {
        return "No functions are deployed.".to_owned();
    }
    let mut table = Table::new(["function", "files", "automations"]);
    for function in functions {
        table.row([
            function.name.clone(),
            function.files.len().to_string(),
            function.automations.len().to_string(),
        ]);
    }
    format!("{table}\n\n{}", counted(functions.len(), "function"))
}

/// Automations with what the platform fills in, as the official tool does before it sends or compares them.
pub(super) fn complete(automations: &[Value]) -> Vec<Value> {
    let complete = |automation: &Value| {
        let mut automation = automation.clone();
        if let Value::Object(fields) = &mut automation {
            fields.entry("is_active").or_insert(json!(true));
            if fields
                .get("schedule_mode")
                .is_some_and(|mode| mode == "recurring")
            {
                fields.entry("ends_type").or_insert(json!("never"));
            }
        }
        automation
    };
    automations.iter().map(complete).collect()
}

/// Whether two lists of automations mean the same: null is the same as nothing, and defaults are filled in.
pub(super) fn are_equal(one: &[Value], other: &[Value]) -> bool {
    let plain = |automations| -> Vec<Value> {
        let complete = complete(automations).into_iter();
        complete.map(without_nulls).collect()
    };
    plain(one) == plain(other)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(key, value)| (key, without_nulls(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{are_equal, complete};

    #[test]
    fn what_the_platform_fills_in_is_no_difference() {
        let local = [json!({ "name": "a", "type": "scheduled", "schedule_mode": "recurring" })];
        let remote = [json!({
            "type": "scheduled", "name": "a", "is_active": true, "description": null,
            "schedule_mode": "recurring", "ends_type": "never",
        })];
        assert!(are_equal(&local, &remote));
        let paused = [json!({ "name": "a", "type": "entity", "is_active": false })];
        assert!(!are_equal(&local, &paused) && !are_equal(&local, &[]));
        assert_eq!(complete(&paused), paused);
    }
}
