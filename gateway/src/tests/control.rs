//! The control side over real gRPC: configuring, counts, tokens, the log.

use std::time::Duration;

use proto::{
    Code,
    client::GatewayClient,
    v1::{
        GatewayStatusRequest, MintTokenRequest, RequestLogRequest, gateway_server::GatewayServer,
        mint_token_request::Subject,
    },
};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;

use super::{Harness, KEY, serve};
use crate::{
    control::Control,
    session::{Identity, Keys},
};

async fn controlled() -> (Harness, GatewayClient, DropGuard) {
    let harness = Harness::unconfigured().await;
    let stop = CancellationToken::new();
    let control = GatewayServer::new(Control::new(harness.state.clone()));
    let address = serve(Routes::new(control), &stop).await;
    let client = GatewayClient::new(&address, None).unwrap();
    (harness, client, stop.drop_guard())
}

fn mint(subject: Option<Subject>) -> MintTokenRequest {
    MintTokenRequest { subject }
}

#[tokio::test]
async fn a_configuration_is_in_force_when_its_call_returns() {
    let (harness, client, _stop) = controlled().await;
    let status = client
        .gateway_status(GatewayStatusRequest {})
        .await
        .unwrap();
    assert_eq!(
        (status.url.as_str(), status.configured),
        ("http://localhost:4400", false)
    );
    let subject = || Some(Subject::Service(true));
    let early = client.mint_token(mint(subject())).await.unwrap_err();
    assert_eq!(early.code(), Code::Unavailable);

    for changed in [true, false] {
        let answer = client.configure(harness.config.clone()).await.unwrap();
        assert_eq!(answer.changed, changed);
    }
    assert_eq!(harness.get("/api/apps/a/entities/Task").await.status, 200);
    let status = client
        .gateway_status(GatewayStatusRequest {})
        .await
        .unwrap();
    assert_eq!(
        (
            status.requests,
            status.requests_in_flight,
            status.configured
        ),
        (1, 0, true)
    );
}

#[tokio::test]
async fn tokens_are_minted_for_whom_they_are_asked() {
    let (harness, client, _stop) = controlled().await;
    client.configure(harness.config.clone()).await.unwrap();
    let keys = Keys::new(&KEY);
    let user = client
        .mint_token(mint(Some(Subject::Email(" A@b.c ".to_owned()))))
        .await
        .unwrap();
    let identity = keys.verify(&user.token).unwrap();
    assert_eq!(identity.email(), Some("a@b.c"));
    assert!(user.expires_at > 1_700_000_000_000);
    let service = client
        .mint_token(mint(Some(Subject::Service(true))))
        .await
        .unwrap();
    let nobody = Identity::Service { on_behalf_of: None };
    assert_eq!(keys.verify(&service.token), Ok(nobody));
    for subject in [
        None,
        Some(Subject::Email(String::new())),
        Some(Subject::Service(false)),
    ] {
        let failure = client.mint_token(mint(subject)).await.unwrap_err();
        assert_eq!(failure.code(), Code::BadRequest);
    }
}

#[tokio::test]
async fn the_log_follows_requests_as_they_end() {
    let (harness, client, _stop) = controlled().await;
    client.configure(harness.config.clone()).await.unwrap();
    let mut log = client.request_log(RequestLogRequest {}).await.unwrap();
    let id = ["x-request-id: r-7"];
    harness
        .call("GET /api/apps/a/entities/Missing/1?secret=x", &id, "")
        .await;
    let entry = timeout(Duration::from_secs(60), log.message())
        .await
        .unwrap();
    let entry = entry.unwrap().unwrap();
    assert_eq!((entry.method.as_str(), entry.status), ("GET", 404));
    assert_eq!(entry.path, "/api/apps/a/entities/Missing/1");
    assert_eq!(entry.request_id, "r-7");
    assert!(
        entry.time.ends_with('Z') && entry.time.len() == 24,
        "{}",
        entry.time
    );

    harness.state.shutdown().cancel();
    let end = timeout(Duration::from_secs(60), log.message())
        .await
        .unwrap();
    assert!(end.unwrap().is_none());
}
