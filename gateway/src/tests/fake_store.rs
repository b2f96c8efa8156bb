//! A store that writes down what it is asked and answers by the entity's name.

use std::{pin::Pin, sync::Arc};

use super::watches;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use proto::{
    Code, Failure,
    v1::{caller::Kind, store_server::Store, *},
};
use tonic::{Request, Response, Status, Streaming};

/// Clones share what they wrote down.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeStore(Arc<Mutex<Vec<String>>>, watches::Watches);

impl FakeStore {
    /// The calls since the last look.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }

    /// The watches of this store.
    pub(super) fn watches(&self) -> &watches::Watches {
        &self.1
    }

    fn note(&self, call: String) {
        self.0.lock().push(call);
    }
}

impl FakeStore {
    /// The same answers as over the calls.
    async fn perform(&self, operation: Operation) -> OperationResult {
        use operation::Request as Asked;
        use operation_result::Result as Outcome;

        let record = match operation.request.unwrap() {
            // Holds up what comes after it on the same stream.
            Asked::Get(get) if get.entity == "Stalled" => std::future::pending().await,
            Asked::Get(get) => self.get(Request::new(get)).await,
            Asked::Create(create) => self.create(Request::new(create)).await,
            Asked::Update(update) => self.update(Request::new(update)).await,
            Asked::Delete(delete) => {
                let deleted = self.delete(Request::new(delete)).await;
                deleted.map(|_| Response::new(RecordResponse::default()))
            }
        };
        let result = match record {
            Ok(record) => Outcome::Record(record.into_inner()),
            Err(status) => Outcome::Failure(Failure::from_status("store", &status).into()),
        };
        OperationResult {
            tag: operation.tag,
            result: Some(result),
        }
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<RecordChunk, Status>> + Send>>;
type Upserts = Pin<Box<dyn Stream<Item = Result<UpsertResponse, Status>> + Send>>;
type Imports = Pin<Box<dyn Stream<Item = Result<ImportResponse, Status>> + Send>>;
type Changes = Pin<Box<dyn Stream<Item = Result<Change, Status>> + Send>>;
type Results = Pin<Box<dyn Stream<Item = Result<OperationResult, Status>> + Send>>;

fn who(caller: Option<&Caller>) -> String {
    match caller.and_then(|caller| caller.kind.as_ref()) {
        None => "nobody".to_owned(),
        Some(Kind::Anonymous(_)) => "anonymous".to_owned(),
        Some(Kind::User(user)) if user.bypass_rules => format!("{}!", user.email),
        Some(Kind::User(user)) => user.email.clone(),
        Some(Kind::Service(service)) => format!("service({})", service.on_behalf_of),
    }
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What any call about this entity comes to.
fn judge(entity: &str) -> Result<(), Failure> {
    match entity {
        "Missing" => Err(Failure::new(Code::NotFound, "Entity Missing not found")),
        "Denied" => Err(Failure::new(Code::Forbidden, "Permission denied")),
        "Broken" => Err(Failure::new(Code::Internal, "core gave way").with_detail("secret")),
        _ => Ok(()),
    }
}

fn record() -> RecordResponse {
    RecordResponse {
        record_json: Bytes::from_static(br#"{"id":"1"}"#),
    }
}

fn user(email: &str) -> UserResponse {
    UserResponse {
        email: email.to_lowercase(),
        role: "user".to_owned(),
        id: "u1".to_owned(),
        record_json: Bytes::from_static(br#"{"id":"u1","full_name":"U"}"#),
    }
}

fn code() -> CodeResponse {
    CodeResponse {
        id: "p1".to_owned(),
        code: "123456".to_owned(),
        expires_in_minutes: 10,
    }
}

fn chunk(records: &[&'static str]) -> Result<RecordChunk, Status> {
    Ok(RecordChunk {
        records_json: records.join(",").into(),
    })
}

fn chunks(entity: &str) -> Result<Chunks, Failure> {
    judge(entity)?;
    let chunks = match entity {
        "Empty" => vec![],
        "Long" => vec![chunk(&["1", "2"]), chunk(&[]), chunk(&["3"]), chunk(&["4"])],
        "Late" => vec![chunk(&[]), chunk(&[]), chunk(&["1"])],
        "Refused" => vec![Err(
            Failure::new(Code::BadRequest, "unknown operator `$x`").into()
        )],
        "Cut" => vec![
            chunk(&["1"]),
            chunk(&["2"]),
            Err(Failure::new(Code::Internal, "gone").into()),
        ],
        _ => vec![chunk(&["{}", "{}"])],
    };
    Ok(stream::iter(chunks).boxed())
}

fn upserted() -> Upserts {
    use upsert_response::{Counts, Part};
    let counts = Counts {
        created: 1,
        updated: 2,
    };
    let parts = [
        Ok(Part::Counts(counts)),
        chunk(&["{}"]).map(Part::Records),
        chunk(&["{}", "{}"]).map(Part::Records),
    ];
    let parts = parts.map(|part| part.map(|part| UpsertResponse { part: Some(part) }));
    stream::iter(parts).boxed()
}

fn imported() -> Imports {
    use import_response::{Outcome, Part};
    let outcome = Outcome {
        imported: true,
        details: "Successfully imported 1 entities".to_owned(),
    };
    let parts = [
        Ok(Part::Outcome(outcome)),
        chunk(&["{}"]).map(Part::Records),
    ];
    let parts = parts.map(|part| part.map(|part| ImportResponse { part: Some(part) }));
    stream::iter(parts).boxed()
}

/// Writes one method of the service: noted by the first closure, answered by the second.
macro_rules! rpc {
    ($name:ident($request:ty) -> $response:ty) => {
        rpc!($name($request) -> $response, |_| String::new(), |_| {
            Err(Failure::new(Code::Unimplemented, "not in this fake"))
        });
    };
    ($name:ident($request:ty) -> $response:ty, $note:expr, $answer:expr) => {
        fn $name<'life0, 'async_trait>(
            &'life0 self,
            request: Request<$request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<$response>, Status>> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            let note: fn(&$request) -> String = $note;
            let answer: fn($request) -> Result<$response, Failure> = $answer;
            let request = request.into_inner();
            self.note(format!("{} {}", stringify!($name), note(&request)));
            let answer = answer(request);
            Box::pin(async move { Ok(Response::new(answer?)) })
        }
    };
}

impl Store for FakeStore {
    type QueryStream = Chunks;
    type CreateManyStream = Chunks;
    type UpdateManyStream = Chunks;
    type UpsertStream = Upserts;
    type ImportStream = Imports;
    type WatchStream = Changes;
    type OperateStream = Results;

    rpc!(query(QueryRequest) -> Chunks,
        |r| format!("{} {} q={} sort={} skip={:?} limit={:?} fields={}", r.entity, who(r.caller.as_ref()), text(&r.filter_json), r.sort, r.skip, r.limit, r.fields.join("+")),
        |r| chunks(&r.entity));
    rpc!(page(PageRequest) -> PageResponse,
        |r| format!("{} {} q={} limit={:?} cursor={} distinct={:?}", r.entity, who(r.caller.as_ref()), text(&r.filter_json), r.limit, r.cursor, r.distinct),
        |r| Ok(PageResponse { items_json: vec!["{}".into()], next_cursor: r.cursor.is_empty().then(|| "a\"b".to_owned()) }));
    rpc!(get(GetRequest) -> RecordResponse,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), r.id),
        |r| judge(&r.entity).map(|()| record()));
    rpc!(count(CountRequest) -> CountResponse,
        |r| format!("{} {} q={}", r.entity, who(r.caller.as_ref()), text(&r.filter_json)),
        |_| Ok(CountResponse { count: 7 }));
    rpc!(aggregate(AggregateRequest) -> AggregateResponse,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), text(&r.spec_json)),
        |_| Ok(AggregateResponse { rows_json: vec!["{}".into()], truncated: false }));
    rpc!(create(CreateRequest) -> RecordResponse,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), text(&r.record_json)),
        |r| judge(&r.entity).map(|()| record()));
    rpc!(create_many(CreateManyRequest) -> Chunks,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), text(&r.records_json)),
        |r| chunks(&r.entity));
    rpc!(update(UpdateRequest) -> RecordResponse,
        |r| format!("{} {} {} {}", r.entity, who(r.caller.as_ref()), r.id, text(&r.changes_json)),
        |r| judge(&r.entity).map(|()| record()));
    rpc!(update_many(UpdateManyRequest) -> Chunks,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), text(&r.changes_json)),
        |r| chunks(&r.entity));
    rpc!(update_where(UpdateWhereRequest) -> UpdateWhereResponse,
        |r| format!("{} {} {} {}", r.entity, who(r.caller.as_ref()), text(&r.filter_json), text(&r.update_json)),
        |_| Ok(UpdateWhereResponse { updated: 2, has_more: true }));
    rpc!(upsert(UpsertRequest) -> Upserts,
        |r| format!("{} {} {} key={}", r.entity, who(r.caller.as_ref()), text(&r.records_json), r.key.join("+")),
        |_| Ok(upserted()));
    rpc!(delete(DeleteRequest) -> DeleteResponse,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), r.id),
        |r| judge(&r.entity).map(|()| DeleteResponse {}));
    rpc!(delete_where(DeleteWhereRequest) -> DeleteWhereResponse,
        |r| format!("{} {} {}", r.entity, who(r.caller.as_ref()), text(&r.filter_json)),
        |_| Ok(DeleteWhereResponse { deleted: 3 }));
    rpc!(get_me(GetMeRequest) -> RecordResponse,
        |r| who(r.caller.as_ref()),
        |_| Ok(record()));
    rpc!(update_me(UpdateMeRequest) -> RecordResponse,
        |r| format!("{} {}", who(r.caller.as_ref()), text(&r.changes_json)),
        |_| Ok(record()));
    rpc!(login(LoginRequest) -> UserResponse,
    |r| format!("{} {}", r.email, r.password),
    |r| match r.password.as_str() {
        "right" => Ok(user(&r.email)),
        _ => Err(Failure::new(Code::BadRequest, "Invalid email or password")),
    });
    rpc!(register(RegisterRequest) -> CodeResponse, |r| format!("{} {}", r.email, r.password), |_| Ok(code()));
    rpc!(verify_code(VerifyCodeRequest) -> UserResponse, |r| format!("{} {}", r.email, r.code), |r| Ok(user(&r.email)));
    rpc!(resend_code(ResendCodeRequest) -> CodeResponse, |r| r.email.clone(), |_| Ok(code()));
    rpc!(request_password_reset(RequestPasswordResetRequest) -> RequestPasswordResetResponse,
        |r| r.email.clone(),
        |r| Ok(RequestPasswordResetResponse { token: if r.email == "a@b.c" { "t1".to_owned() } else { String::new() } }));
    rpc!(reset_password(ResetPasswordRequest) -> ResetPasswordResponse, |r| format!("{} {}", r.token, r.new_password), |_| Ok(ResetPasswordResponse {}));
    rpc!(change_password(ChangePasswordRequest) -> ChangePasswordResponse,
        |r| format!("{} {} {} {}", who(r.caller.as_ref()), r.user_id, r.current_password, r.new_password),
        |_| Ok(ChangePasswordResponse {}));
    rpc!(invite_user(InviteUserRequest) -> InviteUserResponse,
        |r| format!("{} {} {}", who(r.caller.as_ref()), r.email, r.role),
        |_| Ok(InviteUserResponse {}));

    rpc!(vouch_user(VouchUserRequest) -> UserResponse, |r| format!("{} {}", r.email, r.full_name), |r| Ok(user(&r.email)));

    rpc!(apply_schemas(ApplySchemasRequest) -> ApplySchemasResponse);
    rpc!(list_entities(ListEntitiesRequest) -> ListEntitiesResponse);

    fn watch<'life0, 'async_trait>(
        &'life0 self,
        request: Request<WatchRequest>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Changes>, Status>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let request = request.into_inner();
        let watched = format!("{} {}", request.entity, who(request.caller.as_ref()));
        let changes = self.1.open(watched);
        Box::pin(async move { Ok(Response::new(changes)) })
    }

    rpc!(seed_user(SeedUserRequest) -> UserResponse);
    rpc!(store_status(StoreStatusRequest) -> StoreStatusResponse);

    fn operate<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Streaming<Operation>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Results>, Status>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let fake = self.clone();
        let results = request.into_inner().then(move |operation| {
            let fake = fake.clone();
            async move { Ok(fake.perform(operation?).await) }
        });
        Box::pin(async move { Ok(Response::new(results.boxed() as Results)) })
    }

    fn import<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Streaming<ImportRequest>>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Imports>, Status>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let mut parts = request.into_inner();
            let mut call = "import".to_owned();
            while let Some(part) = parts.message().await? {
                match part.part {
                    Some(import_request::Part::Header(header)) => {
                        let caller = who(header.caller.as_ref());
                        call.push_str(&format!(
                            " {} {caller} {} ",
                            header.entity, header.file_name
                        ));
                    }
                    Some(import_request::Part::Content(content)) => call.push_str(text(&content)),
                    None => {}
                }
            }
            self.note(call);
            Ok(Response::new(imported()))
        })
    }
}
