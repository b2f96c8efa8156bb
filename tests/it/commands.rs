//! The commands that look at a running server, as a person in another terminal types them.

use serde_json::{Value, json};
use tests::{
    command::Finished,
    launch::Launch,
    project::Project,
    server::Server,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::{DEVELOPER, add_task, backlot, register};

/// Answers what it was sent and by whom, and prints it.
const ECHO: &str = r#"
    const caller = (request) => {
      const [, claims] = (request.headers.get("authorization") ?? "").split(".");
      return claims ? JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub : null;
    };
    Deno.serve(async (request) => {
      const { pathname, search } = new URL(request.url);
      const seen = { caller: caller(request), method: request.method, path: pathname + search, body: await request.text() };
      console.log(`called with ${seen.body}`);
      console.error("and complained");
      return Response.json(seen, { status: pathname.endsWith("/fail") ? 500 : 200 });
    });
"#;

/// Runs a command for the project, with `--dir` where that names it.
async fn run(launch: &Launch<'_>, project: &Project, arguments: &[&str]) -> Finished {
    let root = project.root().to_string_lossy().into_owned();
    let mut all = arguments.to_vec();
    all.extend(["--dir", &root]);
    launch.run(&all).await
}

async fn json(launch: &Launch<'_>, project: &Project, arguments: &[&str]) -> Value {
    let finished = run(launch, project, arguments)
        .await
        .success(&arguments.join(" "));
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
}

async fn serving<'a>(project: &'a Project, clients: &Clients) -> (Launch<'a>, Server) {
    let launch = backlot(project).clients(clients).args(&["--offline"]);
    let server = launch.start().await;
    (launch, server)
}

#[tokio::test]
async fn without_a_server_there_is_one_error_that_says_how_to_start_one() {
    let project = Project::new().function("hello", "");
    let launch = backlot(&project);
    for arguments in [
        ["entities", "list"].as_slice(),
        &["logs"],
        &["functions", "invoke", "hello"],
    ] {
        let with_json = [arguments, &["--json"]].concat();
        let told = run(&launch, &project, &with_json).await;
        let document: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!((told.code, told.stderr.as_str()), (1, ""), "{told}");
        assert_eq!(
            (&document["error"], &document["hints"][0]["command"]),
            (
                &json!("no dev server is running for this project"),
                &json!("backlot dev")
            ),
        );
        let finished = run(&launch, &project, arguments).await;
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (1, ""),
            "{finished}"
        );
        assert!(
            finished.stderr.contains("no dev server is running")
                && finished
                    .stderr
                    .contains("hint: start one, in another terminal: backlot dev"),
            "{finished}"
        );
    }
    let listed = json(&launch, &project, &["functions", "list", "--json"]).await;
    let hello = json!({ "name": "hello", "source": "base44/functions/hello/entry.ts" });
    assert_eq!(listed, json!({ "running": false, "functions": [hello] }));
}

/// Every command that prints a document, in a folder that is no project and with an option that does not exist.
#[tokio::test]
async fn where_a_program_reads_a_failure_is_one_document_too() {
    let folder = Project::empty();
    let launch = backlot(&folder);
    for command in [
        "status",
        "functions list",
        "functions invoke hello",
        "functions deploy",
        "functions pull",
        "functions delete hello",
        "entities list",
        "logs",
        "types generate",
        "secrets list",
        "secrets set A=b",
        "secrets set A=b --local",
        "secrets delete A --force",
        "new function hello",
        "new entity Task",
    ] {
        for (option, code) in [("", "CONFIG_NOT_FOUND"), ("--nonsense", "INVALID_INPUT")] {
            let arguments = format!("{command} --json {option}");
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let finished = launch.run(&arguments).await;
            let document: Value = serde_json::from_str(&finished.stdout)
                .unwrap_or_else(|error| panic!("{command}: {error}\n{finished}"));
            assert_eq!(finished.code, 2, "{command} {option}\n{finished}");
            assert_eq!(document["code"], code, "{command} {option}\n{finished}");
            assert_eq!(finished.stderr, "", "{command} {option}");
            assert!(document["hints"][0]["message"].is_string(), "{finished}");
        }
    }
}

#[tokio::test]
async fn entities_are_listed_with_fields_records_and_rules() {
    let note = json!({
        "name": "Note", "properties": { "text": { "type": "string" } }, "rls": { "read": true },
    });
    let project = Project::new()
        .with_tasks()
        .file("base44/entities/note.jsonc", &note.to_string());
    let launch = backlot(&project);
    let server = launch.start().await;
    add_task(&server, "a").await;
    let listed = json(&launch, &project, &["entities", "list", "--json"]).await;
    let entity = |name: &str| {
        let mut entities = listed["entities"].as_array().unwrap().iter();
        entities
            .find(|entity| entity["name"] == name)
            .unwrap()
            .clone()
    };
    let task = entity("Task");
    assert_eq!(
        (&task["records"], &task["rules"], &task["source"]),
        (
            &json!(1),
            &json!(false),
            &json!("base44/entities/Task.jsonc")
        )
    );
    assert_eq!(task["fields"], json!(["title", "done", "priority"]));
    assert_eq!(entity("Note")["rules"], true);
    let text = run(&launch, &project, &["entities", "list"])
        .await
        .success("list");
    let row = text.stdout.lines().find(|line| line.starts_with("Task "));
    let row: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(row, ["Task", "1", "3", "no", "base44/entities/Task.jsonc"]);
}

#[tokio::test]
async fn a_function_is_called_as_whom_one_says_with_what_one_gives() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().function("deep/echo", ECHO);
    let data = project.user("tmp").join("data.json");
    std::fs::write(&data, r#"{"from":"a file"}"#).unwrap();
    let from_file = format!("@{}", data.display());
    let (launch, server) = serving(&project, &clients).await;
    let _token = register(&server, "ada@example.com").await;
    for (arguments, expected) in [
        (
            [].as_slice(),
            json!({ "caller": DEVELOPER, "method": "POST", "path": "/deep/echo", "body": "" }),
        ),
        (
            &["--as", "ada@example.com"],
            json!({ "caller": "ada@example.com" }),
        ),
        (
            &["--anonymous", "--data", r#"{"a":1}"#],
            json!({ "caller": null, "body": r#"{"a":1}"# }),
        ),
        (
            &["--data", &from_file],
            json!({ "body": r#"{"from":"a file"}"# }),
        ),
        (&["--data", "-"], json!({ "body": "" })),
        (
            &["-X", "get", "--path", "/tail?q=1"],
            json!({ "method": "GET", "path": "/deep/echo/tail?q=1" }),
        ),
    ] {
        let mut all = vec!["functions", "invoke", "deep/echo"];
        all.extend(arguments);
        let seen = json(&launch, &project, &all).await;
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(seen[key], *value, "{arguments:?}: {seen}");
        }
    }
    let service = json(
        &launch,
        &project,
        &["functions", "invoke", "deep/echo", "--service"],
    )
    .await;
    assert!(
        ![&json!(null), &json!(DEVELOPER)].contains(&&service["caller"]),
        "{service}"
    );
}

#[tokio::test]
async fn a_call_ends_with_its_status_and_refuses_what_cannot_be_sent() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().function("echo", ECHO);
    let (launch, _server) = serving(&project, &clients).await;
    for (arguments, code, said) in [
        (["echo"].as_slice(), 0, "200 OK in "),
        (
            &["echo", "--path", "/fail"],
            1,
            "500 Internal Server Error in ",
        ),
        (&["missing"], 2, "there is no function `missing`"),
        (&["missing"], 2, "the project has: echo"),
        (&["echo", "--data", "hello"], 2, "not JSON"),
        (&["echo", "--data", "@/missing"], 2, "/missing"),
        (&["echo", "--as", "a@b.c", "--service"], 2, "--service"),
        (&["echo", "--as", "a@b.c"], 1, "has no user a@b.c"),
    ] {
        let mut all = vec!["functions", "invoke"];
        all.extend(arguments);
        let finished = run(&launch, &project, &all).await;
        assert_eq!(finished.code, code, "{arguments:?}: {finished}");
        assert!(finished.stderr.contains(said), "{arguments:?}: {finished}");
    }
    let listed = json(&launch, &project, &["functions", "list", "--json"]).await;
    let echo = &listed["functions"][0];
    assert_eq!(
        (
            &listed["running"],
            &echo["name"],
            &echo["state"],
            &echo["starts"]
        ),
        (&json!(true), &json!("echo"), &json!("ready"), &json!(1))
    );
    assert!(
        echo["pid"].is_u64() && echo["start_milliseconds"].is_u64(),
        "{echo}"
    );
    assert_eq!(echo["source"], "base44/functions/echo/entry.ts");
    let text = run(&launch, &project, &["functions", "list"])
        .await
        .success("list");
    assert!(text.stdout.contains("ready"), "{text}");
}

#[tokio::test]
async fn logs_are_what_functions_printed() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().function("echo", ECHO).function(
        "other",
        "Deno.serve(() => { console.log('the other'); return new Response(); });",
    );
    let (launch, server) = serving(&project, &clients).await;
    server
        .send(reqwest::Method::POST, "/functions/echo", &json!("one"))
        .await;
    server.get("/functions/other").await;
    eventually("the lines are there", PATIENCE, async || {
        let logs = run(&launch, &project, &["logs"]).await.success("logs");
        that(
            ["called with \"one\"", "and complained", "the other"]
                .iter()
                .all(|text| logs.stdout.contains(text)),
            logs.to_string(),
        )
    })
    .await;
    let texts = async |arguments: &[&str]| -> Vec<String> {
        let logs = json(&launch, &project, arguments).await;
        let message = |line: &Value| line["message"].as_str().unwrap().to_owned();
        logs.as_array().unwrap().iter().map(message).collect()
    };
    assert_eq!(
        texts(&["logs", "--json", "--function", "other"]).await,
        ["the other"]
    );
    assert_eq!(
        texts(&["logs", "--json", "--level", "error"]).await,
        ["and complained"]
    );
    assert_eq!(
        texts(&["logs", "--json", "-n", "1", "--function", "other"]).await,
        ["the other"]
    );
    let unknown = run(&launch, &project, &["logs", "--function", "none"]).await;
    assert_eq!(unknown.code, 2, "{unknown}");
    assert!(
        unknown.stderr.contains("backlot functions list"),
        "{unknown}"
    );
}

#[tokio::test]
async fn logs_go_on_when_asked() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().function("echo", ECHO);
    let (launch, mut server) = serving(&project, &clients).await;
    let say = async |word: &str| {
        server
            .send(reqwest::Method::POST, "/functions/echo", &json!(word))
            .await
    };
    say("one").await;
    let root = project.root().to_string_lossy().into_owned();
    let mut following = launch.spawn_other(&["logs", "-f", "--dir", &root]);
    let objects = launch.spawn_other(&["logs", "-f", "--json", "--dir", &root]);
    following.says("called with \"one\"").await;
    say("two").await;
    following.says("called with \"two\"").await;
    objects
        .says("\"message\":\"called with \\\"two\\\"\"")
        .await;
    assert_eq!(server.interrupt().await, 0);
    assert_eq!(following.ended().await, 0);
}

#[tokio::test]
async fn logs_that_break_off_are_a_failure() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::new().function("echo", ECHO);
    let (launch, server) = serving(&project, &clients).await;
    server
        .send(reqwest::Method::POST, "/functions/echo", &json!("one"))
        .await;
    let root = project.root().to_string_lossy().into_owned();
    let mut following = launch.spawn_other(&["logs", "-f", "--dir", &root]);
    following.says("called with \"one\"").await;
    let runner = crate::process::pid_of(&launch, "runner").await;
    tests::process::send(runner, nix::sys::signal::Signal::SIGKILL);
    assert_eq!(following.ended().await, 1);
    following.says("the lines broke off").await;
}

#[tokio::test]
async fn the_doctor_says_what_is_fine_and_what_to_do() {
    let project = Project::new().with_tasks().function("hello", "");
    let root = project.root().to_string_lossy().into_owned();
    let doctor = async |environment: &[(&str, &str)], arguments: &[&str]| {
        let launch = environment
            .iter()
            .fold(backlot(&project), |launch, (name, value)| {
                launch.env(name, *value)
            });
        let mut all = vec!["doctor"];
        all.extend(arguments);
        launch.run(&all).await
    };
    let report = |finished: &Finished| -> Value {
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
    };
    let verdict = |report: &Value, name: &str| {
        let mut checks = report["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("{name}: {report}"))["verdict"].clone()
    };

    let nothing = [("PATH", "/nonexistent")];
    let finished = doctor(&nothing, &[&root, "--json"]).await;
    assert_eq!(finished.code, 1, "{finished}");
    let said = report(&finished);
    assert_eq!(said["ok"], false);
    assert_eq!(verdict(&said, "Deno"), "broken");
    assert_eq!(verdict(&said, "Node"), "note");
    assert_eq!(verdict(&said, "Login"), "note");
    assert_eq!(verdict(&said, "App"), "note");
    assert_eq!(verdict(&said, "Project"), "ok");

    let text = doctor(&nothing, &[&root]).await;
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert_eq!(
        lines.len(),
        said["checks"].as_array().unwrap().len(),
        "{text}"
    );
    assert!(text.stdout.contains("install Deno"), "{text}");

    project.save("base44/entities/bad.jsonc", "{\n  \"name\": \n}\n");
    let said = report(&doctor(&[], &[&root, "--json"]).await);
    assert_eq!(verdict(&said, "Project"), "broken");
    let nowhere = doctor(&[], &["/", "--json"]).await;
    assert_eq!(nowhere.code, 1, "{nowhere}");
    assert_eq!(verdict(&report(&nowhere), "Project"), "broken");
}
