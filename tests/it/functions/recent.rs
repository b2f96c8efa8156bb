//! Functions that were in use last time are up before they are called.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use tests::{
    project::Project,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use super::{offline, project_with};

/// The file that remembers them.
fn remembered(project: &Project) -> Option<PathBuf> {
    let folders = project.entries_of_user("state/backlot");
    let mut files = folders.iter().map(|folder| {
        let state = project.user("state/backlot");
        state.join(folder).join("recent-functions.json")
    });
    files.find(|file| file.exists())
}

#[tokio::test]
async fn functions_that_were_called_last_time_are_started_in_the_background() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let source = "Deno.serve(() => new Response('up'));";
    let project = project_with(&[("used", source), ("unused", source), ("broken", source)]);
    let launch = offline(&project, &clients).args(&["-v"]);
    let mut server = launch.start().await;
    for name in ["broken", "used"] {
        assert_eq!(server.get(&format!("/functions/{name}")).await.text, "up");
    }
    let file = eventually("they are written down", PATIENCE, async || {
        let file = remembered(&project).ok_or("no file")?;
        let text = fs::read_to_string(&file).unwrap();
        that(text == r#"["used","broken"]"#, text).map(|()| file)
    })
    .await;
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(server.interrupt().await, 0);

    project.save(
        "base44/functions/broken/entry.ts",
        "throw new Error('not today');",
    );
    let mut server = launch.start().await;
    // In this order, one after the other.
    server.says("failed to start: not today").await;
    let output = server.output();
    let starts = |name: &str| {
        let lines = output.stderr.iter();
        let of_it = lines.filter(|line| line.starts_with(name) && line.contains("started in "));
        of_it.count()
    };
    assert_eq!(
        (starts("used"), starts("unused")),
        (1, 0),
        "{}",
        output.text()
    );
    assert_eq!(server.get("/functions/used").await.text, "up");
    assert_eq!(server.get("/functions/broken").await.status, 500);
    let output = server.output();
    let starts = output
        .stderr
        .iter()
        .filter(|line| line.contains("started in ") && !line.contains("Backlot"));
    assert_eq!(starts.count(), 1, "{}", output.text());
    assert_eq!(server.interrupt().await, 0);

    // What nobody called this time is not started the next time.
    assert_eq!(fs::read_to_string(file).unwrap(), r#"["used"]"#);
}
