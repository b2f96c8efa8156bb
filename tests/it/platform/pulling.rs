//! `functions pull`: deployed functions as files, without harm to what is there.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};
use tests::{platform::Reply, project::Project};

use super::{Desk, files};

fn remote(name: &str, files: &[(&str, &str)]) -> Value {
    let files = files
        .iter()
        .map(|(path, content)| json!({ "path": path, "content": content }));
    let files: Vec<Value> = files.collect();
    json!({ "name": name, "deployment_id": "d", "entry": "entry.ts", "files": files, "automations": [] })
}

fn list(functions: &[Value]) -> Reply {
    Reply::Json(200, json!({ "functions": functions }))
}

#[tokio::test]
async fn files_that_differ_are_overwritten_with_force_only() {
    let desk = Desk::new(
        Project::new()
            .function("mine", "local")
            .function("same", "s"),
    )
    .await;
    desk.platform
        .deploy("mine", &[("entry.ts", "remote"), ("more.ts", "new")]);
    desk.platform.deploy("same", &[("entry.ts", "s")]);
    let before = files(desk.project.root());
    let refused = desk.run(&["functions", "pull"]).await;
    assert_eq!(refused.code, 2, "{refused}");
    for said in ["base44/functions/mine/entry.ts", "--force"] {
        assert!(refused.stderr.contains(said), "{refused}");
    }
    assert_eq!(files(desk.project.root()), before);
    let (exit, report) = desk.json(&["functions", "pull", "--force"]).await;
    assert_eq!(exit, 0);
    let expected =
        json!([{ "name": "mine", "status": "written" }, { "name": "same", "status": "unchanged" }]);
    assert_eq!(report["functions"], expected);
    let written = [
        "base44/functions/mine/entry.ts",
        "base44/functions/mine/more.ts",
    ];
    assert_eq!(report["files"], json!(written));
    let after = files(desk.project.root());
    assert_eq!(after["base44/functions/mine/entry.ts"], b"remote");
    assert_eq!(after.len(), before.len() + 1);
}

#[tokio::test]
async fn what_would_be_written_elsewhere_is_refused_with_everything_else() {
    let desk = Desk::new(Project::new().file("base44/functions/link/entry.ts", "")).await;
    let root = desk.project.root();
    symlink(
        desk.project.user("cache"),
        root.join("base44/functions/link/out"),
    )
    .unwrap();
    let before = files(&root.join("base44/functions/link"));
    let good = remote("good", &[("entry.ts", "")]);
    for (name, path) in [
        ("evil", "/etc/evil.ts"),
        ("evil", "../../../../evil.ts"),
        ("evil", "../../config.jsonc"),
        ("evil", "C:\\evil.ts"),
        ("../evil", "entry.ts"),
        ("link", "out/evil.ts"),
    ] {
        let functions = [good.clone(), remote(name, &[(path, "evil")])];
        desk.platform
            .script("GET", "backend-functions", [list(&functions)]);
        let (exit, failure) = desk.json(&["functions", "pull", "--force"]).await;
        assert_eq!(
            (exit, &failure["code"]),
            (1, &json!("API_ERROR")),
            "{failure}"
        );
        assert!(!root.join("base44/functions/good").exists(), "{path}");
        assert_eq!(files(&root.join("base44/functions/link")), before);
    }
}

#[tokio::test]
async fn functions_of_plugins_and_unknown_names_are_left_alone() {
    let project = Project::empty()
        .config(&json!({ "name": "Shop", "plugins": [{ "source": "../plugin" }] }))
        .file(
            "plugin/base44/config.jsonc",
            r#"{ "name": "P", "plugin": { "namespace": "pay" } }"#,
        )
        .file("plugin/base44/functions/charge/entry.ts", "");
    let desk = Desk::new(project).await;
    desk.platform.deploy("pay__charge", &[("entry.ts", "")]);
    desk.platform.deploy("other", &[("entry.ts", "")]);
    let _ = desk
        .run(&["functions", "pull", "pay__charge"])
        .await
        .success("pull");
    assert!(!desk.project.root().join("base44/functions").exists());
    let (exit, failure) = desk.json(&["functions", "pull", "missing"]).await;
    assert_eq!((exit, &failure["code"]), (2, &json!("INVALID_INPUT")));
    let _ = desk
        .run(&["functions", "pull", "other"])
        .await
        .success("pull");
    assert_eq!(
        fs::read(desk.project.root().join("base44/functions/other/entry.ts")).unwrap(),
        b""
    );
}

#[tokio::test]
async fn automations_come_along() {
    let desk = Desk::new(Project::new()).await;
    let mut function = remote("f", &[("entry.ts", "1")]);
    function["automations"] = json!([{ "name": "a", "type": "entity", "entity_name": "Task", "event_types": ["create"], "is_active": false }]);
    desk.platform.script(
        "GET",
        "backend-functions",
        [list(std::slice::from_ref(&function))],
    );
    let _ = desk.run(&["functions", "pull"]).await.success("pull");
    let config = desk
        .project
        .root()
        .join("base44/functions/f/function.jsonc");
    let config: Value = serde_json::from_slice(&fs::read(config).unwrap()).unwrap();
    let expected =
        json!({ "name": "f", "entry": "entry.ts", "automations": function["automations"] });
    assert_eq!(config, expected);
    let _ = desk.run(&["functions", "deploy"]).await.success("deploy");
    let requests = desk.platform.take_requests();
    assert_eq!(
        requests.last().unwrap().json()["automations"],
        function["automations"]
    );
}

#[tokio::test]
async fn a_platform_that_fails_leaves_the_files_as_they_are() {
    for replies in [
        vec![
            Reply::Json(500, json!({})),
            Reply::Json(500, json!({})),
            Reply::Json(500, json!({})),
        ],
        vec![Reply::Cut, Reply::Cut, Reply::Cut],
        [(); 3]
            .map(|()| {
                Reply::CutInside(json!({ "functions": [remote("mine", &[("entry.ts", "r")])] }))
            })
            .into(),
        vec![Reply::Text(200, &["Content-Type: text/html"], "<html>")],
        vec![Reply::Json(
            200,
            json!({ "functions": [{ "name": "mine" }] }),
        )],
    ] {
        let desk = Desk::new(Project::new().function("mine", "local")).await;
        let before = files(desk.project.root());
        desk.platform.script("GET", "backend-functions", replies);
        let (exit, failure) = desk.json(&["functions", "pull", "--force"]).await;
        assert_eq!(
            (exit, &failure["code"]),
            (1, &json!("API_ERROR")),
            "{failure}"
        );
        assert_eq!(files(desk.project.root()), before);
    }
}
