//! The query language against an independent judge: thousands of random filters, orders, pages, updates and aggregations, put
//! to a running server and to `mingo`, an implementation of MongoDB's language in JavaScript.

use serde_json::json;
use tests::{project::Project, tools::Clients};

use crate::backlot;

#[tokio::test]
async fn random_queries_and_updates_are_answered_as_mongodb_would() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let fields = json!({ "a": {}, "b": {}, "c": {}, "d": {}, "n": {}, "i": { "type": "integer" } });
    let project = Project::new().entity("Doc", &fields);
    let server = backlot(&project).args(&["--offline"]).start().await;
    let seed = std::env::var("SEED").unwrap_or_else(|_| "1".to_owned());
    let variables = [("SERVER_URL", server.url()), ("SEED", &seed)];
    let said = clients.run("mingo.mjs", &variables).await;
    assert!(said.stdout.ends_with(" 0 differ\n"), "{said}");
}
