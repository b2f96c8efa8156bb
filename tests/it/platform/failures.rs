//! A platform that is busy, broken, or somebody else.

use serde_json::{Value, json};
use tests::{
    http::Nobody,
    platform::{Reply, WORKSPACE_KEY},
    project::Project,
};

use super::Desk;

#[tokio::test]
async fn a_call_is_repeated_while_the_platform_is_busy() {
    let desk = Desk::new(Project::new()).await;
    for replies in [
        vec![Reply::Text(429, &["Retry-After: 0"], "")],
        vec![Reply::Json(500, json!({})), Reply::Text(503, &[], "busy")],
        vec![Reply::Cut, Reply::CutInside(json!({ "SECRET": "****" }))],
    ] {
        let times = replies.len() + 1;
        desk.platform.script("GET", "secrets", replies);
        let _ = desk.run(&["secrets", "list"]).await.success("secrets list");
        assert_eq!(desk.platform.take_calls(), vec!["GET secrets"; times]);
    }
}

#[tokio::test]
async fn a_failure_says_what_the_platform_said_and_what_to_do() {
    let desk = Desk::new(Project::new()).await;
    let broken = || Reply::Json(500, json!({ "detail": "boom" }));
    let cases: [(Vec<Reply>, usize, Value, &str); 6] = [
        (
            vec![Reply::Text(429, &["Retry-After: 3600"], "slow down")],
            1,
            json!(429),
            "try again in 3600 s",
        ),
        (vec![broken(), broken(), broken()], 3, json!(500), "boom"),
        (
            vec![
                Reply::Text(502, &[], ""),
                Reply::Text(502, &[], ""),
                Reply::Text(502, &[], "<html>\n\u{1b}[31m</html>"),
            ],
            3,
            json!(502),
            "502 Bad Gateway: <html> [31m</html>",
        ),
        (
            vec![Reply::Json(403, json!({ "message": "no access" }))],
            1,
            json!(403),
            "no access",
        ),
        (
            vec![Reply::Text(302, &["Location: http://127.0.0.1:1/"], "")],
            1,
            json!(302),
            "BASE44_API_URL",
        ),
        (
            vec![Reply::Json(
                400,
                json!({ "error_type": "KeyError", "message": "gone" }),
            )],
            1,
            json!(404),
            "gone",
        ),
    ];
    for (replies, times, status, said) in cases {
        desk.platform.script("GET", "secrets", replies);
        let (exit, failure) = desk.json(&["secrets", "list"]).await;
        assert_eq!(
            (exit, &failure["code"], &failure["statusCode"]),
            (1, &json!("API_ERROR"), &status),
            "{failure}"
        );
        assert!(failure.to_string().contains(said), "{failure}");
        let requests = desk.platform.take_requests();
        assert_eq!(requests.len(), times);
        let id = requests.last().unwrap().header("x-request-id").unwrap();
        assert_eq!(failure["requestId"], id);
    }
    // A POST is not repeated: nobody knows what became of it.
    desk.platform.script("POST", "secrets", [broken()]);
    let (exit, _) = desk.json(&["secrets", "set", "A=b"]).await;
    assert_eq!((exit, desk.platform.take_calls().len()), (1, 1));
}

#[tokio::test]
async fn a_refusal_in_the_middle_costs_one_renewal_and_no_function() {
    let project = ["a", "b", "c"]
        .iter()
        .fold(Project::new(), |project, name| project.function(name, ""));
    let desk = Desk::new(project).await;
    let refusal = || Reply::Json(401, json!({ "message": "Token expired" }));
    desk.platform
        .script("PUT", "backend-functions/b", [refusal()]);
    let _ = desk.run(&["functions", "deploy"]).await.success("deploy");
    let put = |name: &str| format!("PUT backend-functions/{name}");
    let expected = [
        put("a"),
        put("b"),
        "POST /oauth/token".to_owned(),
        put("b"),
        put("c"),
    ];
    assert_eq!(desk.platform.take_calls(), expected);
    assert_eq!(desk.platform.deployed(), ["a", "b", "c"]);

    // Refused again with the new token: it is not the token.
    desk.platform
        .script("GET", "secrets", [refusal(), refusal()]);
    let (exit, failure) = desk.json(&["secrets", "list"]).await;
    assert_eq!((exit, &failure["statusCode"]), (1, &json!(401)));
    assert!(failure.to_string().contains("backlot login"), "{failure}");
    assert_eq!(
        desk.platform.take_calls(),
        ["GET secrets", "POST /oauth/token", "GET secrets"]
    );
}

#[tokio::test]
async fn nobody_home_is_said_with_the_address() {
    let desk = Desk::new(Project::new()).await;
    let root = desk.project.root().to_string_lossy().into_owned();
    let nobody = Nobody::home();
    let free = nobody.address();
    let arguments = ["secrets", "list", "--app-id", "x", "--dir", &root];
    let gone = desk
        .backlot()
        .env("BASE44_API_URL", format!("http://{free}"));
    let finished = gone.run(&arguments).await;
    assert_eq!(finished.code, 1);
    for said in [free.as_str(), "refused", "hint:"] {
        assert!(finished.stderr.contains(said), "{finished}");
    }
    let wrong = desk.backlot().env("BASE44_API_URL", "app.base44.com");
    assert_eq!(wrong.run(&arguments).await.code, 2);
}

#[tokio::test]
async fn the_app_is_named_by_flag_environment_or_link() {
    let desk = Desk::new(Project::new()).await;
    let root = desk.project.root().to_string_lossy().into_owned();
    let list = ["secrets", "list", "--dir", &root, "--json"];
    let unnamed = desk.backlot().run(&list).await;
    assert_eq!(unnamed.code, 2, "{unnamed}");
    assert!(unnamed.stdout.contains("CONFIG_NOT_FOUND"), "{unnamed}");
    desk.project
        .save("base44/.app.jsonc", r#"{ "id": "linked" }"#);
    let _ = desk.backlot().run(&list).await;
    desk.project.save(".env", "BASE44_APP_ID=from-file\n");
    let _ = desk.backlot().run(&list).await;
    let _ = desk
        .backlot()
        .env("BASE44_APP_ID", "from/shell")
        .run(&list)
        .await;
    let _ = desk
        .backlot()
        .run(&[&list[..], &["--app-id", "app-1"]].concat())
        .await;
    let expected = [
        "GET /api/apps/linked/secrets",
        "GET /api/apps/from-file/secrets",
        "GET /api/apps/from%2Fshell/secrets",
        "GET secrets",
    ];
    assert_eq!(desk.platform.take_calls(), expected);
}

#[tokio::test]
async fn an_address_that_the_project_sets_is_said() {
    let desk = Desk::new(Project::new()).await;
    let address = format!("BASE44_API_URL={}\n", desk.platform.url());
    desk.project.save(".env", &address);
    let root = desk.project.root().to_string_lossy().into_owned();
    let arguments = ["secrets", "list", "--app-id", "app-1", "--dir", &root];
    let finished = super::super::backlot(&desk.project).run(&arguments).await;
    let finished = finished.success("secrets list");
    let said = format!("the platform is {}", desk.platform.url());
    assert!(finished.stderr.contains(&said), "{finished}");
    let finished = desk.run(&["secrets", "list"]).await.success("secrets list");
    assert_eq!(finished.stderr, "");
}

#[tokio::test]
async fn a_login_does_not_go_to_an_address_that_only_the_project_names() {
    let desk = Desk::new(Project::new()).await;
    // It reaches this machine and does not say so.
    let address = desk.platform.url().replace("127.0.0.1", "0.0.0.0");
    desk.project
        .save(".env", &format!("BASE44_API_URL={address}\n"));
    let root = desk.project.root().to_string_lossy().into_owned();
    let list = [
        "secrets", "list", "--app-id", "app-1", "--dir", &root, "--json",
    ];
    let backlot = || super::super::backlot(&desk.project);
    let of_shell = backlot().env("BASE44_API_KEY", WORKSPACE_KEY);
    for launch in [backlot(), of_shell] {
        let finished = launch.run(&list).await;
        assert_eq!(finished.code, 2, "{finished}");
        let failure: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(failure["code"], "CONFIG_INVALID", "{failure}");
        for said in [&address, "set it in the environment"] {
            assert!(failure.to_string().contains(said), "{failure}");
        }
    }
    assert!(desk.platform.take_requests().is_empty());
    let finished = backlot().env("BASE44_API_URL", &address).run(&list).await;
    let _ = finished.success("with the address that its user has set too");
}

#[tokio::test]
async fn tokens_of_a_project_do_not_replace_the_users_login() {
    let desk = Desk::new(Project::new()).await;
    let before = desk.login();
    // {"sub":"bob@example.com","exp":4102444800}
    let token = "e30.eyJzdWIiOiJib2JAZXhhbXBsZS5jb20iLCJleHAiOjQxMDI0NDQ4MDB9.x";
    desk.project.save(
        ".env",
        &format!("BASE44_ACCESS_TOKEN={token}\nBASE44_REFRESH_TOKEN=r\n"),
    );
    let finished = desk.run(&["secrets", "list"]).await.success("secrets list");
    assert_eq!(
        desk.platform.take_calls(),
        ["GET secrets", "POST /oauth/token", "GET secrets"]
    );
    assert!(finished.stderr.contains("is not kept"), "{finished}");
    assert_eq!(desk.login(), before);
}
