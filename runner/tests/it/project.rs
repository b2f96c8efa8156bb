//! A small project on disk, and a runner in this process that runs its functions on real Deno.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use proto::v1::LogLine;
use runner::{
    deno::DenoLauncher,
    driver::{Driver, Handle},
    logs::Logs,
    pool::{Definition, Deno, Endpoint, Limits, Refusal, Settings},
};
use tests::tools;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here should take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The Deno to test with: the one asked for, the one on `PATH`, or the one that the system tests install. `None` after
/// having said so.
pub(crate) async fn deno() -> Option<PathBuf> {
    let named = env::var_os("BACKLOT_DENO").map(PathBuf::from);
    match named.or_else(|| tools::on_path("deno")) {
        Some(deno) => Some(deno),
        None => Some(tools::Clients::get().await?.deno().join("deno")),
    }
}

/// Checks until it holds; says what it waited for when it never does.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) struct Project {
    pub(crate) handle: Handle,
    pub(crate) logs: Arc<Logs>,
    pub(crate) client: reqwest::Client,
    pub(crate) temporary: PathBuf,
    folder: tempfile::TempDir,
    settings: Settings,
    stop: CancellationToken,
    driving: JoinHandle<()>,
}

impl Project {
    /// Functions with these entries, `None` without Deno.
    pub(crate) async fn new(functions: &[(&str, &str)]) -> Option<Self> {
        Self::with(functions, |_| {}).await
    }

    pub(crate) async fn with(
        functions: &[(&str, &str)],
        adjust: impl FnOnce(&mut Settings),
    ) -> Option<Self> {
        let deno = deno().await?;
        let folder = tempfile::tempdir().unwrap();
        let logs = Arc::new(Logs::new(jiff::Timestamp::now));
        let launcher = DenoLauncher::open(Arc::clone(&logs), false).await.unwrap();
        let temporary = launcher.folder().to_owned();
        let (driver, handle) = Driver::new(Arc::new(launcher), Arc::clone(&logs));
        let stop = CancellationToken::new();
        let driving = tokio::spawn(driver.run(stop.clone(), CancellationToken::new()));
        let mut settings = Settings {
            root: folder.path().canonicalize().unwrap(),
            code_folders: Vec::new(),
            environment: environment(),
            deno: Deno::Found(deno),
            all_permissions: false,
            idle: None,
            limits: Limits::default(),
        };
        adjust(&mut settings);
        let project = Self {
            handle,
            logs,
            client: client(),
            temporary,
            folder,
            settings,
            stop,
            driving,
        };
        for (name, text) in functions {
            project.write(&source(name), text);
        }
        project.apply(functions).await;
        Some(project)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.settings.root
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.settings.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a function's entry and says that it was saved.
    pub(crate) async fn save(&self, name: &str, text: &str) -> Vec<String> {
        let path = self.write(&source(name), text);
        self.handle.changed(vec![path]).await.unwrap()
    }

    pub(crate) async fn apply(&self, functions: &[(&str, &str)]) {
        let definitions = functions.iter().map(|(name, _)| Definition {
            name: (*name).to_owned(),
            entry: self.settings.root.join(source(name)),
            source: source(name),
        });
        let settings = self.settings.clone();
        let applied = self.handle.apply(definitions.collect(), settings).await;
        applied.unwrap();
    }

    pub(crate) async fn set_environment(
        &mut self,
        key: &str,
        value: &str,
        functions: &[(&str, &str)],
    ) {
        let environment = &mut self.settings.environment;
        environment.insert(key.to_owned(), value.to_owned());
        self.apply(functions).await;
    }

    pub(crate) async fn acquire(&self, name: &str) -> Result<Endpoint, Refusal> {
        let acquired = self.handle.acquire(name.to_owned(), None);
        tokio::time::timeout(PATIENCE, acquired).await.unwrap()
    }

    pub(crate) async fn url(&self, name: &str) -> String {
        let endpoint = self.acquire(name).await.unwrap();
        format!("http://{}/{name}", endpoint.address)
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, name: &str) -> (u16, String) {
        let response = self.client.get(self.url(name).await).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<LogLine> {
        let (lines, _) = self.logs.tail(name, usize::MAX);
        lines.iter().map(|line| line.1.clone()).collect()
    }

    /// Whether the function has printed a line with `part` in it.
    pub(crate) fn printed(&self, name: &str, part: &str) -> bool {
        self.lines(name)
            .iter()
            .any(|line| line.message.contains(part))
    }

    /// Stops the runner; afterwards nothing may be left.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.driving.await.unwrap();
        eventually("the temporary folder is removed", async || {
            !self.temporary.exists()
        })
        .await;
        drop(self.folder);
    }
}

/// An HTTP client; the workspace builds it without a choice of cryptography, though none is used here.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Where the entry of a function is.
pub(crate) fn source(name: &str) -> String {
    format!("base44/functions/{name}/entry.ts")
}

/// Enough for Deno to find its cache.
pub(crate) fn environment() -> BTreeMap<String, String> {
    ["HOME", "PATH", "DENO_DIR"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), env::var(key).ok()?)))
        .collect()
}

/// Whether a process of that id exists and is no zombie.
pub(crate) fn alive(pid: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = status
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}
