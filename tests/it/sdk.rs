//! The official JavaScript SDK, unchanged, against a server: the judge of what apps rely on.

use tests::{project::Project, tools::Clients};

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
