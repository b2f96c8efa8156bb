//! Each entity route is one call of the store, and its answer is put together from bytes.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{Harness, request};

pub(super) const AT: &str = "/api/apps/app-1/entities";

/// Request line below the entities, body; status, answer, and what the store was asked.
pub(super) type Case = (&'static str, &'static str, u16, &'static str, &'static str);

pub(super) async fn check(harness: &Harness, headers: &[&str], cases: &[Case]) {
    for (line, body, status, answer, call) in cases {
        let (method, path) = line.split_once(' ').unwrap();
        let got = harness
            .call(&format!("{method} {AT}{path}"), headers, body)
            .await;
        assert_eq!(got.status, *status, "{line}: {}", got.text());
        assert!(got.text().contains(answer), "{line}: {}", got.text());
        assert_eq!(got.header("content-type"), "application/json", "{line}");
        let calls = harness.store.calls().join("; ");
        assert_eq!(calls, *call, "{line}");
    }
}

const ROUTES: &[Case] = &[
    (
        "GET /Task",
        "",
        200,
        "[{},{}]",
        "query Task anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "GET /Task/",
        "",
        200,
        "[{},{}]",
        "query Task anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "GET /Task?q=%7B%22a%22:%22x+y%22%7D&sort=-a&limit=5&skip=2&fields=id,t",
        "",
        200,
        "[{},{}]",
        r#"query Task anonymous q={"a":"x y"} sort=-a skip=Some(2) limit=Some(5) fields=id+t"#,
    ),
    (
        "GET /Empty",
        "",
        200,
        "[]",
        "query Empty anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "GET /Long",
        "",
        200,
        "[1,2,3,4]",
        "query Long anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "GET /Late",
        "",
        200,
        "[1]",
        "query Late anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "GET /Task/v2/list?limit=100&distinct=a",
        "",
        200,
        r#"{"items":[{}],"next_cursor":"a\"b","has_more":true}"#,
        r#"page Task anonymous q= limit=Some(100) cursor= distinct=Some("a")"#,
    ),
    (
        "GET /Task/v2/list?limit=1&cursor=z",
        "",
        200,
        r#"{"items":[{}],"next_cursor":null,"has_more":false}"#,
        "page Task anonymous q= limit=Some(1) cursor=z distinct=None",
    ),
    (
        "GET /Task/5",
        "",
        200,
        r#"{"id":"1"}"#,
        "get Task anonymous 5",
    ),
    (
        "GET /commerce.Product/a%2Fb",
        "",
        200,
        r#"{"id":"1"}"#,
        "get commerce.Product anonymous a/b",
    ),
    (
        "GET /Task/count?q=%7B%7D",
        "",
        200,
        r#"{"count":7}"#,
        "count Task anonymous q={}",
    ),
    (
        "POST /Task",
        r#"{"a":1}"#,
        201,
        r#"{"id":"1"}"#,
        r#"create Task anonymous {"a":1}"#,
    ),
    (
        "POST /Task/bulk",
        "[]",
        201,
        "[{},{}]",
        "create_many Task anonymous []",
    ),
    (
        "PUT /Task/5",
        "{}",
        200,
        r#"{"id":"1"}"#,
        "update Task anonymous 5 {}",
    ),
    (
        "PUT /Task/bulk",
        "[]",
        200,
        "[{},{}]",
        "update_many Task anonymous []",
    ),
    (
        "PATCH /Task/update-many",
        r#"{"query":{"a": 1},"data":{"$set":{"a":2}}}"#,
        200,
        r#"{"success":true,"updated":2,"has_more":true}"#,
        r#"update_where Task anonymous {"a": 1} {"$set":{"a":2}}"#,
    ),
    (
        "POST /Task/upsert",
        r#"{"records":[{}],"key":["a","b"]}"#,
        200,
        r#"{"created":1,"updated":2,"records":[{},{},{}]}"#,
        "upsert Task anonymous [{}] key=a+b",
    ),
    (
        "POST /Task/upsert",
        r#"{"records":[],"key":"a"}"#,
        200,
        "records",
        "upsert Task anonymous [] key=a",
    ),
    (
        "POST /Task/aggregate",
        "{}",
        200,
        r#"{"rows":[{}],"truncated":false}"#,
        "aggregate Task anonymous {}",
    ),
    (
        "DELETE /Task/5",
        "",
        200,
        r#"{"success":true}"#,
        "delete Task anonymous 5",
    ),
    (
        "DELETE /Task",
        "{}",
        200,
        r#"{"success":true,"deleted":3}"#,
        "delete_where Task anonymous {}",
    ),
];

#[tokio::test]
async fn every_route_is_one_call_of_the_store() {
    let harness = Harness::new().await;
    check(&harness, &[], ROUTES).await;
}

const REFUSED: &[Case] = &[
    (
        "GET /Missing/1",
        "",
        404,
        "Entity Missing not found",
        "get Missing anonymous 1",
    ),
    (
        "PUT /Denied/1",
        "{}",
        403,
        "Permission denied",
        "update Denied anonymous 1 {}",
    ),
    (
        "GET /Refused",
        "",
        400,
        "unknown operator `$x`",
        "query Refused anonymous q= sort= skip=None limit=None fields=",
    ),
    (
        "POST /Broken",
        "{}",
        500,
        "core gave way",
        "create Broken anonymous {}",
    ),
];

#[tokio::test]
async fn what_the_store_refuses_becomes_its_status() {
    let harness = Harness::new().await;
    check(&harness, &[], REFUSED).await;
    let broken = harness.get(&format!("{AT}/Broken/1")).await;
    assert!(!broken.text().contains("secret"));
}

const SENSELESS: &[Case] = &[
    ("POST /Task", "", 400, "Request body is missing", ""),
    ("POST /Task", "  \n", 400, "Request body is missing", ""),
    ("PUT /Task/1", "", 400, "Request body is missing", ""),
    (
        "DELETE /Task",
        "",
        400,
        "send {} to delete every record",
        "",
    ),
    ("PATCH /Task/update-many", "{", 400, "Malformed JSON", ""),
    (
        "PATCH /Task/update-many",
        "{}",
        422,
        "Error in field query: Field required",
        "",
    ),
    (
        "PATCH /Task/update-many",
        "[1]",
        400,
        "Request body must be an object",
        "",
    ),
    (
        "POST /Task/upsert",
        "[{}]",
        400,
        "Request body must be an object",
        "",
    ),
    (
        "POST /Task/upsert",
        r#"{"records":[],"key":5}"#,
        400,
        "key must be a field's name or a list of names",
        "",
    ),
    (
        "POST /Task/upsert",
        r#"{"records":[]}"#,
        422,
        "Error in field key: Field required",
        "",
    ),
    ("POST /Task/import", "", 400, "No file uploaded", ""),
    ("PATCH /Task/5", "{}", 405, "PATCH is not allowed on", ""),
    ("POST /Task/count", "{}", 405, "POST is not allowed on", ""),
    ("GET /Task/5/more", "", 404, "Nothing is served at GET", ""),
    ("GET ", "", 404, "Nothing is served at GET", ""),
    ("GET /%ff", "", 400, "percent-encoding", ""),
];

#[tokio::test]
async fn what_makes_no_sense_never_reaches_the_store() {
    let harness = Harness::new().await;
    check(&harness, &[], SENSELESS).await;
}

#[tokio::test]
async fn a_short_list_has_a_length_and_a_broken_one_no_end() {
    let harness = Harness::new().await;
    let answer = harness
        .router
        .clone()
        .oneshot(request(&format!("GET {AT}/Task"), &[], ""));
    let body = answer.await.unwrap().into_body();
    assert_eq!(hyper::body::Body::size_hint(&body).exact(), Some(7));

    let answer = harness
        .router
        .clone()
        .oneshot(request(&format!("GET {AT}/Cut"), &[], ""));
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let harness = Harness::new().await;
    let body = Body::from(vec![b' '; 16 * 1024 * 1024 + 1]);
    let request = Request::post(format!("{AT}/Task")).header("host", "localhost");
    let answer = harness.send(request.body(body).unwrap()).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["message"], "The body is larger than 16 MiB");
}

#[tokio::test]
async fn an_imported_file_reaches_the_store_whole() {
    let harness = Harness::new().await;
    let form = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nt\r\n1\r\n--B--\r\n";
    let multipart = ["content-type: multipart/form-data; boundary=B"];
    let answer = harness
        .call(&format!("POST {AT}/Task/import"), &multipart, form)
        .await;
    assert_eq!(
        answer.text(),
        r#"{"status":"success","details":"Successfully imported 1 entities","output":[{}]}"#
    );
    assert_eq!(
        harness.store.calls(),
        ["import Task anonymous a.csv t\r\n1"]
    );

    for form in [
        "--B--\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--B--\r\n",
        "--B\r\n",
    ] {
        let answer = harness
            .call(&format!("POST {AT}/Task/import"), &multipart, form)
            .await;
        assert_eq!(answer.status, 400, "{form}: {}", answer.text());
    }
}
