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
    let v1::Operation { tag, request, .. } = operation;
    let answer = async { answer(state, request) };
    let result = match RequestId::taken_over(&operation.request_id) {
        Some(id) => id.scope(answer).await,
        None => answer.await,
    };
    v1::OperationResult {
        tag,
        result: Some(result),
    }
}

fn answer(state: &State, request: Option<Request>) -> Outcome {
    let outcome = match request {
        Some(request) => execute(state, request),
        None => Err(Fault::bad_request("The operation names no request")),
    };
    outcome.unwrap_or_else(|fault| Outcome::Failure(failure(&fault).into()))
}

fn execute(state: &State, request: Request) -> Result<Outcome, Fault> {
    match request {
        Request::Get(message) => reads::get(state, &message).map(Outcome::Record),
        Request::Create(message) => writes::create(state, message).map(Outcome::Record),
        Request::Update(message) => writes::update(state, message).map(Outcome::Record),
        Request::Delete(message) => {
            let deleted = writes::delete(state, message)?;
            let v1::DeleteResponse {} = deleted;
            Ok(Outcome::Record(v1::RecordResponse::default()))
        }
    }
}
