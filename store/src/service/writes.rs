//! Writes. Each is one critical section; big ones run where they hold up no other call's task.

use std::sync::Arc;

use bytes::Bytes;
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
    state::{State, run},
};

/// Bytes of a request of which a record has at least so many, to guess how long it will take.
const RECORD: usize = 64;

fn response(record_json: Bytes) -> v1::RecordResponse {
    v1::RecordResponse { record_json }
}

/// Changes the database, elsewhere when the request is long.
async fn write<T: Send + 'static>(
    state: &Arc<State>,
    request: usize,
    change: impl FnOnce(&mut Database) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let state = Arc::clone(state);
    run(request / RECORD, move || state.write(change)).await
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
    let cost = message.records_json.len() / RECORD;
    let caller = convert::caller(message.caller);
    let state = Arc::clone(state);
    let made = run(cost, move || {
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
    let length = message.changes_json.len();
    let changes = objects(&message.changes_json)?;
    let caller = convert::caller(message.caller);
    let entity = message.entity;
    let changed = write(state, length, move |database| {
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
    let (updated, has_more) = write(state, usize::MAX, move |database| {
        database.update_where(&entity, &caller, &filter, &update)
    })
    .await?;
    Ok(v1::UpdateWhereResponse {
        updated: count(updated),
        has_more,
    })
}

pub(super) async fn upsert(
    state: &Arc<State>,
    message: v1::UpsertRequest,
) -> Result<v1::UpsertResponse, Fault> {
    let length = message.records_json.len();
    let records = objects(&message.records_json)?;
    let caller = convert::caller(message.caller);
    let v1::UpsertRequest { entity, key, .. } = message;
    let Upserted {
        created,
        updated,
        records,
    } = write(state, length, move |database| {
        database.upsert(&entity, &caller, records, &key)
    })
    .await?;
    Ok(v1::UpsertResponse {
        created: count(created),
        updated: count(updated),
        records_json: records,
    })
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
    let deleted = write(state, usize::MAX, move |database| {
        database.delete_where(&entity, &caller, &filter)
    });
    let deleted = count(deleted.await?);
    Ok(v1::DeleteWhereResponse { deleted })
}
