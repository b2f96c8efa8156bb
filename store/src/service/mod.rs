//! The gRPC side: each method unwraps its message, calls the core and wraps the answer.

mod accounts;
mod convert;
mod import;
mod operate;
mod reads;
mod schemas;
mod watch;
mod writes;

use std::sync::Arc;

use futures_util::stream::BoxStream;
use proto::v1::{self, store_server::Store};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use self::convert::status;
use crate::{
    core::{database::Database, fault::Fault},
    state::{Clock, State},
};

/// A response in pieces.
type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// An answer to one call.
type Answer<T> = Result<Response<T>, Status>;

/// The entity service. Clones share the data.
#[derive(Clone, Debug)]
pub struct Service {
    state: Arc<State>,
    shutdown: CancellationToken,
}

impl Service {
    /// An empty store. Ids of records differ from those of stores with another seed; open streams end when `shutdown`
    /// is cancelled.
    #[must_use]
    pub fn new(seed: [u8; 4], clock: Box<dyn Clock>, shutdown: CancellationToken) -> Self {
        let state = Arc::new(State::new(Database::new(seed), clock));
        Self { state, shutdown }
    }
}

fn answer<T>(outcome: Result<T, Fault>) -> Answer<T> {
    outcome.map(Response::new).map_err(|fault| status(&fault))
}

#[tonic::async_trait]
impl Store for Service {
    type QueryStream = Stream<v1::RecordChunk>;
    type CreateManyStream = Stream<v1::RecordChunk>;
    type UpdateManyStream = Stream<v1::RecordChunk>;
    type UpsertStream = Stream<v1::UpsertResponse>;
    type ImportStream = Stream<v1::ImportResponse>;
    type WatchStream = Stream<v1::Change>;
    type OperateStream = Stream<v1::OperationResult>;

    async fn apply_schemas(
        &self,
        request: Request<v1::ApplySchemasRequest>,
    ) -> Answer<v1::ApplySchemasResponse> {
        let message = request.into_inner();
        answer(Ok(schemas::apply(&self.state, message)))
    }

    async fn list_entities(
        &self,
        request: Request<v1::ListEntitiesRequest>,
    ) -> Answer<v1::ListEntitiesResponse> {
        let message = request.into_inner();
        answer(Ok(schemas::list(&self.state, message)))
    }

    async fn query(&self, request: Request<v1::QueryRequest>) -> Answer<Self::QueryStream> {
        let message = request.into_inner();
        answer(reads::query(&self.state, message).await)
    }

    async fn page(&self, request: Request<v1::PageRequest>) -> Answer<v1::PageResponse> {
        let message = request.into_inner();
        answer(reads::page(&self.state, message).await)
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Answer<v1::RecordResponse> {
        let message = request.into_inner();
        answer(reads::get(&self.state, &message))
    }

    async fn count(&self, request: Request<v1::CountRequest>) -> Answer<v1::CountResponse> {
        let message = request.into_inner();
        answer(reads::count(&self.state, message).await)
    }

    async fn aggregate(
        &self,
        request: Request<v1::AggregateRequest>,
    ) -> Answer<v1::AggregateResponse> {
        let message = request.into_inner();
        answer(reads::aggregate(&self.state, message).await)
    }

    async fn create(&self, request: Request<v1::CreateRequest>) -> Answer<v1::RecordResponse> {
        let message = request.into_inner();
        answer(writes::create(&self.state, message))
    }

    async fn create_many(
        &self,
        request: Request<v1::CreateManyRequest>,
    ) -> Answer<Self::CreateManyStream> {
        let message = request.into_inner();
        answer(writes::create_many(&self.state, message).await)
    }

    async fn update(&self, request: Request<v1::UpdateRequest>) -> Answer<v1::RecordResponse> {
        let message = request.into_inner();
        answer(writes::update(&self.state, message))
    }

    async fn update_many(
        &self,
        request: Request<v1::UpdateManyRequest>,
    ) -> Answer<Self::UpdateManyStream> {
        let message = request.into_inner();
        answer(writes::update_many(&self.state, message).await)
    }

    async fn update_where(
        &self,
        request: Request<v1::UpdateWhereRequest>,
    ) -> Answer<v1::UpdateWhereResponse> {
        let message = request.into_inner();
        answer(writes::update_where(&self.state, message).await)
    }

    async fn upsert(&self, request: Request<v1::UpsertRequest>) -> Answer<Self::UpsertStream> {
        let message = request.into_inner();
        answer(writes::upsert(&self.state, message).await)
    }

    async fn delete(&self, request: Request<v1::DeleteRequest>) -> Answer<v1::DeleteResponse> {
        let message = request.into_inner();
        answer(writes::delete(&self.state, message))
    }

    async fn delete_where(
        &self,
        request: Request<v1::DeleteWhereRequest>,
    ) -> Answer<v1::DeleteWhereResponse> {
        let message = request.into_inner();
        answer(writes::delete_where(&self.state, message).await)
    }

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Answer<Self::WatchStream> {
        let message = request.into_inner();
        answer(watch::watch(&self.state, message, self.shutdown.clone()))
    }

    async fn seed_user(&self, request: Request<v1::SeedUserRequest>) -> Answer<v1::UserResponse> {
        let message = request.into_inner();
        answer(accounts::seed(&self.state, message))
    }

    async fn get_me(&self, request: Request<v1::GetMeRequest>) -> Answer<v1::RecordResponse> {
        let message = request.into_inner();
        answer(accounts::get_me(&self.state, message))
    }

    async fn update_me(&self, request: Request<v1::UpdateMeRequest>) -> Answer<v1::RecordResponse> {
        let message = request.into_inner();
        answer(accounts::update_me(&self.state, message))
    }

    async fn login(&self, request: Request<v1::LoginRequest>) -> Answer<v1::UserResponse> {
        let message = request.into_inner();
        answer(accounts::login(&self.state, message).await)
    }

    async fn register(&self, request: Request<v1::RegisterRequest>) -> Answer<v1::CodeResponse> {
        let message = request.into_inner();
        answer(accounts::register(&self.state, message).await)
    }

    async fn verify_code(
        &self,
        request: Request<v1::VerifyCodeRequest>,
    ) -> Answer<v1::UserResponse> {
        let message = request.into_inner();
        answer(accounts::verify_code(&self.state, &message))
    }

    async fn resend_code(
        &self,
        request: Request<v1::ResendCodeRequest>,
    ) -> Answer<v1::CodeResponse> {
        let message = request.into_inner();
        answer(accounts::resend_code(&self.state, &message))
    }

    async fn request_password_reset(
        &self,
        request: Request<v1::RequestPasswordResetRequest>,
    ) -> Answer<v1::RequestPasswordResetResponse> {
        let message = request.into_inner();
        answer(accounts::request_reset(&self.state, &message))
    }

    async fn reset_password(
        &self,
        request: Request<v1::ResetPasswordRequest>,
    ) -> Answer<v1::ResetPasswordResponse> {
        let message = request.into_inner();
        answer(accounts::reset(&self.state, message).await)
    }

    async fn change_password(
        &self,
        request: Request<v1::ChangePasswordRequest>,
    ) -> Answer<v1::ChangePasswordResponse> {
        let message = request.into_inner();
        answer(accounts::change_password(&self.state, message).await)
    }

    async fn invite_user(
        &self,
        request: Request<v1::InviteUserRequest>,
    ) -> Answer<v1::InviteUserResponse> {
        let message = request.into_inner();
        answer(accounts::invite(&self.state, message))
    }

    async fn vouch_user(&self, request: Request<v1::VouchUserRequest>) -> Answer<v1::UserResponse> {
        let message = request.into_inner();
        answer(accounts::vouch(&self.state, &message))
    }

    async fn store_status(
        &self,
        request: Request<v1::StoreStatusRequest>,
    ) -> Answer<v1::StoreStatusResponse> {
        let message = request.into_inner();
        answer(Ok(schemas::status(&self.state, message)))
    }

    async fn import(
        &self,
        request: Request<Streaming<v1::ImportRequest>>,
    ) -> Answer<Self::ImportStream> {
        import::import(&self.state, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn operate(
        &self,
        request: Request<Streaming<v1::Operation>>,
    ) -> Answer<Self::OperateStream> {
        let results = operate::operate(&self.state, request.into_inner(), self.shutdown.clone());
        Ok(Response::new(results))
    }
}
