//! `backlot exec`: scripts with a client at hand, against a server of this machine.

use nix::sys::signal::Signal;
use serde_json::json;
use tests::{
    platform::{APP, Platform, Reply},
    project::Project,
    tools::Clients,
};

use crate::{DEVELOPER, add_task, backlot, register};

const SCRIPT: &str = r#"
import { greeting } from "./lib/greeting.ts";
const { email } = await base44.auth.me();
const tasks = await base44.entities.Task.list();
console.log(greeting, email, tasks.length, Deno.args.join("+"));
base44.entities.Task.subscribe(() => {});
if (Deno.args[0]) Deno.exit(Number(Deno.args[0]));
"#;

/// A project whose own configuration for Deno and npm would break every script.
fn project() -> Project {
    Project::new()
        .with_tasks()
        .file("scripts/count.ts", SCRIPT)
        .file(
            "scripts/lib/greeting.ts",
            "export const greeting: string = \"hello\";",
        )
        .file(
            "deno.json",
            r#"{"imports":{"npm:@base44/sdk@0.8.50":"./nowhere.ts"},"nodeModulesDir":"manual"}"#,
        )
        .file(
            "package.json",
            r#"{"type":"commonjs","dependencies":{"@base44/sdk":"file:./nowhere"}}"#,
        )
        .file(".env.local", "FROM_FILE='a value'\n")
}

#[tokio::test]
async fn a_script_works_on_the_running_server_and_its_exit_status_is_passed_on() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project();
    let launch = backlot(&project).clients(&clients);
    let server = launch.start().await;
    add_task(&server, "one").await;

    let said = launch
        .run_with_input(&["exec", "scripts/count.ts", "--local"], "")
        .await;
    let said = said.success("a file");
    assert_eq!(said.stdout, format!("hello {DEVELOPER} 1 \n"));

    let arguments = [
        "exec",
        "scripts/count.ts",
        "--local",
        "--",
        "42",
        "--as",
        "x",
    ];
    let said = launch.run_with_input(&arguments, "").await;
    assert_eq!(said.code, 42, "{said}");
    assert_eq!(said.stdout, format!("hello {DEVELOPER} 1 42+--as+x\n"));

    let port = server.port().to_string();
    let piped = r#"
        import { greeting } from "./scripts/lib/greeting.ts";
        const created: { title?: string } = await base44.entities.Task.create({ title: "two" });
        console.log(greeting, created.title, Deno.env.get("FROM_FILE"), Deno.env.get("BASE44_APP_ID"));
    "#;
    let said = launch
        .run_with_input(&["exec", "--local", "--port", &port], piped)
        .await;
    assert_eq!(said.success("a pipe").stdout, "hello two a value local\n");

    let elsewhere = Project::empty().file("here.ts", "console.log((await base44.auth.me()).email)");
    let root = project.root().to_string_lossy().into_owned();
    let said = backlot(&elsewhere)
        .clients(&clients)
        .env("XDG_RUNTIME_DIR", project.user("run"))
        .run_with_input(&["exec", "here.ts", "--local", "--dir", &root], "")
        .await;
    assert_eq!(
        said.success("of another folder").stdout,
        format!("{DEVELOPER}\n")
    );

    for broken in [
        "throw new Error('on purpose')",
        "await import('./nowhere.ts')",
        "let x: = 1",
    ] {
        let said = launch.run_with_input(&["exec", "--local"], broken).await;
        assert_eq!(said.code, 1, "{said}");
        assert!(said.stderr.contains("error"), "{said}");
    }
}

#[tokio::test]
async fn each_server_of_a_project_is_reached_by_its_port() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = project();
    let launch = backlot(&project).clients(&clients);
    let servers = [launch.start().await, launch.start().await];
    let script = "console.log(Deno.env.get('BASE44_APP_BASE_URL'), (await base44.auth.me()).role)";
    for server in &servers {
        let port = server.port().to_string();
        let said = launch
            .run_with_input(&["exec", "--local", "--port", &port], script)
            .await;
        let expected = format!("{} admin\n", server.url());
        assert_eq!(said.success("exec").stdout, expected);
    }
    for mut server in servers {
        assert_eq!(server.interrupt().await, 0);
    }
    assert_eq!(project.entries_of_user("run/backlot"), [""; 0]);
}

#[tokio::test]
async fn users_and_privilege_are_the_servers_to_grant() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let secret = json!({
        "name": "Secret", "properties": { "text": { "type": "string" } }, "rls": { "read": false },
    });
    let project = project().file("base44/entities/secret.jsonc", &secret.to_string());
    let launch = backlot(&project).clients(&clients);
    let server = launch.start().await;
    let hide = r#"await base44.entities.Secret.create({ text: "hidden" });"#;
    let said = launch.run_with_input(&["exec", "--local"], hide).await;
    let _ = said.success("hiding");
    let _token = register(&server, "ada@example.com").await;

    let count =
        "console.log((await base44.auth.me()).email, (await base44.entities.Secret.list()).length)";
    for (options, expected) in [
        (&[][..], format!("{DEVELOPER} 0\n")),
        (&["--privileged"][..], format!("{DEVELOPER} 1\n")),
        (
            &["--as", "Ada@Example.com"][..],
            "ada@example.com 0\n".to_owned(),
        ),
        (
            &["--as", DEVELOPER, "--privileged"][..],
            format!("{DEVELOPER} 1\n"),
        ),
    ] {
        let arguments = [&["exec", "--local"], options].concat();
        let said = launch.run_with_input(&arguments, count).await;
        assert_eq!(said.success("exec").stdout, expected, "{options:?}");
    }
    for (options, code, reason) in [
        (
            &["--as", "ada@example.com", "--privileged"][..],
            2,
            "--privileged is for",
        ),
        (
            &["--as", "nobody@example.com"][..],
            1,
            "no user nobody@example.com",
        ),
    ] {
        let arguments = [&["exec", "--local"], options].concat();
        let said = launch.run_with_input(&arguments, count).await;
        assert_eq!(said.code, code, "{said}");
        assert!(
            said.stderr.contains(reason) && said.stderr.contains("hint:"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_cannot_run_is_refused_with_what_to_do() {
    let project = project();
    let launch = backlot(&project);
    for (arguments, input, code, reason) in [
        (&["exec"][..], "", 2, "there is no script to run"),
        (
            &["exec", "nowhere.ts"][..],
            "",
            1,
            "there is no script nowhere.ts",
        ),
        (
            &["exec", "--local"][..],
            "1",
            1,
            "no dev server is running for this project",
        ),
        (
            &["exec", "--local", "--port", "1"][..],
            "1",
            1,
            "no dev server of yours runs on port 1",
        ),
        (&["exec"][..], "1", 2, "backlot exec --local"),
        (&["exec", "--app-id", "x"][..], "1", 1, "log"),
        (&["exec", "--port", "4400"][..], "1", 2, "--local"),
        (&["exec", "--as", "a@b.c"][..], "1", 2, "--local"),
        (
            &["exec", "--local", "--app-id", "x"][..],
            "1",
            2,
            "--app-id",
        ),
    ] {
        let said = launch.run_with_input(arguments, input).await;
        assert_eq!(said.code, code, "{arguments:?}: {said}");
        assert!(said.stderr.contains(reason), "{arguments:?}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_terminal_is_not_waited_for() {
    let project = project();
    let launch = backlot(&project);
    let Some(said) = launch.run_in_terminal("", "exec --local").await else {
        return;
    };
    assert_eq!(said.code, 2, "{said}");
    assert!(said.stdout.contains("backlot exec script.ts"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_script_gets_its_signals_and_leaves_nothing() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let script = r#"
        Deno.addSignalListener("SIGTERM", () => Deno.exit(7));
        console.log("up");
        await new Promise((done) => setTimeout(done, 600_000));
    "#;
    let project = project().file("wait.ts", script);
    let launch = backlot(&project).clients(&clients);
    let _server = launch.start().await;
    let before = project.entries_of_user("tmp");
    for (signal, code) in [
        (Signal::SIGTERM, 7),
        (Signal::SIGINT, 130),
        (Signal::SIGKILL, 137),
    ] {
        let mut running = launch.spawn_other(&["exec", "wait.ts", "--local"]);
        running.says("up").await;
        running.signal(signal);
        assert_eq!(running.ended().await, code, "{signal}");
        running.nothing_left().await;
    }
    assert_eq!(project.entries_of_user("tmp"), before);
}

#[tokio::test]
async fn a_script_works_on_the_deployed_app_where_nothing_else_is_said() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let platform = Platform::start().await;
    let app = json!({ "url": format!("{}/", platform.url()) });
    let lookup = format!("/api/apps/platform/{APP}/published-url");
    for _ in 0..2 {
        platform.script("GET", &lookup, [Reply::Json(200, app.clone())]);
        platform.script(
            "GET",
            "auth/token",
            [Reply::Json(200, json!({ "token": "of-the-app" }))],
        );
        platform.script(
            "GET",
            "entities/Task",
            [Reply::Json(200, json!([{ "id": "1" }]))],
        );
    }
    let project = project().login("ada@example.com", "Ada");
    let launch = backlot(&project)
        .clients(&clients)
        .env("BASE44_API_URL", platform.url());
    let script = "console.log((await base44.entities.Task.list()).length, Deno.env.get('BASE44_ACCESS_TOKEN'))";
    for (options, bypass) in [
        (&[][..], None),
        (&["--privileged", "--data-env", "dev"][..], Some("true")),
    ] {
        let arguments = [&["exec", "--app-id", APP], options].concat();
        let said = launch.run_with_input(&arguments, script).await;
        assert_eq!(said.success("exec").stdout, "1 of-the-app\n");
        let requests = platform.take_requests();
        let asked = requests
            .iter()
            .find(|request| request.call() == "GET entities/Task")
            .unwrap();
        assert_eq!(asked.header("authorization"), Some("Bearer of-the-app"));
        assert_eq!(asked.header("x-bypass-rls"), bypass);
        assert_eq!(asked.header("x-data-env"), bypass.map(|_| "dev"));
    }

    let refused = Reply::Json(403, json!({ "message": "Not a member" }));
    platform.script("GET", "auth/token", [refused]);
    let said = launch
        .run_with_input(&["exec", "--app-id", APP], script)
        .await;
    assert_eq!(said.code, 1, "{said}");
    assert!(
        said.stderr.contains("Not a member") && said.stdout.is_empty(),
        "{said}"
    );
}
