//! The door to realtime: which pages may enter, who they are, and by which transport.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use proto::Code;

use super::engine::Refusal;
use crate::{
    error::Problem,
    extract::Params,
    layers::origin::Allowed,
    session::{self, Identity},
    state::{AppState, Setup},
};

/// Serves the first request of a client, the polls of one without a websocket, and the switch to a websocket.
pub(crate) async fn serve(
    State(state): State<AppState>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    // A poll is a plain GET, and opens a session all the same.
    Allowed(&state).check_origin(request.headers())?;
    let setup = state.setup();
    let setup = setup.ok_or_else(|| Problem::new(Code::Unavailable, "The server is starting"))?;
    if params.get("EIO") != Some("4") {
        return Err(Refusal::Version.into());
    }
    let engine = &state.realtime().engine;
    let id = params.get("sid");
    match (params.get("transport"), id) {
        (Some("polling"), Some(id)) => engine.poll(id, request).await,
        (Some("polling"), None) => {
            let identity = identify(&state, &setup, &params).await;
            engine.begin_polling(request.method(), identity)
        }
        (Some("websocket"), _) => {
            let identity = identify(&state, &setup, &params).await;
            engine.switch(request, id, identity)
        }
        _ => Err(Refusal::Transport.into()),
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
