//! A runner whose table the test writes.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;
use proto::{
    Code, Failure,
    v1::{runner_server::Runner, *},
};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

/// Clones share the table.
#[derive(Clone, Debug)]
pub(super) struct FakeRunner {
    table: Arc<watch::Sender<EndpointTable>>,
    /// What `Acquire` answers, newest last; empty means that the runner does not know the function.
    starts: Arc<Mutex<Vec<Result<Endpoint, Failure>>>>,
    acquired: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Default for FakeRunner {
    fn default() -> Self {
        Self {
            table: Arc::new(watch::Sender::new(EndpointTable::default())),
            starts: Arc::default(),
            acquired: Arc::default(),
        }
    }
}

pub(super) fn endpoint(function: &str, address: &str, generation: u64) -> Endpoint {
    Endpoint {
        function: function.to_owned(),
        address: address.to_owned(),
        generation,
    }
}

impl FakeRunner {
    /// Knows these functions, of which some are up.
    pub(super) fn publish(&self, functions: &[&str], endpoints: Vec<Endpoint>) {
        self.table.send_replace(EndpointTable {
            functions: functions.iter().map(|&name| name.to_owned()).collect(),
            endpoints,
            recent: Vec::new(),
        });
    }

    /// The next `Acquire` is answered with this.
    pub(super) fn start(&self, start: Result<Endpoint, Failure>) {
        self.starts.lock().push(start);
    }

    /// What was acquired so far, with the generation that had failed.
    pub(super) fn acquired(&self) -> Vec<(String, u64)> {
        self.acquired.lock().clone()
    }
}

type Tables = Pin<Box<dyn Stream<Item = Result<EndpointTable, Status>> + Send>>;
type Lines = Pin<Box<dyn Stream<Item = Result<LogLine, Status>> + Send>>;

#[tonic::async_trait]
impl Runner for FakeRunner {
    type WatchEndpointsStream = Tables;
    type LogsStream = Lines;

    async fn acquire(
        &self,
        request: Request<AcquireRequest>,
    ) -> Result<Response<AcquireResponse>, Status> {
        let request = request.into_inner();
        let call = (request.function, request.failed_generation);
        self.acquired.lock().push(call);
        let start = self.starts.lock().pop();
        let start = start.unwrap_or_else(|| Err(Failure::new(Code::NotFound, "no such function")));
        Ok(Response::new(AcquireResponse {
            endpoint: Some(start?),
        }))
    }

    async fn watch_endpoints(
        &self,
        _request: Request<WatchEndpointsRequest>,
    ) -> Result<Response<Tables>, Status> {
        let tables = WatchStream::new(self.table.subscribe());
        Ok(Response::new(tables.map(Ok).boxed()))
    }

    async fn apply_functions(
        &self,
        _request: Request<ApplyFunctionsRequest>,
    ) -> Result<Response<ApplyFunctionsResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn files_changed(
        &self,
        _request: Request<FilesChangedRequest>,
    ) -> Result<Response<FilesChangedResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn settle(
        &self,
        _request: Request<SettleRequest>,
    ) -> Result<Response<SettleResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn invoke(
        &self,
        _request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn logs(&self, _request: Request<LogsRequest>) -> Result<Response<Lines>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }

    async fn runner_status(
        &self,
        _request: Request<RunnerStatusRequest>,
    ) -> Result<Response<RunnerStatusResponse>, Status> {
        Err(Status::unimplemented("not in this fake"))
    }
}
