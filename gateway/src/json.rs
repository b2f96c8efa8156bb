//! JSON answers put together from records that stay bytes.

use axum::{body::Body, response::Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use proto::{Code, Failure, client::CALL, v1::RecordChunk};
use tonic::Streaming;

use crate::error::Problem;

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A JSON answer with status 200.
pub(crate) fn ok(body: impl Into<Body>) -> Response {
    answer(StatusCode::OK, body)
}

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> String {
    serde_json::to_string(text).expect("text always serialises")
}

/// `[a,b]`.
pub(crate) fn array(items: &[Bytes]) -> Bytes {
    let mut out = BytesMut::with_capacity(joined_len(items) + 2);
    out.put_u8(b'[');
    join(&mut out, items);
    out.put_u8(b']');
    out.freeze()
}

/// `before[a,b]after`.
pub(crate) fn around(before: &str, items: &[Bytes], after: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(before.len() + joined_len(items) + 2 + after.len());
    out.put(before.as_bytes());
    out.put_u8(b'[');
    join(&mut out, items);
    out.put_u8(b']');
    out.put(after.as_bytes());
    out.freeze()
}

fn joined_len(items: &[Bytes]) -> usize {
    items.iter().map(|item| item.len() + 1).sum()
}

fn join(out: &mut BytesMut, items: &[Bytes]) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        out.put_slice(item);
    }
}

/// The records of `chunks` as one JSON array. An answer of one chunk goes out whole with its length; a longer one is
/// passed on chunk by chunk as the store sends it.
///
/// An error before anything is written is the request's; a later one breaks the connection off, so that nobody takes half
/// a list for a whole one.
pub(crate) async fn records(
    status: StatusCode,
    mut chunks: Streaming<RecordChunk>,
) -> Result<Response, Problem> {
    let Some(first) = next(&mut chunks).await? else {
        return Ok(answer(status, "[]"));
    };
    let Some(second) = next(&mut chunks).await? else {
        return Ok(answer(status, array(&first.records_json)));
    };
    let opening = State {
        chunks,
        ready: vec![second, first],
        position: Position::Start,
    };
    let body = stream::try_unfold(opening, |state| async move { state.step().await });
    Ok(answer(status, Body::from_stream(body)))
}

/// Where in the array the writer is.
#[derive(PartialEq, Eq)]
enum Position {
    Start,
    /// Opened, without a record yet.
    Opened,
    /// Behind a record.
    Within,
    End,
}

struct State {
    chunks: Streaming<RecordChunk>,
    /// Chunks that have arrived already, last first.
    ready: Vec<RecordChunk>,
    position: Position,
}

impl State {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        if self.position == Position::End {
            return Ok(None);
        }
        let chunk = match self.ready.pop() {
            Some(chunk) => Some(chunk),
            None => next(&mut self.chunks)
                .await
                .map_err(|failure| broken_off(&failure))?,
        };
        let Some(chunk) = chunk else {
            self.position = Position::End;
            return Ok(Some((Bytes::from_static(b"]"), self)));
        };
        let out = self.position.write(&chunk.records_json);
        Ok(Some((out, self)))
    }
}

impl Position {
    fn write(&mut self, records: &[Bytes]) -> Bytes {
        let mut out = BytesMut::with_capacity(joined_len(records) + 1);
        if *self == Self::Start {
            out.put_u8(b'[');
            *self = Self::Opened;
        }
        if records.is_empty() {
            return out.freeze();
        }
        if *self == Self::Within {
            out.put_u8(b',');
        }
        *self = Self::Within;
        join(&mut out, records);
        out.freeze()
    }
}

fn broken_off(failure: &Failure) -> std::io::Error {
    tracing::warn!(
        detail = failure.detail(),
        "list broken off: {}",
        failure.message()
    );
    std::io::Error::other(failure.message().to_owned())
}

async fn next(chunks: &mut Streaming<RecordChunk>) -> Result<Option<RecordChunk>, Failure> {
    match tokio::time::timeout(CALL, chunks.message()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(status)) => Err(Failure::from_status("store", &status)),
        Err(_elapsed) => Err(Failure::new(
            Code::Timeout,
            format!("The store sent no records for {} s", CALL.as_secs()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{around, array, string};

    #[test]
    fn records_are_joined_untouched() {
        let records = [Bytes::from_static(b"{ }"), Bytes::from_static(b"1")];
        assert_eq!(array(&[]), "[]");
        assert_eq!(array(&records), "[{ },1]");
        assert_eq!(around("{\"a\":", &records[..1], "}"), "{\"a\":[{ }]}");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(string("a\"b"), r#""a\"b""#);
    }
}
