//! Files over HTTP: sizes, memory, ranges, and what no spelling of a name or an address gets at.

use futures_util::{StreamExt as _, future::join_all, stream};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use tests::{
    http,
    http::Answer,
    project::Project,
    server::Server,
    wait::{PATIENCE, eventually, that},
};

use crate::backlot;

const CORE: &str = "/api/apps/local/integration-endpoints/Core";
const MIB: usize = 1024 * 1024;

/// A form with one file of `size` bytes, made while it is sent.
fn form(name: &str, size: usize) -> Body {
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    );
    let pieces = (0..size)
        .step_by(MIB)
        .map(move |at| vec![b'x'; MIB.min(size - at)]);
    let pieces = std::iter::once(head.into_bytes())
        .chain(pieces)
        .chain(std::iter::once(b"\r\n--B--\r\n".to_vec()));
    Body::wrap_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)))
}

async fn upload(server: &Server, endpoint: &str, name: &str, size: usize) -> Answer {
    let request = server
        .request(Method::POST, &format!("{CORE}/{endpoint}"))
        .header("content-type", "multipart/form-data; boundary=B")
        .body(form(name, size));
    Answer::to(request).await
}

fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key}: {answer}"))
}

/// Files that the server keeps now.
fn kept(project: &Project) -> usize {
    let folders = project.entries_of_user("tmp");
    let files = folders
        .iter()
        .filter(|folder| folder.starts_with("backlot-media-"))
        .map(|folder| project.entries_of_user(&format!("tmp/{folder}")).len());
    files.sum()
}

#[tokio::test]
async fn a_file_is_taken_up_to_its_limit_and_nothing_is_left_of_a_larger_one() {
    let project = Project::new();
    let mut server = backlot(&project).start().await;
    for (size, count) in [(1, 1), (50 * MIB, 2)] {
        let answer = upload(&server, "UploadFile", "a.bin", size)
            .await
            .expect(200);
        let got = http::client()
            .get(text(&answer, "file_url"))
            .send()
            .await
            .unwrap();
        assert_eq!(got.content_length(), Some(size as u64));
        let mut bytes = got.bytes_stream();
        let mut length = 0;
        while let Some(piece) = bytes.next().await {
            length += piece.unwrap().len();
        }
        assert_eq!((length, kept(&project)), (size, count));
    }
    let answer = upload(&server, "UploadFile", "a.bin", 50 * MIB + 1).await;
    assert_eq!(answer.expect(413)["message"], "File too large");
    assert_eq!(kept(&project), 2);

    assert_eq!(server.interrupt().await, 0);
    assert!(project.entries_of_user("tmp").is_empty());
}

/// Peak of a process' memory that is in use, in KiB.
#[cfg(target_os = "linux")]
fn peak(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().strip_suffix(" kB").unwrap();
    peak.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_uploads_at_once_do_not_fill_the_memory() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    let gateway = server
        .processes()
        .into_iter()
        .find(|process| process.arguments.contains(" gateway "))
        .expect("the gateway is a process of its own");
    let uploads = (0..20).map(|_| upload(&server, "UploadFile", "a.bin", 20 * MIB));
    for answer in join_all(uploads).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let peak = peak(gateway.pid);
    assert!(peak < 100 * 1024, "{peak} KiB");
}

#[tokio::test]
async fn a_file_is_served_whole_in_part_or_not_again() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    let answer = upload(&server, "UploadFile", "page.html", 10)
        .await
        .expect(200);
    let url = text(&answer, "file_url").to_owned();
    let get = async |name: &str, value: &str| {
        let request = http::client().get(&url);
        Answer::to(if name.is_empty() {
            request
        } else {
            request.header(name, value)
        })
        .await
    };
    let whole = get("", "").await;
    assert_eq!((whole.status, whole.text.len()), (200, 10));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(whole.headers[name], value);
    }
    let policy = whole.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("sandbox;") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    let etag = whole.headers["etag"].to_str().unwrap().to_owned();
    for (name, value, status, length, range) in [
        ("range", "bytes=2-4", 206, 3, "bytes 2-4/10"),
        ("range", "bytes=-3", 206, 3, "bytes 7-9/10"),
        ("range", "bytes=8-", 206, 2, "bytes 8-9/10"),
        ("range", "bytes=0-0,5-6", 200, 10, ""),
        ("range", "bytes=x", 200, 10, ""),
        ("if-none-match", etag.as_str(), 304, 0, ""),
        ("if-none-match", "\"another\"", 200, 10, ""),
    ] {
        let part = get(name, value).await;
        assert_eq!((part.status, part.text.len()), (status, length), "{value}");
        let got = part
            .headers
            .get("content-range")
            .map_or("", |range| range.to_str().unwrap());
        assert_eq!(got, range, "{value}");
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_says_how_long_the_file_is() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    for (size, range) in [(10, "bytes=10-"), (10, "bytes=-0"), (0, "bytes=0-")] {
        let answer = upload(&server, "UploadFile", "a.txt", size)
            .await
            .expect(200);
        let request = http::client().get(text(&answer, "file_url"));
        let answer = Answer::to(request.header("range", range)).await;
        let error = answer.expect(416);
        assert_eq!(error["message"], error["error"], "{error}");
        let length = format!("bytes */{size}");
        assert_eq!(answer.headers["content-range"], length.as_str());
    }
}

/// The name of a private file, the name of a public one, and the query that opens the first.
async fn private_and_public(server: &Server) -> (String, String, String) {
    let uri = upload(server, "UploadPrivateFile", "a.txt", 10)
        .await
        .expect(200);
    let uri = text(&uri, "file_uri").to_owned();
    let public = upload(server, "UploadFile", "b.txt", 10).await.expect(200);
    let public = text(&public, "file_url")
        .rsplit_once('/')
        .unwrap()
        .1
        .to_owned();
    let sign = json!({ "file_uri": uri });
    let signed = server
        .send(Method::POST, &format!("{CORE}/CreateFileSignedUrl"), &sign)
        .await
        .expect(200);
    let (address, query) = text(&signed, "signed_url").split_once('?').unwrap();
    assert_eq!(
        http::client()
            .get(format!("{address}?{query}"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let query = query.to_owned();
    (uri, public, query)
}

#[tokio::test]
async fn a_private_file_is_got_at_by_its_signature_only() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    let (uri, public, query) = private_and_public(&server).await;
    let (head, signature) = query.rsplit_once('.').unwrap();
    for (path, status) in [
        (format!("/media/private/{uri}"), 401),
        (format!("/media/private/{uri}?token="), 401),
        (format!("/media/private/{uri}?token=x"), 400),
        (
            format!(
                "/media/private/{uri}?{head}.{}",
                signature.replace(|c: char| c.is_ascii_lowercase(), "A")
            ),
            400,
        ),
        // The signature of another file, and a session's token.
        (format!("/media/private/{public}?{query}"), 400),
        (format!("/media/{uri}"), 404),
        (format!("/media/%70rivate/{uri}"), 404),
        (format!("/media//private/{uri}"), 404),
        (format!("//media/private/{uri}"), 404),
        (format!("/media/./private/{uri}"), 404),
        (format!("/media/x/../private/{uri}"), 404),
        (format!("/media/..%2fprivate%2f{uri}"), 404),
        (format!("/media/private%2f{uri}"), 404),
        (format!("/media/private%5c{uri}"), 404),
        (format!("/media/private/..%2f{public}?{query}"), 400),
        (format!("/MEDIA/private/{uri}"), 404),
        ("/media/..%2f..%2f..%2fetc%2fpasswd".to_owned(), 404),
        ("/media/../../etc/passwd".to_owned(), 404),
        (format!("/media/{uri}%00.txt"), 404),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = server.raw(request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(!answer.contains("xxxxxxxxxx"), "{path}: {answer}");
        assert!(answer.contains("\"message\":"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn names_and_forms_that_mean_harm_do_none() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    let long = "x".repeat(4096);
    for name in [
        "../../../../etc/cron.d/x",
        "a.html%0d%0aset-cookie: a=b",
        "C:\\\\x.exe.",
        ".htaccess",
        "a.p\u{202e}gnp",
        &long,
        &format!("{long}.png"),
    ] {
        let answer = upload(&server, "UploadFile", name, 1).await.expect(200);
        let url = text(&answer, "file_url");
        let own = url
            .strip_prefix(&format!("{}/media/", server.url()))
            .unwrap();
        assert!(
            own.len() <= 36 + 17
                && own
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)),
            "{own}"
        );
        assert_eq!(Answer::to(http::client().get(url)).await.status, 200);
    }
}

/// A part of a form, a file when `file` names one.
fn part(name: &str, file: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\nabc\r\n")
}

/// Content types and bodies that are no form with one file.
fn broken_forms() -> Vec<(&'static str, String)> {
    const FORM: &str = "multipart/form-data; boundary=B";
    const END: &str = "--B--\r\n";
    let file = part("file", "; filename=\"a.txt\"");
    let second = "; filename=\"b.png\"";
    vec![
        ("multipart/form-data", file.clone() + END),
        ("multipart/form-data; boundary=", file.clone() + END),
        ("application/json", "{}".to_owned()),
        (FORM, END.to_owned()),
        (FORM, String::new()),
        (FORM, part("other", second) + END),
        (FORM, "--B\r\nno header\r\n\r\nx\r\n--B--\r\n".to_owned()),
        (FORM, file.clone()),
        // Cut within the last boundary.
        (FORM, file.clone() + "--B-"),
        // A field that was left empty in a browser's form.
        (FORM, part("file", "; filename=\"\"") + END),
        // One of two would be lost without a word.
        (FORM, file.clone() + &part("file", second) + END),
        (FORM, file.clone() + &part("other", second) + END),
        (FORM, part("other", second) + &file + END),
    ]
}

async fn send_form(server: &Server, kind: &str, body: String) -> Answer {
    let request = server
        .request(Method::POST, &format!("{CORE}/UploadFile"))
        .header("content-type", kind)
        .body(body);
    Answer::to(request).await
}

#[tokio::test]
async fn a_form_without_exactly_one_file_is_refused_and_nothing_of_it_is_kept() {
    let project = Project::new();
    let server = backlot(&project).start().await;
    for (kind, body) in broken_forms() {
        let error = send_form(&server, kind, body.clone()).await.expect(400);
        assert_eq!(error["error_type"], "HTTPException", "{kind} {body}");
    }
    assert_eq!(kept(&project), 0, "nothing of a broken form is kept");

    // Fields beside the file are no files.
    let file = part("file", "; filename=\"a.txt\"");
    let body = part("before", "") + &file + &part("after", "") + "--B--\r\n";
    let answer = send_form(&server, "multipart/form-data; boundary=B", body).await;
    assert!(text(&answer.expect(200), "file_url").ends_with(".txt"));
    assert_eq!(kept(&project), 1);
}

#[tokio::test]
async fn what_a_killed_server_left_is_swept_at_the_next_start() {
    let project = Project::new();
    let tmp = project.user("tmp");
    let left = tmp.join("backlot-media-x");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("a.txt"), "left behind").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let folder = std::fs::File::open(&left).unwrap();
    folder.set_modified(long_ago).unwrap();
    let somebodys = tmp.join("somebody-elses");
    std::fs::create_dir(&somebodys).unwrap();
    let _server = backlot(&project).start().await;
    let swept = async || that(!left.exists(), project.entries_of_user("tmp").join(", "));
    eventually("it is swept", PATIENCE, swept).await;
    assert!(somebodys.exists());
}
