//! The routes, from a request to what the store and the runner are asked: over fakes of both that speak real gRPC.

mod accounts;
mod callers;
mod control;
mod edge;
mod entities;
mod fake_runner;
pub(crate) mod fake_store;
mod forwarding;
mod frontend;
mod functions;
mod garbage;
mod local;
mod media;
mod protocol;
mod realtime;
mod sockets;
mod vouching;
mod watches;

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use proto::v1::{ConfigureRequest, runner_server::RunnerServer, store_server::StoreServer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{service::Routes, transport::Server, transport::server::TcpIncoming};
use tower::ServiceExt;

use self::{fake_runner::FakeRunner, fake_store::FakeStore};
use crate::{
    app,
    realtime::Pace,
    session::Keys,
    state::{AppState, Site},
};

const KEY: [u8; 32] = [3; 32];

/// A gateway with its fakes.
struct Harness {
    state: AppState,
    router: Router,
    store: FakeStore,
    runner: FakeRunner,
    config: ConfigureRequest,
    _stop: DropGuard,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Harness {
    async fn unconfigured() -> Self {
        Self::with_pace(Pace::default()).await
    }

    /// Not configured yet, and with silences of another length on sockets.
    async fn with_pace(pace: Pace) -> Self {
        let stop = CancellationToken::new();
        let (store, runner) = (FakeStore::default(), FakeRunner::default());
        let store_address = serve(Routes::new(StoreServer::new(store.clone())), &stop).await;
        let runner_address = serve(Routes::new(RunnerServer::new(runner.clone())), &stop).await;
        let site = Site::new(4400, None, &[]);
        let state = AppState::with_pace(site, None, stop.clone(), pace);
        let config = ConfigureRequest {
            store_address,
            runner_address,
            app_id: "app-1".to_owned(),
            signing_key: Bytes::from_static(&KEY),
            developer_email: "dev@example.com".to_owned(),
            allowed_hosts: vec!["tunnel.example".to_owned()],
            ..ConfigureRequest::default()
        };
        Self {
            router: app::router(state.clone()),
            state,
            store,
            runner,
            config,
            _stop: stop.drop_guard(),
        }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut ConfigureRequest)) -> Self {
        let mut harness = Self::unconfigured().await;
        change(&mut harness.config);
        harness.state.configure(harness.config.clone()).unwrap();
        harness
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// `line` is `METHOD path`; headers are `name: value`.
    async fn call(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        self.send(request(line, headers, body)).await
    }

    /// Waits until calls of the function go to that generation.
    async fn knows(&self, function: &str, generation: u64) {
        let setup = self.state.setup().unwrap();
        setup.endpoints.reach(function, generation).await;
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(&format!("GET {path}"), &[], "").await
    }
}

fn request(line: &str, headers: &[&str], body: &str) -> Request<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|header| header.starts_with("host:")) {
        request = request.header("host", "localhost:4400");
    }
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Serves gRPC on a free port until `stop`.
async fn serve(routes: Routes, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = Server::builder()
        .add_routes(routes)
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
    address
}

/// `authorization: Bearer …` of a user.
fn as_user(email: &str) -> String {
    format!(
        "authorization: Bearer {}",
        Keys::new(&KEY).user(email).token
    )
}

/// `authorization: Bearer …` of the service role.
fn as_service() -> String {
    format!(
        "authorization: Bearer {}",
        Keys::new(&KEY).service(None).token
    )
}
