//! Uploads: forms cut anywhere, spoilt anywhere, and of any declared kind.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use proptest::{prelude::*, sample::Index};

use super::{always, check_shape, runtime, spoilt, value};
use crate::tests::{Answer, Harness, request};

const UPLOAD: &str = "/api/apps/app-1/integration-endpoints/Core/UploadFile";
pub(super) const CONTENT: &str = "01234\r\n--C56789";
const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--B\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"\u{fc}.png\"\r\nContent-Type: image/png\r\n\r\n\
    01234\r\n--C56789\r\n--B--\r\n";

pub(super) fn form() -> Bytes {
    Bytes::from_static(FORM.as_bytes())
}

pub(super) async fn upload(harness: &Harness, pieces: Vec<Bytes>) -> Answer {
    let mut request = request(
        &format!("POST {UPLOAD}"),
        &["content-type: multipart/form-data; boundary=B"],
        "",
    );
    let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
    *request.body_mut() = Body::from_stream(stream::iter(pieces));
    harness.send(request).await
}

#[test]
fn prop_a_form_is_read_however_it_is_cut_and_a_broken_one_leaves_nothing() {
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    let cuts = prop::collection::vec(any::<Index>(), 0..6);
    always((&runtime, 64), &cuts, async |cuts: Vec<Index>| {
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(FORM.len())).collect();
        places.extend([0, FORM.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|part| form().slice(part[0]..part[1]));
        let answer = upload(&harness, pieces.collect()).await;
        prop_assert_eq!(answer.status, 200);
        let url = answer.json()["file_url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix("http://localhost:4400").unwrap();
        let kept = harness.get(path).await;
        prop_assert_eq!(kept.text(), CONTENT);
        Ok(())
    });
    always(
        (&runtime, 128),
        &spoilt(FORM.as_bytes()),
        async |bytes: Vec<u8>| check_shape(&upload(&harness, vec![bytes.into()]).await),
    );
}

#[test]
fn prop_a_form_of_any_declared_kind_is_read_or_refused() {
    const KINDS: &[&str] = &[
        "multipart/form-data",
        "multipart/mixed",
        "; boundary=",
        "; boundary=B",
        "; boundary=\"B\"",
        "; charset=",
        "B",
        "\"",
        ";",
    ];
    let runtime = runtime();
    let harness = runtime.block_on(Harness::new());
    let meant = Just(HeaderValue::from_static("multipart/form-data; boundary=B"));
    let kinds = prop_oneof![4 => value(KINDS), 1 => meant];
    always((&runtime, 64), &kinds, async |kind: HeaderValue| {
        let mut request = request(&format!("POST {UPLOAD}"), &[], "");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        *request.body_mut() = Body::from(form());
        check_shape(&harness.send(request).await)
    });
}
