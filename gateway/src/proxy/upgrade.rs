//! Connections that become something else, WebSockets mostly: joined and left alone.

use axum::extract::Request;
use http::{HeaderMap, StatusCode, header};
use hyper::{
    body::Incoming,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio_util::sync::CancellationToken;

/// The caller's half, when it asked for an upgrade.
pub(crate) fn requested(request: &mut Request) -> Option<OnUpgrade> {
    names_upgrade(request.headers()).then(|| hyper::upgrade::on(request))
}

/// Whether the request asks for another protocol.
pub(crate) fn names_upgrade(headers: &HeaderMap) -> bool {
    let connections = headers.get_all(header::CONNECTION).iter();
    let connections = connections.filter_map(|value| value.to_str().ok());
    let mut options = connections.flat_map(|value| value.split(',').map(str::trim));
    headers.contains_key(header::UPGRADE)
        && options.any(|option| option.eq_ignore_ascii_case("upgrade"))
}

/// Joins both halves if the other side agreed; they end together, or with the process.
pub(crate) fn join(
    client: OnUpgrade,
    mut response: http::Response<Incoming>,
    shutdown: &CancellationToken,
) -> http::Response<Incoming> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let server = hyper::upgrade::on(&mut response);
    let joined = async move {
        match tokio::try_join!(client, server) {
            Ok((client, server)) => relay(client, server).await,
            Err(error) => tracing::debug!(%error, "an upgrade did not come about"),
        }
    };
    tokio::spawn(shutdown.clone().run_until_cancelled_owned(joined));
    response
}

async fn relay(client: Upgraded, server: Upgraded) {
    let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
    if let Err(error) = copy_bidirectional(&mut client, &mut server).await {
        tracing::debug!(%error, "an upgraded connection broke off");
    }
}
