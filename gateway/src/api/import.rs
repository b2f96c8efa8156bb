//! `POST /import`: the records of an uploaded file.

use axum::response::Response;
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use http::StatusCode;
use proto::{
    Failure,
    v1::{
        ImportRequest, ImportResponse, RecordChunk,
        import_request::{Header, Part},
        import_response::Part as Answer,
    },
};
use tonic::Streaming;

use super::users;
use crate::{
    error::Problem,
    extract::{Form, PathVars, Scope, Upload},
    json,
};

/// Takes the part `file`. It goes to the store only once all of it is here: an upload that breaks off must not be
/// imported by half.
pub(crate) async fn import(
    scope: Scope,
    PathVars((_, entity)): PathVars<(String, String)>,
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
    let bytes = content.iter().map(Bytes::len).sum();
    let parts = std::iter::once(header).chain(content.into_iter().map(Part::Content));
    let parts = parts.map(|part| ImportRequest { part: Some(part) });
    let parts = stream::iter(parts.collect::<Vec<_>>());
    answer(setup.store.import(parts, bytes).await?).await
}

/// What became of the file, with the records that were added.
async fn answer(mut parts: Streaming<ImportResponse>) -> Result<Response, Problem> {
    let first = json::message(&mut parts).await?;
    let Some(Answer::Outcome(outcome)) = first.and_then(|first| first.part) else {
        return Err(json::headless().into());
    };
    let details = json::string(&outcome.details);
    if !outcome.imported {
        let body = format!(r#"{{"status":"error","details":{details},"output":null}}"#);
        return Ok(json::ok(body));
    }
    let before = format!(r#"{{"status":"success","details":{details},"output":"#);
    let records = parts.map_ok(|message| match message.part {
        Some(Answer::Records(chunk)) => chunk,
        Some(Answer::Outcome(_)) | None => RecordChunk::default(),
    });
    json::records_within(StatusCode::OK, (&before, "}"), records).await
}

async fn pieces(mut file: Upload) -> Result<Vec<Bytes>, Failure> {
    let mut pieces = Vec::new();
    while let Some(piece) = file.piece().await? {
        pieces.push(piece);
    }
    Ok(pieces)
}
