//! Schemas, and what there is.

use proto::v1;

use super::convert::{count, schema_change, schema_problem};
use crate::{
    core::{database::SchemaSource, schema::Schema},
    state::State,
};

pub(super) fn apply(state: &State, message: v1::ApplySchemasRequest) -> v1::ApplySchemasResponse {
    let sources = message.schemas.into_iter().map(|schema| SchemaSource {
        name: schema.name,
        document: schema.schema_json,
        source: schema.source,
    });
    let sources = sources.collect();
    let applied = state.write(|database| database.apply_schemas(sources, message.strict));
    v1::ApplySchemasResponse {
        changes: applied.changes.into_iter().map(schema_change).collect(),
        problems: applied.problems.into_iter().map(schema_problem).collect(),
    }
}

pub(super) fn list(
    state: &State,
    v1::ListEntitiesRequest {}: v1::ListEntitiesRequest,
) -> v1::ListEntitiesResponse {
    let info = |(schema, records): (&Schema, usize)| v1::list_entities_response::EntityInfo {
        name: schema.name().to_owned(),
        records: count(records),
        schema_json: schema.document().clone(),
        source: schema.source().to_owned(),
    };
    let entities = state.read(|database| database.entities().map(info).collect());
    v1::ListEntitiesResponse { entities }
}

pub(super) fn status(
    state: &State,
    v1::StoreStatusRequest {}: v1::StoreStatusRequest,
) -> v1::StoreStatusResponse {
    let totals = state.read(|database| database.totals());
    v1::StoreStatusResponse {
        entities: count(totals.entities),
        records: count(totals.records),
        users: count(totals.users),
        watches: state.watches(),
        sequence: totals.sequence,
    }
}
