//! Which app a command works on, and what is said where nothing names one.

use serde_json::{Value, json};
use tests::{command::Finished, project::Project};

use super::Desk;

/// Runs a command about the app in `folder`, without `--app-id`.
async fn ask(desk: &Desk, command: &str, folder: &str) -> (Finished, Value) {
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.extend(["--json", "--dir", folder]);
    let finished = desk.backlot().run(&arguments).await;
    let document = serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|error| panic!("{command}: {error}: {finished}"));
    (finished, document)
}

#[tokio::test]
async fn what_keeps_a_command_from_its_app_is_what_it_says() {
    let unlinked = Desk::new(Project::new()).await;
    let broken = Project::empty().file("base44/config.jsonc", "{ \"name\": ");
    let broken = Desk::new(broken).await;
    let mislinked = Project::new().file("base44/.app.jsonc", r#"{ "ident": "app-1" }"#);
    let mislinked = Desk::new(mislinked).await;
    for (desk, folder, code, error, detail) in [
        (&unlinked, ".", "CONFIG_NOT_FOUND", "no app to work on", ""),
        (
            &unlinked,
            "/no/such/folder",
            "INVALID_INPUT",
            "/no/such/folder",
            "",
        ),
        (
            &broken,
            ".",
            "CONFIG_INVALID",
            "configuration has mistakes",
            "base44/config.jsonc:1:1",
        ),
        (
            &mislinked,
            ".",
            "CONFIG_INVALID",
            "link to the app",
            "base44/.app.jsonc:1:",
        ),
    ] {
        for command in [
            "secrets list",
            "functions list --remote",
            "logs --remote",
            "exec scripts/x.ts",
        ] {
            desk.project.save("scripts/x.ts", "");
            let (finished, document) = ask(desk, command, folder).await;
            assert_eq!(
                (finished.code, &document["code"]),
                (2, &json!(code)),
                "{command}: {finished}"
            );
            let said = document["error"].as_str().unwrap();
            assert!(said.contains(error), "{command}: {finished}");
            let details = document["details"].to_string();
            assert!(details.contains(detail), "{command}: {finished}");
            assert!(
                document["hints"][0]["message"].is_string(),
                "{command}: {finished}"
            );
            assert_eq!(finished.stderr, "", "{command}");
        }
        assert!(desk.platform.take_requests().is_empty());
    }
}
