//! Many operations over one stream: the unary calls without their cost per call.

use std::sync::Arc;

use futures_util::StreamExt as _;
use proto::{
    request_id::RequestId,
    v1::{self, operation::Request, operation_result::Result as Outcome},
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{Stream, convert::failure, reads, writes};
use crate::{core::fault::Fault, state::State};

/// Operations of one stream that run at the same time; the sender waits while there are more.
const AT_ONCE: usize = 64;

/// Bytes of records that an answer in one message may have.
const FULL: usize = 4 * 1024 * 1024;

pub(super) fn operate(
    state: &Arc<State>,
    operations: Streaming<v1::Operation>,
    shutdown: CancellationToken,
) -> Stream<v1::OperationResult> {
    let state = Arc::clone(state);
    let results = operations.map(move |operation| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Status>(perform(&state, operation?).await) }
    });
    results
        .buffer_unordered(AT_ONCE)
        .take_until(shutdown.cancelled_owned())
        .boxed()
}

async fn perform(state: &State, operation: v1::Operation) -> v1::OperationResult {
    let outcome = match operation.request {
        Some(request) => match RequestId::taken_over(&operation.request_id) {
            Some(id) => id.scope(execute(state, request)).await,
            None => execute(state, request).await,
        },
        None => Err(Fault::bad_request("the operation names no request")),
    };
    let result = outcome.unwrap_or_else(|fault| Outcome::Failure(failure(&fault).into()));
    v1::OperationResult {
        tag: operation.tag,
        result: Some(result),
    }
}

async fn execute(state: &State, request: Request) -> Result<Outcome, Fault> {
    match request {
        Request::Get(message) => reads::get(state, &message).map(Outcome::Record),
        Request::Create(message) => writes::create(state, message).map(Outcome::Record),
        Request::Update(message) => writes::update(state, message).map(Outcome::Record),
        Request::Delete(message) => {
            let deleted = writes::delete(state, message)?;
            let v1::DeleteResponse {} = deleted;
            Ok(Outcome::Record(v1::RecordResponse::default()))
        }
        Request::Query(message) => query(state, message).await.map(Outcome::Records),
    }
}

async fn query(state: &State, message: v1::QueryRequest) -> Result<v1::RecordChunk, Fault> {
    let found = reads::find(state, message).await?;
    let mut joined = Vec::new();
    for json in found.into_json() {
        if !joined.is_empty() {
            joined.push(b',');
        }
        if joined.len() + json.len() > FULL {
            return Err(Fault::bad_request(
                "the answer is too long for one message: call Query instead",
            ));
        }
        joined.extend_from_slice(&json);
    }
    Ok(v1::RecordChunk {
        records_json: joined.into(),
    })
}
