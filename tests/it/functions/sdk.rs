//! Functions through the official SDK, from outside and from inside each other.

use tests::{
    project::Project,
    tools::{Clients, workspace},
};

use super::offline;
use crate::{entities::ANN, register};

#[tokio::test]
async fn the_sdk_calls_functions_in_every_way_as_everybody() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::copy_of(&workspace().join("tests/clients/functions/project"))
        .file(".env.local", "MAIL_KEY=k-1\n");
    let server = offline(&project, &clients).start().await;
    let user = register(&server, ANN).await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "local"),
        ("USER_EMAIL", ANN),
        ("USER_TOKEN", &user),
    ];
    let said = clients.run("functions.mjs", &variables).await;
    assert!(said.stdout.ends_with("checks ok\n"), "{said}");
    server.says("sent to ada@example.com").await;
}
