//! Whole apps in a browser: the example that newcomers start with, and the official tool's own template.

use std::path::Path;

use tests::{project::Project, server::Server, template, terminal::Terminal, tools};

use crate::{DEVELOPER, TASKS, backlot};

/// Ends a server, of which nothing may be left. Its services have nothing to complain about where an app does nothing
/// wrong.
async fn assert_ends_calmly(mut server: Server) {
    assert_eq!(server.interrupt().await, 0);
    let output = server.output();
    let is_complaint = |line: &&String| {
        let of_ours = ["store ", "runner ", "gateway ", "backlot "];
        let is_bad = line.contains("error:") || line.contains("warning:");
        is_bad && of_ours.iter().any(|name| line.starts_with(name))
    };
    let complaints: Vec<_> = output.stderr.iter().filter(is_complaint).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    #[cfg(target_os = "linux")]
    server.nothing_left().await;
}

/// Drives a page of a server with one of the scripts.
async fn drive(
    clients: &tools::Clients,
    script: &str,
    (server, project, page): (&Server, &Project, &str),
    chromium: &Path,
) {
    let terminal = Terminal::of(server).await;
    let variables = [
        ("PAGE_URL", page),
        (
            "PROJECT",
            project.root().to_str().expect("a path of plain letters"),
        ),
        ("SERVER_URL", server.url()),
        ("TERMINAL_URL", terminal.url()),
        ("EMAIL", DEVELOPER),
        (
            "CHROMIUM",
            chromium.to_str().expect("a path of plain letters"),
        ),
    ];
    let said = clients.run(script, &variables).await;
    assert!(
        said.stdout.ends_with("ok\n"),
        "{said}\n{}",
        server.output().text()
    );
}

#[tokio::test]
async fn the_example_works_in_a_browser() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let project = Project::copy_of(&tools::workspace().join("examples/tasks"));
    let server = backlot(&project).clients(&clients).start().await;
    // Its packages are installed first, which takes a browser's patience where the machine is busy.
    let _ = server.frontend().await;
    let page = (&server, &project, server.url());
    drive(&clients, "tasks-page.mjs", page, &chromium).await;
    server.says("removed 1 done task(s)").await;
    assert_ends_calmly(server).await;
}

#[tokio::test]
async fn the_official_template_works_in_a_browser_unchanged() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let Some(template) = template::installed().await else {
        return;
    };
    let project = Project::at(&template);
    let server = backlot(&project)
        .clients(&clients)
        .args(&["--offline"])
        .start()
        .await;
    server.says(template::APP_ID).await;
    // By its own address, from which it passes `/api` to us, and by ours, from which we pass its pages.
    let own = server.frontend().await;
    for page in [own.as_str(), server.url()] {
        drive(
            &clients,
            "template-page.mjs",
            (&server, &project, page),
            &chromium,
        )
        .await;
    }
    assert_ends_calmly(server).await;
}

#[tokio::test]
async fn pages_side_by_side_show_each_change_and_each_edit_at_once() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let project = Project::copy_of(&tools::workspace().join("examples/tasks"));
    let server = backlot(&project).clients(&clients).start().await;
    let _ = server.frontend().await;
    let page = (&server, &project, server.url());
    drive(&clients, "live-pages.mjs", page, &chromium).await;
    assert_ends_calmly(server).await;
}

/// The example with its rules on, as its own description says: without the comment marks in front of them.
fn with_rules() -> Project {
    let example = Project::copy_of(&tools::workspace().join("examples/tasks"));
    let file = "base44/entities/task.jsonc";
    let text = std::fs::read_to_string(example.root().join(file)).unwrap();
    let (before, rules) = text.split_once("  // \"rls\"").unwrap();
    let rules = format!("  // \"rls\"{rules}").replace("  // ", "  ");
    example.save(file, &format!("{before}{rules}"));
    example
}

#[tokio::test]
async fn people_sign_up_in_the_example_and_see_only_their_own() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let project = with_rules();
    let mut server = backlot(&project).clients(&clients).start().await;
    let _ = server.frontend().await;
    let page = (&server, &project, server.url());
    drive(&clients, "tasks-account.mjs", page, &chromium).await;
    assert_eq!(server.interrupt().await, 0);
}

#[tokio::test]
async fn the_sign_in_page_needs_no_mouse_and_says_what_it_does_need() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let project = Project::new();
    let server = backlot(&project).start().await;
    drive(
        &clients,
        "login-page.mjs",
        (&server, &project, ""),
        &chromium,
    )
    .await;
    assert_ends_calmly(server).await;
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_read_nor_write() {
    let (Some(clients), Some(chromium)) = (tools::Clients::get().await, tools::chromium()) else {
        return;
    };
    let _alone = tools::turn("browser").await;
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    let variables = [
        ("SERVER_URL", server.url()),
        ("TASKS", TASKS),
        (
            "CHROMIUM",
            chromium.to_str().expect("a path of plain letters"),
        ),
    ];
    let said = clients.run("foreign-page.mjs", &variables).await;
    assert!(
        said.stdout.ends_with("ok\n"),
        "{said}\n{}",
        server.output().text()
    );
}
