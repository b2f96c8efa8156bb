//! Watches from outside whether a service is there, through the standard health service, which asks for no token.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::CONNECT;

/// Between two attempts to reach a service that is not there.
const RETRY: Duration = Duration::from_millis(200);

/// Waits until the process at `address` (`host:port`) ends or stops serving. Returns at once when it cannot be reached.
pub async fn ended(address: &str) {
    let Some(mut client) = connect(address).await else {
        return;
    };
    let Ok(response) = client.watch(HealthCheckRequest::default()).await else {
        return;
    };
    let mut states = response.into_inner();
    while let Ok(Some(state)) = states.message().await {
        if state.status() == ServingStatus::NotServing {
            return;
        }
    }
}

/// Waits, for as long as it takes, until a process at `address` serves.
pub async fn serving(address: &str) {
    while !serves(address).await {
        tokio::time::sleep(RETRY).await;
    }
}

async fn serves(address: &str) -> bool {
    let Some(mut client) = connect(address).await else {
        return false;
    };
    let asked = client.check(HealthCheckRequest::default());
    let Ok(state) = tokio::time::timeout(CONNECT, asked).await else {
        return false;
    };
    state.is_ok_and(|state| state.into_inner().status() == ServingStatus::Serving)
}

async fn connect(address: &str) -> Option<HealthClient<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?;
    let channel = endpoint.connect_timeout(CONNECT).connect().await.ok()?;
    Some(HealthClient::new(channel))
}
