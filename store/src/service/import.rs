//! An uploaded file, taken in whole before anything is written.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proto::{
    Code, Failure, MESSAGE_LIMIT,
    v1::{
        self,
        import_request::Part as Sent,
        import_response::{Outcome, Part},
    },
};
use tonic::{Status, Streaming};

use super::{
    Stream,
    convert::{self, status},
    reads::chunks,
    writes::add,
};
use crate::{
    core::{database::Stored, fault::Fault},
    state::{State, elsewhere},
};

pub(super) async fn import(
    state: &Arc<State>,
    mut parts: Streaming<v1::ImportRequest>,
) -> Result<Stream<v1::ImportResponse>, Status> {
    let first = parts.message().await?.and_then(|message| message.part);
    let Some(Sent::Header(header)) = first else {
        return Err(status(&Fault::bad_request(
            "an import begins with its header",
        )));
    };
    let content = gather(&mut parts).await?;
    let state = Arc::clone(state);
    let imported = elsewhere(move || take_in(&state, header, &content));
    imported
        .await
        .map_or_else(|fault| refused(&fault), |stored| Ok(added(stored)))
}

async fn gather(parts: &mut Streaming<v1::ImportRequest>) -> Result<Vec<u8>, Status> {
    let mut content = Vec::new();
    while let Some(message) = parts.message().await? {
        match message.part {
            Some(Sent::Content(more)) => content.extend_from_slice(&more),
            Some(Sent::Header(_)) | None => {
                return Err(status(&Fault::bad_request("an import has one header")));
            }
        }
        if content.len() > MESSAGE_LIMIT {
            return Err(Failure::new(Code::TooLarge, "The file is too large to import").into());
        }
    }
    Ok(content)
}

fn take_in(
    state: &State,
    header: v1::import_request::Header,
    content: &[u8],
) -> Result<Stored, Fault> {
    let caller = convert::caller(header.caller);
    let added = add(state, &header.entity, &caller, |batch| {
        batch.add_file(&header.file_name, content)
    });
    added?.ok_or_else(|| Fault::bad_request("Users cannot be imported"))
}

/// A file that is refused is an answer, not an error; an entity that does not exist is one.
fn refused(fault: &Fault) -> Result<Stream<v1::ImportResponse>, Status> {
    match fault {
        Fault::UnknownEntity(_) | Fault::Internal(_) => Err(status(fault)),
        fault => {
            fault.log();
            Ok(stream::iter([outcome(false, fault.to_string())]).boxed())
        }
    }
}

fn added(stored: Stored) -> Stream<v1::ImportResponse> {
    let number = stored.records.len();
    let details = format!("Successfully imported {number} entities with RLS enforcement");
    let records = chunks(stored.into_json()).map_ok(|chunk| answer(Part::Records(chunk)));
    stream::iter([outcome(true, details)])
        .chain(records)
        .boxed()
}

fn outcome(imported: bool, details: String) -> Result<v1::ImportResponse, Status> {
    Ok(answer(Part::Outcome(Outcome { imported, details })))
}

const fn answer(part: Part) -> v1::ImportResponse {
    v1::ImportResponse { part: Some(part) }
}
