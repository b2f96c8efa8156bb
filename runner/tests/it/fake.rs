//! The service over gRPC with a launcher that follows a script, so that every outcome can be had at will.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use parking_lot::Mutex;
use proto::{
    Code, Failure,
    client::RunnerClient,
    v1::{self, log_line::Level, runner_server::RunnerServer, runner_status_response::State},
};
use runner::{
    driver::Driver,
    launcher::{Job, Launcher, Order, Orders, Report},
    logs::Logs,
    pool::{LoadError, LoadErrorKind, Settings},
    service::Service,
};
use tokio::{net::TcpListener, sync::mpsc::UnboundedReceiver};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};

use crate::project::eventually;

/// Starts nothing; a test says what becomes of each job.
#[derive(Debug, Default)]
struct Script {
    jobs: Mutex<Vec<(Job, UnboundedReceiver<Order>)>>,
}

impl Launcher for Script {
    fn launch(&self, job: Job) -> Orders {
        let (orders, receiver) = Orders::channel();
        self.jobs.lock().push((job, receiver));
        orders
    }

    fn prepare(&self, _settings: Arc<Settings>, _wanted: bool) {}

    fn close(&self) {
        for (job, _) in self.jobs.lock().iter() {
            job.reports.send(Report::Exited("stopped".to_owned()));
        }
    }
}

impl Script {
    fn started(&self) -> usize {
        self.jobs.lock().len()
    }

    fn report(&self, job: usize, report: Report) {
        self.jobs.lock()[job].0.reports.send(report);
    }

    fn listens(&self, job: usize) {
        let port = u16::try_from(job).unwrap() + 1;
        let listening = Report::Listening {
            address: ([127, 0, 0, 1], port).into(),
            pid: 7,
            took: Duration::from_millis(12),
        };
        self.report(job, listening);
    }
}

struct Stage {
    script: Arc<Script>,
    logs: Arc<Logs>,
    client: RunnerClient,
    stop: CancellationToken,
}

impl Stage {
    async fn new(names: &[&str]) -> Self {
        let script = Arc::new(Script::default());
        let logs = Arc::new(Logs::new(jiff::Timestamp::now));
        let launcher: Arc<dyn Launcher> = Arc::<Script>::clone(&script);
        let (driver, handle) = Driver::new(launcher, Arc::clone(&logs));
        let stop = CancellationToken::new();
        tokio::spawn(driver.run(stop.clone(), CancellationToken::new()));
        let service = RunnerServer::new(Service::new(handle, Arc::clone(&logs), stop.clone()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = Server::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpIncoming::from(listener)));
        let stage = Self {
            script,
            logs,
            client: RunnerClient::new(&address, None).unwrap(),
            stop,
        };
        let changes = stage.apply(names, "/deno").await;
        assert_eq!(changes.added, names);
        stage
    }

    async fn apply(&self, names: &[&str], deno: &str) -> v1::ApplyFunctionsResponse {
        let functions = names.iter().map(|name| v1::Function {
            name: (*name).to_owned(),
            entry: format!("/p/{name}/entry.ts"),
            source: format!("{name}/entry.ts"),
        });
        let request = v1::ApplyFunctionsRequest {
            functions: functions.collect(),
            project_root: "/p".to_owned(),
            deno: deno.to_owned(),
            ..Default::default()
        };
        self.client.apply_functions(request).await.unwrap()
    }

    async fn acquire(&self, function: &str) -> Result<v1::Endpoint, Failure> {
        let request = v1::AcquireRequest {
            function: function.to_owned(),
            failed_generation: 0,
            in_background: false,
        };
        let response = self.client.acquire(request).await?;
        Ok(response.endpoint.unwrap())
    }

    /// Calls a function and lets its new process come up.
    async fn up(&self, function: &str) -> v1::Endpoint {
        let job = self.script.started();
        let (endpoint, ()) = tokio::join!(self.acquire(function), async {
            eventually("a start", async || self.script.started() > job).await;
            self.script.listens(job);
        });
        endpoint.unwrap()
    }
}

#[tokio::test]
async fn an_acquired_endpoint_is_the_one_that_the_table_shows() {
    let stage = Stage::new(&["f", "g"]).await;
    let mut tables = stage
        .client
        .watch_endpoints(v1::WatchEndpointsRequest {})
        .await
        .unwrap();
    let first = tables.next().await.unwrap().unwrap();
    assert_eq!(
        (first.endpoints.len(), first.functions),
        (0, vec!["f".to_owned(), "g".to_owned()])
    );
    let endpoint = stage.up("f").await;
    assert_eq!(endpoint.address, "127.0.0.1:1");
    assert_eq!(tables.next().await.unwrap().unwrap().endpoints, [endpoint]);
    stage
        .script
        .report(0, Report::Exited("exit status: 1".to_owned()));
    assert_eq!(tables.next().await.unwrap().unwrap().endpoints, []);
    stage.stop.cancel();
    assert!(
        tables.next().await.is_none(),
        "streams end with the service"
    );
}

#[tokio::test]
async fn each_reason_for_no_endpoint_has_its_code() {
    let stage = Stage::new(&["f"]).await;
    let code = |result: Result<v1::Endpoint, Failure>| result.unwrap_err().code();
    assert_eq!(code(stage.acquire("g").await), Code::NotFound);
    for (job, kind, expected) in [
        (0, LoadErrorKind::Failed, Code::FunctionFailed),
        (1, LoadErrorKind::TimedOut, Code::Timeout),
    ] {
        let (result, ()) = tokio::join!(stage.acquire("f"), async {
            eventually("a start", async || stage.script.started() > job).await;
            let error = LoadError {
                kind,
                message: "no".to_owned(),
                detail: "why".to_owned(),
                place: String::new(),
                printed: true,
            };
            stage.script.report(job, Report::Failed(error));
        });
        let failure = result.unwrap_err();
        assert_eq!((failure.code(), failure.detail()), (expected, "why"));
        stage.apply(&[], "/deno").await;
        stage.apply(&["f"], "/deno").await;
    }
    stage.apply(&["f"], "").await;
    assert_eq!(code(stage.acquire("f").await), Code::Unavailable);
}

/// The files of a function are read while it starts.
#[tokio::test]
async fn a_save_right_after_a_start_swaps_the_functions_that_it_concerns() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (uses, shared) = (root.join("f/uses/entry.ts"), root.join("shared.ts"));
    std::fs::create_dir_all(uses.parent().unwrap()).unwrap();
    std::fs::write(&uses, "import '../../shared.ts'").unwrap();
    let stage = Stage::new(&[]).await;
    let function = |name: &str| v1::Function {
        name: name.to_owned(),
        entry: root
            .join(format!("f/{name}/entry.ts"))
            .display()
            .to_string(),
        source: String::new(),
    };
    let request = v1::ApplyFunctionsRequest {
        functions: vec![function("uses"), function("other")],
        project_root: root.display().to_string(),
        deno: "/deno".to_owned(),
        ..Default::default()
    };
    stage.client.apply_functions(request).await.unwrap();
    stage.up("uses").await;
    stage.up("other").await;
    for _ in 0..20 {
        let saved = v1::FilesChangedRequest {
            paths: vec![shared.display().to_string()],
        };
        let swapped = stage.client.files_changed(saved).await.unwrap();
        assert_eq!(swapped.functions, ["uses"]);
    }
}

#[tokio::test]
async fn the_status_tells_how_a_function_fares() {
    let stage = Stage::new(&["f", "g"]).await;
    stage.up("f").await;
    let status = stage
        .client
        .runner_status(v1::RunnerStatusRequest {})
        .await
        .unwrap();
    let [f, g] = &status.functions[..] else {
        panic!("{status:?}")
    };
    assert_eq!(
        (f.state(), f.pid, f.starts, f.start_milliseconds),
        (State::Ready, 7, 1, 12)
    );
    assert_eq!(
        (g.state(), g.generation, g.address.as_str()),
        (State::Idle, 0, "")
    );
}

#[tokio::test]
async fn logs_are_the_kept_lines_and_then_the_new_ones() {
    let stage = Stage::new(&["f", "g"]).await;
    stage.logs.write("f", Level::Info, "kept");
    stage.logs.write("g", Level::Info, "other");
    let request = |follow, recent| v1::LogsRequest {
        function: "f".to_owned(),
        follow,
        recent,
    };
    let kept = stage.client.logs(request(false, None)).await.unwrap();
    let kept: Vec<_> = kept.map(|line| line.unwrap().message).collect().await;
    assert_eq!(kept, ["kept"]);
    let mut followed = stage.client.logs(request(true, Some(0))).await.unwrap();
    stage.logs.write("g", Level::Info, "not asked for");
    stage.logs.write("f", Level::Error, "new");
    let line = followed.next().await.unwrap().unwrap();
    assert_eq!((line.message.as_str(), line.level()), ("new", Level::Error));
}

#[tokio::test]
async fn a_bad_desired_state_is_refused_whole() {
    let stage = Stage::new(&["f"]).await;
    for (root, names, entry) in [
        ("p", &["g"][..], "/p/e.ts"),
        ("/p", &[""], "/p/e.ts"),
        ("/p", &["g"], "e.ts"),
        ("/p", &["g", "h", "g"], "/p/e.ts"),
    ] {
        let functions = names.iter().map(|&name| v1::Function {
            name: name.to_owned(),
            entry: entry.to_owned(),
            source: String::new(),
        });
        let request = v1::ApplyFunctionsRequest {
            functions: functions.collect(),
            project_root: root.to_owned(),
            ..Default::default()
        };
        let failure = stage.client.apply_functions(request).await.unwrap_err();
        assert_eq!(failure.code(), Code::BadRequest, "{root} {names:?} {entry}");
    }
    let status = stage
        .client
        .runner_status(v1::RunnerStatusRequest {})
        .await
        .unwrap();
    assert_eq!(status.functions.len(), 1);
}
