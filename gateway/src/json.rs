//! JSON answers put together from records that stay bytes.

use std::collections::VecDeque;

use axum::{body::Body, response::Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use proto::{Code, Failure, client::CALL, v1::RecordChunk};
use tonic::Status;

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

/// The records of `chunks` as one JSON array; see [`records_within`].
pub(crate) async fn records(status: StatusCode, chunks: impl Chunks) -> Result<Response, Problem> {
    records_within(status, ("", ""), chunks).await
}

/// The records of `chunks` as one JSON array between two texts. An answer of one chunk goes out whole with its length; a
/// longer one is passed on chunk by chunk as the store sends it.
///
/// An error before anything is written is the request's; a later one breaks the connection off, so that nobody takes half
/// a list for a whole one.
pub(crate) async fn records_within(
    status: StatusCode,
    (before, after): (&str, &str),
    mut chunks: impl Chunks,
) -> Result<Response, Problem> {
    let Some(first) = next(&mut chunks).await? else {
        return Ok(answer(status, around(before, &[], after)));
    };
    let Some(second) = next(&mut chunks).await? else {
        return Ok(answer(status, around(before, &[first], after)));
    };
    let opening = Opened {
        ready: VecDeque::from([format!("{before}[").into(), first, COMMA, second]),
        chunks: Some(chunks),
        close: format!("]{after}").into(),
    };
    let body = stream::try_unfold(opening, |list| async move { list.step().await });
    Ok(answer(status, Body::from_stream(body)))
}

/// Records as the store sends them.
pub(crate) trait Chunks:
    Stream<Item = Result<RecordChunk, Status>> + Unpin + Send + 'static
{
}

impl<S: Stream<Item = Result<RecordChunk, Status>> + Unpin + Send + 'static> Chunks for S {}

const COMMA: Bytes = Bytes::from_static(b",");

/// A long list on its way out.
struct Opened<C> {
    /// What has arrived already.
    ready: VecDeque<Bytes>,
    /// Until its end.
    chunks: Option<C>,
    /// What comes behind the last record.
    close: Bytes,
}

impl<C: Chunks> Opened<C> {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        if let Some(chunks) = self.chunks.as_mut().filter(|_| self.ready.is_empty()) {
            let chunk = next(chunks).await;
            if let Some(chunk) = chunk.map_err(|failure| broken_off(&failure))? {
                self.ready.extend([COMMA, chunk]);
            } else {
                self.chunks = None;
                self.ready.push_back(self.close.clone());
            }
        }
        let out = self.ready.pop_front();
        Ok(out.map(|out| (out, self)))
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

/// The records of the next chunk that has some, joined by commas.
async fn next(chunks: &mut impl Chunks) -> Result<Option<Bytes>, Failure> {
    loop {
        match message(chunks).await? {
            Some(chunk) if chunk.records_json.is_empty() => {}
            chunk => return Ok(chunk.map(|chunk| chunk.records_json)),
        }
    }
}

/// An answer of the store that does not begin as the contract says.
pub(crate) fn headless() -> Failure {
    Failure::new(Code::Internal, "The store gave half an answer")
}

/// The next message of an answer of the store.
///
/// # Errors
///
/// What the store answered, or `TIMEOUT` when it sends nothing for [`CALL`].
pub(crate) async fn message<T>(
    messages: &mut (impl Stream<Item = Result<T, Status>> + Unpin),
) -> Result<Option<T>, Failure> {
    match tokio::time::timeout(CALL, messages.next()).await {
        Ok(Some(Ok(message))) => Ok(Some(message)),
        Ok(Some(Err(status))) => Err(Failure::from_status("store", &status)),
        Ok(None) => Ok(None),
        Err(_elapsed) => {
            let message = format!("The store sent no records for {} s", CALL.as_secs());
            Err(Failure::new(Code::Timeout, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{around, string};

    #[test]
    fn records_are_joined_untouched() {
        let records = [Bytes::from_static(b"{ }"), Bytes::from_static(b"1")];
        assert_eq!(around("", &[], ""), "[]");
        assert_eq!(around("", &records, ""), "[{ },1]");
        assert_eq!(around("{\"a\":", &records[..1], "}"), "{\"a\":[{ }]}");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(string("a\"b"), r#""a\"b""#);
    }
}
