//! What a caller and the developer are told when a function cannot do what is asked of it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{http::Answer, tools::Clients};

use super::{offline, project_with, with_functions};

#[tokio::test]
async fn what_goes_wrong_in_a_function_is_an_error_answer_that_shows_no_stack() {
    let functions = [
        (
            "throws",
            "Deno.serve(() => { throw new Error('the secret reason'); });",
        ),
        ("broken", "Deno.serve(() => { const = 1; });"),
        ("empty", "export const handler = 1;"),
        (
            "fine",
            "export default () => new Response('fine', { status: 503 });",
        ),
    ];
    let Some((project, server)) = with_functions(&functions).await else {
        return;
    };
    for (path, status) in [
        ("/api/apps/local/functions/throws", 500),
        ("/api/apps/local/functions/broken", 500),
        ("/api/apps/local/functions/empty", 500),
        ("/api/apps/local/functions/missing", 404),
        ("/api/functions/missing", 404),
        ("/functions/missing", 404),
    ] {
        let answer = server.get(path).await;
        let body = answer.expect(status);
        assert!(
            !body["message"].as_str().unwrap().is_empty() && body["error"] == body["message"],
            "{path}: {body}"
        );
        let root = project.root().to_string_lossy();
        assert!(
            !answer.text.contains(&*root) && !answer.text.contains("    at "),
            "{path}: {body}"
        );
    }
    assert!(
        server
            .get("/functions/broken")
            .await
            .text
            .contains("base44/functions/broken/entry.ts:1:")
    );
    server.says("the secret reason").await;
    // An answer of a function's own is its own business.
    let fine = server.get("/functions/fine").await;
    assert_eq!((fine.status, fine.text.as_str()), (503, "fine"));
}

const REFUSED: &str = r#"
    Deno.serve(async () => {
      const { code } = await new Deno.Command("true").output();
      return Response.json({ code });
    });
"#;

#[tokio::test]
async fn a_missing_permission_names_the_option_that_gives_it() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project_with(&[("runs", REFUSED)]);
    let mut server = offline(&project, &clients).start().await;
    let body = server.get("/functions/runs").await.expect(500);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("`--function-permissions all`"),
        "{message}"
    );
    assert_eq!(server.interrupt().await, 0);

    let all = ["--function-permissions", "all"];
    let server = offline(&project, &clients).args(&all).start().await;
    let body = server.get("/functions/runs").await.expect(200);
    assert_eq!(body["code"], 0);
}

/// Each fails in another way.
const FAILING: [(&str, &str); 6] = [
    (
        "throws",
        "Deno.serve(() => { throw new TypeError('boom'); });",
    ),
    (
        "rejects",
        "export default async () => { throw 'a string'; }",
    ),
    ("returns", "export default () => ({ status: 200 });"),
    ("broken", "import './missing.ts';"),
    ("empty", "export const handler = () => new Response();"),
    ("leaves", "Deno.serve(() => Deno.exit(1));"),
];

#[tokio::test]
async fn every_error_has_the_products_shape() {
    let Some((_project, server)) = with_functions(&FAILING).await else {
        return;
    };
    for (name, status, part) in [
        (
            "throws",
            500,
            "TypeError: boom (base44/functions/throws/entry.ts:1:",
        ),
        ("rejects", 500, "a string"),
        ("returns", 500, "must return a Response, not object"),
        ("broken", 500, "base44/functions/broken/missing.ts"),
        (
            "empty",
            500,
            "must export default a request handler or call Deno.serve()",
        ),
        ("leaves", 502, "Failed to proxy request to function"),
        ("missing", 404, "Function \"missing\" not found"),
    ] {
        let request = server.request(Method::POST, &format!("/api/functions/{name}"));
        let answer = Answer::to(request.body("{}")).await;
        let body = answer.expect(status);
        let Value::Object(fields) = &body else {
            panic!("{body}")
        };
        let shape = [
            "detail",
            "error",
            "error_type",
            "message",
            "request_id",
            "traceback",
        ];
        let keys: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
        assert!(shape.iter().all(|key| keys.contains(key)), "{name}: {body}");
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(part), "{name}: {message}");
        assert_eq!(
            (&body["detail"], &body["error"]),
            (&body["message"], &body["message"])
        );
        assert_eq!(
            answer.headers["x-request-id"],
            body["request_id"].as_str().unwrap()
        );
    }
}

#[tokio::test]
async fn an_error_in_a_functions_code_is_shown_with_the_code() {
    let source = "const fine = 1;\nconst oops: string = undefined.length;\nDeno.serve(() => fine);";
    let Some((project, server)) = with_functions(&[("oops", source)]).await else {
        return;
    };
    let body = server.get("/functions/oops").await.expect(500);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("(base44/functions/oops/entry.ts:2:32)"),
        "{body}"
    );
    server
        .says("2 | const oops: string = undefined.length;")
        .await;
    // The terminal has the whole path, for editors that open it on a click.
    server
        .says(&format!(
            "{}/base44/functions/oops/entry.ts:2:32",
            project.root().display()
        ))
        .await;
}

#[tokio::test]
async fn under_json_a_mistake_in_a_functions_code_is_told_with_its_place() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project_with(&[("oops", "const fine = 1;\nconst = 2;")]);
    let launch = offline(&project, &clients).args(&["--log-format", "json"]);
    let server = launch.start().await;
    assert_eq!(server.get("/functions/oops").await.status, 500);
    server.says("\"event\":\"diagnostic\"").await;
    let lines = server.output().stdout;
    let mut lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mistake = lines.find(|line| line["event"] == "diagnostic").unwrap();
    let file = "base44/functions/oops/entry.ts";
    let facts = ["function", "level", "file", "line"].map(|name| mistake[name].clone());
    assert_eq!(
        facts,
        [json!("oops"), json!("error"), json!(file), json!(2)]
    );
}
