//! Every rpc of every service, called by an independent client: what reflection lists and nothing is called here does not
//! exist, and what is new has to be called here too.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{tools::Clients, wait::PATIENCE};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use super::{Peer, by_hand, decoded, encoded, first_of, function_named_hello, records_of};
use crate::backlot;

impl Peer<'_> {
    /// `backlot.v1.Store/Get` and so on, by reflection.
    async fn methods(&self) -> BTreeSet<String> {
        let listed = self.list("--list-methods").await;
        let of_ours = listed
            .into_iter()
            .filter(|name| name.starts_with("backlot."));
        of_ours.collect()
    }

    /// The first message of an answer that may never end.
    async fn first(&self, method: &str, request: &Value) -> Value {
        let mut buf = self.curl(method, &request.to_string()).spawn().unwrap();
        let mut lines = BufReader::new(buf.stdout.take().unwrap()).lines();
        let mut text = String::new();
        let reading = async {
            loop {
                let line = lines.next_line().await.unwrap();
                text.push_str(&line.unwrap_or_else(|| panic!("{method} ended: {text}")));
                if let Ok(message) = serde_json::from_str(&text) {
                    return message;
                }
            }
        };
        timeout(PATIENCE, reading).await.expect(method)
    }
}

/// Calls one after the other and remembers which.
struct Round<'a> {
    peer: Peer<'a>,
    service: &'static str,
    called: BTreeSet<String>,
}

impl<'a> Round<'a> {
    const fn new(peer: Peer<'a>, service: &'static str) -> Self {
        Self {
            peer,
            service,
            called: BTreeSet::new(),
        }
    }

    fn name(&mut self, method: &str) -> String {
        let name = format!("backlot.v1.{}/{method}", self.service);
        self.called.insert(name.clone());
        name
    }

    async fn call(&mut self, method: &str, request: Value) -> Value {
        let name = self.name(method);
        self.peer.answer(&name, &request).await
    }

    async fn first(&mut self, method: &str, request: Value) -> Value {
        let name = self.name(method);
        self.peer.first(&name, &request).await
    }

    /// The first message of an answer that begins when something happens, which `work` sees to for ever.
    async fn first_while(&mut self, method: &str, work: impl Future<Output = ()>) -> Value {
        tokio::select! {
            message = self.first(method, json!({})) => message,
            () = work => unreachable!("it goes on for ever"),
        }
    }

    async fn assert_complete(&self) {
        assert_eq!(self.called, self.peer.methods().await);
    }
}

#[tokio::test]
async fn every_rpc_of_the_store_answers() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = function_named_hello();
    let launch = backlot(&project).clients(&clients);
    let (_store, peer) = by_hand(&clients, &launch, "store").await;
    let mut store = Round::new(peer, "Store");
    schemas(&mut store).await;
    let id = writes(&mut store).await;
    reads(&mut store).await;
    streams(&mut store, &id).await;
    removals(&mut store, &id).await;
    accounts(&mut store).await;
    store.assert_complete().await;
}

/// A request about the tasks, as the service role.
fn about(more: &Value) -> Value {
    let mut request = json!({ "entity": "Task", "caller": { "service": {} } });
    let members = request.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    request
}

async fn schemas(store: &mut Round<'_>) {
    let schema = json!({
        "name": "Task", "type": "object",
        "properties": { "title": { "type": "string" }, "size": { "type": "number" } },
    });
    let schemas = json!({ "schemas": [{ "name": "Task", "schemaJson": encoded(&schema), "source": "task.jsonc" }] });
    let applied = store.call("ApplySchemas", schemas).await;
    assert_eq!(applied["changes"][0]["kind"], "ADDED");
    let entities = store.call("ListEntities", json!({})).await;
    assert!(entities.to_string().contains("Task"), "{entities}");
}

/// Leaves `a` of size 2, `b` of size 6 and `c` of size 9; returns the id of `a`.
async fn writes(store: &mut Round<'_>) -> Value {
    let create = json!({ "recordJson": encoded(&json!({ "title": "a", "size": 1 })) });
    let made = decoded(&store.call("Create", about(&create)).await["recordJson"]);
    let id = made["id"].clone();
    let got = store.call("Get", about(&json!({ "id": id }))).await;
    assert_eq!(decoded(&got["recordJson"]), made);

    let many = json!({ "recordsJson": encoded(&json!([{ "title": "b" }, { "title": "c" }])) });
    let made = store.call("CreateMany", about(&many)).await;
    let made = records_of(&made);
    assert_eq!(made.len(), 2);
    let second = made[0]["id"].clone();

    let update = json!({ "id": id, "changesJson": encoded(&json!({ "size": 2 })) });
    let changed = store.call("Update", about(&update)).await;
    assert_eq!(decoded(&changed["recordJson"])["size"], 2);
    let changes = json!({ "changesJson": encoded(&json!([{ "id": second, "size": 5 }])) });
    let changed = store.call("UpdateMany", about(&changes)).await;
    assert_eq!(first_of(&changed)["size"], 5);
    let update = json!({
        "filterJson": encoded(&json!({ "size": 5 })), "updateJson": encoded(&json!({ "$inc": { "size": 1 } })),
    });
    let updated = store.call("UpdateWhere", about(&update)).await;
    assert_eq!(updated["updated"], "1");
    let upsert =
        json!({ "recordsJson": encoded(&json!([{ "title": "c", "size": 9 }])), "key": ["title"] });
    let upserted = store.call("Upsert", about(&upsert)).await;
    assert_eq!(upserted["counts"]["updated"], "1");
    id
}

async fn reads(store: &mut Round<'_>) {
    let filter = json!({ "filterJson": encoded(&json!({ "size": 9 })) });
    let found = store.call("Query", about(&filter)).await;
    assert_eq!(first_of(&found)["title"], "c");
    let page = store
        .call("Page", about(&json!({ "limit": 2, "sort": "title" })))
        .await;
    assert!(page["nextCursor"].is_string(), "{page}");
    let counted = store.call("Count", about(&json!({}))).await;
    assert_eq!(counted["count"], "3");
    let spec = json!({ "specJson": encoded(&json!({ "sum": "size" })) });
    let total = store.call("Aggregate", about(&spec)).await;
    assert_eq!(decoded(&total["rowsJson"][0])["sum_size"], 17);
}

async fn streams(store: &mut Round<'_>, id: &Value) {
    let name = store.name("Import");
    let header =
        json!({ "header": { "entity": "Task", "caller": { "service": {} }, "fileName": "t.csv" } });
    let content = json!({ "content": encoded_text("title,size\nd,4\n") });
    let imported = store
        .peer
        .answer_to_all(&name, &format!("{header} {content}"))
        .await;
    assert_eq!(imported["outcome"]["imported"], true, "{imported}");

    let operation = json!({ "tag": 7, "get": about(&json!({ "id": id })) });
    let result = store.call("Operate", operation).await;
    assert_eq!(result["tag"], "7");
    assert!(result["record"].is_object(), "{result}");

    // A watch answers first when something happens.
    let name = store.name("Watch");
    let watch = about(&json!({}));
    let watching = store.peer.first(&name, &watch);
    let writing = async {
        loop {
            let create = json!({ "recordJson": encoded(&json!({ "title": "watched" })) });
            let create = about(&create);
            store.peer.answer("backlot.v1.Store/Create", &create).await;
        }
    };
    let change = tokio::select! {
        change = watching => change,
        () = writing => unreachable!("it writes for ever"),
    };
    assert_eq!(change["kind"], "CREATE", "{change}");
}

async fn removals(store: &mut Round<'_>, id: &Value) {
    let deleted = store.call("Delete", about(&json!({ "id": id }))).await;
    assert_eq!(deleted, json!({}));
    let matching = json!({ "filterJson": encoded(&json!({ "title": "d" })) });
    let deleted = store.call("DeleteWhere", about(&matching)).await;
    assert_eq!(deleted["deleted"], "1");
}

async fn accounts(store: &mut Round<'_>) {
    let ann = "ann@example.com";
    let seed = json!({ "email": "dev@example.com", "fullName": "Dev", "appId": "local" });
    assert_eq!(store.call("SeedUser", seed).await["role"], "admin");
    let credentials = json!({ "email": ann, "password": "a long password" });
    store.call("Register", credentials.clone()).await;
    let code = store.call("ResendCode", json!({ "email": ann })).await["code"].clone();
    let user = store
        .call("VerifyCode", json!({ "email": ann, "code": code }))
        .await;
    assert_eq!(store.call("Login", credentials).await["id"], user["id"]);
    let caller = json!({ "user": { "email": ann } });
    let me = store.call("GetMe", json!({ "caller": caller })).await;
    assert_eq!(decoded(&me["recordJson"])["email"], ann);
    store
        .call(
            "UpdateMe",
            json!({ "caller": caller, "changesJson": encoded(&json!({})) }),
        )
        .await;
    let token = store
        .call("RequestPasswordReset", json!({ "email": ann }))
        .await["token"]
        .clone();
    store
        .call(
            "ResetPassword",
            json!({ "token": token, "newPassword": "another password" }),
        )
        .await;
    let change = json!({
        "caller": caller, "userId": user["id"], "currentPassword": "another password", "newPassword": "a third password",
    });
    store.call("ChangePassword", change).await;
    let admin = json!({ "user": { "email": "dev@example.com" } });
    store
        .call(
            "InviteUser",
            json!({ "caller": admin, "email": "bob@example.com", "role": "user" }),
        )
        .await;
    let vouched = store
        .call(
            "VouchUser",
            json!({ "email": "eve@example.com", "fullName": "Eve" }),
        )
        .await;
    assert_eq!(vouched["role"], "user");
    assert_eq!(store.call("StoreStatus", json!({})).await["users"], "3");
}

#[tokio::test]
async fn every_rpc_of_the_runner_answers() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = function_named_hello();
    let launch = backlot(&project).clients(&clients);
    let (_runner, peer) = by_hand(&clients, &launch, "runner").await;
    let mut runner = Round::new(peer, "Runner");
    let entry = project.root().join("base44/functions/hello/entry.ts");
    let functions = json!({
        "functions": [{ "name": "hello", "entry": entry, "source": "entry.ts" }],
        "projectRoot": project.root(),
        "deno": clients.deno().join("deno"),
    });
    assert_eq!(
        runner.call("ApplyFunctions", functions).await["added"],
        json!(["hello"])
    );
    let acquired = runner.call("Acquire", json!({ "function": "hello" })).await;
    assert!(acquired["endpoint"]["address"].is_string(), "{acquired}");
    let invoked = runner
        .call("Invoke", json!({ "function": "hello", "method": "GET" }))
        .await;
    assert_eq!(invoked["status"], 200, "{invoked}");
    let table = runner.first("WatchEndpoints", json!({})).await;
    assert_eq!(table["functions"], json!(["hello"]));
    runner.call("Logs", json!({ "recent": 5 })).await;
    let changed = runner
        .call("FilesChanged", json!({ "paths": [entry] }))
        .await;
    assert_eq!(changed["functions"], json!(["hello"]));
    let settled = runner
        .call("Settle", json!({ "functions": ["hello"] }))
        .await;
    assert_eq!(settled["endpoints"][0]["function"], "hello", "{settled}");
    let status = runner.call("RunnerStatus", json!({})).await;
    assert_eq!(status["functions"][0]["name"], "hello");
    runner.assert_complete().await;
}

#[tokio::test]
async fn every_rpc_of_the_gateway_answers() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = function_named_hello();
    let launch = backlot(&project).clients(&clients);
    let (_store, store) = by_hand(&clients, &launch, "store").await;
    let (_gateway, peer) = by_hand(&clients, &launch, "gateway").await;
    let mut gateway = Round::new(peer, "Gateway");
    let configuration = json!({
        "storeAddress": store.address, "runnerAddress": "127.0.0.1:9", "appId": "local", "appName": "By hand",
        "signingKey": encoded_text(&"k".repeat(32)), "developerEmail": "dev@example.com",
        "upstreamUrl": "http://127.0.0.1:9",
    });
    assert_eq!(
        gateway.call("Configure", configuration).await["changed"],
        true
    );
    let status = gateway.call("GatewayStatus", json!({})).await;
    assert_eq!(status["configured"], true);
    let minted = gateway
        .call("MintToken", json!({ "email": "dev@example.com" }))
        .await;
    let token = minted["token"].as_str().unwrap().to_owned();
    let url = status["url"].as_str().unwrap().to_owned();

    let reached = gateway.call("Reach", json!({ "generations": {} })).await;
    assert_eq!(reached, json!({}));

    let asking = ask_for_ever(&url, "/api/apps/local/entities/None", &token);
    let entry = gateway.first_while("RequestLog", asking).await;
    assert_eq!(entry["method"], "GET", "{entry}");
    assert_eq!(entry["path"], "/api/apps/local/entities/None", "{entry}");
    // The developer's own call to what is not served here needs a token that nobody has given yet.
    let asking = ask_for_ever(&url, "/api/none", &token);
    let asked = gateway.first_while("CredentialRequests", asking).await;
    assert_eq!(asked, json!({}));
    gateway.assert_complete().await;
}

async fn ask_for_ever(url: &str, path: &str, token: &str) {
    let client = tests::http::client();
    loop {
        let request = client.get(format!("{url}{path}")).bearer_auth(token);
        // What comes of it is told elsewhere.
        let _ = request.send().await;
    }
}

fn encoded_text(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
