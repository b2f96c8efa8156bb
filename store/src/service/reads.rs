//! Reads. A selection is taken under the lock; filtering, sorting and writing out happen after it.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use proto::v1;

use super::{
    Stream,
    convert::{self, count as number, size},
};
use crate::{
    chunk::Chunks,
    core::{
        aggregate::Aggregate,
        database::{MAX_PAGE_RECORDS, Page, PageSpec, Stored},
        fault::Fault,
        project::Projection,
        record::to_json,
        sort::Sort,
    },
    state::{State, run},
};

pub(super) async fn query(
    state: &State,
    message: v1::QueryRequest,
) -> Result<Stream<v1::RecordChunk>, Fault> {
    let found = find(state, message).await?;
    Ok(chunks(found.into_json()))
}

/// Records in messages of bounded size.
pub(super) fn chunks(
    records: impl Iterator<Item = Bytes> + Send + 'static,
) -> Stream<v1::RecordChunk> {
    stream::iter(Chunks::new(records).map(Ok)).boxed()
}

/// The page that a query asks for.
pub(super) async fn find(state: &State, message: v1::QueryRequest) -> Result<Stored, Fault> {
    let filter = convert::filter(&message.filter_json)?;
    let sort = Sort::parse(&message.sort)?;
    let projection = Projection::parse(&message.fields.join(","));
    let skip = size(message.skip);
    let limit = match size(message.limit) {
        0 => MAX_PAGE_RECORDS,
        limit => limit.min(MAX_PAGE_RECORDS),
    };
    let caller = convert::caller(message.caller);
    let selection = state.select(&message.entity, &caller, &filter)?;
    let presenter = selection.presenter(projection);
    let cost = selection.cost(&sort, skip.saturating_add(limit));
    let records = run(cost, move || selection.page(&sort, skip, limit)).await?;
    Ok(Stored { records, presenter })
}

pub(super) fn get(state: &State, message: &v1::GetRequest) -> Result<v1::RecordResponse, Fault> {
    let caller = convert::caller(message.caller.clone());
    let record = state.read(|database| database.get(&message.entity, &caller, &message.id));
    record.map(|record_json| v1::RecordResponse { record_json })
}

pub(super) async fn count(
    state: &State,
    message: v1::CountRequest,
) -> Result<v1::CountResponse, Fault> {
    let filter = convert::filter(&message.filter_json)?;
    let caller = convert::caller(message.caller);
    let selection = state.select(&message.entity, &caller, &filter)?;
    let cost = selection.cost(&Sort::default(), 0);
    let count = run(cost, move || selection.count()).await?;
    Ok(v1::CountResponse {
        count: number(count),
    })
}

pub(super) async fn aggregate(
    state: &State,
    message: v1::AggregateRequest,
) -> Result<v1::AggregateResponse, Fault> {
    let spec = convert::json(&message.spec_json, "The aggregation")?;
    let aggregate = Aggregate::parse(&spec)?;
    let caller = convert::caller(message.caller);
    let selection = state.select(&message.entity, &caller, aggregate.query())?;
    let cost = selection.cost(&Sort::default(), usize::MAX);
    let found = run(cost, move || selection.aggregate(&aggregate)).await?;
    Ok(v1::AggregateResponse {
        rows_json: found.rows.iter().map(to_json).collect(),
        truncated: found.truncated,
    })
}

pub(super) async fn page(
    state: &State,
    message: v1::PageRequest,
) -> Result<v1::PageResponse, Fault> {
    let query = convert::query(&message.filter_json)?;
    if message.distinct.as_deref() == Some("") {
        return Err(Fault::bad_request("distinct must name a field"));
    }
    let asked = PageSpec {
        entity: message.entity,
        query,
        sort: message.sort,
        fields: message.fields,
        distinct: message.distinct,
        after: None,
    };
    let spec = asked.resume(&message.cursor)?;
    let caller = convert::caller(message.caller);
    let limit = size(message.limit);
    let selection = state.select(&spec.entity, &caller, &spec.filter()?)?;
    let cost = spec.cost(&selection, limit)?;
    let Page { items, next } = run(cost, move || spec.page(&selection, limit)).await?;
    Ok(v1::PageResponse {
        items_json: items,
        next_cursor: next,
    })
}
