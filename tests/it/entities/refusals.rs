//! Requests to the entity API that make no sense: each is refused with a 4xx in the one shape of errors, changes nothing, and
//! the next request is answered.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{http::Answer, project::Project, wait::NO_HANG};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{MIB, query};
use crate::{TASKS, add_task, backlot};

/// A request that is refused: method, path below the task's, body, status, and a part of the message.
type Bad = (Method, String, Vec<u8>, u16, &'static str);

fn bad(method: Method, path: &str, body: impl Into<Vec<u8>>, status: u16) -> Bad {
    (method, path.to_owned(), body.into(), status, "")
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

/// Bodies that are not what belongs there.
fn misfits() -> Vec<Bad> {
    let mut cases = Vec::new();
    for body in [
        "",
        " ",
        "{",
        "{\"title\":}",
        "[]",
        "[1]",
        "5",
        "null",
        "\"x\"",
        "NaN",
        "{\"priority\":NaN}",
        "{\"priority\":1e999}",
        "{\"title\":\"\\ud800\"}",
        "{} {}",
    ] {
        cases.push(bad(Method::POST, "", body, 400));
    }
    for body in ["", "{", "{}", "5", "null", "[1]", "[null]"] {
        cases.push(bad(Method::POST, "/bulk", body, 400));
        cases.push(bad(Method::PUT, "/bulk", body, 400));
    }
    for body in ["", "{", "[]", "5", "null", "\"x\""] {
        cases.push(bad(Method::DELETE, "", body, 400));
        cases.push(bad(Method::POST, "/aggregate", body, 400));
        cases.push(bad(Method::PUT, "/ID", body, 400));
    }
    for body in [
        "",
        "{",
        "[]",
        "{\"query\":{},\"data\":[]}",
        "{\"query\":[],\"data\":{\"$set\":{\"title\":\"x\"}}}",
    ] {
        cases.push(bad(Method::PATCH, "/update-many", body, 400));
    }
    for body in ["5", "{}", "{\"query\":{}}"] {
        cases.push(bad(Method::PATCH, "/update-many", body, 422));
    }
    for body in [
        "",
        "{",
        "[]",
        "{\"records\":5,\"key\":\"title\"}",
        "{\"records\":[],\"key\":5}",
    ] {
        cases.push(bad(Method::POST, "/upsert", body, 400));
    }
    cases.push(bad(Method::POST, "/upsert", "{}", 422));
    cases.push(bad(
        Method::POST,
        "",
        vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'],
        400,
    ));
    cases.push(bad(Method::POST, "/import", "{}", 400));
    cases
}

/// Queries, sizes and depths beyond what is served.
fn excesses() -> Vec<Bad> {
    let deep = [
        nested("{\"$and\":[{\"title\":", "}]}", 500),
        nested("{\"a\":", "}", 500),
        format!("{{\"title\":{}}}", nested("{\"$not\":", "}", 500)),
        format!("{{\"title\":{}}}", nested("[", "]", 500)),
        nested("[", "]", 100_000),
    ];
    let mut cases = Vec::new();
    for text in &deep {
        cases.push(bad(Method::DELETE, "", text.as_str(), 400));
        cases.push(bad(Method::POST, "", text.as_str(), 400));
        let update = format!("{{\"query\":{text},\"data\":{{\"$set\":{{\"title\":\"x\"}}}}}}");
        cases.push(bad(Method::PATCH, "/update-many", update, 400));
    }
    for text in &deep[..4] {
        cases.push(bad(Method::GET, &query(text), "", 400));
        cases.push(bad(Method::GET, &format!("/count{}", query(text)), "", 400));
    }
    for text in [
        "{",
        "[]",
        "5",
        "\"x\"",
        "{\"priority\":NaN}",
        "{\"title\":{\"$in\":5}}",
    ] {
        for path in ["", "/count", "/v2/list"] {
            cases.push(bad(Method::GET, &format!("{path}{}", query(text)), "", 400));
        }
    }
    // Look-around needs backtracking, which the step limit ends; what needs none is linear, and served.
    let slow = "{\"title\":{\"$regex\":\"^((?=a)a+)+$\"}}";
    cases.push((Method::GET, query(slow), Vec::new(), 400, "$regex"));
    cases.push((Method::DELETE, String::new(), slow.into(), 400, "$regex"));
    let many = vec!["{\"title\":\"x\"}"; 80_000].join(",");
    cases.push(bad(
        Method::DELETE,
        "",
        format!("{{\"$or\":[{many}]}}"),
        400,
    ));
    cases.push(bad(Method::POST, "", vec![b' '; 16 * MIB + 1], 413));
    cases.push(bad(
        Method::POST,
        "/bulk",
        format!("[{}]", " ".repeat(16 * MIB)),
        413,
    ));
    cases
}

/// Routes that are not there, and cursors that nobody was given.
fn strays() -> Vec<Bad> {
    vec![
        bad(Method::PATCH, "", "{}", 405),
        bad(Method::POST, "/ID", "{}", 405),
        bad(Method::GET, "/a/b/c", "", 404),
        bad(Method::GET, "/%00", "", 404),
        bad(Method::GET, "/__proto__", "", 404),
        bad(Method::GET, &format!("/{}", "f".repeat(1_000)), "", 404),
        bad(Method::GET, "/v2/list?cursor=e30", "", 400),
        bad(Method::GET, "/v2/list?cursor=%F0%9F%98%80", "", 400),
        bad(Method::GET, "/v2/list?distinct=", "", 400),
        bad(Method::GET, "?sort=$bad", "", 400),
    ]
}

/// The shape that all errors share.
fn wrong_shape(answer: &Answer) -> Option<String> {
    let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
        return Some("the body is not JSON".to_owned());
    };
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let message = text("message");
    let has_shape = !message.is_empty()
        && message.len() < 2_000
        && text("detail") == message
        && text("error") == message
        && !text("error_type").is_empty()
        && !text("request_id").is_empty()
        && body["traceback"] == "";
    (!has_shape).then(|| format!("wrong shape: {body}"))
}

#[tokio::test]
async fn bad_requests_are_refused_in_one_shape_change_nothing_and_disturb_nobody() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let task = add_task(&server, &format!("{}!", "a".repeat(60))).await;
    let id = task["id"].as_str().unwrap();
    let mut wrong = Vec::new();
    for (method, path, body, status, part) in [misfits(), excesses(), strays()].concat() {
        let path = format!("{TASKS}{}", path.replace("/ID", &format!("/{id}")));
        let case = format!(
            "{method} {:.100} {:.100}",
            path,
            String::from_utf8_lossy(&body)
        );
        let request = server
            .request(method, &path)
            .header("content-type", "application/json")
            .body(body);
        let answer = timeout(NO_HANG, Answer::to(request)).await;
        let answer = answer.expect("a refusal takes a millisecond");
        let problem = match answer.status == status && answer.text.contains(part) {
            true => wrong_shape(&answer),
            false => Some(format!(
                "{status} was due: {} {:.300}",
                answer.status, answer.text
            )),
        };
        wrong.extend(problem.map(|problem| format!("{case}: {problem}")));
        assert_eq!(server.get(TASKS).await.expect(200), json!([task]), "{case}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Hyper answers these before there is a request, so without the body that other errors have.
#[tokio::test]
async fn an_address_that_is_too_long_is_refused_and_the_next_request_answered() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    for length in [70_000, MIB] {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .unwrap();
        let filter = "x".repeat(length);
        let request = format!("GET {TASKS}?q={filter} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        // The answer may come, and the connection end, before all of the request is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        let status = String::from_utf8_lossy(&status);
        assert!(
            ["HTTP/1.1 414", "HTTP/1.1 431"].contains(&&*status),
            "{status}"
        );
        assert_eq!(server.get(TASKS).await.text, "[]");
    }
}
