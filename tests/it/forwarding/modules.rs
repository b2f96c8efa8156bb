//! The SDK's other modules, in a linked app: which of their methods reach the platform, and at which address.

use tests::{tools::Clients, upstream::Upstream};

use super::{ADA, linked, project};

const AGENTS: &str = "/api/apps/app-1/agents";
const APP: &str = "/api/apps/app-1";

/// What each forwarded method is at the platform, in the order in which the script calls them.
const FORWARDED: [(&str, &str, &str); 29] = [
    ("GET", AGENTS, "/conversations"),
    ("GET", AGENTS, "/conversations/c1"),
    ("GET", AGENTS, "/conversations?limit=2"),
    ("POST", AGENTS, "/conversations"),
    ("POST", AGENTS, "/conversations/v2/c1/messages"),
    ("GET", AGENTS, "/conversations/c1"),
    // The SDK puts the token into these links; ours stays here, and the platform asks for a sign-in instead.
    ("GET", AGENTS, "/a%2Fb/whatsapp"),
    ("GET", AGENTS, "/helper/telegram"),
    ("POST", APP, "/integration-endpoints/Core/InvokeLLM"),
    ("POST", APP, "/integration-endpoints/Core/SendEmail"),
    ("POST", APP, "/integration-endpoints/Core/GenerateImage"),
    (
        "POST",
        APP,
        "/integration-endpoints/Core/ExtractDataFromUploadedFile",
    ),
    (
        "POST",
        APP,
        "/integration-endpoints/installable/Slack/integration-endpoints/Post",
    ),
    (
        "POST",
        APP,
        "/integrations/custom/crm/get:/contacts/%7Bid%7D",
    ),
    ("POST", APP, "/app-user-auth/connectors/con%2F1/initiate"),
    ("DELETE", APP, "/app-user-auth/connectors/con1"),
    ("GET", APP, "/external-auth/tokens/google%20drive"),
    ("GET", APP, "/external-auth/tokens/slack"),
    ("GET", APP, "/external-auth/tokens/connectors/con1"),
    ("GET", APP, "/app-user-auth/connectors/con1/token"),
    ("GET", APP, "/app-user-auth/connectors/con1/token"),
    ("POST", APP, "/connectors/slack/call"),
    ("GET", APP, "/auth/sso/accesstoken/u1"),
    ("GET", APP, "/auth/sso/idtoken/u1"),
    ("GET", AGENTS, "/conversations"),
    ("POST", APP, "/integration-endpoints/Core/InvokeLLM"),
    ("POST", APP, "/ai/openai/v1/chat/completions"),
    ("POST", APP, "/ai/typesafe/v1/chat/completions"),
    ("POST", APP, "/ai/openai/v1/chat/completions"),
];

#[tokio::test]
async fn every_method_of_the_sdks_other_modules_is_answered_here_or_there() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let upstream = Upstream::start().await;
    let token = "Deno.serve((request) => Response.json(request.headers.get('base44-service-authorization').slice(7)));";
    let project = project().function("service-token", token);
    let server = linked(&project, upstream.url())
        .clients(&clients)
        .start()
        .await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("APP_ID", "app-1"),
        ("EMAIL", ADA),
    ];
    let said = clients.run("modules.mjs", &variables).await;
    assert!(
        said.stdout.ends_with("ok\n"),
        "{said}\n{}",
        server.output().text()
    );
    let calls = upstream.take();
    let lines: Vec<_> = calls
        .iter()
        .map(|call| call.line.clone())
        .filter(|line| line != "GET /api/apps/app-1/auth/token")
        .collect();
    let expected = FORWARDED.map(|(method, base, path)| format!("{method} {base}{path}"));
    assert_eq!(lines, expected);
    for call in calls {
        // The header of the only tokens that are signed here.
        assert!(!format!("{call:?}").contains("eyJ0eXAi"), "{call:?}");
    }
}
