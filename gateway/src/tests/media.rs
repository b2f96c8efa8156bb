//! Uploads and downloads: what comes back, what is refused, and that there is no way round the signature.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Request;

use super::{Answer, Harness};

const CORE: &str = "/api/apps/app-1/integration-endpoints/Core";
const MULTIPART: &str = "content-type: multipart/form-data; boundary=B";
const MIB: usize = 1024 * 1024;

fn form(file_name: &str, content: &str) -> String {
    format!(
        "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\r\n{content}\r\n--B--\r\n"
    )
}

async fn upload(harness: &Harness, endpoint: &str, file_name: &str) -> Answer {
    let line = format!("POST {CORE}/{endpoint}");
    harness
        .call(&line, &[MULTIPART], &form(file_name, "0123456789"))
        .await
}

/// The path of an address of ours.
fn path(url: &str) -> &str {
    url.strip_prefix("http://localhost:4400").unwrap()
}

async fn uploaded(harness: &Harness, file_name: &str) -> String {
    let answer = upload(harness, "UploadFile", file_name).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    path(answer.json()["file_url"].as_str().unwrap()).to_owned()
}

#[tokio::test]
async fn an_uploaded_file_is_fetched_by_its_address() {
    let harness = Harness::new().await;
    let path = uploaded(&harness, "a.png").await;
    let answer = harness.get(&path).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "0123456789"));
    let headers = [
        ("content-type", "image/png"),
        ("content-length", "10"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
    ];
    for (name, value) in headers {
        assert_eq!(answer.header(name), value);
    }
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("sandbox;")
    );

    let etag = answer.header("etag").to_owned();
    let beyond = "The range begins beyond the end of the file";
    let cases = [
        (
            vec!["range: bytes=2-4".to_owned()],
            206,
            "234",
            "bytes 2-4/10",
        ),
        (
            vec!["range: bytes=20-".to_owned()],
            416,
            beyond,
            "bytes */10",
        ),
        (
            vec![
                "range: bytes=2-4".to_owned(),
                "if-range: \"old\"".to_owned(),
            ],
            200,
            "0123456789",
            "",
        ),
        (vec![format!("if-none-match: W/{etag}")], 304, "", ""),
    ];
    for (headers, status, body, range) in cases {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = harness.call(&format!("GET {path}"), &headers, "").await;
        let said = match answer.status.as_u16() {
            416 => answer.json()["message"].as_str().unwrap().to_owned(),
            _ => answer.text().to_owned(),
        };
        assert_eq!(
            (answer.status.as_u16(), said.as_str()),
            (status, body),
            "{headers:?}"
        );
        assert_eq!(answer.header("content-range"), range);
    }
    let head = harness.call(&format!("HEAD {path}"), &[], "").await;
    assert_eq!((head.text(), head.header("content-length")), ("", "10"));
}

#[tokio::test]
async fn a_name_leaves_nothing_but_a_plain_ending() {
    let harness = Harness::new().await;
    let long = "x".repeat(4096);
    for name in [
        "../../etc/passwd",
        "a.svg/../b",
        "%2e%2e",
        "ü.ü",
        long.as_str(),
    ] {
        let path = uploaded(&harness, name).await;
        assert_eq!(path.len(), "/media/".len() + 36, "{name}");
        assert_eq!(
            harness.get(&path).await.header("content-type"),
            "application/octet-stream"
        );
    }
}

#[tokio::test]
async fn a_private_file_needs_its_signature() {
    let harness = Harness::new().await;
    let answer = upload(&harness, "UploadPrivateFile", "a.txt").await;
    let uri = answer.json()["file_uri"].as_str().unwrap().to_owned();
    let body = format!(r#"{{"file_uri":"{uri}","expires_in":60}}"#);
    let signed = harness
        .call(&format!("POST {CORE}/CreateFileSignedUrl"), &[], &body)
        .await;
    let signed = path(signed.json()["signed_url"].as_str().unwrap()).to_owned();
    assert_eq!(harness.get(&signed).await.text(), "0123456789");

    let public = uploaded(&harness, "b.txt").await;
    let public = public.strip_prefix("/media/").unwrap();
    let token = signed.split_once('?').unwrap().1;
    let cases = [
        (format!("/media/private/{uri}"), 401),
        (format!("/media/private/{uri}?token="), 401),
        (format!("/media/private/{uri}?token=forged"), 400),
        (format!("/media/private/{public}?{token}"), 400),
        (format!("/media/%70rivate/{uri}"), 404),
        (format!("/media//private/{uri}"), 404),
        (format!("/media/private%2F{uri}"), 404),
        (format!("/media/./private/{uri}"), 404),
        (format!("/media/{uri}"), 404),
        (format!("/media/x/../{uri}"), 404),
        ("/media/".to_owned(), 404),
        ("/media/..%2f..%2fetc%2fpasswd".to_owned(), 404),
    ];
    for (path, status) in cases {
        let answer = harness.get(&path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.text().contains("0123456789"), "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_uploaded_or_signed_says_why() {
    let harness = Harness::new().await;
    let cases = [
        (
            "UploadFile",
            "content-type: application/json",
            "{}",
            400,
            "No file uploaded",
        ),
        (
            "UploadFile",
            "content-type: multipart/form-data",
            "",
            400,
            "No file uploaded",
        ),
        (
            "UploadFile",
            MULTIPART,
            "--B--\r\n",
            400,
            "No file uploaded",
        ),
        (
            "UploadFile",
            MULTIPART,
            "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--B--\r\n",
            400,
            "No file uploaded",
        ),
        (
            "UploadFile",
            MULTIPART,
            "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx",
            400,
            "The form is malformed",
        ),
        (
            "CreateFileSignedUrl",
            "accept: */*",
            "{}",
            400,
            "file_uri is required",
        ),
        (
            "CreateFileSignedUrl",
            "accept: */*",
            "",
            400,
            "Request body is missing",
        ),
        (
            "CreateFileSignedUrl",
            "accept: */*",
            r#"{"file_uri":"../x"}"#,
            404,
            "File not found",
        ),
    ];
    for (endpoint, header, body, status, message) in cases {
        let answer = harness
            .call(&format!("POST {CORE}/{endpoint}"), &[header], body)
            .await;
        assert_eq!(answer.status, status, "{endpoint} {body}");
        assert_eq!(answer.json()["message"], message, "{endpoint} {body}");
    }
    let answer = upload(&harness, "UploadPrivateFile", "a").await;
    let uri = answer.json()["file_uri"].as_str().unwrap().to_owned();
    for expires_in in ["0", "-1"] {
        let body = format!(r#"{{"file_uri":"{uri}","expires_in":{expires_in}}}"#);
        let answer = harness
            .call(&format!("POST {CORE}/CreateFileSignedUrl"), &[], &body)
            .await;
        assert_eq!(answer.status, 400, "{expires_in}");
    }
}

/// A form with a file of `size` bytes, made while it is sent.
fn large(size: usize) -> Request<Body> {
    let piece = Bytes::from(vec![b'x'; MIB]);
    let content = (0..size)
        .step_by(MIB)
        .map(move |at| piece.slice(..(size - at).min(MIB)));
    let start = form("a.bin", "");
    let (start, end) = start.split_at(start.len() - "\r\n--B--\r\n".len());
    let pieces = [Bytes::from(start.to_owned())]
        .into_iter()
        .chain(content)
        .chain([Bytes::from(end.to_owned())]);
    Request::post(format!("{CORE}/UploadFile"))
        .header("host", "localhost")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(Body::from_stream(stream::iter(
            pieces.map(Ok::<_, std::io::Error>),
        )))
        .unwrap()
}

#[tokio::test]
async fn the_largest_file_is_taken_and_one_byte_more_leaves_nothing() {
    let harness = Harness::new().await;
    let answer = harness.send(large(50 * MIB)).await;
    assert_eq!(answer.status, 200);
    let url = answer.json()["file_url"].as_str().unwrap().to_owned();
    let name = url.rsplit_once('/').unwrap().1;
    let kept = harness
        .state
        .files()
        .find(name, crate::files::Access::Public)
        .unwrap();
    assert_eq!(kept.size, 50 * 1024 * 1024);

    let answer = harness.send(large(50 * MIB + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["message"], "File too large");
    let folder = kept.path.parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    harness.state.files().clear();
    assert!(!folder.exists());
}
