//! Client of the gateway's control side.

use tonic::Streaming;

use super::{Authorised, CALL, calls, channel};
use crate::{
    Failure,
    token::LaunchToken,
    v1::{self, gateway_client},
};

/// Speaks to one gateway. Clones share the connection.
#[derive(Clone, Debug)]
pub struct GatewayClient {
    client: gateway_client::GatewayClient<Authorised>,
}

impl GatewayClient {
    /// Prepares a client for the gateway at `address`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` when `address` is not an address.
    pub fn new(address: &str, token: Option<&LaunchToken>) -> Result<Self, Failure> {
        let client = gateway_client::GatewayClient::new(channel(address, token)?);
        Ok(Self { client })
    }

    calls! { "gateway":
        /// Replaces the whole configuration.
        configure(v1::ConfigureRequest) -> v1::ConfigureResponse, CALL;
        /// Addresses and counts.
        gateway_status(v1::GatewayStatusRequest) -> v1::GatewayStatusResponse, CALL;
        /// Requests as they end; the deadline is for the start only.
        request_log(v1::RequestLogRequest) -> Streaming<v1::RequestLogEntry>, CALL;
        /// Waits until calls go to these processes.
        reach(v1::ReachRequest) -> v1::ReachResponse, CALL;
        /// A session token for a script.
        mint_token(v1::MintTokenRequest) -> v1::MintTokenResponse, CALL;
        /// Whenever the developer's token is needed; the deadline is for the start only.
        credential_requests(v1::CredentialRequestsRequest) -> Streaming<v1::CredentialRequest>, CALL;
    }
}
