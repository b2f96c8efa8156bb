//! Where a project lies, at which address it is served, and what the start says of calls that leave the machine.

use reqwest::Method;
use tests::{
    http::Answer,
    launch::free_port,
    project::Project,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::{TASKS, add_task, backlot};

const HELLO: &str = "export default () => new Response('one');";

#[tokio::test]
async fn folders_of_any_name_and_links_to_them_are_served_and_watched() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let outer = Project::empty();
    let folder = outer.root().join("my projects/Ünï çødé $HOME 'x' #1");
    std::fs::create_dir_all(&folder).unwrap();
    let link = outer.root().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let project = Project::at(&folder);
    project.save("base44/config.jsonc", r#"{ "name": "Under test" }"#);
    let project = project.with_tasks().function("hello", HELLO);
    let launch = backlot(&project).clients(&clients);
    let mut server = launch.start().await;
    assert_eq!(server.get("/functions/hello").await.text, "one");
    let _ = add_task(&server, "kept").await;

    // Saved by the other name of the folder.
    let entry = link.join("base44/functions/hello/entry.ts");
    std::fs::write(entry, HELLO.replace("one", "two")).unwrap();
    server.says("reloaded hello").await;
    eventually("the saved one answers", PATIENCE, async || {
        let text = server.get("/functions/hello").await.text;
        that(text == "two", text)
    })
    .await;
    let status = launch.run(&["status", &link.to_string_lossy()]).await;
    assert!(status.stdout.contains(server.url()), "{status}");
    assert_eq!(server.interrupt().await, 0);
}

#[tokio::test]
async fn an_address_that_was_asked_for_is_the_only_one_and_is_answered_for() {
    let project = Project::new().with_tasks();
    for (host, base) in [("127.0.0.2", "http://127.0.0.2:"), ("::1", "http://[::1]:")] {
        if std::net::TcpListener::bind((host, 0)).is_err() {
            continue;
        }
        // The same port of another address is somebody else's, which is no hindrance.
        let port = free_port();
        let _other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let launch = backlot(&project).port(port).args(&["--host", host]);
        let server = launch.start().await;
        assert!(server.url().starts_with(base), "{}", server.url());
        assert_eq!(server.get(TASKS).await.text, "[]");
    }
    let elsewhere = backlot(&project)
        .args(&["--host", "192.0.2.77"])
        .fail()
        .await;
    assert_eq!(elsewhere.code, 1, "{elsewhere}");
    assert!(
        elsewhere.stderr.contains("192.0.2.77") && elsewhere.stderr.contains("hint:"),
        "{elsewhere}"
    );
}

#[tokio::test]
async fn the_start_says_what_is_forwarded_and_as_whom() {
    let upstream = "https://platform.example";
    let nobody = Project::new().linked("app-1");
    let ada = Project::new()
        .linked("app-1")
        .login("ada@example.com", "Ada");
    let unlinked = Project::new().login("ada@example.com", "Ada");
    let cases = [
        (&ada, "", "platform.example, yours as ada@example.com"),
        (&nobody, "", "platform.example, without credentials"),
        (
            &ada,
            "--offline",
            "nothing: the server was started with --offline",
        ),
        (&unlinked, "", "nothing: the project is not linked"),
    ];
    for (project, option, expected) in cases {
        let mut arguments = vec!["--upstream", upstream];
        arguments.extend((!option.is_empty()).then_some(option));
        let mut server = backlot(project).args(&arguments).start().await;
        assert_eq!(server.interrupt().await, 0);
        // The block is folded at 80 columns.
        let lines = server.output().stderr;
        let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>();
        let text = text.join(" ");
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(
            lines.iter().all(|line| line.chars().count() <= 80),
            "{lines:?}"
        );
        assert!(!text.contains("listening"), "{text}");
    }
}

#[tokio::test]
async fn a_tunnel_that_was_allowed_gets_addresses_of_its_own() {
    let project = Project::new().with_tasks();
    let server = backlot(&project)
        .args(&["--allow-host", "tunnel.example"])
        .start()
        .await;
    let through = |method, path: &str| {
        server
            .request(method, path)
            .header("host", "tunnel.example")
            .header("x-forwarded-proto", "https")
            .header("origin", "https://tunnel.example")
    };
    let core = "/api/apps/local/integration-endpoints/Core";
    let post = |endpoint: &str| through(Method::POST, &format!("{core}/{endpoint}"));
    let form = || {
        let part = reqwest::multipart::Part::text("here").file_name("a.txt");
        reqwest::multipart::Form::new().part("file", part)
    };
    let public = Answer::to(post("UploadFile").multipart(form()))
        .await
        .expect(200);
    let private = Answer::to(post("UploadPrivateFile").multipart(form()))
        .await
        .expect(200);
    let body = serde_json::json!({ "file_uri": private["file_uri"] });
    let signed = Answer::to(post("CreateFileSignedUrl").json(&body))
        .await
        .expect(200);
    for url in [&public["file_url"], &signed["signed_url"]] {
        let path = url.as_str().unwrap().strip_prefix("https://tunnel.example");
        let file = Answer::to(through(Method::GET, path.unwrap())).await;
        assert_eq!((file.status, file.text.as_str()), (200, "here"));
    }
    let socket = "/ws-user-apps/socket.io/?EIO=4&transport=polling";
    let answer = Answer::to(through(Method::GET, socket)).await;
    assert!(
        answer.status == 200 && answer.text.starts_with("0{"),
        "{}",
        answer.text
    );
    let foreign = server
        .request(Method::GET, socket)
        .header("host", "other.example");
    assert_eq!(Answer::to(foreign).await.status, 421);
}
