//! `backlot init` and `backlot new`: what they make works at once, and what was there stays.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    command::Finished,
    project::Project,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::backlot;

/// Runs one of the commands in the project's root.
async fn run(project: &Project, arguments: &[&str]) -> Finished {
    backlot(project).run(arguments).await
}

fn document(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
}

fn text(project: &Project, path: &str) -> String {
    fs::read_to_string(project.root().join(path)).unwrap()
}

#[tokio::test]
async fn a_project_made_from_nothing_works_at_once() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::empty();
    let init = run(&project, &["init", "--name", "It's \"mine\"", "--json"]).await;
    let init = document(&init.success("init"));
    assert_eq!(
        init["created"],
        json!(["base44/config.jsonc", "base44/.gitignore", ".gitignore"])
    );
    for (kind, name, file) in [
        (
            "function",
            "email/send",
            "base44/functions/email/send/entry.ts",
        ),
        ("entity", "OrderItem", "base44/entities/order-item.jsonc"),
        ("entity", "User", "base44/entities/user.jsonc"),
    ] {
        let made = run(&project, &["new", kind, name]).await.success(kind);
        assert!(made.stdout.starts_with(&format!("Made {file}\n")), "{made}");
        assert!(made.stdout.contains("backlot dev"), "{made}");
    }

    let server = backlot(&project).clients(&clients).start().await;
    let body = json!({ "name": "Ada" });
    let path = "/api/apps/local/functions/email/send";
    let answer = server.send(Method::POST, path, &body).await.expect(200);
    assert_eq!(answer, json!({ "message": "Hello, Ada!" }));
    let answer = server.get("/functions/email/send").await.expect(200);
    assert_eq!(answer, json!({ "message": "Hello, World!" }));
    let path = "/api/apps/local/entities/OrderItem";
    let record = json!({ "title": "Tea" });
    let stored = server.send(Method::POST, path, &record).await.expect(201);
    assert_eq!(stored["title"], "Tea");
    let _ = server
        .send(Method::POST, path, &json!({}))
        .await
        .expect(422);
    let output = server.output();
    assert!(
        !output.says("warning") && !output.says("error"),
        "{}",
        output.text()
    );
}

/// From nothing to a call, the server started before there was anything to serve.
#[tokio::test]
async fn what_is_added_while_the_server_runs_works_at_once() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::empty();
    let _ = run(&project, &["init"]).await.success("init");
    let launch = backlot(&project).clients(&clients);
    let server = launch.start().await;
    for (kind, name) in [("function", "hello"), ("entity", "Task")] {
        let _ = run(&project, &["new", kind, name]).await.success(kind);
    }
    eventually("both are served", PATIENCE, async || {
        let record = json!({ "title": "Tea" });
        let path = "/api/apps/local/entities/Task";
        let stored = server.send(Method::POST, path, &record).await.status;
        let called = server.get("/functions/hello").await.status;
        that(
            (stored, called) == (201, 200),
            format!("{stored}, {called}"),
        )
    })
    .await;
    let invoke = ["functions", "invoke", "hello", "--json"];
    let invoke = [&invoke[..], &["--data", r#"{"name":"Ada"}"#]].concat();
    let answer = document(&launch.run(&invoke).await.success("invoke"));
    assert_eq!(
        (&answer["status"], &answer["body"]),
        (&json!(200), &json!({ "message": "Hello, Ada!" }))
    );
    let types = text(&project, "base44/.types/types.d.ts");
    for name in ["export interface Task {", "\"hello\": true;"] {
        assert!(types.contains(name), "{types}");
    }
}

#[tokio::test]
async fn init_adds_to_a_frontend_and_changes_nothing_of_it() {
    let package = r#"{"name":"shop","scripts":{"dev":"vite","build":"vite build"},"devDependencies":{"vite":"7"}}"#;
    let project = Project::empty().file("package.json", package);
    let made = run(&project, &["init"]).await.success("init");
    assert!(made.stdout.contains("npm install"), "{made}");
    assert_eq!(text(&project, "package.json"), package);
    has_the_frontend(&text(&project, "base44/config.jsonc"));

    let fresh = run(&project, &["init", "deep/fresh"]).await.success("init");
    assert!(
        fresh.stdout.contains("\"fresh\"") && fresh.stdout.contains("cd deep/fresh"),
        "{fresh}"
    );
    assert!(
        project
            .root()
            .join("deep/fresh/base44/config.jsonc")
            .is_file()
    );

    let before = text(&project, "base44/config.jsonc");
    let again = run(&project, &["init", "--name", "other", "--json"]).await;
    assert_eq!(again.code, 2, "{again}");
    assert_eq!(document(&again)["code"], "CONFIG_EXISTS");
    assert_eq!(text(&project, "base44/config.jsonc"), before);
}

fn has_the_frontend(text: &str) {
    for line in [
        r#"  "name": "shop","#,
        r#"    "buildCommand": "npm run build","#,
        r#"    "serveCommand": "npm run dev","#,
        r#"    "outputDirectory": "dist""#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn nothing_is_overwritten_and_the_file_is_named() {
    let project = Project::new()
        .function("hello", "// mine")
        .file("base44/functions/named/function.jsonc", "{ broken")
        .file("base44/entities/any.jsonc", r#"{"name":"Task"}"#)
        .file("base44/entities/order-item.jsonc", "{ broken");
    for (kind, name, file) in [
        ("function", "hello", "base44/functions/hello/entry.ts"),
        ("function", "named", "base44/functions/named/function.jsonc"),
        ("entity", "Task", "base44/entities/any.jsonc"),
        ("entity", "task", "base44/entities/any.jsonc"),
        ("entity", "OrderItem", "base44/entities/order-item.jsonc"),
    ] {
        let refused = run(&project, &["new", kind, name]).await;
        assert_eq!(refused.code, 2, "{name}: {refused}");
        assert!(refused.stderr.contains(file), "{name}: {refused}");
        assert!(refused.stderr.contains("hint:"), "{name}: {refused}");
    }
    assert_eq!(text(&project, "base44/functions/hello/entry.ts"), "// mine");
}

#[tokio::test]
async fn names_that_would_not_be_found_again_are_refused() {
    let project = Project::new();
    for (kind, names) in [
        (
            "function",
            &[
                "a.b",
                "/a",
                "a/",
                "a//b",
                "..",
                "../a",
                "a\\b",
                "node_modules/a",
                "a b",
                "a\n",
            ][..],
        ),
        ("entity", &["", "a b", "a/b", "../a", "é", ".hidden"][..]),
    ] {
        for name in names {
            let refused = run(&project, &["new", kind, name, "--json"]).await;
            if name.trim() != *name {
                // Blanks around a name are nobody's intention.
                let _ = refused.success(name);
                continue;
            }
            assert_eq!(refused.code, 2, "{name:?}: {refused}");
            assert_eq!(document(&refused)["code"], "INVALID_INPUT", "{name:?}");
        }
    }
    let made = fs::read_dir(project.root().join("base44/functions")).unwrap();
    assert_eq!(made.count(), 1, "only the trimmed one");
    assert!(!project.root().join("base44/entities").exists());
}

#[tokio::test]
async fn files_go_where_the_configuration_says() {
    let config = json!({ "name": "x", "functionsDir": "../api/fn", "entitiesDir": "schemas" });
    let project = Project::new().config(&config);
    let sub = project.root().join("base44").display().to_string();
    let made = run(&project, &["new", "function", "a", "--dir", &sub]).await;
    assert!(
        made.success("new")
            .stdout
            .starts_with("Made api/fn/a/entry.ts")
    );
    let made = run(&project, &["new", "entity", "Thing", "--json"]).await;
    let made = document(&made.success("new"));
    assert_eq!(made["created"], json!(["base44/schemas/thing.jsonc"]));
    assert!(project.root().join("base44/schemas/thing.jsonc").is_file());
}
