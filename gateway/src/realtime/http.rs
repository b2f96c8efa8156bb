//! The door to the sockets: which pages may enter, who they are, and the switch from HTTP to a websocket.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use proto::Code;
use socketioxide::service::SocketIoService;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::{Realtime, line::Line};
use crate::{
    error::Problem,
    extract::Params,
    layers::origin::Allowed,
    session::{self, Identity},
    state::{AppState, Setup},
};

/// What is known of a socket from its first request on; kept in the request's extensions.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    pub(super) identity: Identity,
    /// Ends the connection.
    pub(super) cut: CancellationToken,
}

impl Default for Handshake {
    fn default() -> Self {
        Self {
            identity: Identity::Anonymous,
            cut: CancellationToken::new(),
        }
    }
}

/// Serves the first request of a socket, the polls of one without a websocket, and the switch to a websocket.
pub(crate) async fn serve(
    State(state): State<AppState>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    // A poll is a plain GET, and opens a socket all the same.
    Allowed(&state).check_origin(request.headers())?;
    let setup = state.setup();
    let setup = setup.ok_or_else(|| Problem::new(Code::Unavailable, "The server is starting"))?;
    let handshake = Handshake {
        identity: identify(&state, &setup, &params).await,
        cut: state.realtime().hub.line(params.get("sid")),
    };
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(handshake.clone());
    let wants_websocket = params.get("transport") == Some("websocket");
    match parts.extensions.remove::<OnUpgrade>() {
        Some(upgrade) if wants_websocket => {
            switch(state.realtime(), parts, upgrade, handshake).await
        }
        Some(_) | None => Ok(state.realtime().call(parts, body).await),
    }
}

/// The SDK writes `null` for no token. Later requests of a session change nothing.
async fn identify(state: &AppState, setup: &Arc<Setup>, params: &Params) -> Identity {
    match params.get("token") {
        Some(token) if !matches!(token, "" | "null") && params.get("sid").is_none() => {
            session::identify_token(state, setup, token).await
        }
        Some(_) | None => Identity::Anonymous,
    }
}

/// The library takes the connection and its request apart from the answer, which is therefore written here.
async fn switch(
    realtime: &Realtime,
    parts: Parts,
    upgrade: OnUpgrade,
    handshake: Handshake,
) -> Result<Response, Problem> {
    let Some(accept) = accept_key(&parts.headers) else {
        let message = "This is no complete websocket handshake";
        return Err(Problem::new(Code::BadRequest, message));
    };
    let line = Line::new(upgrade, &handshake.cut);
    let request = kept(&parts, handshake);
    let mut engine = realtime.engine.clone();
    let taken = <SocketIoService<_> as Service<(Line, http::Request<()>)>>::call(
        &mut engine,
        (line, request),
    );
    if taken.await.is_err() {
        // The same request without its connection gets the refusal in the protocol's own words.
        return Ok(realtime.call(parts, Body::empty()).await);
    }
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// What is kept of a request as long as its socket lives: copies, because each part of the request itself would keep the
/// whole buffer that it was read into.
fn kept(parts: &Parts, handshake: Handshake) -> http::Request<()> {
    let mut request = http::Request::new(());
    *request.method_mut() = parts.method.clone();
    let uri = Uri::try_from(parts.uri.to_string());
    *request.uri_mut() = uri.expect("what is written of an address is one");
    request.extensions_mut().insert(handshake);
    request
}

/// RFC 6455, 4.2.1: what the client must have sent; hyper has seen to `Connection`.
fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let is = |name, expected: &str| {
        let value: Option<&HeaderValue> = headers.get(name);
        value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
    };
    let complete = is(header::UPGRADE, "websocket") && is(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| complete)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

impl Realtime {
    async fn call(&self, parts: Parts, body: Body) -> Response {
        let mut engine = self.engine.clone();
        let request = Request::from_parts(parts, body);
        let answer = <SocketIoService<_> as Service<Request>>::call(&mut engine, request).await;
        match answer {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}
