//! The official JavaScript SDK, unchanged, against a server: the judge of what apps rely on.

use serde_json::json;
use tests::{
    launch::Launch,
    output::CODE_SENTENCE,
    project::Project,
    template,
    terminal::Terminal,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::{DEVELOPER, backlot};

/// What `sdk.mjs` drives: tasks, and two functions.
fn with_sdk_functions(project: Project) -> Project {
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
    project
        .with_tasks()
        .function("echo", echo)
        .function("mail/whoami", whoami)
}

async fn drive(launch: Launch<'_>, clients: &Clients, app_id: &str) {
    let server = launch.clients(clients).start().await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", app_id),
        ("EMAIL", DEVELOPER),
    ];
    let said = clients.run("sdk.mjs", &variables).await;
    assert!(
        said.stdout.ends_with("ok\n"),
        "{said}\n{}",
        server.output().text()
    );
}

#[tokio::test]
async fn the_official_sdk_works_unchanged() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = with_sdk_functions(Project::new());
    drive(backlot(&project), &clients, "local").await;
}

#[tokio::test]
async fn the_official_template_of_a_backend_alone_is_served_to_the_sdk() {
    let (Some(clients), Some(template)) = (Clients::get().await, template::backend_only().await)
    else {
        return;
    };
    let project = with_sdk_functions(Project::copy_of(&template));
    let launch = backlot(&project).args(&["--offline"]);
    drive(launch, &clients, template::APP_ID).await;
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
    eventually("both are told", PATIENCE, async || {
        let output = server.output();
        let scripts = output
            .stdout
            .iter()
            .any(|line| line.starts_with(CODE_SENTENCE));
        let mut people = output.stderr.iter();
        let people = people.any(|line| line.contains("ann@example.com"));
        that(scripts && people, output.text())
    })
    .await;
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
