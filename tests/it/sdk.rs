//! The official JavaScript SDK, unchanged, against a server: the judge of what apps rely on.

use serde_json::json;
use tests::{project::Project, terminal::Terminal, tools::Clients};

use crate::{DEVELOPER, backlot};

#[tokio::test]
async fn the_official_sdk_works_unchanged() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let echo = r#"
        Deno.serve(async (request) => {
          const { pathname } = new URL(request.url);
          return Response.json({ method: request.method, pathname, body: await request.text() });
        });
    "#;
    let whoami = r#"
        import { createClientFromRequest } from "npm:@base44/sdk@0.8.50";
        Deno.serve(async (request) => {
          const base44 = createClientFromRequest(request);
          const { email } = await base44.auth.me();
          const tasks = await base44.asServiceRole.entities.Task.list();
          return Response.json({ email, tasks: tasks.length });
        });
    "#;
    let project = Project::new()
        .with_tasks()
        .function("echo", echo)
        .function("mail/whoami", whoami);
    let server = backlot(&project).clients(&clients).start().await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "local"),
        ("EMAIL", DEVELOPER),
    ];
    let said = clients.run("sdk.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
}

#[tokio::test]
async fn every_method_of_the_auth_module_works_with_codes_from_the_terminal() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().entity("User", &json!({ "nickname": { "type": "string" } }));
    let server = backlot(&project).start().await;
    let terminal = Terminal::of(&server).await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("TERMINAL_URL", terminal.url()),
        ("APP_ID", "local"),
        ("EMAIL", DEVELOPER),
    ];
    let said = clients.run("auth.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
    // Nobody but the terminal learns a code, and it is shown to people as well as to scripts.
    let output = server.output();
    let sentence = "In order to complete registration use this verification code: ";
    assert!(
        output.stdout.iter().any(|line| line.starts_with(sentence)),
        "{}",
        output.text()
    );
    assert!(
        output
            .stderr
            .iter()
            .any(|line| line.contains("ann@example.com")),
        "{}",
        output.text()
    );
}

#[tokio::test]
async fn files_are_uploaded_and_fetched_through_the_sdk() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new();
    let server = backlot(&project).start().await;
    let variables = [("SERVER_URL", server.url()), ("APP_ID", "local")];
    let said = clients.run("files.mjs", &variables).await;
    assert!(said.stdout.ends_with("ok\n"), "{said}");
}
