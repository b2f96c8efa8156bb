//! Uploaded files, as apps fetch them: whole, in part, or not again.

use std::io::SeekFrom;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use proto::{Code, Failure};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use crate::{
    error::Problem,
    extract::{Params, PathVars, Scope},
    files::{Access, Stored, kinds},
    state::AppState,
};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// An uploaded page is shown, but may not act as the app that it was uploaded to.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'",
);

type Answer = Result<Response, Problem>;

/// `/media/{name}`.
pub(crate) async fn public(
    State(state): State<AppState>,
    PathVars(name): PathVars<String>,
    headers: HeaderMap,
) -> Answer {
    let file = state.files().find(&name, Access::Public);
    let file = file.ok_or_else(not_found)?;
    serve(&name, &file, &headers).await
}

/// `/media/private/{name}?token=…`. The route is matched on the decoded path and the file found by its whole name, so no
/// spelling of the address gets round the signature.
pub(crate) async fn private(
    State(state): State<AppState>,
    scope: Scope,
    PathVars(name): PathVars<String>,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    let Some(token) = params.get("token").filter(|token| !token.is_empty()) else {
        return Err(Problem::new(Code::Unauthenticated, "Missing token"));
    };
    if !scope.setup.keys.opens_file(token, &name) {
        let failure = Failure::new(Code::BadRequest, "signature verification failed");
        let problem = Problem::from(failure.with_error_type("InvalidJWT"));
        return Err(problem.with("statusCode", "400"));
    }
    let file = state.files().find(&name, Access::Signed);
    let file = file.ok_or_else(not_found)?;
    let mut response = serve(&name, &file, &headers).await?;
    let only_here = HeaderValue::from_static("private, no-cache");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, only_here);
    Ok(response)
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "File not found")
}

async fn serve(name: &str, file: &Stored, asked: &HeaderMap) -> Answer {
    let etag = format!("\"{name}\"");
    let mut headers = describe(name, &etag);
    let known = asked.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| names(known, &etag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let part = match wanted(asked, &etag, file.size) {
        Wanted::Whole => return Ok((headers, body(file, 0, file.size).await?).into_response()),
        Wanted::Part(part) => part,
        Wanted::Nothing => {
            set(
                &mut headers,
                header::CONTENT_RANGE,
                &format!("bytes */{}", file.size),
            );
            return Ok((headers, beyond()).into_response());
        }
    };
    let (first, last) = part;
    let range = format!("bytes {first}-{last}/{}", file.size);
    set(&mut headers, header::CONTENT_RANGE, &range);
    let body = body(file, first, last - first + 1).await?;
    Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
}

/// There is no row for this status among the codes: nothing but a file has it.
fn beyond() -> Response {
    let message = "The range begins beyond the end of the file";
    let mut response = Problem::new(Code::BadRequest, message).into_response();
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    response
}

fn describe(name: &str, etag: &str) -> HeaderMap {
    let kind = kinds::of(name);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A name is given out once, so what it means never changes.
    let forever = "public, max-age=31536000, immutable";
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(forever));
    set(&mut headers, header::ETAG, etag);
    // The viewers that browsers have for PDF do not start in a sandbox, and run no scripts of the page.
    if kind != "application/pdf" {
        headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    }
    headers
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("names and numbers of ours are visible ASCII");
    headers.insert(name, value);
}

fn names(list: &HeaderValue, etag: &str) -> bool {
    let list = list.to_str().unwrap_or_default().split(',').map(str::trim);
    list.map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
        .any(|tag| tag == etag || tag == "*")
}

/// How much of a file a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// First and last byte.
    Part((u64, u64)),
    /// A range beyond the end.
    Nothing,
}

/// Reads `Range` (RFC 9110, section 14.2). Several ranges at once are answered with the whole file, as the standard allows.
fn wanted(asked: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let condition = asked.get(header::IF_RANGE);
    if condition.is_some_and(|condition| condition != etag) {
        return Wanted::Whole;
    }
    let Some((first, last)) = range.split_once('-') else {
        return Wanted::Whole;
    };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last),
        (Ok(first), Err(_)) if last.is_empty() => (first, u64::MAX),
        (Err(_), Ok(length)) if first.is_empty() && length > 0 => {
            (size.saturating_sub(length), u64::MAX)
        }
        (Err(_), Ok(0)) if first.is_empty() => return Wanted::Nothing,
        _ => return Wanted::Whole,
    };
    match size.checked_sub(1) {
        Some(end) if part.0 <= end => Wanted::Part((part.0, part.1.min(end))),
        Some(_) | None => Wanted::Nothing,
    }
}

async fn body(file: &Stored, first: u64, length: u64) -> Result<Response, Problem> {
    let broken = |error: std::io::Error| {
        Failure::new(Code::Internal, "The file cannot be read").with_detail(error.to_string())
    };
    let mut open = File::open(&file.path).await.map_err(broken)?;
    if first > 0 {
        open.seek(SeekFrom::Start(first)).await.map_err(broken)?;
    }
    let stream = ReaderStream::with_capacity(open.take(length), PIECE);
    let length = [(header::CONTENT_LENGTH, length)];
    Ok((length, Body::from_stream(stream)).into_response())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{Wanted, wanted};

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let cases = [
            ("bytes=0-3", Wanted::Part((0, 3))),
            ("bytes=8-", Wanted::Part((8, 9))),
            ("bytes=-3", Wanted::Part((7, 9))),
            ("bytes=-30", Wanted::Part((0, 9))),
            ("bytes=5-50", Wanted::Part((5, 9))),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=3-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
        ];
        for (range, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("range", HeaderValue::from_static(range));
            assert_eq!(wanted(&headers, "\"e\"", 10), expected, "{range}");
        }
    }
}
