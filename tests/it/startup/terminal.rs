//! What a person sees who sits at a terminal: lines of its width, lines that are rewritten, colour, and what closing it does.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use tests::{
    launch::Launch,
    project::Project,
    tools::{self, Clients},
};

/// Begins a line anew.
const WIPE: &str = "\r\u{1b}[2K";

/// A command that runs the product at a terminal of its own, of so many columns, whose text is then that of standard
/// output.
fn at_a_terminal(project: &Project, columns: u16) -> PathBuf {
    let path = project.user("home").join("at-a-terminal");
    let product = env!("CARGO_BIN_EXE_backlot-under-test");
    let text = format!(
        "#!/bin/sh\nexec script -qefc \"stty rows 24 cols {columns}; exec {product} $*\" /dev/null\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn downloads_are_told_on_one_line_that_is_rewritten_and_closing_the_terminal_ends_all() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    if tools::on_path("script").is_none() {
        return tools::skip("there is no `script` to make a terminal with");
    }
    let source = "import ms from 'npm:ms@2.1.3'; export default () => new Response(ms(1));";
    let project = Project::new().with_tasks().function("package", source);
    let server = Launch::new(at_a_terminal(&project, 80), &project)
        .clients(&clients)
        .env("NO_COLOR", "")
        .env("TERM", "xterm-256color")
        .env("DENO_DIR", project.user("cache").join("deno"))
        .start()
        .await;
    assert_eq!(server.get("/functions/package").await.text, "1ms");
    server.says("downloaded ").await;

    let text = server.output().stdout.join("\n");
    let downloads: Vec<_> = text.matches("Download https://").collect();
    let rewritten: Vec<&str> = text
        .split(WIPE)
        .flat_map(str::lines)
        .filter(|line| line.contains("Download https://"))
        .collect();
    assert!(!downloads.is_empty(), "{text}");
    assert_eq!(downloads.len(), rewritten.len(), "each on its own: {text}");
    for line in rewritten {
        assert!(
            line.starts_with("package ") && line.chars().count() < 80,
            "{line}"
        );
    }
    assert!(text.contains("\u{1b}[1mBacklot\u{1b}[0m"), "{text}");

    server.signal(nix::sys::signal::Signal::SIGKILL);
    server.nothing_left().await;
}

#[tokio::test]
async fn what_is_laid_out_fits_a_narrow_terminal() {
    if tools::on_path("script").is_none() {
        return tools::skip("there is no `script` to make a terminal with");
    }
    let wrong = format!(
        r#"{{ "name": "Bad", "description": "{}", "properties": {{ "field": "string" }} }}"#,
        "a few words, ".repeat(9)
    );
    let mut project = Project::new()
        .with_tasks()
        .file("base44/entities/bad.jsonc", &wrong);
    for number in 0..9 {
        project = project.function(&format!("function{number}"), "");
    }
    let server = Launch::new(at_a_terminal(&project, 40), &project)
        .args(&["--offline"])
        .start()
        .await;
    let lines = server.output().stdout;
    let laid_out = |line: &&String| !line.contains("Dev server is available");
    for line in lines.iter().filter(laid_out) {
        assert!(line.trim_end().chars().count() <= 40, "{line}\n{lines:?}");
    }
    let text = lines.join("\n");
    for part in ["Functions", " more", "bad.jsonc:1:", "╰──"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    server.signal(nix::sys::signal::Signal::SIGKILL);
    server.nothing_left().await;
}
