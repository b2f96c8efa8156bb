//! A stand-in for the Base44 platform: its login and its calls about functions, secrets and logs, as the official tool
//! makes them. It remembers every request to the letter, and fails as it is told.

mod app;
mod wire;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub use self::wire::{Reply, Request};

/// The app that the platform has.
pub const APP: &str = "app-1";

/// The token of [`crate::project::Project::login`], which is good until it is renewed or revoked.
const FIRST_TOKEN: &str = "a";

/// The refresh token beside it.
const FIRST_REFRESH_TOKEN: &str = "r";

/// The workspace key that may do everything.
pub const WORKSPACE_KEY: &str = "b44k_0123456789abcdef";

/// What the platform has.
#[derive(Debug)]
struct State {
    access_token: String,
    refresh_token: String,
    renewals: u32,
    /// In the order of their deployment.
    functions: Vec<Value>,
    secrets: BTreeMap<String, String>,
    /// By function.
    logs: HashMap<String, Value>,
    /// What to do before anything else, by method and path.
    scripts: HashMap<String, VecDeque<Reply>>,
    requests: Vec<Request>,
}

/// A platform that listens on this machine, until it is dropped.
#[derive(Debug)]
pub struct Platform {
    url: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Platform {
    /// Starts one, with nothing deployed.
    ///
    /// # Panics
    ///
    /// When the system has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the system has free ports");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(State {
            access_token: FIRST_TOKEN.to_owned(),
            refresh_token: FIRST_REFRESH_TOKEN.to_owned(),
            renewals: 0,
            functions: Vec::new(),
            secrets: BTreeMap::new(),
            logs: HashMap::new(),
            scripts: HashMap::new(),
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            url: format!("http://{address}"),
            state,
            serving,
        }
    }

    /// Where it is, as `BASE44_API_URL` takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next calls of `method` and `path` (without a query) with these, one after the other, and as always
    /// afterwards. Below the app's own path, `path` has no slash in front.
    pub fn script(&self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let path = match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/api/apps/{APP}/{path}"),
        };
        let mut state = self.state.lock();
        let queue = state.scripts.entry(format!("{method} {path}"));
        queue.or_default().extend(replies);
    }

    /// Refuses the token that was good so far.
    pub fn revoke(&self) {
        "another".clone_into(&mut self.state.lock().access_token);
    }

    /// Deploys a function as somebody else.
    pub fn deploy(&self, name: &str, files: &[(&str, &str)]) {
        let files = files
            .iter()
            .map(|(path, content)| json!({ "path": path, "content": content }));
        let body = json!({ "entry": "entry.ts", "files": files.collect::<Vec<_>>() });
        self.state.lock().deploy(name, &body);
    }

    /// The names of what is deployed.
    #[must_use]
    pub fn deployed(&self) -> Vec<String> {
        let state = self.state.lock();
        let names = state
            .functions
            .iter()
            .map(|function| function["name"].as_str());
        names
            .map(|name| name.unwrap_or_default().to_owned())
            .collect()
    }

    /// The secrets, with their values.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, String> {
        self.state.lock().secrets.clone()
    }

    /// What a function has printed, as the platform answers it.
    pub fn printed(&self, function: &str, lines: Value) {
        self.state.lock().logs.insert(function.to_owned(), lines);
    }

    /// Every request so far, and forgets them.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().requests)
    }

    /// Method and target of every request so far, below the app's path where they are; and forgets them.
    #[must_use]
    pub fn take_calls(&self) -> Vec<String> {
        let requests = self.take_requests();
        requests.iter().map(Request::call).collect()
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some((stream, request)) = wire::read(stream).await else {
        return;
    };
    let reply = {
        let mut state = state.lock();
        state.requests.push(request.clone());
        let script = state.scripts.get_mut(&request.route());
        match script.and_then(VecDeque::pop_front) {
            Some(reply) => reply,
            None => state.answer(&request),
        }
    };
    wire::write(stream, &request, reply).await;
}
