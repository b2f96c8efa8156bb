//! `backlot entities list`: what the running server serves, with the number of records of each.

use std::process::ExitCode;

use proto::v1::{ListEntitiesRequest, list_entities_response::EntityInfo};
use serde::Serialize;
use serde_json::Value;

use super::running::{Running, refused};
use crate::{
    args::{EntitiesArgs, EntitiesCommand, EntityListArgs},
    output::{self, CommandError, Done, Output},
    ui::Table,
};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    entities: Vec<Entity>,
}

#[derive(Serialize)]
struct Entity {
    name: String,
    records: u64,
    /// In the order of the schema, without those that every record has.
    fields: Vec<String>,
    /// True when the schema restricts who may do what.
    rules: bool,
    /// The schema's file, relative to the project.
    source: String,
}

pub(crate) fn run(args: &EntitiesArgs) -> ExitCode {
    let EntitiesCommand::List(args) = &args.command;
    output::run(Output::new(args.json), list(args))
}

async fn list(args: &EntityListArgs) -> Result<Done, CommandError> {
    let store = Running::of(&args.dir)?.store()?;
    let listed = store.list_entities(ListEntitiesRequest {}).await;
    let listed = listed.map_err(|failure| refused(&failure))?;
    let report = Report {
        entities: listed.entities.into_iter().map(Entity::from).collect(),
    };
    Ok(Done::new(table(&report.entities), &report))
}

impl From<EntityInfo> for Entity {
    fn from(info: EntityInfo) -> Self {
        let schema: Value = serde_json::from_slice(&info.schema_json).unwrap_or_default();
        let properties = schema["properties"].as_object();
        let has_rules = |node: &Value| node.get("rls").is_some_and(|rules| !rules.is_null());
        Self {
            name: info.name,
            records: info.records,
            rules: has_rules(&schema)
                || properties.is_some_and(|fields| fields.values().any(has_rules)),
            fields: properties
                .into_iter()
                .flat_map(|fields| fields.keys().cloned())
                .collect(),
            source: info.source,
        }
    }
}

fn table(entities: &[Entity]) -> String {
    if entities.is_empty() {
        return "No entities.".to_owned();
    }
    let mut table = Table::new(["entity", "records", "fields", "rules", "file"]);
    for entity in entities {
        table.row([
            entity.name.clone(),
            entity.records.to_string(),
            entity.fields.len().to_string(),
            if entity.rules { "yes" } else { "no" }.to_owned(),
            if entity.source.is_empty() {
                "built in"
            } else {
                &entity.source
            }
            .to_owned(),
        ]);
    }
    table.to_string()
}
