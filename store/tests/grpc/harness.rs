//! A store on a free port, and short words for what tests say to it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::StreamExt as _;
use proto::{
    Failure,
    client::StoreClient,
    v1::{self, caller::Kind, store_server::StoreServer},
};
use serde_json::{Value, json};
use store::{Clock, Service, core::stamp::Timestamp};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Server, server::TcpIncoming};

/// A clock that stands still until it is told to go on.
#[derive(Clone, Debug)]
pub(crate) struct FixedClock(Arc<AtomicU64>);

impl FixedClock {
    pub(crate) fn advance(&self, minutes: u64) {
        self.0.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

type StoreClientRaw = v1::store_client::StoreClient<tonic::transport::Channel>;

/// A running store, ended when this is dropped.
pub(crate) struct Store {
    pub(crate) client: StoreClient,
    pub(crate) clock: FixedClock,
    address: String,
    _running: DropGuard,
}

impl Store {
    /// A store with these entities, and the developer `dev@example.com` in it.
    pub(crate) async fn start(schemas: Value) -> Self {
        let clock = FixedClock(Arc::new(AtomicU64::new(1_770_000_000_000)));
        let stop = CancellationToken::new();
        let service = Service::new([0; 4], Box::new(clock.clone()), stop.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Server::builder()
            .add_service(StoreServer::new(service))
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stop.clone().cancelled_owned(),
            );
        tokio::spawn(serving);
        let store = Self {
            client: StoreClient::new(&address.to_string(), None).unwrap(),
            clock,
            address: address.to_string(),
            _running: stop.drop_guard(),
        };
        store.apply(schemas, false).await;
        store.seed("dev@example.com").await;
        store
    }

    /// The generated client, for what the typed one does not offer.
    pub(crate) async fn raw(&self) -> StoreClientRaw {
        let address = format!("http://{}", self.address);
        StoreClientRaw::connect(address).await.unwrap()
    }

    pub(crate) async fn apply(&self, schemas: Value, strict: bool) -> v1::ApplySchemasResponse {
        let schemas = schemas.as_object().unwrap().iter();
        let schemas = schemas.map(|(name, schema)| v1::EntitySchema {
            name: name.clone(),
            schema_json: bytes(schema),
            source: format!("base44/entities/{name}.jsonc"),
        });
        let request = v1::ApplySchemasRequest {
            schemas: schemas.collect(),
            strict,
        };
        self.client.apply_schemas(request).await.unwrap()
    }

    pub(crate) async fn seed(&self, email: &str) -> v1::UserResponse {
        let request = v1::SeedUserRequest {
            email: email.to_owned(),
            full_name: "Dev".to_owned(),
            app_id: "app1".to_owned(),
        };
        self.client.seed_user(request).await.unwrap()
    }

    /// A user with an ordinary account.
    pub(crate) async fn join(&self, email: &str) -> v1::UserResponse {
        let request = v1::VouchUserRequest {
            email: email.to_owned(),
            full_name: String::new(),
        };
        self.client.vouch_user(request).await.unwrap()
    }

    pub(crate) async fn create(
        &self,
        entity: &str,
        caller: &v1::Caller,
        record: Value,
    ) -> Result<Value, Failure> {
        let request = v1::CreateRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            record_json: bytes(&record),
        };
        self.client.create(request).await.map(record_of)
    }

    pub(crate) async fn update(
        &self,
        entity: &str,
        caller: &v1::Caller,
        id: &str,
        changes: Value,
    ) -> Result<Value, Failure> {
        let request = v1::UpdateRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            id: id.to_owned(),
            changes_json: bytes(&changes),
        };
        self.client.update(request).await.map(record_of)
    }

    pub(crate) async fn get(
        &self,
        entity: &str,
        caller: &v1::Caller,
        id: &str,
    ) -> Result<Value, Failure> {
        let request = v1::GetRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            id: id.to_owned(),
        };
        self.client.get(request).await.map(record_of)
    }

    pub(crate) async fn delete(
        &self,
        entity: &str,
        caller: &v1::Caller,
        id: &str,
    ) -> Result<(), Failure> {
        let request = v1::DeleteRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            id: id.to_owned(),
        };
        self.client.delete(request).await.map(|_| ())
    }

    /// A query from its entity, caller and filter.
    #[expect(clippy::needless_pass_by_value, reason = "tests write it in place")]
    pub(crate) fn query(entity: &str, caller: &v1::Caller, filter: Value) -> v1::QueryRequest {
        v1::QueryRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            filter_json: bytes(&filter),
            ..v1::QueryRequest::default()
        }
    }

    pub(crate) async fn list(&self, query: v1::QueryRequest) -> Result<Vec<Value>, Failure> {
        let mut chunks = self.client.query(query).await?;
        let mut records = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|status| Failure::from_status("store", &status))?;
            records.extend(records_of(&chunk));
        }
        Ok(records)
    }

    pub(crate) async fn count(
        &self,
        entity: &str,
        caller: &v1::Caller,
        filter: Value,
    ) -> Result<u64, Failure> {
        let request = v1::CountRequest {
            entity: entity.to_owned(),
            caller: Some(caller.clone()),
            filter_json: bytes(&filter),
        };
        self.client.count(request).await.map(|answer| answer.count)
    }
}

pub(crate) fn bytes(json: &Value) -> bytes::Bytes {
    serde_json::to_vec(json).unwrap().into()
}

pub(crate) fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

pub(crate) fn records_of(chunk: &v1::RecordChunk) -> Vec<Value> {
    let array = [b"[", &*chunk.records_json, b"]"].concat();
    serde_json::from_slice(&array).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "maps an answer")]
pub(crate) fn record_of(response: v1::RecordResponse) -> Value {
    value(&response.record_json)
}

pub(crate) fn service() -> v1::Caller {
    let kind = Kind::Service(v1::caller::Service::default());
    v1::Caller { kind: Some(kind) }
}

pub(crate) fn anonymous() -> v1::Caller {
    v1::Caller::default()
}

pub(crate) fn user(email: &str) -> v1::Caller {
    let user = v1::caller::User {
        email: email.to_owned(),
        bypass_rules: false,
    };
    v1::Caller {
        kind: Some(Kind::User(user)),
    }
}

pub(crate) fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

/// One field of each record.
pub(crate) fn pluck(records: &[Value], field: &str) -> Vec<Value> {
    records.iter().map(|record| record[field].clone()).collect()
}

/// `CODE: message` of a refusal.
pub(crate) fn refusal<T>(answer: Result<T, Failure>) -> String {
    match answer {
        Ok(_) => "accepted".to_owned(),
        Err(failure) => format!("{}: {}", failure.code().name(), failure.message()),
    }
}

/// A schema of text fields.
pub(crate) fn text_fields(names: &[&str]) -> Value {
    let fields = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})));
    json!({ "properties": fields.collect::<serde_json::Map<_, _>>() })
}
