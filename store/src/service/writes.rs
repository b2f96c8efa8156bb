//! Writes. Each is one critical section; big ones run where they hold up no other call's task.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proto::v1;

use super::{
    Stream,
    convert::{self, count, object, objects},
    reads::chunks,
};
use crate::{
    core::{
        caller::Caller,
        database::{Batch, Database, Stored, Upserted},
        fault::Fault,
    },
    state::{State, elsewhere, run},
};

/// Bytes that a record in a request has at least, or nearly so, to guess how long it will take.
const RECORD_BYTES: usize = 64;

/// About how many records a request has.
pub(super) const fn cost(request: &[u8]) -> usize {
    request.len() / RECORD_BYTES
}

fn response(record_json: Bytes) -> v1::RecordResponse {
    v1::RecordResponse { record_json }
}

/// Changes the database, where it holds up nobody when it looks at many records.
async fn write<T: Send + 'static>(
    state: &Arc<State>,
    records: usize,
    change: impl FnOnce(&mut Database) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let state = Arc::clone(state);
    run(records, move || state.write(change)).await
}

pub(super) fn create(
    state: &State,
    message: v1::CreateRequest,
) -> Result<v1::RecordResponse, Fault> {
    let fields = object(&message.record_json, "Request body")?;
    let caller = convert::caller(message.caller);
    let record = state.write(|database| database.create(&message.entity, &caller, fields));
    record.map(response)
}

pub(super) async fn create_many(
    state: &Arc<State>,
    message: v1::CreateManyRequest,
) -> Result<Stream<v1::RecordChunk>, Fault> {
    let records = cost(&message.records_json);
    let caller = convert::caller(message.caller);
    let state = Arc::clone(state);
    let made = run(records, move || {
        add(&state, &message.entity, &caller, |batch| {
            objects(&message.records_json)?
                .into_iter()
                .for_each(|fields| batch.add(fields));
            Ok(())
        })
    });
    Ok(match made.await? {
        Some(made) => chunks(made.into_json()),
        None => chunks(std::iter::empty()),
    })
}

/// Gathers new records while others read and write, and stores them in one go; again when the schema changed meanwhile.
/// `None` for users, whom nobody adds.
pub(super) fn add(
    state: &State,
    entity: &str,
    caller: &Caller,
    gather: impl Fn(&mut Batch) -> Result<(), Fault>,
) -> Result<Option<Stored>, Fault> {
    loop {
        let Some(mut batch) = state.read(|database| database.batch(entity, caller))? else {
            return Ok(None);
        };
        gather(&mut batch)?;
        if let Some(stored) = state.write(|database| database.store(batch))? {
            return Ok(Some(stored));
        }
    }
}

pub(super) fn update(
    state: &State,
    message: v1::UpdateRequest,
) -> Result<v1::RecordResponse, Fault> {
    let changes = object(&message.changes_json, "Request body")?;
    let caller = convert::caller(message.caller);
    let v1::UpdateRequest { entity, id, .. } = message;
    let record = state.write(|database| database.update(&entity, &caller, &id, changes));
    record.map(response)
}

pub(super) async fn update_many(
    state: &Arc<State>,
    message: v1::UpdateManyRequest,
) -> Result<Stream<v1::RecordChunk>, Fault> {
    let records = cost(&message.changes_json);
    let changes = objects(&message.changes_json)?;
    let caller = convert::caller(message.caller);
    let entity = message.entity;
    let changed = write(state, records, move |database| {
        database.update_many(&entity, &caller, changes)
    });
    Ok(chunks(changed.await?.into_iter()))
}

pub(super) async fn update_where(
    state: &Arc<State>,
    message: v1::UpdateWhereRequest,
) -> Result<v1::UpdateWhereResponse, Fault> {
    let filter = convert::filter(&message.filter_json)?;
    let update = convert::json(&message.update_json, "The update")?;
    let caller = convert::caller(message.caller);
    let entity = message.entity;
    let state = Arc::clone(state);
    let done = elsewhere(move || {
        state.write(|database| database.update_where(&entity, &caller, &filter, &update))
    });
    let done = done.await?;
    Ok(v1::UpdateWhereResponse {
        updated: count(done.updated),
        has_more: done.has_more,
    })
}

pub(super) async fn upsert(
    state: &Arc<State>,
    message: v1::UpsertRequest,
) -> Result<Stream<v1::UpsertResponse>, Fault> {
    let number = cost(&message.records_json);
    let records = objects(&message.records_json)?;
    let caller = convert::caller(message.caller);
    let v1::UpsertRequest { entity, key, .. } = message;
    let upserted = write(state, number, move |database| {
        database.upsert(&entity, &caller, records, &key)
    });
    Ok(upsert_answer(upserted.await?))
}

fn upsert_answer(done: Upserted) -> Stream<v1::UpsertResponse> {
    use v1::upsert_response::{Counts, Part};
    let counts = Counts {
        created: count(done.created),
        updated: count(done.updated),
    };
    let records = chunks(done.records.into_iter()).map_ok(Part::Records);
    let parts = stream::iter([Ok(Part::Counts(counts))]).chain(records);
    parts
        .map_ok(|part| v1::UpsertResponse { part: Some(part) })
        .boxed()
}

pub(super) fn delete(
    state: &State,
    message: v1::DeleteRequest,
) -> Result<v1::DeleteResponse, Fault> {
    let caller = convert::caller(message.caller);
    let v1::DeleteRequest { entity, id, .. } = message;
    let deleted = state.write(|database| database.delete(&entity, &caller, &id));
    deleted.map(|()| v1::DeleteResponse {})
}

pub(super) async fn delete_where(
    state: &Arc<State>,
    message: v1::DeleteWhereRequest,
) -> Result<v1::DeleteWhereResponse, Fault> {
    if message.filter_json.is_empty() {
        return Err(Fault::bad_request(
            "A filter is required in the body: send {} to delete all records",
        ));
    }
    let filter = convert::filter(&message.filter_json)?;
    let caller = convert::caller(message.caller);
    let entity = message.entity;
    let state = Arc::clone(state);
    let deleted =
        elsewhere(move || state.write(|database| database.delete_where(&entity, &caller, &filter)));
    let deleted = count(deleted.await?);
    Ok(v1::DeleteWhereResponse { deleted })
}
