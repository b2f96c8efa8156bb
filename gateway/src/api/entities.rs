//! `/api/apps/{app}/entities/{entity}`: each route is one call of the store, and records pass as they are.
//!
//! Which app the path names does not matter: a server serves one.

use axum::response::Response;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::StatusCode;
use proto::{
    Code, Failure,
    v1::{
        AggregateRequest, CountRequest, CreateManyRequest, CreateRequest, DeleteRequest,
        DeleteWhereRequest, GetRequest, PageRequest, QueryRequest, RecordChunk, UpdateManyRequest,
        UpdateRequest, UpdateWhereRequest, UpsertRequest, operation::Request as Operation,
        upsert_response::Part,
    },
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

pub(crate) use super::import::import;
use super::users;
use crate::{
    error::Problem,
    extract::{Params, PathVars, Payload, Scope, required},
    json,
};

type Answer = Result<Response, Problem>;

/// `{app}` and `{entity}`.
type Collection = PathVars<(String, String)>;

/// `{app}`, `{entity}` and `{id}`.
type Record = PathVars<(String, String, String)>;

/// `GET /`: an array of records.
pub(crate) async fn list(
    scope: Scope,
    PathVars((_, entity)): Collection,
    params: Params,
) -> Answer {
    users::guard(&entity, &scope, "Authentication required to list users")?;
    let (setup, caller) = scope.split();
    let request = QueryRequest {
        entity,
        caller,
        filter_json: params.filter(),
        sort: params.sort(),
        skip: params.number("skip"),
        limit: params.number("limit"),
        fields: params.fields(),
    };
    let chunks = setup.store.query(request).await?;
    json::records(StatusCode::OK, chunks).await
}

/// `GET /v2/list`: a page and the way to the next one.
pub(crate) async fn page(
    scope: Scope,
    PathVars((_, entity)): Collection,
    params: Params,
) -> Answer {
    users::guard(&entity, &scope, "Authentication required to list users")?;
    let (setup, caller) = scope.split();
    let request = PageRequest {
        entity,
        caller,
        filter_json: params.filter(),
        sort: params.sort(),
        limit: params.number("limit"),
        fields: params.fields(),
        cursor: params.cursor(),
        distinct: params.distinct(),
    };
    let page = setup.store.page(request).await?;
    let (cursor, has_more) = match &page.next_cursor {
        Some(cursor) => (json::string(cursor), true),
        None => ("null".to_owned(), false),
    };
    let after = format!(r#","next_cursor":{cursor},"has_more":{has_more}}}"#);
    Ok(json::ok(json::around(
        r#"{"items":"#,
        &page.items_json,
        &after,
    )))
}

/// `GET /{id}`: one record.
pub(crate) async fn get(scope: Scope, PathVars((_, entity, id)): Record) -> Answer {
    users::guard(&entity, &scope, "Authentication required to view users")?;
    if users::is_me(&entity, &id) {
        return users::me(scope).await;
    }
    let (setup, caller) = scope.split();
    let request = GetRequest { entity, caller, id };
    let answer = setup.link.record(Operation::Get(request)).await?;
    Ok(json::ok(answer.record_json))
}

/// `GET /count`.
pub(crate) async fn count(
    scope: Scope,
    PathVars((_, entity)): Collection,
    params: Params,
) -> Answer {
    users::guard(&entity, &scope, "Authentication required to list users")?;
    let (setup, caller) = scope.split();
    let request = CountRequest {
        entity,
        caller,
        filter_json: params.filter(),
    };
    let count = setup.store.count(request).await?.count;
    Ok(json::ok(format!(r#"{{"count":{count}}}"#)))
}

/// `POST /`: one new record. A user is not created this way; the store answers as if.
pub(crate) async fn create(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    let status = match users::is_user(&entity) {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    let (setup, caller) = scope.split();
    let request = CreateRequest {
        entity,
        caller,
        record_json: payload.bytes()?,
    };
    let answer = setup.link.record(Operation::Create(request)).await?;
    Ok(json::answer(status, answer.record_json))
}

/// `POST /bulk`: many new records.
pub(crate) async fn create_many(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    if users::is_user(&entity) {
        return Ok(users::ignored());
    }
    let (setup, caller) = scope.split();
    let request = CreateManyRequest {
        entity,
        caller,
        records_json: payload.bytes()?,
    };
    let chunks = setup.store.create_many(request).await?;
    json::records(StatusCode::CREATED, chunks).await
}

/// `PUT /{id}`: changes some fields.
pub(crate) async fn update(
    scope: Scope,
    PathVars((_, entity, id)): Record,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    if users::is_me(&entity, &id) {
        return users::update_me(scope, payload).await;
    }
    let (setup, caller) = scope.split();
    let request = UpdateRequest {
        entity,
        caller,
        id,
        changes_json: payload.bytes()?,
    };
    let answer = setup.link.record(Operation::Update(request)).await?;
    Ok(json::ok(answer.record_json))
}

/// `PUT /bulk`: changes many records by id.
pub(crate) async fn update_many(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    let (setup, caller) = scope.split();
    let request = UpdateManyRequest {
        entity,
        caller,
        changes_json: payload.bytes()?,
    };
    let chunks = setup.store.update_many(request).await?;
    json::records(StatusCode::OK, chunks).await
}

#[derive(Deserialize)]
struct UpdateWhere {
    query: Option<Box<RawValue>>,
    data: Option<Box<RawValue>>,
}

/// `PATCH /update-many`: update operators on what matches.
pub(crate) async fn update_where(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    let body: UpdateWhere = payload.parse()?;
    let (setup, caller) = scope.split();
    let request = UpdateWhereRequest {
        entity,
        caller,
        filter_json: raw(&required(body.query, "query")?),
        update_json: raw(&required(body.data, "data")?),
    };
    let answer = setup.store.update_where(request).await?;
    let (updated, has_more) = (answer.updated, answer.has_more);
    Ok(json::ok(format!(
        r#"{{"success":true,"updated":{updated},"has_more":{has_more}}}"#
    )))
}

/// `POST /aggregate`.
pub(crate) async fn aggregate(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, "Authentication required to list users")?;
    let (setup, caller) = scope.split();
    let request = AggregateRequest {
        entity,
        caller,
        spec_json: payload.bytes()?,
    };
    let answer = setup.store.aggregate(request).await?;
    let after = format!(r#","truncated":{}}}"#, answer.truncated);
    Ok(json::ok(json::around(
        r#"{"rows":"#,
        &answer.rows_json,
        &after,
    )))
}

#[derive(Deserialize)]
struct Upsert {
    records: Option<Box<RawValue>>,
    key: Option<Value>,
}

fn key_fields(key: Value) -> Result<Vec<String>, Failure> {
    let fields = match key {
        Value::String(field) => Some(vec![field]),
        fields => serde_json::from_value(fields).ok(),
    };
    let message = "key must be a field's name or a list of names";
    fields.ok_or_else(|| Failure::new(Code::BadRequest, message))
}

/// `POST /upsert`: updates by key, creates the rest.
pub(crate) async fn upsert(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    let body: Upsert = payload.parse()?;
    let (setup, caller) = scope.split();
    let request = UpsertRequest {
        entity,
        caller,
        records_json: raw(&required(body.records, "records")?),
        key: key_fields(required(body.key, "key")?)?,
    };
    let mut parts = setup.store.upsert(request).await?;
    let first = json::message(&mut parts).await?;
    let Some(Part::Counts(counts)) = first.and_then(|first| first.part) else {
        return Err(json::headless().into());
    };
    let (created, updated) = (counts.created, counts.updated);
    let before = format!(r#"{{"created":{created},"updated":{updated},"records":"#);
    let records = parts.map_ok(|message| match message.part {
        Some(Part::Records(chunk)) => chunk,
        Some(Part::Counts(_)) | None => RecordChunk::default(),
    });
    json::records_within(StatusCode::OK, (&before, "}"), records).await
}

/// `DELETE /{id}`. A user is not deleted this way.
pub(crate) async fn delete(scope: Scope, PathVars((_, entity, id)): Record) -> Answer {
    if users::is_user(&entity) {
        return Ok(users::ignored());
    }
    let (setup, caller) = scope.split();
    let request = DeleteRequest { entity, caller, id };
    setup.link.record(Operation::Delete(request)).await?;
    Ok(json::ok(r#"{"success":true}"#))
}

/// `DELETE /` with the filter as its body. No body is no filter, and must not empty a collection.
pub(crate) async fn delete_where(
    scope: Scope,
    PathVars((_, entity)): Collection,
    payload: Payload,
) -> Answer {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    if users::is_user(&entity) {
        return Ok(json::ok(r#"{"success":true,"deleted":0}"#));
    }
    let filter_json = payload.bytes().map_err(|_missing| {
        let message = "The body must be a query; send {} to delete every record";
        Failure::new(Code::BadRequest, message)
    })?;
    let (setup, caller) = scope.split();
    let request = DeleteWhereRequest {
        entity,
        caller,
        filter_json,
    };
    let deleted = setup.store.delete_where(request).await?.deleted;
    Ok(json::ok(format!(
        r#"{{"success":true,"deleted":{deleted}}}"#
    )))
}

fn raw(value: &RawValue) -> Bytes {
    Bytes::copy_from_slice(value.get().as_bytes())
}
