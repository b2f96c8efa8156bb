//! The control side: what the command line says and asks over gRPC.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, future, stream};
use proto::{
    Code, Failure,
    v1::{
        ConfigureRequest, ConfigureResponse, CredentialRequest, CredentialRequestsRequest,
        GatewayStatusRequest, GatewayStatusResponse, MintTokenRequest, MintTokenResponse,
        ReachRequest, ReachResponse, RequestLogEntry, RequestLogRequest, gateway_server::Gateway,
        mint_token_request::Subject,
    },
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

use crate::state::AppState;

/// How long the runner's news of a process may be on its way.
const REACH: Duration = Duration::from_secs(5);

/// The adapter between gRPC and [`AppState`].
#[derive(Debug)]
pub(crate) struct Control {
    state: AppState,
}

impl Control {
    pub(crate) const fn new(state: AppState) -> Self {
        Self { state }
    }

    fn mint(&self, subject: Option<Subject>) -> Result<MintTokenResponse, Failure> {
        let setup = self.state.setup();
        let setup = setup.ok_or_else(|| {
            let message = "the gateway has no signing key before it is configured";
            Failure::new(Code::Unavailable, message)
        })?;
        let minted = match subject {
            Some(Subject::Email(email)) if !email.trim().is_empty() => {
                setup.keys.user(&email.trim().to_lowercase())
            }
            Some(Subject::Service(true)) => setup.keys.service(None),
            Some(Subject::Email(_) | Subject::Service(false)) | None => {
                let message = "say for whom: `email` or `service`";
                return Err(Failure::new(Code::BadRequest, message));
            }
        };
        Ok(MintTokenResponse {
            token: minted.token,
            expires_at: minted.expires_at * 1000,
        })
    }
}

#[tonic::async_trait]
impl Gateway for Control {
    async fn configure(
        &self,
        request: Request<ConfigureRequest>,
    ) -> Result<Response<ConfigureResponse>, Status> {
        let changed = self.state.configure(request.into_inner())?;
        Ok(Response::new(ConfigureResponse { changed }))
    }

    async fn gateway_status(
        &self,
        _request: Request<GatewayStatusRequest>,
    ) -> Result<Response<GatewayStatusResponse>, Status> {
        let traffic = self.state.traffic();
        Ok(Response::new(GatewayStatusResponse {
            url: self.state.site().url(),
            requests: traffic.requests(),
            requests_in_flight: traffic.in_flight(),
            sockets: self.state.realtime().sockets(),
            configured: self.state.setup().is_some(),
        }))
    }

    type RequestLogStream = Pin<Box<dyn Stream<Item = Result<RequestLogEntry, Status>> + Send>>;

    async fn request_log(
        &self,
        _request: Request<RequestLogRequest>,
    ) -> Result<Response<Self::RequestLogStream>, Status> {
        let entries = stream::unfold(self.state.traffic().subscribe(), next_entry);
        let entries = entries.take_until(self.state.shutdown().clone().cancelled_owned());
        Ok(Response::new(Box::pin(entries.map(Ok))))
    }

    type CredentialRequestsStream =
        Pin<Box<dyn Stream<Item = Result<CredentialRequest, Status>> + Send>>;

    async fn credential_requests(
        &self,
        _request: Request<CredentialRequestsRequest>,
    ) -> Result<Response<Self::CredentialRequestsStream>, Status> {
        let requests = self.state.upstream().credentials().requests();
        // What was asked for before anybody listened counts as well.
        let requests = WatchStream::new(requests)
            .filter(|times| future::ready(*times > 0))
            .map(|_times| Ok(CredentialRequest {}))
            .take_until(self.state.shutdown().clone().cancelled_owned());
        Ok(Response::new(Box::pin(requests)))
    }

    async fn reach(
        &self,
        request: Request<ReachRequest>,
    ) -> Result<Response<ReachResponse>, Status> {
        let setup = self.state.setup();
        let setup = setup.ok_or_else(|| {
            let message = "the gateway knows no functions before it is configured";
            Failure::new(Code::Unavailable, message)
        })?;
        let wanted = request.into_inner().generations;
        let reaching = wanted
            .iter()
            .map(|(function, generation)| setup.endpoints.reach(function, *generation));
        timeout(REACH, future::join_all(reaching))
            .await
            .map_err(|_elapsed| {
                let message = "calls do not go to these processes";
                Failure::new(Code::Timeout, message)
            })?;
        Ok(Response::new(ReachResponse {}))
    }

    async fn mint_token(
        &self,
        request: Request<MintTokenRequest>,
    ) -> Result<Response<MintTokenResponse>, Status> {
        Ok(Response::new(self.mint(request.into_inner().subject)?))
    }
}

/// A reader that was too slow goes on with the oldest entry that is still there.
async fn next_entry(
    mut entries: Receiver<RequestLogEntry>,
) -> Option<(RequestLogEntry, Receiver<RequestLogEntry>)> {
    loop {
        match entries.recv().await {
            Ok(entry) => return Some((entry, entries)),
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "a reader of the request log missed entries");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}
