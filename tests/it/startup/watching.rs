//! Saves are noticed also where the system watches no more: its limits are real ones here, those of a user namespace.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tests::{
    launch::Launch,
    project::Project,
    wait::{eventually, that},
};

/// Generous: builds and other tests run beside this one.
const LIMIT: Duration = Duration::from_secs(90);

const SCHEMA: &str = r#"{ "name": "Late", "properties": { "text": { "type": "string" } } }"#;

/// A command that runs the product where the system's limit `name` is `value`; nothing where there is no such place.
async fn limited(project: &Project, name: &str, value: u32) -> Option<PathBuf> {
    let path = project.user("home").join("limited");
    let write = |program: &Path| {
        let inner = format!("echo {value} > /proc/sys/user/{name} && exec \"$@\"");
        let text = format!(
            "#!/bin/sh\nexec unshare --user --map-root-user sh -c '{inner}' sh {} \"$@\"\n",
            program.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    };
    write(Path::new("true"));
    let tried = Launch::new(&path, project).run(&[]).await;
    if tried.code != 0 {
        // Not a `skip`: containers forbid it for good reasons.
        #[expect(clippy::print_stderr, reason = "a test says why it did nothing")]
        {
            eprintln!("skipped: no user namespace to set limits in: {tried}");
        }
        return None;
    }
    write(Path::new(env!("CARGO_BIN_EXE_backlot-under-test")));
    Some(path)
}

#[tokio::test]
async fn where_the_system_watches_no_more_saves_are_looked_for() {
    for (name, value, reason) in [
        ("max_inotify_instances", 0, "max_user_instances"),
        ("max_inotify_watches", 1, "max_user_watches"),
        // Enough for the start.
        ("max_inotify_watches", 12, "max_user_watches"),
    ] {
        let project = Project::new().with_tasks();
        let Some(limited) = limited(&project, name, value).await else {
            return;
        };
        let mut server = Launch::new(limited, &project).start().await;
        for number in 0..20 {
            let entry = format!("base44/functions/f{number}/entry.ts");
            project.save(&entry, "export default () => new Response();");
        }
        server.says(&format!("(fs.inotify.{reason})")).await;
        let told = server.output().text();
        assert!(
            told.contains("looking for changes twice a second"),
            "{told}"
        );
        project.save("base44/entities/late.jsonc", SCHEMA);
        eventually("what was saved is served", LIMIT, async || {
            let answer = server.get("/api/apps/local/entities/Late").await;
            that(answer.status == 200, answer.text)
        })
        .await;
        assert_eq!(server.interrupt().await, 0);
    }
}
