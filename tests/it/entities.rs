//! The entity API through the official SDK, for every kind of caller, and at the edges of what it accepts.

mod refusals;

use reqwest::Method;
use serde_json::json;
use tests::{
    http::Answer,
    project::Project,
    tools::{Clients, workspace},
};

use crate::{DEVELOPER, TASKS, add_task, backlot, register, sign_in};

/// Who registers with a code, as against the developer, who is there from the start.
pub(crate) const ANN: &str = "ann@example.com";

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn every_method_of_the_sdk_answers_every_caller_as_the_platform_does() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::copy_of(&workspace().join("tests/clients/entities/project"));
    let server = backlot(&project)
        .clients(&clients)
        .args(&["--offline"])
        .start()
        .await;
    let user = register(&server, ANN).await;
    let admin = sign_in(&server, DEVELOPER).await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "local"),
        ("USER_TOKEN", &user),
        ("ADMIN_TOKEN", &admin),
    ];
    let said = clients.run("entities.mjs", &variables).await;
    assert!(said.stdout.ends_with("checks ok\n"), "{said}");
    for part in [
        "refused by an entity rule",
        "refused by a field rule",
        "data.title",
    ] {
        server.says(part).await;
    }
}

/// The query string that the SDK makes of a filter.
fn query(text: &str) -> String {
    let mut url = reqwest::Url::parse("http://localhost/").unwrap();
    url.query_pairs_mut().append_pair("q", text);
    format!("?{}", url.query().unwrap())
}

#[tokio::test]
async fn odd_but_sensible_requests_are_served() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let task = add_task(&server, "one").await;
    for parameters in [
        "?limit=-1",
        "?limit=0",
        "?limit=NaN",
        "?limit=99999999999999999999",
        "?limit=1e3",
        "?skip=-5",
        "?skip=NaN",
        "?sort=",
        "?q=",
        "?q=%7B%7D",
        "?sort=__proto__",
        "?sort=nothing",
        "?unknown=1",
        "?limit=5&limit=7",
    ] {
        let answer = server.get(&format!("{TASKS}{parameters}")).await;
        assert_eq!(answer.expect(200), json!([task]), "{parameters}");
    }
    let beyond = server.get(&format!("{TASKS}?skip=99999999999")).await;
    assert_eq!(beyond.expect(200), json!([]));
    let proto = server
        .get(&format!("{TASKS}{}", query("{\"__proto__\":1}")))
        .await;
    assert_eq!(proto.expect(200), json!([]));
    let record = json!({ "title": "two", "__proto__": { "x": 1 }, "constructor": 1 });
    let record = server.send(Method::POST, TASKS, &record).await.expect(201);
    assert!(
        record.get("__proto__").is_none() && record.get("constructor").is_none(),
        "{record}"
    );
    let regex = query("{\"title\":{\"$regex\":\"(n+)+$\"}}");
    let found = server.get(&format!("{TASKS}{regex}")).await;
    assert_eq!(found.expect(200), json!([]));
    let titles = vec!["one"; MIB / 6];
    let found = server
        .send(
            Method::POST,
            &format!("{TASKS}/aggregate"),
            &json!({ "query": { "title": titles } }),
        )
        .await;
    assert_eq!(found.expect(200)["rows"], json!([{ "count": 1 }]));
}

#[tokio::test]
async fn limits_of_a_schema_bind_only_a_strict_server() {
    let project = Project::new().entity(
        "Task",
        &json!({
            "state": { "type": "string", "enum": ["open", "done"] },
            "code": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$" },
            "stars": { "type": "number", "minimum": 1, "maximum": 5 },
        }),
    );
    let cases = [
        (
            json!({ "state": "new" }),
            "state: Input should be 'open' or 'done'",
        ),
        (
            json!({ "code": "a" }),
            "code: String should have at least 2 characters",
        ),
        (
            json!({ "code": "abcd" }),
            "code: String should have at most 3 characters",
        ),
        (
            json!({ "code": "A1" }),
            "code: String should match pattern '^[a-z]+$'",
        ),
        (
            json!({ "stars": 0 }),
            "stars: Input should be greater than or equal to 1",
        ),
        (
            json!({ "stars": 6 }),
            "stars: Input should be less than or equal to 5",
        ),
    ];
    let strict = backlot(&project).args(&["--strict"]).start().await;
    let lenient = backlot(&project).start().await;
    for (record, problem) in cases {
        let refused = strict.send(Method::POST, TASKS, &record).await.expect(422);
        assert_eq!(refused["message"], format!("Error in field {problem}"));
        for _ in 0..2 {
            let _ = lenient.send(Method::POST, TASKS, &record).await.expect(201);
        }
        lenient.says(problem.split_once(": ").unwrap().1).await;
    }
    let output = lenient.output();
    let warnings = output
        .stderr
        .iter()
        .filter(|line| line.contains("Input should be 'open' or 'done'"));
    assert_eq!(warnings.count(), 1, "{}", output.text());
}

/// One of them travels on the stream of small operations, the other is a call of its own.
#[tokio::test]
async fn a_refusal_is_logged_with_the_id_of_its_request() {
    let schema = json!({
        "name": "Note", "type": "object", "properties": { "text": { "type": "string" } }, "rls": { "create": false },
    });
    let project = Project::new().file("base44/entities/note.jsonc", &schema.to_string());
    let server = backlot(&project)
        .args(&["--log-format", "json"])
        .start()
        .await;
    for (path, body, id) in [("", json!({}), "one"), ("/bulk", json!([{}]), "many")] {
        let path = format!("/api/apps/local/entities/Note{path}");
        let request = server
            .request(Method::POST, &path)
            .header("x-request-id", id);
        let answer = Answer::to(request.json(&body)).await;
        assert_eq!(answer.expect(403)["request_id"], id);
        server.says(&format!(r#""request_id":"{id}""#)).await;
    }
}

#[tokio::test]
async fn a_refusal_in_the_log_shows_the_rule_the_values_and_the_record() {
    let rules = json!({ "create": { "data.team": { "$in": ["public", "{{user.data.team}}"] } } });
    let schema = json!({
        "name": "Note", "type": "object", "rls": rules,
        "properties": {
            "team": { "type": "string" },
            "pay": { "type": "number", "rls": { "write": { "user_condition": { "role": "admin" } } } },
        },
    });
    let project = Project::new().file("base44/entities/note.jsonc", &schema.to_string());
    let server = backlot(&project).start().await;
    let cases = [
        (
            "",
            json!({ "team": "red" }),
            r#"values={"data.team":"red","user.data.team":null}"#,
        ),
        (
            "",
            json!({ "team": "public", "pay": 1 }),
            r#"values={"user.role":null}"#,
        ),
        (
            "/bulk",
            json!([{ "team": "public" }, { "team": "public", "pay": "much" }]),
            "nothing was written, because of record 2 of 2: You're not allowed to set",
        ),
    ];
    for (path, body, line) in cases {
        let path = format!("/api/apps/local/entities/Note{path}");
        let _ = server.send(Method::POST, &path, &body).await.expect(403);
        server.says(line).await;
    }
}
