//! The official tool as the judge of our requests: the same commands, on the same platform, ask the same.

use std::time::Duration;

use serde_json::Value;
use tests::{
    command::{Finished, command, finish},
    platform::{APP, Request},
    project::Project,
    tools::{OfficialCli, official_cli, workspace},
};

use super::Desk;

/// How long the official tool may take for one command.
const LIMIT: Duration = Duration::from_secs(300);

/// What has to be the same. Functions and files come in the order in which a folder lists them, which is nobody's.
type Asked = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Value,
);

fn asked(requests: &[Request]) -> Vec<Asked> {
    let owned = |value: Option<&str>| value.map(str::to_owned);
    let mut asked: Vec<Asked> = requests
        .iter()
        .map(|request| {
            let mut body = serde_json::from_str(&request.body).unwrap_or_default();
            if let Some(files) =
                Value::as_object_mut(&mut body).and_then(|body| body.get_mut("files"))
            {
                let files = files.as_array_mut().expect("files are a list");
                files.sort_by_key(|file| file["path"].to_string());
            }
            (
                request.call(),
                owned(request.header("authorization")),
                owned(request.header("user-agent")),
                owned(request.header("content-type")).filter(|_| !request.body.is_empty()),
                body,
            )
        })
        .collect();
    if asked.iter().all(|one| one.0.starts_with("PUT")) {
        asked.sort_by(|one, other| one.0.cmp(&other.0));
    }
    asked
}

/// Runs the official tool as the same user, on the same platform.
pub(super) async fn ask(tool: &OfficialCli, desk: &Desk, arguments: &str) -> Finished {
    let mut official = command(&tool.node);
    official
        .arg(&tool.script)
        .args(arguments.split(' '))
        .current_dir(desk.project.root())
        .env("HOME", desk.project.user("home"))
        .env("CI", "true")
        .env("BASE44_API_URL", desk.platform.url())
        .env("BASE44_APP_ID", APP)
        .env("BASE44_DISABLE_TELEMETRY", "1")
        .env("BASE44_CLI_TEST_OVERRIDES", r#"{"latestVersion":null}"#)
        .env_remove("BASE44_API_KEY")
        .env_remove("BASE44_ACCESS_TOKEN");
    finish(official, LIMIT).await.success(arguments)
}

#[tokio::test]
async fn our_requests_are_those_of_the_official_tool() {
    let Some(tool) = official_cli().await else {
        return;
    };
    let config = r#"{ "name": "digest", "entry": "entry.js", "automations": [
        { "name": "daily", "type": "scheduled", "schedule_mode": "recurring", "schedule_type": "cron", "cron_expression": "0 7 * * *" },
        { "name": "once", "type": "scheduled", "schedule_mode": "one-time", "one_time_date": "2030-01-01T00:00:00Z", "description": null },
        { "name": "new", "type": "entity", "entity_name": "Task", "event_types": ["create"], "is_active": false } ] }"#;
    let project = Project::copy_of(&workspace().join("examples/tasks"))
        .file("base44/functions/digest/function.jsonc", config)
        .file("base44/functions/digest/entry.js", "export default 1")
        .file("base44/functions/digest/lib/part.ts", "export default 2");
    let desk = Desk::new(project).await;
    desk.platform
        .printed("tasks/tidy", Value::Array(Vec::new()));
    for (theirs, more) in [
        ("functions deploy", ""),
        ("functions deploy tasks/tidy --json", ""),
        ("functions list", "--remote"),
        ("functions delete summary", "--force"),
        ("functions pull tasks/tidy", ""),
        ("secrets set A=b=c D=", ""),
        ("secrets list", ""),
        ("secrets delete A", "--force"),
        ("logs --function tasks/tidy", "--remote"),
        (
            "logs --function tasks/tidy --since 2026-01-01T00:00:00 --until 2026-02-01T00:00:00Z --level error --limit 5 --order asc --env prod",
            "--remote",
        ),
    ] {
        let _ = ask(&tool, &desk, theirs).await;
        let expected = asked(&desk.platform.take_requests());
        desk.platform.deploy("summary", &[("entry.ts", "")]);
        let _ = desk
            .run(&["secrets", "set", "A=again"])
            .await
            .success("A is back");
        let _ = desk.platform.take_requests();
        let ours: Vec<&str> = theirs.split(' ').chain(more.split_whitespace()).collect();
        let _ = desk.run(&ours).await.success(theirs);
        assert_eq!(asked(&desk.platform.take_requests()), expected, "{theirs}");
        assert!(!expected.is_empty(), "{theirs}");
    }
}
