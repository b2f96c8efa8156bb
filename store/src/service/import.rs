//! An uploaded file, taken in whole before anything is written.

use std::sync::Arc;

use proto::{
    Code, Failure, MESSAGE_LIMIT,
    v1::{self, import_request::Part},
};
use tonic::{Status, Streaming};

use super::{
    convert::{self, status},
    writes::add,
};
use crate::{
    core::fault::Fault,
    state::{State, run},
};

pub(super) async fn import(
    state: &Arc<State>,
    mut parts: Streaming<v1::ImportRequest>,
) -> Result<v1::ImportResponse, Status> {
    let first = parts.message().await?.and_then(|message| message.part);
    let Some(Part::Header(header)) = first else {
        return Err(status(&Fault::bad_request(
            "an import begins with its header",
        )));
    };
    let content = gather(&mut parts).await?;
    let state = Arc::clone(state);
    let cost = content.len();
    let imported = run(cost, move || take_in(&state, header, &content)).await;
    imported.map_err(|fault| status(&fault))
}

async fn gather(parts: &mut Streaming<v1::ImportRequest>) -> Result<Vec<u8>, Status> {
    let mut content = Vec::new();
    while let Some(message) = parts.message().await? {
        match message.part {
            Some(Part::Content(more)) => content.extend_from_slice(&more),
            Some(Part::Header(_)) | None => {
                return Err(status(&Fault::bad_request("an import has one header")));
            }
        }
        if content.len() > MESSAGE_LIMIT {
            return Err(Failure::new(Code::TooLarge, "The file is too large to import").into());
        }
    }
    Ok(content)
}

/// A file that is refused is an answer, not an error; an entity that does not exist is one.
fn take_in(
    state: &State,
    header: v1::import_request::Header,
    content: &[u8],
) -> Result<v1::ImportResponse, Fault> {
    let caller = convert::caller(header.caller);
    let imported = add(state, &header.entity, &caller, |batch| {
        batch.add_file(&header.file_name, content)
    });
    let imported = imported
        .and_then(|stored| stored.ok_or_else(|| Fault::bad_request("Users cannot be imported")));
    match imported {
        Err(fault @ Fault::UnknownEntity(_)) => Err(fault),
        Err(fault) => Ok(v1::ImportResponse {
            imported: false,
            details: fault.to_string(),
            records_json: Vec::new(),
        }),
        Ok(stored) => Ok(v1::ImportResponse {
            imported: true,
            details: format!(
                "Successfully imported {} entities with RLS enforcement",
                stored.records.len()
            ),
            records_json: stored.into_json().collect(),
        }),
    }
}
