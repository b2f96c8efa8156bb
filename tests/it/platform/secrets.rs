//! Secrets of the deployed app, and those of this folder.

use serde_json::json;
use tests::project::Project;

use super::{Desk, assert_signed};

#[tokio::test]
async fn secrets_are_set_listed_and_deleted_with_the_official_calls_and_never_shown() {
    let desk =
        Desk::new(Project::new().file("more.env", "# two\nC='d e'\nD=\"hidden-value\"\n")).await;
    let finished = desk
        .run(&["secrets", "set", "A=hidden-value=1", "B="])
        .await;
    let finished = finished.success("secrets set");
    assert_eq!(finished.stdout, "Set A, B\n");
    let requests = desk.platform.take_requests();
    assert_signed(&requests, "a");
    assert_eq!(requests[0].call(), "POST secrets");
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].body, r#"{"A":"hidden-value=1","B":""}"#);

    let file = desk
        .project
        .root()
        .join("more.env")
        .to_string_lossy()
        .into_owned();
    let (exit, set) = desk.json(&["secrets", "set", "--env-file", &file]).await;
    assert_eq!(
        (exit, set),
        (0, json!({ "appId": "app-1", "set": ["C", "D"] }))
    );
    assert_eq!(desk.platform.secrets()["C"], "d e");

    let finished = desk.run(&["secrets", "list"]).await.success("secrets list");
    assert_eq!(finished.stdout, "A\nB\nC\nD\n");

    let _ = desk.platform.take_requests();
    let refused = desk.run(&["secrets", "delete", "A"]).await;
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("--force"), "{refused}");
    assert!(desk.platform.take_requests().is_empty());
    let _ = desk
        .run(&["secrets", "delete", "A", "--force"])
        .await
        .success("delete");
    assert_eq!(desk.platform.take_calls(), ["DELETE secrets?secret_name=A"]);
    let (exit, failure) = desk.json(&["secrets", "delete", "A B&C", "--force"]).await;
    assert_eq!((exit, &failure["statusCode"]), (1, &json!(404)));
    assert_eq!(
        desk.platform.take_calls(),
        ["DELETE secrets?secret_name=A+B%26C"]
    );
}

#[tokio::test]
async fn what_is_no_pair_is_refused_without_being_shown() {
    let desk = Desk::new(Project::new().file("empty.env", "# nothing\n")).await;
    let file = desk
        .project
        .root()
        .join("empty.env")
        .to_string_lossy()
        .into_owned();
    let cases: [&[&str]; 5] = [
        &[],
        &["A=1", "hidden-value"],
        &["=hidden-value"],
        &["A=hidden-value", "--env-file", &file],
        &["--env-file", &file],
    ];
    for arguments in cases {
        let (exit, failure) = desk.json(&[&["secrets", "set"], arguments].concat()).await;
        assert_eq!(
            (exit, &failure["code"]),
            (2, &json!("INVALID_INPUT")),
            "{failure}"
        );
        assert!(!failure.to_string().contains("hidden-value"), "{failure}");
    }
    let (exit, failure) = desk
        .json(&["secrets", "set", "--env-file", "/no/such.env"])
        .await;
    assert_eq!(
        (exit, &failure["code"]),
        (1, &json!("FILE_READ_ERROR")),
        "{failure}"
    );
    assert!(desk.platform.take_requests().is_empty());
}

#[tokio::test]
async fn local_secrets_go_into_env_local_and_nowhere_else() {
    let desk = Desk::new(Project::new().file(".env.local", "# mine\nA=old # why\nZ=z\n")).await;
    let root = desk.project.root().to_string_lossy().into_owned();
    let arguments = [
        "secrets",
        "set",
        "--local",
        "A=hidden-value",
        "B=2",
        "--dir",
        &root,
    ];
    let finished = desk
        .backlot()
        .run(&arguments)
        .await
        .success("secrets set --local");
    assert!(finished.stdout.contains(".env.local") && !finished.stdout.contains("hidden-value"));
    let text = std::fs::read_to_string(desk.project.root().join(".env.local")).unwrap();
    let places = ["# mine", "A=", "hidden-value", "Z=z", "B="].map(|part| text.find(part));
    assert!(
        places.is_sorted() && places.iter().all(Option::is_some),
        "{text}"
    );
    assert!(desk.platform.take_requests().is_empty());

    let taken = Project::new().file(".env.local/file", "");
    let root = taken.root().to_string_lossy().into_owned();
    let arguments = [
        "secrets",
        "set",
        "--local",
        "A=hidden-value",
        "--dir",
        &root,
    ];
    let finished = desk.backlot().run(&arguments).await;
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (1, ""),
        "{finished}"
    );
    assert!(
        finished.stderr.contains(".env.local") && finished.stderr.contains("hint:"),
        "{finished}"
    );
}
