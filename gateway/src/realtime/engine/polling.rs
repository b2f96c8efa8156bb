//! A session over polls: each answers with what waits, and posts bring what the client says.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{Method, header};

use super::{INCOMING, Refusal, queue::SEPARATOR, session::Session};
use crate::{error::Problem, extract};

/// Answers a request of a session.
pub(super) async fn answer(session: &Session, request: Request<Body>) -> Result<Response, Problem> {
    match *request.method() {
        Method::GET => poll(session).await,
        Method::POST => post(session, request.into_body()).await,
        _ => Err(Refusal::Method.into()),
    }
}

/// An answer with these packets.
pub(super) fn payload(packets: Vec<u8>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")],
        packets,
    )
        .into_response()
}

async fn poll(session: &Session) -> Result<Response, Problem> {
    let polled = session.poll().await;
    polled.map(payload).map_err(|_| broken(session))
}

async fn post(session: &Session, body: Body) -> Result<Response, Problem> {
    let bytes = tokio::select! {
        bytes = extract::read(body, INCOMING) => bytes?,
        () = session.over() => return Err(Refusal::Session.into()),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| broken(session))?;
    for packet in text.split(char::from(SEPARATOR)) {
        if session.is_over() {
            break;
        }
        session.receive(packet).map_err(|_| broken(session))?;
    }
    Ok(payload(b"ok".to_vec()))
}

fn broken(session: &Session) -> Problem {
    session.end();
    Refusal::Request.into()
}
