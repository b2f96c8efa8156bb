//! Typed clients: one for each service, with the launch token, a deadline and a [`Failure`] on every call.

mod gateway;
pub mod health;
mod runner;
mod store;

use std::time::Duration;

use tonic::{
    Response, Status,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

pub use self::{gateway::GatewayClient, runner::RunnerClient, store::StoreClient};
use crate::{
    Code, Failure,
    token::{LaunchToken, Present},
};

/// How long a call may take that only reads or writes memory on this machine.
pub const CALL: Duration = Duration::from_secs(10);

/// How long to wait for a connection on this machine.
const CONNECT: Duration = Duration::from_secs(2);

/// Bytes of an answer that may be on the way to a reader who does not read.
const STREAM_WINDOW: u32 = 1024 * 1024;

/// The most that HTTP/2 has. All calls share one connection; with less, a few readers that have stalled would hold up
/// everybody else's answers.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// A channel that shows the launch token.
pub type Authorised = InterceptedService<Channel, Present>;

/// Prepares a connection to `address` (`host:port`); it is made at the first call and again after a break.
///
/// # Errors
///
/// `BAD_REQUEST` when `address` is not an address.
fn channel(address: &str, token: Option<&LaunchToken>) -> Result<Authorised, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| {
        Failure::new(Code::BadRequest, format!("`{address}` is not an address"))
            .with_detail(error.to_string())
    })?;
    let channel = endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .connect_lazy();
    Ok(InterceptedService::new(channel, Present::new(token)))
}

/// Waits for an answer, at most `limit`.
async fn within<T>(
    service: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(Failure::from_status(service, &status)),
        Err(_elapsed) => Err(Failure::new(
            Code::Timeout,
            format!("The {service} did not answer within {} s", limit.as_secs()),
        )),
    }
}

/// Writes the methods of a client: each passes its message on and waits at most as long as its line says.
macro_rules! calls {
    ($service:literal: $($(#[$doc:meta])* $method:ident($request:ty) -> $response:ty, $limit:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// What the service answered, or `UNAVAILABLE` and `TIMEOUT` when it did not.
            pub async fn $method(&self, request: $request) -> Result<$response, crate::Failure> {
                let mut client = self.client.clone();
                super::within($service, $limit, client.$method(request)).await
            }
        )*
    };
}

pub(crate) use calls;
