//! Client of the function service.

use std::time::Duration;

use tonic::Streaming;

use super::{Authorised, CALL, calls, channel};
use crate::{
    Failure, MESSAGE_LIMIT,
    token::LaunchToken,
    v1::{self, runner_client},
};

/// How long a function's start may take as seen from outside: the runner's own limit of 30 s, and the downloads that do
/// not count towards it.
const START: Duration = Duration::from_secs(300);

/// Speaks to one runner. Clones share the connection.
#[derive(Clone, Debug)]
pub struct RunnerClient {
    client: runner_client::RunnerClient<Authorised>,
}

impl RunnerClient {
    /// Prepares a client for the runner at `address`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` when `address` is not an address.
    pub fn new(address: &str, token: Option<&LaunchToken>) -> Result<Self, Failure> {
        let client = runner_client::RunnerClient::new(channel(address, token)?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Ok(Self { client })
    }

    calls! { "runner":
        /// Replaces the whole set of functions.
        apply_functions(v1::ApplyFunctionsRequest) -> v1::ApplyFunctionsResponse, CALL;
        /// Says that files were saved.
        files_changed(v1::FilesChangedRequest) -> v1::FilesChangedResponse, CALL;
        /// Where functions listen once none of them is being started.
        settle(v1::SettleRequest) -> v1::SettleResponse, START;
        /// Where a function listens, started when needed.
        acquire(v1::AcquireRequest) -> v1::AcquireResponse, START;
        /// The functions that are up, as that changes; the deadline is for the start only.
        watch_endpoints(v1::WatchEndpointsRequest) -> Streaming<v1::EndpointTable>, CALL;
        /// Calls a function.
        invoke(v1::InvokeRequest) -> v1::InvokeResponse, START;
        /// Output of functions; the deadline is for the start only.
        logs(v1::LogsRequest) -> Streaming<v1::LogLine>, CALL;
        /// What runs.
        runner_status(v1::RunnerStatusRequest) -> v1::RunnerStatusResponse, CALL;
    }
}
