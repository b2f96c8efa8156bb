//! `functions deploy`, `list --remote` and `delete`: the official calls, in order, and nothing sent that is not right.

use std::fs;

use serde_json::{Value, json};
use tests::{
    platform::{Reply, Request},
    project::Project,
    tools::workspace,
};

use super::{Desk, assert_signed, files};

/// Paths and texts.
type Files<'a> = &'a [(&'a str, &'a str)];

fn tasks() -> Project {
    Project::copy_of(&workspace().join("examples/tasks"))
}

fn calls(requests: &[Request]) -> Vec<String> {
    requests.iter().map(Request::call).collect()
}

#[tokio::test]
async fn functions_are_deployed_one_by_one_with_their_folders_and_the_shared_one() {
    let desk = Desk::new(tasks()).await;
    let finished = desk.run(&["functions", "deploy"]).await.success("deploy");
    let requests = desk.platform.take_requests();
    let expected = [
        "PUT backend-functions/summary",
        "PUT backend-functions/tasks%2Ftidy",
    ];
    assert_eq!(calls(&requests), expected);
    assert_signed(&requests, "a");
    let text =
        |path: &str| fs::read_to_string(desk.project.root().join("base44").join(path)).unwrap();
    let body = |entry: &str, shared: &str| {
        json!({ "entry": "entry.ts", "files": [
            { "path": "entry.ts", "content": text(entry) },
            { "path": shared, "content": text("shared/tasks.ts") },
        ] })
    };
    assert_eq!(
        requests[0].json(),
        body("functions/summary/entry.ts", "../../shared/tasks.ts")
    );
    assert_eq!(
        requests[1].json(),
        body("functions/tasks/tidy/entry.ts", "../../../shared/tasks.ts")
    );
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    for line in ["[1/2] deploying summary", "[2/2] deploying tasks/tidy"] {
        assert!(finished.stderr.contains(line), "{finished}");
    }
    assert!(finished.stdout.ends_with("2 deployed\n"), "{finished}");

    let (exit, report) = desk
        .json(&["functions", "deploy", "tasks/tidy, summary"])
        .await;
    assert_eq!(exit, 0);
    let statuses = report["functions"].as_array().unwrap().iter();
    let statuses: Vec<&Value> = statuses.map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["unchanged", "unchanged"]);

    let (_, list) = desk.json(&["functions", "list", "--remote"]).await;
    assert_eq!(
        list["functions"][1],
        json!({ "name": "tasks/tidy", "entry": "entry.ts", "files": 2, "automations": 0 })
    );
}

#[tokio::test]
async fn what_was_deployed_is_pulled_byte_for_byte() {
    let project = tasks().file(
        "base44/functions/digest/function.jsonc",
        "{\r\n  // every morning\r\n  \"automations\": [{ \"name\": \"daily\", \"type\": \"scheduled\", \"schedule_mode\": \"recurring\",\r\n    \"schedule_type\": \"cron\", \"cron_expression\": \"0 7 * * *\", }],\r\n}\r\n",
    );
    let project = project.file(
        "base44/functions/digest/entry.js",
        "\u{feff}export default () => 'ü'",
    );
    let desk = Desk::new(project).await;
    let base = desk.project.root().join("base44");
    let before = files(&base);
    let _ = desk.run(&["functions", "deploy"]).await.success("deploy");
    fs::remove_dir_all(base.join("functions")).unwrap();
    fs::remove_dir_all(base.join("shared")).unwrap();
    let _ = desk.run(&["functions", "pull"]).await.success("pull");
    assert_eq!(files(&base), before);
    let finished = desk.run(&["functions", "pull"]).await.success("pull again");
    assert!(finished.stdout.ends_with("0 files written\n"), "{finished}");

    let requests = desk.platform.take_requests();
    let sent = requests[0].json();
    let automation = json!([{
        "name": "daily", "type": "scheduled", "schedule_mode": "recurring", "schedule_type": "cron",
        "cron_expression": "0 7 * * *", "is_active": true, "ends_type": "never",
    }]);
    assert_eq!(sent["automations"], automation);
    assert_eq!(sent["entry"], "entry.js");
}

#[tokio::test]
async fn what_only_the_platform_has_is_deleted_with_force_and_after_success_only() {
    let desk = Desk::new(tasks()).await;
    desk.platform.deploy("gone/one", &[("entry.ts", "")]);
    desk.platform.deploy("two", &[("entry.ts", "")]);
    desk.platform.script("PUT", "backend-functions/summary", [Reply::Json(422, json!({
        "message": "Build failed", "extra_data": { "errors": [{ "name": "entry.ts", "message": "no such module" }] },
    }))]);
    let (exit, report) = desk.json(&["functions", "deploy", "--force"]).await;
    assert_eq!(
        (exit, &report["code"]),
        (1, &json!("RESOURCE_DEPLOYMENT_FAILED"))
    );
    let error = report["functions"][0]["error"].as_str().unwrap();
    for part in ["Build failed", "entry.ts: no such module", "request id"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(report["functions"][1]["status"], "deployed");
    let expected = [
        "PUT backend-functions/summary",
        "PUT backend-functions/tasks%2Ftidy",
    ];
    assert_eq!(desk.platform.take_calls(), expected);

    let finished = desk
        .run(&["functions", "deploy", "--force"])
        .await
        .success("deploy --force");
    let expected = [
        "PUT backend-functions/summary",
        "PUT backend-functions/tasks%2Ftidy",
        "GET backend-functions",
        "DELETE backend-functions/gone%2Fone",
        "DELETE backend-functions/two",
    ];
    assert_eq!(desk.platform.take_calls(), expected);
    assert!(
        finished
            .stdout
            .contains("1 deployed, 1 unchanged, 2 deleted"),
        "{finished}"
    );
    assert_eq!(desk.platform.deployed(), ["tasks/tidy", "summary"]);
}

#[tokio::test]
async fn mistakes_are_found_before_anything_is_sent() {
    let outside = ("base44/functions/f/entry.ts", "import '../../../src/x.ts'");
    let entry = ("base44/functions/f/entry.ts", "");
    let cases: [(Files<'_>, &[&str], &str, &str); 6] = [
        (
            &[outside, ("src/x.ts", "")],
            &[],
            "CONFIG_INVALID",
            "base44/functions/f/entry.ts:1:9: error: the import",
        ),
        (
            &[("base44/functions/entry.ts", "")],
            &[],
            "CONFIG_INVALID",
            "base44/functions/entry.ts",
        ),
        (
            &[entry, ("base44/functions/g/function.jsonc", "{")],
            &["f"],
            "CONFIG_INVALID",
            "base44/functions/g",
        ),
        (&[entry], &["g"], "INVALID_INPUT", "no function g"),
        (&[entry], &["f", "--force"], "INVALID_INPUT", "--force"),
        (
            &[entry, ("base44/shared/x.ts", "import(\"../../y.ts\")")],
            &[],
            "CONFIG_INVALID",
            "base44/shared/x.ts:1:9",
        ),
    ];
    for (given, arguments, code, said) in cases {
        let project = given.iter().fold(Project::new(), |project, (path, text)| {
            project.file(path, text)
        });
        let desk = Desk::new(project).await;
        let (exit, failure) = desk
            .json(&[&["functions", "deploy"], arguments].concat())
            .await;
        assert_eq!((exit, &failure["code"]), (2, &json!(code)), "{failure}");
        assert!(failure.to_string().contains(said), "{failure}");
        assert!(desk.platform.take_requests().is_empty());
    }
}

#[tokio::test]
async fn deletion_asks_and_tells_what_was_not_there() {
    let desk = Desk::new(Project::new()).await;
    desk.platform.deploy("a/b", &[("entry.ts", "")]);
    let refused = desk.run(&["functions", "delete", "a/b"]).await;
    assert_eq!(refused.code, 2, "{refused}");
    assert!(desk.platform.take_requests().is_empty());
    desk.platform.script(
        "DELETE",
        "backend-functions/broken",
        [Reply::Json(403, json!({ "detail": "not yours" }))],
    );
    let (exit, report) = desk
        .json(&["functions", "delete", "a/b,missing", "broken", "--force"])
        .await;
    let statuses = report["functions"].as_array().unwrap().iter();
    let statuses: Vec<&Value> = statuses.map(|one| &one["status"]).collect();
    assert_eq!(
        (exit, statuses),
        (
            1,
            vec![&json!("deleted"), &json!("not found"), &json!("failed")]
        )
    );
    let expected =
        ["a%2Fb", "missing", "broken"].map(|name| format!("DELETE backend-functions/{name}"));
    assert_eq!(desk.platform.take_calls(), expected);
    let finished = desk
        .run(&["functions", "delete", "missing", "--force"])
        .await;
    let _ = finished.success("what is not there is no failure");
}

#[tokio::test]
async fn what_was_deployed_is_told_although_the_deletion_fails() {
    let desk = Desk::new(tasks()).await;
    let refused = || Reply::Json(403, json!({ "detail": "not yours" }));
    desk.platform
        .script("GET", "backend-functions", [refused(), refused()]);
    let (exit, report) = desk.json(&["functions", "deploy", "--force"]).await;
    assert_eq!(
        (exit, &report["code"]),
        (1, &json!("API_ERROR")),
        "{report}"
    );
    assert_eq!(report["statusCode"], 403);
    assert!(
        report["error"].to_string().contains("not yours"),
        "{report}"
    );
    assert_eq!(report["functions"][1]["status"], "deployed");
    assert_eq!(report["deleted"], json!([]));

    let finished = desk.run(&["functions", "deploy", "--force"]).await;
    assert_eq!(finished.code, 1, "{finished}");
    for said in ["nothing was deleted: ", "not yours", "2 unchanged"] {
        assert!(finished.stdout.contains(said), "{finished}");
    }
}

#[tokio::test]
async fn what_was_deleted_is_told_although_the_login_ends_meanwhile() {
    let desk = Desk::new(Project::new()).await;
    desk.platform.deploy("a", &[("entry.ts", "")]);
    let ended = || Reply::Json(401, json!({ "detail": "ended" }));
    desk.platform
        .script("DELETE", "backend-functions/b", [ended()]);
    desk.platform.script("POST", "/oauth/token", [ended()]);
    let (exit, report) = desk
        .json(&["functions", "delete", "a", "b", "--force"])
        .await;
    assert_eq!(exit, 1, "{report}");
    assert_eq!(report["functions"][0]["status"], "deleted", "{report}");
    assert_eq!(report["functions"][1]["status"], "failed", "{report}");
}
