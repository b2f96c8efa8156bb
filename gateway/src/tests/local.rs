//! What is answered without anything behind it, and what is not served at all.

use super::{Harness, as_user};

#[tokio::test]
async fn public_settings_follow_the_visibility() {
    let path = "GET /api/apps/public/prod/public-settings/by-id/app-9";
    let cases = [
        ("", "public_without_login", 200),
        ("public", "public_without_login", 200),
        ("private", "private_with_login", 403),
        ("workspace", "workspace_with_login", 403),
    ];
    for (visibility, settings, anonymous) in cases {
        let harness = Harness::with(|config| config.visibility = visibility.to_owned()).await;
        let answer = harness.call(path, &[&as_user("a@b.c")], "").await;
        assert_eq!(answer.json()["id"], "app-9");
        assert_eq!(answer.json()["public_settings"], settings);
        let answer = harness.call(path, &[], "").await;
        assert_eq!(answer.status, anonymous, "{visibility}");
        if anonymous == 403 {
            assert_eq!(answer.json()["extra_data"]["reason"], "auth_required");
        }
    }
}

#[tokio::test]
async fn nothing_counts_in_production() {
    let harness = Harness::new().await;
    for line in [
        "POST /api/apps/a/analytics/track/batch",
        "POST /api/app-logs/a/log-user-in-app/Home",
        "GET /api/app-logs/a",
        "GET /api/app-logs/a/stats",
    ] {
        let answer = harness.call(line, &[], "{}").await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, r#"{"success":true}"#),
            "{line}"
        );
    }
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let reason = "this project is not linked to an app";
    let harness = Harness::with(|config| config.upstream_off_reason = reason.to_owned()).await;
    let cases = [
        (
            "POST /api/apps/a/actors/x/connection-token",
            404,
            "Actors are not available in local development",
        ),
        (
            "GET /api/apps/a/actors",
            404,
            "Actors are not available in local development",
        ),
        (
            "POST /api/apps/a/integration-endpoints/Core/InvokeLLM",
            502,
            reason,
        ),
        ("GET /api/apps/a/agents/conversations", 502, reason),
        ("GET /media/x.png", 404, "File not found"),
        ("GET /", 404, "Nothing is served at GET /"),
        ("GET /functions", 404, "Nothing is served"),
        ("PUT /api/apps/a/auth/login", 405, "PUT is not allowed"),
    ];
    for (line, status, fragment) in cases {
        let answer = harness.call(line, &[], "{}").await;
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        assert!(
            answer.text().contains(fragment),
            "{line}: {}",
            answer.text()
        );
        let json = answer.json();
        assert_eq!(json["message"], json["error"], "{line}");
    }
}

/// Pages elsewhere, some of them in disguise: what a browser makes of them is not on this machine, or is no page.
pub(super) const FOREIGN_PAGES: [&str; 30] = [
    "",
    "https://evil.example",
    "http://evil.example:4400/",
    "http://localhost.evil.example/",
    "http://evil.example/localhost",
    "http://evil.example?localhost",
    "http://evil.example#.localhost",
    "http://evil.example\\.localhost/",
    "http://localhost@evil.example/",
    "http://localhost:4400@evil.example/",
    "http://localhost:@evil.example/",
    "http://localhost%2eevil.example/",
    "http://localhost\\@evil.example/",
    "http://localhost\t.evil.example/",
    "http://localhost\n.evil.example/",
    "http://local\thost/",
    "http://[::1].evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://evil.example%00.localhost/",
    "http://\u{ff4c}ocalhost/",
    "http:evil.example",
    "http:/\\evil.example",
    "http:///evil.example",
    " http://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)//http://localhost/",
    "data:text/html,http://localhost",
    "\"><script>",
];

#[tokio::test]
async fn the_login_page_sends_tokens_to_pages_of_this_machine_only() {
    let harness = Harness::with(|config| {
        config.app_name = "<b>{{developer}}</b>".to_owned();
        config.has_frontend = true;
    })
    .await;
    let page = harness
        .get("/login?from_url=http%3A%2F%2Flocalhost%3A3000%2Fa%3Fb%3D1%26c")
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.text()
            .contains(r#"data-return="http://localhost:3000/a?b=1&amp;c""#)
    );
    assert!(
        page.text()
            .contains("&lt;b&gt;&#123;&#123;developer}}&lt;/b&gt;")
    );
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    for url in FOREIGN_PAGES {
        let url = percent_encoding::utf8_percent_encode(url, percent_encoding::NON_ALPHANUMERIC);
        let page = harness.get(&format!("/login?from_url={url}")).await;
        assert!(page.text().contains(r#"data-return="/""#), "{url}");
    }
    for (path, kind) in [
        ("/login/login.js", "text/javascript"),
        ("/login/login.css", "text/css"),
    ] {
        let part = harness.get(path).await;
        assert_eq!(part.status, 200);
        assert!(part.header("content-type").starts_with(kind));
    }
}
