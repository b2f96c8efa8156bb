//! Logging in, staying logged in, and logging out; with the official tool as a judge of the login file.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tests::{
    platform::{Platform, Reply, WORKSPACE_KEY},
    project::Project,
    tools,
    wait::{PATIENCE, eventually, that},
};

use super::{Desk, assert_from_us, assert_signed, official::ask};

const PENDING: u16 = 400;

fn refusal(error: &str) -> Reply {
    Reply::Json(PENDING, json!({ "error": error }))
}

/// Somebody who has never logged in.
async fn stranger() -> Desk {
    Desk {
        platform: Platform::start().await,
        project: Project::new(),
    }
}

#[tokio::test]
async fn a_login_asks_until_the_code_is_confirmed_and_keeps_what_it_is_given() {
    let desk = stranger().await;
    let waits = ["authorization_pending", "slow_down"].map(refusal);
    desk.platform.script("POST", "/oauth/token", waits);
    desk.platform.script("POST", "/oauth/token", [Reply::Cut]);
    let finished = desk.backlot().run(&["login"]).await.success("login");
    for shown in ["https://app.example.com/device", "ABCD-EFGH"] {
        assert!(finished.stderr.contains(shown), "{finished}");
    }
    assert_eq!(finished.stdout, "Logged in as ada@example.com\n");

    let requests = desk.platform.take_requests();
    let calls: Vec<String> = requests
        .iter()
        .map(tests::platform::Request::call)
        .collect();
    let token = "POST /oauth/token";
    let expected = [
        "POST /oauth/device/code",
        token,
        token,
        token,
        token,
        "GET /oauth/userinfo",
    ];
    assert_eq!(calls, expected);
    requests.iter().for_each(assert_from_us);
    let scope = json!({ "client_id": "base44_cli", "scope": "apps:read apps:write sandbox:write" });
    assert_eq!(requests[0].json(), scope);
    let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=device&client_id=base44_cli";
    assert_eq!(requests[1].body, form);
    let kind = requests[1].header("content-type");
    assert_eq!(kind, Some("application/x-www-form-urlencoded"));
    assert_signed(&requests[5..], "access-1");

    let login = desk.login();
    assert_eq!(login["accessToken"], "access-1");
    assert_eq!(login["refreshToken"], "refresh-1");
    assert_eq!(
        (&login["email"], &login["name"]),
        (&json!("ada@example.com"), &json!("Ada"))
    );
    assert!(login["expiresAt"].as_u64().unwrap() > 1_700_000_000_000);
    let mode = fs::metadata(desk.project.login_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::read_dir(desk.project.login_file().parent().unwrap())
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn a_login_that_is_declined_too_late_or_given_up_leaves_nothing() {
    for (replies, code) in [
        (vec![refusal("access_denied")], "AUTH_REQUIRED"),
        (
            vec![refusal("authorization_pending"), refusal("expired_token")],
            "AUTH_EXPIRED",
        ),
        (vec![refusal("invalid_client")], "API_ERROR"),
        (vec![Reply::Text(400, &[], "garbage")], "API_ERROR"),
    ] {
        let desk = stranger().await;
        desk.platform.script("POST", "/oauth/token", replies);
        let finished = desk.backlot().run(&["login", "--json"]).await;
        assert_eq!(finished.code, 1, "{finished}");
        let failure: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(failure["code"], code, "{finished}");
        assert!(!desk.project.login_file().exists());
    }
}

#[tokio::test]
async fn a_code_that_nobody_confirms_expires_and_ctrl_c_gives_up() {
    let desk = stranger().await;
    let device = json!({
        "device_code": "d", "user_code": "ABCD", "verification_uri": "https://app.example.com/device",
        "expires_in": 1, "interval": 5,
    });
    desk.platform
        .script("POST", "/oauth/device/code", [Reply::Json(200, device)]);
    let finished = desk.backlot().run(&["login", "--json"]).await;
    assert_eq!(finished.code, 1, "{finished}");
    assert!(finished.stdout.contains("AUTH_EXPIRED"), "{finished}");

    let device = json!({
        "device_code": "d", "user_code": "ABCD", "verification_uri": "https://app.example.com/device",
        "expires_in": 600, "interval": 60,
    });
    desk.platform
        .script("POST", "/oauth/device/code", [Reply::Json(200, device)]);
    let mut waiting = desk.backlot().spawn_other(&["login"]);
    waiting.says("Ctrl-C gives up").await;
    assert_eq!(waiting.interrupt().await, 130);
    assert!(!desk.project.login_file().exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_browser_is_opened_where_there_is_a_display() {
    let desk = stranger().await;
    let bin = desk.project.user("cache").join("bin");
    let opened = desk.project.user("cache").join("opened");
    fs::create_dir(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$@\" > {}\n", opened.display());
    fs::write(bin.join("xdg-open"), script).unwrap();
    fs::set_permissions(bin.join("xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
    let login = || {
        super::super::backlot(&desk.project)
            .env("BASE44_API_URL", desk.platform.url())
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("DISPLAY", ":0")
    };
    let _ = login()
        .env("CI", "true")
        .run(&["login"])
        .await
        .success("login");
    assert!(!opened.exists());
    let _ = login().env("CI", "").run(&["login"]).await.success("login");
    let page = eventually("the browser is opened", PATIENCE, async || {
        let text = fs::read_to_string(&opened).unwrap_or_default();
        that(text.ends_with('\n'), "nothing yet").map(|()| text)
    });
    assert_eq!(page.await, "https://app.example.com/device\n");
}

#[tokio::test]
async fn whoami_and_logout_need_no_network() {
    let desk = Desk::new(Project::new()).await;
    let finished = desk.backlot().run(&["whoami"]).await.success("whoami");
    assert_eq!(finished.stdout, "Logged in as ada@example.com\n");
    let key = desk.backlot().env("BASE44_API_KEY", WORKSPACE_KEY);
    let finished = key.run(&["whoami", "--json"]).await.success("whoami");
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document, json!({ "workspaceKey": "b44k_01234" }));
    for expected in ["Logged out\n", "Nobody was logged in\n"] {
        let finished = desk.backlot().run(&["logout"]).await.success("logout");
        assert_eq!(finished.stdout, expected);
    }
    let finished = desk.backlot().run(&["whoami", "--json"]).await;
    assert_eq!(finished.code, 1);
    let failure: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(failure["code"], "AUTH_REQUIRED");
    assert!(
        failure["hints"].to_string().contains("backlot login"),
        "{failure}"
    );
    assert!(desk.platform.take_requests().is_empty());
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_after_a_refusal() {
    let desk = Desk::new(Project::new()).await;
    let mut login = desk.login();
    login["expiresAt"] = json!(1);
    login["later"] = json!("kept");
    fs::write(desk.project.login_file(), login.to_string()).unwrap();
    let _ = desk.run(&["secrets", "list"]).await.success("secrets list");
    let requests = desk.platform.take_requests();
    assert_eq!(requests[0].call(), "POST /oauth/token");
    assert_eq!(
        requests[0].body,
        "grant_type=refresh_token&refresh_token=r&client_id=base44_cli"
    );
    assert_eq!(requests[1].call(), "GET secrets");
    assert_signed(&requests[1..], "access-1");
    let login = desk.login();
    let kept = [
        &login["accessToken"],
        &login["refreshToken"],
        &login["later"],
    ];
    assert_eq!(kept, ["access-1", "refresh-1", "kept"]);

    desk.platform.revoke();
    let _ = desk.run(&["secrets", "list"]).await.success("secrets list");
    let requests = desk.platform.take_requests();
    let calls: Vec<String> = requests
        .iter()
        .map(tests::platform::Request::call)
        .collect();
    assert_eq!(calls, ["GET secrets", "POST /oauth/token", "GET secrets"]);
    let id = |index: usize| requests[index].header("x-request-id");
    assert_eq!(id(0), id(2));
    assert_signed(&requests[2..], "access-2");
    assert_eq!(desk.login()["accessToken"], "access-2");
}

#[tokio::test]
async fn commands_that_renew_at_the_same_time_do_not_cost_each_other_the_login() {
    let desk = Desk::new(Project::new()).await;
    let mut login = desk.login();
    login["expiresAt"] = json!(1);
    fs::write(desk.project.login_file(), login.to_string()).unwrap();
    let list = ["secrets", "list"];
    let finished = tokio::join!(desk.run(&list), desk.run(&list), desk.run(&list));
    for finished in [finished.0, finished.1, finished.2] {
        let _ = finished.success("secrets list");
    }
    let renewed = desk.login();
    let _ = desk.platform.take_requests();
    let _ = desk.run(&list).await.success("secrets list");
    let token = renewed["accessToken"].as_str().unwrap();
    assert_signed(&desk.platform.take_requests(), token);
}

#[tokio::test]
async fn a_renewal_that_fails_never_costs_the_login() {
    for (reply, code, status) in [
        (
            Reply::Json(400, json!({ "error": "invalid_grant" })),
            "AUTH_EXPIRED",
            Some(400),
        ),
        (
            Reply::Json(503, json!({ "error": "invalid_grant" })),
            "API_ERROR",
            Some(503),
        ),
        (Reply::Text(200, &[], "<html>"), "API_ERROR", Some(200)),
        (Reply::Cut, "API_ERROR", None),
    ] {
        let desk = Desk::new(Project::new()).await;
        let mut login = desk.login();
        login["expiresAt"] = json!(1);
        fs::write(desk.project.login_file(), login.to_string()).unwrap();
        desk.platform.script("POST", "/oauth/token", [reply]);
        desk.platform
            .script("POST", "/oauth/token", [Reply::Cut, Reply::Cut]);
        // A POST makes one try of each kind of call: what repeats is the command's own call.
        let (exit, failure) = desk.json(&["secrets", "set", "A=b"]).await;
        assert_eq!((exit, &failure["code"]), (1, &json!(code)), "{failure}");
        assert_eq!(
            failure.get("statusCode").and_then(Value::as_u64),
            status,
            "{failure}"
        );
        assert_eq!(desk.login(), login);
        assert!(desk.platform.secrets().is_empty());
    }
}

#[tokio::test]
async fn keys_and_tokens_of_the_environment_are_sent_as_the_official_tool_sends_them() {
    let desk = stranger().await;
    let root = desk.project.root().to_string_lossy().into_owned();
    let list = ["secrets", "list", "--app-id", "app-1", "--dir", &root];
    let key = desk.backlot().env("BASE44_API_KEY", WORKSPACE_KEY);
    let _ = key.run(&list).await.success("with a workspace key");
    let requests = desk.platform.take_requests();
    assert_eq!(requests[0].header("api_key"), Some(WORKSPACE_KEY));
    assert_eq!(requests[0].header("authorization"), None);
    assert_from_us(&requests[0]);
    assert!(!desk.project.login_file().exists());

    // {"sub":"bob@example.com","exp":4102444800}
    let token = "e30.eyJzdWIiOiJib2JAZXhhbXBsZS5jb20iLCJleHAiOjQxMDI0NDQ4MDB9.x";
    desk.project.save(
        ".env.local",
        &format!("BASE44_ACCESS_TOKEN={token}\nBASE44_REFRESH_TOKEN=r\n"),
    );
    let _ = desk.backlot().run(&list).await.success("with tokens");
    let calls: Vec<String> = desk.platform.take_calls();
    assert_eq!(calls, ["GET secrets", "POST /oauth/token", "GET secrets"]);
    let login = desk.login();
    assert_eq!(
        (&login["email"], &login["accessToken"]),
        (&json!("bob@example.com"), &json!("access-1"))
    );
}

#[tokio::test]
async fn the_official_tool_reads_our_login_file_and_we_read_its() {
    let Some(official) = tools::official_cli().await else {
        return;
    };
    let desk = stranger().await;
    let _ = desk.backlot().run(&["login"]).await.success("login");
    let finished = ask(&official, &desk, "whoami").await;
    assert!(finished.stdout.contains("ada@example.com"), "{finished}");

    // The official tool logs in on the same platform, and we go on with what it has written.
    let _ = desk.backlot().run(&["logout"]).await.success("logout");
    let _ = ask(&official, &desk, "login").await;
    assert_eq!(desk.login()["accessToken"], "access-2");
    let finished = desk.backlot().run(&["whoami"]).await.success("whoami");
    assert_eq!(finished.stdout, "Logged in as ada@example.com\n");
    let _ = desk.platform.take_requests();
    let _ = desk.run(&["secrets", "list"]).await.success("secrets list");
    assert_signed(&desk.platform.take_requests(), "access-2");
}
