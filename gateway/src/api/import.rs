//! `POST /import`: the records of an uploaded file.

use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use proto::{
    Failure,
    v1::{ImportRequest, import_request::Header, import_request::Part},
};

use super::users;
use crate::{
    error::Problem,
    extract::{Form, Place, Scope, Upload},
    json,
};

/// Takes the part `file`. It goes to the store only once all of it is here: an upload that breaks off must not be
/// imported by half.
pub(crate) async fn import(
    scope: Scope,
    Place((_, entity)): Place<(String, String)>,
    form: Form,
) -> Result<Response, Problem> {
    users::guard(&entity, &scope, users::UNAUTHORIZED)?;
    let file = form.file().await?;
    let file_name = file.name().to_owned();
    let content = pieces(file).await?;
    let (setup, caller) = scope.split();
    let header = Part::Header(Header {
        entity,
        caller,
        file_name,
    });
    let parts = std::iter::once(header).chain(content.into_iter().map(Part::Content));
    let parts = parts.map(|part| ImportRequest { part: Some(part) });
    let answer = setup
        .store
        .import(stream::iter(parts.collect::<Vec<_>>()))
        .await?;

    let details = json::string(&answer.details);
    if !answer.imported {
        let body = format!(r#"{{"status":"error","details":{details},"output":null}}"#);
        return Ok(json::ok(body));
    }
    let before = format!(r#"{{"status":"success","details":{details},"output":"#);
    Ok(json::ok(json::around(&before, &answer.records_json, "}")))
}

async fn pieces(mut file: Upload) -> Result<Vec<Bytes>, Failure> {
    let mut pieces = Vec::new();
    while let Some(piece) = file.piece().await? {
        pieces.push(piece);
    }
    Ok(pieces)
}
