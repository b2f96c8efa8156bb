//! The services among themselves: an independent gRPC client finds them by reflection and calls them, while `dev` runs and
//! each started by hand.

mod every_rpc;

use serde_json::{Value, json};
use tests::{
    command::{Finished, finish},
    http::{self, Answer},
    launch::Launch,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{PATIENCE, eventually},
};
use tokio::process::Command;

use crate::{add_task, backlot};

/// A service, as that client reaches it.
struct Peer<'a> {
    clients: &'a Clients,
    address: String,
    token: Option<String>,
}

impl Peer<'_> {
    /// What reflection lists: `--list-services` or `--list-methods`.
    async fn list(&self, what: &str) -> Vec<String> {
        let mut buf = self.clients.buf();
        buf.args([
            "curl",
            "--protocol",
            "grpc",
            "--http2-prior-knowledge",
            what,
        ]);
        buf.arg(format!("http://{}", self.address));
        let listed = finish(buf, PATIENCE).await.success(what);
        listed.stdout.lines().map(str::to_owned).collect()
    }

    /// A call of a method, with the token where there is one. `messages` is JSON, several with spaces between.
    fn curl(&self, method: &str, messages: &str) -> Command {
        let mut buf = self.clients.buf();
        buf.args([
            "curl",
            "--protocol",
            "grpc",
            "--http2-prior-knowledge",
            "--data",
            messages,
        ]);
        if let Some(token) = &self.token {
            buf.args(["--header", &format!("authorization: Bearer {token}")]);
        }
        buf.arg(format!("http://{}/{method}", self.address));
        buf
    }

    async fn call(&self, method: &str, request: &Value) -> Finished {
        finish(self.curl(method, &request.to_string()), PATIENCE).await
    }

    /// The one message of the answer; `null` for none.
    async fn answer(&self, method: &str, request: &Value) -> Value {
        self.answer_to_all(method, &request.to_string()).await
    }

    /// The same for several messages; the first one of an answer that is a stream.
    async fn answer_to_all(&self, method: &str, messages: &str) -> Value {
        let answered = finish(self.curl(method, messages), PATIENCE).await;
        let answered = answered.success(method);
        let mut messages = serde_json::Deserializer::from_str(&answered.stdout).into_iter();
        let first = messages.next().and_then(Result::ok);
        first.unwrap_or_default()
    }

    async fn assert_serving(&self, service: &str) {
        assert!(
            self.list("--list-services")
                .await
                .contains(&service.to_owned()),
            "{service}"
        );
        let open = Peer {
            clients: self.clients,
            address: self.address.clone(),
            token: None,
        };
        let health = open
            .answer(
                "grpc.health.v1.Health/Check",
                &json!({ "service": service }),
            )
            .await;
        assert_eq!(health["status"], "SERVING", "{service}");
    }
}

/// Where a service that was started by hand says that it listens.
pub(crate) async fn announced(service: &Server) -> String {
    eventually(
        "the service announces where it listens",
        PATIENCE,
        async || {
            let output = service.output();
            let first = output
                .stdout
                .first()
                .and_then(|line| serde_json::from_str::<Value>(line).ok());
            first
                .filter(|line| line["event"] == "listening")
                .map(|line| line["grpc"].as_str().unwrap().to_owned())
                .ok_or_else(|| output.text())
        },
    )
    .await
}

fn service_name(component: &str) -> String {
    let (first, rest) = component.split_at(1);
    format!("backlot.v1.{}{rest}", first.to_uppercase())
}

fn function_named_hello() -> Project {
    Project::new()
        .with_tasks()
        .function("hello", "Deno.serve(() => new Response('hello'));")
}

#[tokio::test]
async fn while_dev_runs_the_services_are_reached_with_the_token_that_status_shows() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = function_named_hello();
    let launch = backlot(&project).clients(&clients);
    let server = launch.start().await;
    let task = add_task(&server, "over gRPC").await;
    let status = launch.status().await;
    let peer = |component: &str| Peer {
        clients: &clients,
        address: status["services"][component]["grpc"]
            .as_str()
            .unwrap()
            .to_owned(),
        token: status["token"].as_str().map(str::to_owned),
    };
    for component in ["store", "runner", "gateway"] {
        peer(component)
            .assert_serving(&service_name(component))
            .await;
    }

    let query = json!({ "entity": "Task", "caller": { "service": {} } });
    let chunk = peer("store").answer("backlot.v1.Store/Query", &query).await;
    assert_eq!(first_of(&chunk), task);
    let acquire = json!({ "function": "hello" });
    let endpoint = peer("runner")
        .answer("backlot.v1.Runner/Acquire", &acquire)
        .await;
    let address = endpoint["endpoint"]["address"].as_str().unwrap().to_owned();
    assert_eq!(
        Answer::to(http::client().get(format!("http://{address}/hello")))
            .await
            .text,
        "hello"
    );

    for token in [None, Some("wrong".to_owned())] {
        for (component, method, request) in [
            ("store", "backlot.v1.Store/Query", &query),
            ("runner", "backlot.v1.Runner/Acquire", &acquire),
            ("gateway", "backlot.v1.Gateway/GatewayStatus", &json!({})),
        ] {
            let refused = Peer {
                token: token.clone(),
                ..peer(component)
            }
            .call(method, request)
            .await;
            assert!(
                refused.code != 0 && refused.stderr.contains("unauthenticated"),
                "{component} {token:?}: {refused}"
            );
        }
    }
}

/// The first record of a chunk.
fn first_of(chunk: &Value) -> Value {
    records_of(chunk)[0].clone()
}

/// The records of a chunk, which stand side by side with commas between them.
fn records_of(chunk: &Value) -> Vec<Value> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let records = STANDARD
        .decode(chunk["recordsJson"].as_str().unwrap())
        .unwrap();
    let list = format!("[{}]", String::from_utf8(records).unwrap());
    serde_json::from_str(&list).unwrap()
}

/// Bytes are base64 in protobuf's JSON.
fn decoded(bytes: &Value) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(bytes.as_str().unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn encoded(value: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(value.to_string())
}

async fn by_hand<'a>(
    clients: &'a Clients,
    launch: &Launch<'_>,
    component: &str,
) -> (Server, Peer<'a>) {
    let service = launch.spawn_other(&[component, "--listen", "127.0.0.1:0"]);
    let address = announced(&service).await;
    (
        service,
        Peer {
            clients,
            address,
            token: None,
        },
    )
}

#[tokio::test]
async fn each_service_runs_alone() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = function_named_hello();
    let launch = backlot(&project).clients(&clients);

    let (mut store, peer) = by_hand(&clients, &launch, "store").await;
    peer.assert_serving("backlot.v1.Store").await;
    let schema = json!({ "name": "Task", "type": "object", "properties": { "title": { "type": "string" } } });
    let schemas = json!({ "schemas": [{ "name": "Task", "schemaJson": encoded(&schema), "source": "task.jsonc" }] });
    let applied = peer.answer("backlot.v1.Store/ApplySchemas", &schemas).await;
    assert_eq!(applied["changes"][0]["kind"], "ADDED", "{applied}");
    let caller = json!({ "service": {} });
    let create = json!({ "entity": "Task", "caller": caller, "recordJson": encoded(&json!({ "title": "by hand" })) });
    let record = decoded(&peer.answer("backlot.v1.Store/Create", &create).await["recordJson"]);
    let chunk = peer
        .answer(
            "backlot.v1.Store/Query",
            &json!({ "entity": "Task", "caller": caller }),
        )
        .await;
    assert_eq!(first_of(&chunk), record);

    let (mut runner, peer) = by_hand(&clients, &launch, "runner").await;
    peer.assert_serving("backlot.v1.Runner").await;
    let functions = json!({
        "functions": [{ "name": "hello", "entry": project.root().join("base44/functions/hello/entry.ts"), "source": "entry.ts" }],
        "projectRoot": project.root(),
        "deno": clients.deno().join("deno"),
    });
    assert_eq!(
        peer.answer("backlot.v1.Runner/ApplyFunctions", &functions)
            .await["added"],
        json!(["hello"])
    );
    let endpoint = peer
        .answer("backlot.v1.Runner/Acquire", &json!({ "function": "hello" }))
        .await;
    assert!(endpoint["endpoint"]["address"].is_string(), "{endpoint}");

    let (mut gateway, peer) = by_hand(&clients, &launch, "gateway").await;
    peer.assert_serving("backlot.v1.Gateway").await;

    for service in [&mut store, &mut runner, &mut gateway] {
        service.signal(nix::sys::signal::Signal::SIGTERM);
        assert_eq!(service.ended().await, 0, "{}", service.output().text());
        service.nothing_left().await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_travel_starts_nothing() {
    let project = Project::new().with_tasks();
    let launch = backlot(&project).env("BACKLOT_TOKEN", "geheimß");
    for refused in [launch.fail().await, launch.run(&["store"]).await] {
        assert_eq!(refused.code, 2, "{refused}");
        let why = "cannot travel in a header";
        assert!(refused.stderr.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn dev_uses_services_that_were_started_by_hand_and_leaves_them_running() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().with_tasks();
    let launch = backlot(&project).env("BACKLOT_TOKEN", "shared");
    let (store, mut peer) = by_hand(&clients, &launch, "store").await;
    peer.token = Some("shared".to_owned());
    let attach = format!("store={}", peer.address);
    let nobody = http::Nobody::home();
    let nowhere = format!("store={}", nobody.address());
    for (address, what) in [
        (&attach, "BACKLOT_TOKEN"),
        (&nowhere, "backlot store --listen"),
    ] {
        let stranger = backlot(&project).args(&["--attach", address]).fail().await;
        assert_eq!(stranger.code, 1, "{stranger}");
        let (_, hint) = stranger.stderr.split_once("hint:").unwrap();
        assert!(hint.contains(what), "{stranger}");
    }
    let launch = launch.args(&["--attach", &attach]);
    let mut server = launch.start().await;
    let task = add_task(&server, "in the attached store").await;
    let status = launch.status().await;
    assert_eq!(
        (
            &status["services"]["store"]["grpc"],
            &status["services"]["store"]["pid"]
        ),
        (&json!(peer.address), &Value::Null)
    );
    assert_eq!(server.interrupt().await, 0);
    let chunk = peer
        .answer(
            "backlot.v1.Store/Query",
            &json!({ "entity": "Task", "caller": { "service": {} } }),
        )
        .await;
    assert_eq!(first_of(&chunk), task);
    drop(store);
}
