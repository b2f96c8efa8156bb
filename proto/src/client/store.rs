//! Client of the entity service.

use std::time::Duration;

use tonic::Streaming;

use super::{Authorised, CALL, calls, channel};
use crate::{
    Failure, MESSAGE_LIMIT,
    token::LaunchToken,
    v1::{self, store_client},
};

/// Speaks to one store. Clones share the connection.
#[derive(Clone, Debug)]
pub struct StoreClient {
    client: store_client::StoreClient<Authorised>,
}

impl StoreClient {
    /// Prepares a client for the store at `address`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` when `address` is not an address.
    pub fn new(address: &str, token: Option<&LaunchToken>) -> Result<Self, Failure> {
        let client = store_client::StoreClient::new(channel(address, token)?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Ok(Self { client })
    }

    calls! { "store":
        /// Replaces the whole set of schemas.
        apply_schemas(v1::ApplySchemasRequest) -> v1::ApplySchemasResponse, CALL;
        /// The entities as they are served now.
        list_entities(v1::ListEntitiesRequest) -> v1::ListEntitiesResponse, CALL;
        /// Matching records; the deadline is for the first chunk, later ones are the reader's to wait for.
        query(v1::QueryRequest) -> Streaming<v1::RecordChunk>, CALL;
        /// One page of a keyset walk.
        page(v1::PageRequest) -> v1::PageResponse, CALL;
        /// One record by id.
        get(v1::GetRequest) -> v1::RecordResponse, CALL;
        /// How many records match.
        count(v1::CountRequest) -> v1::CountResponse, CALL;
        /// Groups and totals.
        aggregate(v1::AggregateRequest) -> v1::AggregateResponse, CALL;
        /// Adds one record.
        create(v1::CreateRequest) -> v1::RecordResponse, CALL;
        /// Adds many records.
        create_many(v1::CreateManyRequest) -> Streaming<v1::RecordChunk>, CALL;
        /// Changes one record.
        update(v1::UpdateRequest) -> v1::RecordResponse, CALL;
        /// Changes many records by id.
        update_many(v1::UpdateManyRequest) -> Streaming<v1::RecordChunk>, CALL;
        /// Applies update operators to matching records.
        update_where(v1::UpdateWhereRequest) -> v1::UpdateWhereResponse, CALL;
        /// Updates or creates by key.
        upsert(v1::UpsertRequest) -> Streaming<v1::UpsertResponse>, CALL;
        /// Removes one record.
        delete(v1::DeleteRequest) -> v1::DeleteResponse, CALL;
        /// Removes matching records.
        delete_where(v1::DeleteWhereRequest) -> v1::DeleteWhereResponse, CALL;
        /// Changes of one entity; the deadline is for the start only.
        watch(v1::WatchRequest) -> Streaming<v1::Change>, CALL;
        /// Adds or renames the developer's user.
        seed_user(v1::SeedUserRequest) -> v1::UserResponse, CALL;
        /// The caller's own user record.
        get_me(v1::GetMeRequest) -> v1::RecordResponse, CALL;
        /// Changes the caller's own user record.
        update_me(v1::UpdateMeRequest) -> v1::RecordResponse, CALL;
        /// Checks an e-mail and a password.
        login(v1::LoginRequest) -> v1::UserResponse, CALL;
        /// Starts a registration.
        register(v1::RegisterRequest) -> v1::CodeResponse, CALL;
        /// Ends a registration.
        verify_code(v1::VerifyCodeRequest) -> v1::UserResponse, CALL;
        /// Replaces a registration's code.
        resend_code(v1::ResendCodeRequest) -> v1::CodeResponse, CALL;
        /// Makes a password reset token.
        request_password_reset(v1::RequestPasswordResetRequest) -> v1::RequestPasswordResetResponse, CALL;
        /// Sets a password with a reset token.
        reset_password(v1::ResetPasswordRequest) -> v1::ResetPasswordResponse, CALL;
        /// Sets a password with the old one.
        change_password(v1::ChangePasswordRequest) -> v1::ChangePasswordResponse, CALL;
        /// Notes an invitation.
        invite_user(v1::InviteUserRequest) -> v1::InviteUserResponse, CALL;
        /// Creates the user for whom the platform has vouched.
        vouch_user(v1::VouchUserRequest) -> v1::UserResponse, CALL;
        /// Counts and memory.
        store_status(v1::StoreStatusRequest) -> v1::StoreStatusResponse, CALL;
    }

    /// Adds the records of an uploaded file of so many bytes, which is here already; it may take a second more for every
    /// 64 KiB of it.
    ///
    /// # Errors
    ///
    /// What the store answered, or `UNAVAILABLE` and `TIMEOUT` when it did not.
    pub async fn import(
        &self,
        parts: impl tonic::IntoStreamingRequest<Message = v1::ImportRequest>,
        bytes: usize,
    ) -> Result<Streaming<v1::ImportResponse>, Failure> {
        let more = u64::try_from(bytes / (64 * 1024)).unwrap_or(u64::MAX);
        let limit = CALL.saturating_add(Duration::from_secs(more));
        let mut client = self.client.clone();
        super::within("store", limit, client.import(parts)).await
    }

    /// Opens a stream for many operations, each answered by its tag; the deadline is for the start only.
    ///
    /// # Errors
    ///
    /// What the store answered, or `UNAVAILABLE` and `TIMEOUT` when it did not.
    pub async fn operate(
        &self,
        operations: impl tonic::IntoStreamingRequest<Message = v1::Operation>,
    ) -> Result<Streaming<v1::OperationResult>, Failure> {
        let mut client = self.client.clone();
        super::within("store", CALL, client.operate(operations)).await
    }
}
