//! The gRPC adapter: messages in, the driver's answers out.

use std::{collections::HashSet, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use proto::{
    Code, Failure,
    v1::{self, runner_server::Runner, runner_status_response::FunctionStatus},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    driver::{Handle, Table},
    invoke,
    logs::{Line, Logs},
    pool::{self, Definition, Deno, Endpoint, Generation, Limits, Refusal, Settings, State},
};

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service, for as many calls at once as there are.
#[derive(Clone, Debug)]
pub struct Service {
    driver: Handle,
    logs: Arc<Logs>,
    stop: CancellationToken,
}

impl Service {
    /// A service whose streams end at `stop`.
    #[must_use]
    pub const fn new(driver: Handle, logs: Arc<Logs>, stop: CancellationToken) -> Self {
        Self { driver, logs, stop }
    }

    /// Ends a stream with the service.
    fn streamed<T: 'static>(
        &self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> Response<Streamed<T>> {
        let items = items
            .map(Ok)
            .take_until(self.stop.clone().cancelled_owned());
        Response::new(Box::pin(items))
    }
}

#[async_trait]
impl Runner for Service {
    async fn apply_functions(
        &self,
        request: Request<v1::ApplyFunctionsRequest>,
    ) -> Result<Response<v1::ApplyFunctionsResponse>, Status> {
        let (functions, settings) = desired(request.into_inner())?;
        let changes = self
            .driver
            .apply(functions, settings)
            .await
            .map_err(status)?;
        Ok(Response::new(v1::ApplyFunctionsResponse {
            added: changes.added,
            changed: changes.changed,
            removed: changes.removed,
        }))
    }

    async fn files_changed(
        &self,
        request: Request<v1::FilesChangedRequest>,
    ) -> Result<Response<v1::FilesChangedResponse>, Status> {
        let paths = request.into_inner().paths;
        let paths = paths.into_iter().map(PathBuf::from).collect();
        let functions = self.driver.changed(paths).await.map_err(status)?;
        Ok(Response::new(v1::FilesChangedResponse { functions }))
    }

    async fn settle(
        &self,
        request: Request<v1::SettleRequest>,
    ) -> Result<Response<v1::SettleResponse>, Status> {
        let functions = request.into_inner().functions;
        let endpoints = self.driver.settled(&functions).await.map_err(status)?;
        Ok(Response::new(v1::SettleResponse {
            endpoints: endpoints.iter().map(endpoint_message).collect(),
        }))
    }

    async fn acquire(
        &self,
        request: Request<v1::AcquireRequest>,
    ) -> Result<Response<v1::AcquireResponse>, Status> {
        let request = request.into_inner();
        let failed = Some(request.failed_generation).filter(|failed| *failed > 0);
        let endpoint = if request.in_background {
            self.driver.prepare(request.function).await
        } else {
            let failed = failed.map(Generation);
            self.driver.acquire(request.function, failed).await
        };
        let endpoint = endpoint.map_err(status)?;
        Ok(Response::new(v1::AcquireResponse {
            endpoint: Some(endpoint_message(&endpoint)),
        }))
    }

    type WatchEndpointsStream = Streamed<v1::EndpointTable>;

    async fn watch_endpoints(
        &self,
        _request: Request<v1::WatchEndpointsRequest>,
    ) -> Result<Response<Self::WatchEndpointsStream>, Status> {
        let tables = WatchStream::new(self.driver.table());
        Ok(self.streamed(tables.map(|table| table_message(&table))))
    }

    async fn invoke(
        &self,
        request: Request<v1::InvokeRequest>,
    ) -> Result<Response<v1::InvokeResponse>, Status> {
        let request = request.into_inner();
        let endpoint = self
            .driver
            .acquire(request.function.clone(), None)
            .await
            .map_err(status)?;
        Ok(Response::new(invoke::invoke(&endpoint, request).await?))
    }

    type LogsStream = Streamed<v1::LogLine>;

    async fn logs(
        &self,
        request: Request<v1::LogsRequest>,
    ) -> Result<Response<Self::LogsStream>, Status> {
        let v1::LogsRequest {
            function,
            follow,
            recent,
        } = request.into_inner();
        let most = recent.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        });
        let (kept, live) = self.logs.tail(&function, most);
        let kept = stream::iter(kept).map(|line| line.1.clone());
        if !follow {
            return Ok(self.streamed(kept));
        }
        let live = lines(live, Arc::clone(&self.logs)).filter(move |line| {
            // A line about lost lines belongs to no function.
            let wanted = [line.function.as_str(), ""].contains(&function.as_str());
            std::future::ready(wanted || line.function.is_empty())
        });
        Ok(self.streamed(kept.chain(live)))
    }

    async fn runner_status(
        &self,
        _request: Request<v1::RunnerStatusRequest>,
    ) -> Result<Response<v1::RunnerStatusResponse>, Status> {
        let functions = self.driver.status().await.map_err(status)?;
        Ok(Response::new(v1::RunnerStatusResponse {
            functions: functions.into_iter().map(status_message).collect(),
        }))
    }
}

/// New lines as they come, with a note where some were missed.
fn lines(live: Receiver<Line>, logs: Arc<Logs>) -> impl Stream<Item = v1::LogLine> {
    stream::unfold((live, logs), async |(mut live, logs)| {
        let line = match live.recv().await {
            Ok(line) => line.1.clone(),
            Err(RecvError::Lagged(lost)) => logs.gap(lost),
            Err(RecvError::Closed) => return None,
        };
        Some((line, (live, logs)))
    })
}

fn status(refusal: Refusal) -> Status {
    Failure::from(refusal).into()
}

/// Checks a desired state; nothing of a bad one is applied.
fn desired(request: v1::ApplyFunctionsRequest) -> Result<(Vec<Definition>, Settings), Failure> {
    let root = PathBuf::from(request.project_root);
    if !root.is_absolute() {
        return Err(bad("`project_root` must be an absolute path"));
    }
    let code_folders: Vec<PathBuf> = request
        .code_folders
        .into_iter()
        .map(PathBuf::from)
        .collect();
    if !code_folders.iter().all(|folder| folder.is_absolute()) {
        return Err(bad("`code_folders` must be absolute paths"));
    }
    let mut names = HashSet::new();
    let mut functions = Vec::with_capacity(request.functions.len());
    for function in request.functions {
        let entry = PathBuf::from(function.entry);
        if function.name.is_empty() || !entry.is_absolute() {
            return Err(bad(
                "a function needs a name and an absolute path as its entry",
            ));
        }
        if !names.insert(function.name.clone()) {
            let message = format!("two functions are called \"{}\"", function.name);
            return Err(bad(&message));
        }
        functions.push(Definition {
            name: function.name,
            entry,
            source: function.source,
        });
    }
    let deno = if request.deno.is_empty() {
        match request.deno_missing {
            explanation if explanation.is_empty() => Deno::default(),
            explanation => Deno::Missing(explanation),
        }
    } else {
        Deno::Found(request.deno.into())
    };
    let settings = Settings {
        root,
        code_folders,
        environment: request.environment.into_iter().collect(),
        deno,
        all_permissions: request.all_permissions,
        idle: Some(request.idle_seconds)
            .filter(|idle| *idle > 0)
            .map(Duration::from_secs),
        limits: Limits::default(),
    };
    Ok((functions, settings))
}

fn bad(message: &str) -> Failure {
    Failure::new(Code::BadRequest, message)
}

fn endpoint_message(endpoint: &Endpoint) -> v1::Endpoint {
    v1::Endpoint {
        function: endpoint.function.clone(),
        address: endpoint.address.to_string(),
        generation: endpoint.generation.0,
    }
}

fn table_message(table: &Table) -> v1::EndpointTable {
    v1::EndpointTable {
        endpoints: table.endpoints.iter().map(endpoint_message).collect(),
        functions: table.functions.clone(),
        recent: table.recent.clone(),
    }
}

fn status_message(status: pool::Status) -> FunctionStatus {
    use v1::runner_status_response::State as Message;

    let state = match status.state {
        State::Idle => Message::Idle,
        State::Starting => Message::Starting,
        State::Ready => Message::Ready,
        State::Broken => Message::Broken,
        State::Draining => Message::Draining,
    };
    FunctionStatus {
        name: status.name,
        state: state.into(),
        generation: status.generation.map_or(0, |generation| generation.0),
        pid: status.pid.unwrap_or(0),
        address: status
            .address
            .map_or_else(String::new, |address| address.to_string()),
        start_milliseconds: u64::try_from(status.took.as_millis()).unwrap_or(u64::MAX),
        error: status.error.unwrap_or_default(),
        starts: status.starts,
    }
}
