//! Bodies that are read whole, within limits.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use proto::{Code, Failure};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{error::Problem, layers::broken_off};

/// Bytes of the longest JSON body.
pub(crate) const JSON_LIMIT: usize = 16 * 1024 * 1024;

/// A JSON body, unread.
#[derive(Debug)]
pub(crate) struct Payload(Bytes);

impl Payload {
    /// The bytes, of which there must be some.
    pub(crate) fn bytes(self) -> Result<Bytes, Failure> {
        if self.0.trim_ascii().is_empty() {
            return Err(Failure::new(Code::BadRequest, "Request body is missing"));
        }
        Ok(self.0)
    }

    /// The parsed document, for the few bodies that are not records.
    pub(crate) fn parse<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let bytes = self.bytes()?;
        if matches!(bytes.trim_ascii_start().first(), Some(b'[')) {
            // A struct would be read from an array as well.
            let message = "Request body must be an object";
            return Err(Failure::new(Code::BadRequest, message));
        }
        serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            Category::Data => Failure::new(Code::Invalid, format!("Invalid body: {error}")),
            Category::Io | Category::Syntax | Category::Eof => {
                Failure::new(Code::BadRequest, format!("Malformed JSON: {error}"))
            }
        })
    }
}

/// A field that a body must have, in the platform's words when it does not.
pub(crate) fn required<T>(value: Option<T>, field: &str) -> Result<T, Failure> {
    value.ok_or_else(|| {
        let message = format!("Error in field {field}: Field required");
        Failure::new(Code::Invalid, message)
    })
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        Ok(Self(read(request.into_body(), JSON_LIMIT).await?))
    }
}

/// Reads a body of at most `limit` bytes. One that came in one piece is not copied. One that announces more is refused
/// before it is sent; what comes of it all the same is read behind the answer.
pub(crate) async fn read(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    let Some(first) = piece(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large(limit));
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let left = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut whole = BytesMut::with_capacity(first.len() + left);
    whole.extend_from_slice(&first);
    while let Some(next) = piece(&mut body).await? {
        if whole.len() + next.len() > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&next);
    }
    Ok(whole.freeze())
}

/// The next bytes; none at the end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Trailers carry nothing that we read.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => return Err(broken_off(&error)),
        }
    }
}

fn too_large(limit: usize) -> Failure {
    let limit = match limit / (1024 * 1024) {
        0 => format!("{limit} bytes"),
        mebibytes => format!("{mebibytes} MiB"),
    };
    let message = format!("The body is larger than {limit}");
    Failure::new(Code::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream;
    use proto::Code;

    use super::read;

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_limit_and_not_further() {
        assert_eq!(read(Body::empty(), 4).await.unwrap(), "");
        assert_eq!(read(Body::from("abcd"), 4).await.unwrap(), "abcd");
        assert_eq!(read(pieces(&["ab", "cd"]), 4).await.unwrap(), "abcd");
        for body in [
            Body::from("abcde"),
            pieces(&["abcde"]),
            pieces(&["abcd", "e"]),
        ] {
            assert_eq!(read(body, 4).await.unwrap_err().code(), Code::TooLarge);
        }
    }
}
