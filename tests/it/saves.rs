//! Saves while the server runs: what they change, what they leave alone, and what the terminal says.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tests::{
    project::Project,
    server::Server,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};

use crate::{TASKS, add_task, backlot, titles};

const NOTES: &str = "/api/apps/local/entities/Note";

/// Saves as editors do: a draft that takes the file's place.
fn save(project: &Project, path: &str, text: &str) {
    let target = project.root().join(path);
    let draft = target.with_extension("jsonc.tmp");
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::write(&draft, text).unwrap();
    fs::rename(draft, target).unwrap();
}

fn schema(name: &str, field: &str) -> String {
    json!({ "name": name, "properties": { field: { "type": "string" } } }).to_string()
}

/// The names of the fields of an entity as it is served, through what it keeps of a record.
async fn keeps(server: &Server, entity: &str, field: &str) -> Result<(), String> {
    let path = format!("/api/apps/local/entities/{entity}");
    let answer = server
        .send(reqwest::Method::POST, &path, &json!({ field: "x" }))
        .await;
    that(
        answer.status == 201 && answer.text.contains(field),
        answer.text,
    )
}

/// Resident memory of the command itself, in kilobytes.
#[cfg(target_os = "linux")]
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_new_shape_clears_that_entity_only_and_says_how_many_records_however_saves_are_seen() {
    for means in ["", "poll"] {
        let project = Project::new()
            .with_tasks()
            .entity("Note", &json!({ "title": { "type": "string" } }));
        let server = backlot(&project).env("BACKLOT_WATCH", means).start().await;
        for title in ["a", "b"] {
            add_task(&server, title).await;
        }
        server
            .send(reqwest::Method::POST, NOTES, &json!({ "title": "kept" }))
            .await;
        if means == "poll" {
            server.says("BACKLOT_WATCH says so").await;
        }
        save(
            &project,
            "base44/entities/Task.jsonc",
            &schema("Task", "title"),
        );
        server.says("changed Task (2 records cleared) in ").await;
        assert_eq!(server.get(TASKS).await.text, "[]");

        let rules = json!({
            "name": "Note", "type": "object", "properties": { "title": { "type": "string" } }, "rls": { "read": true },
        });
        save(&project, "base44/entities/Note.jsonc", &rules.to_string());
        server.says("changed Note (records kept) in ").await;
        assert_eq!(titles(&server.get(NOTES).await.expect(200)), ["kept"]);
    }
}

#[tokio::test]
async fn a_mistake_leaves_what_was_served_and_its_correction_is_said() {
    let project = Project::new().with_tasks();
    let path = "base44/entities/Task.jsonc";
    let good = fs::read_to_string(project.root().join(path)).unwrap();
    let server = backlot(&project).start().await;
    add_task(&server, "kept").await;
    save(
        &project,
        path,
        "{\n  \"name\": \"Task\",\n  \"properties\": {,}\n}\n",
    );
    server.says("Task.jsonc:3:").await;
    assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);

    save(&project, "base44/config.jsonc", "{");
    server.says("what was served before still is").await;
    save(
        &project,
        "base44/entities/Note.jsonc",
        &schema("Note", "title"),
    );
    server.says("added Note").await;
    save(&project, "base44/config.jsonc", r#"{"name":"x"}"#);
    server.says("corrected base44/config.jsonc").await;

    save(&project, path, &good);
    server.says("corrected base44/entities/Task.jsonc").await;
    assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
    let mistakes = server
        .output()
        .stderr
        .iter()
        .filter(|line| line.contains("Task.jsonc:3:"))
        .count();
    assert_eq!(mistakes, 1, "{}", server.output().text());
}

#[tokio::test]
async fn folders_that_vanish_and_come_back_are_followed() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    for field in ["first", "second"] {
        fs::remove_dir_all(project.root().join("base44/entities")).unwrap();
        eventually("the entity is gone", PATIENCE, async || {
            let answer = server.get(TASKS).await;
            that(answer.status == 404, answer.text)
        })
        .await;
        save(
            &project,
            "base44/entities/Task.jsonc",
            &schema("Task", field),
        );
        eventually("the entity is back", PATIENCE, async || {
            keeps(&server, "Task", field).await
        })
        .await;
    }
    save(
        &project,
        "base44/config.jsonc",
        r#"{"name":"x","entitiesDir":"../data/model"}"#,
    );
    eventually("the other folder is no longer read", PATIENCE, async || {
        let answer = server.get(TASKS).await;
        that(answer.status == 404, answer.text)
    })
    .await;
    save(&project, "data/model/Note.jsonc", &schema("Note", "title"));
    eventually(
        "the folder that was missing is read",
        PATIENCE,
        async || keeps(&server, "Note", "title").await,
    )
    .await;
}

#[tokio::test]
async fn a_project_that_is_away_for_a_while_is_served_as_it_was() {
    for means in ["", "poll"] {
        let project = Project::new().with_tasks();
        let server = backlot(&project).env("BACKLOT_WATCH", means).start().await;
        add_task(&server, "kept").await;
        for here in [project.root().join("base44"), project.root().to_owned()] {
            let away = project.user("away");
            let said = |what: &str| server.output().text().matches(what).count();
            let (gone, back) = (said("is gone"), said("is back"));
            fs::rename(&here, &away).unwrap();
            eventually("it is missed", PATIENCE, async || {
                that(said("is gone") > gone, server.output().text())
            })
            .await;
            assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
            assert!(!here.exists(), "nobody makes it anew");
            fs::rename(&away, &here).unwrap();
            eventually("it is found again", PATIENCE, async || {
                that(said("is back") > back, server.output().text())
            })
            .await;
        }
        save(
            &project,
            "base44/entities/Note.jsonc",
            &schema("Note", "text"),
        );
        eventually("saves are seen again", PATIENCE, async || {
            keeps(&server, "Note", "text").await
        })
        .await;
        assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
        assert!(
            !server.output().says("removed"),
            "{}",
            server.output().text()
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn two_thousand_saves_end_in_the_right_state_with_few_lines_and_flat_memory() {
    const FILES: usize = 10;
    const SAVES: usize = 2000;
    let project = (0..FILES).fold(Project::new().with_tasks(), |project, index| {
        project.entity(
            &format!("E{index}"),
            &json!({ "start": { "type": "string" } }),
        )
    });
    let kept = fs::read_to_string(project.root().join("base44/entities/Task.jsonc")).unwrap();
    let server = backlot(&project).start().await;
    add_task(&server, "kept").await;
    let before = memory(&server);
    let saving = tokio::task::spawn_blocking(move || {
        for number in 0..SAVES {
            let name = format!("E{}", number % FILES);
            let round = if number + FILES < SAVES {
                number
            } else {
                SAVES
            };
            save(
                &project,
                &format!("base44/entities/{name}.jsonc"),
                &schema(&name, &format!("f{round}")),
            );
            // Some editors remove the file and move a new one in.
            if number % 5 == 0 {
                let task = "base44/entities/Task.jsonc";
                fs::remove_file(project.root().join(task)).unwrap();
                save(&project, task, &kept);
            }
        }
        project
    });
    let _project = saving.await.unwrap();
    for index in 0..FILES {
        let last = format!("f{SAVES}");
        eventually("the last save is in force", PATIENCE, async || {
            keeps(&server, &format!("E{index}"), &last).await
        })
        .await;
    }
    assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
    let lines = server
        .output()
        .stderr
        .iter()
        .filter(|line| line.contains("changed E"))
        .count();
    // Two a second, and one for each pause that a busy machine makes of the saves.
    assert!((1..=SAVES / 5).contains(&lines), "{lines} lines");
    let grown = memory(&server).saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} kB more than before");
}

#[tokio::test]
async fn a_branch_without_the_project_costs_nothing_either() {
    let project = Project::new().with_tasks();
    let server = backlot(&project).start().await;
    add_task(&server, "kept").await;
    // As version control does it: file by file, and what it does not know stays.
    let base44 = project.root().join("base44");
    project.save("base44/.types/types.d.ts", "");
    let files = ["config.jsonc", "entities/Task.jsonc"].map(|file| base44.join(file));
    let texts = files.each_ref().map(|file| fs::read(file).unwrap());
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    fs::remove_dir(base44.join("entities")).unwrap();
    server.says("base44/config.jsonc is gone").await;
    project.save(".env", "A=1\n");
    save(
        &project,
        "base44/entities/Note.jsonc",
        &schema("Note", "text"),
    );
    for (file, text) in files.iter().zip(texts) {
        fs::write(file, text).unwrap();
    }
    server.says("base44/config.jsonc is back").await;
    eventually("what was saved meanwhile is served", PATIENCE, async || {
        keeps(&server, "Note", "text").await
    })
    .await;
    assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
    let said = |what: &str| server.output().text().matches(what).count();
    assert_eq!(
        (said("is gone"), said("is back"), said("removed")),
        (1, 1, 0),
        "{}",
        server.output().text()
    );
}

#[tokio::test]
async fn a_branch_switch_is_read_together_and_costs_no_other_records() {
    let project = (0..10).fold(Project::new().with_tasks(), |project, index| {
        project.entity(&format!("E{index}"), &json!({ "x": { "type": "string" } }))
    });
    let server = backlot(&project).start().await;
    add_task(&server, "kept").await;
    switch_branch(project.root());
    for part in ["removed E0", "removed E9", "added N0", "added N9"] {
        server.says(part).await;
    }
    let lines = server.output().stderr.into_iter();
    let news: Vec<String> = lines.filter(|line| line.contains("added N")).collect();
    // One line, unless the files themselves took their time on a busy machine.
    assert!(news.len() < 10, "{news:?}");
    assert_eq!(titles(&server.get(TASKS).await.expect(200)), ["kept"]);
}

/// Other entities, all at once.
fn switch_branch(root: &Path) {
    for index in 0..10 {
        let folder = root.join("base44/entities");
        fs::remove_file(folder.join(format!("E{index}.jsonc"))).unwrap();
        let name = format!("N{index}");
        fs::write(folder.join(format!("{name}.jsonc")), schema(&name, "x")).unwrap();
    }
}

#[tokio::test]
async fn what_needs_a_restart_says_so_and_the_rest_of_the_configuration_is_applied() {
    let project = Project::new().frontend("exec sleep 600");
    let server = backlot(&project).start().await;
    let config = json!({ "name": "New", "visibility": "private", "site": { "serveCommand": "exec sleep 601" } });
    save(&project, "base44/config.jsonc", &config.to_string());
    server
        .says("`site.serveCommand` changed; restart to use it")
        .await;
    server.says("configuration applied in ").await;
}

#[tokio::test]
async fn under_json_reloads_and_mistakes_are_objects_with_their_facts() {
    let project = Project::new().with_tasks();
    let server = backlot(&project)
        .args(&["--log-format", "json"])
        .start()
        .await;
    save(
        &project,
        "base44/entities/Task.jsonc",
        "{\n  \"name\": \n}\n",
    );
    server.says("\"event\":\"diagnostic\"").await;
    save(
        &project,
        "base44/entities/Note.jsonc",
        &schema("Note", "title"),
    );
    server.says("\"event\":\"reload\"").await;
    let lines = server.output().stdout;
    let event = |name: &str| -> Value {
        let mut lines = lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["event"] == name).unwrap()
    };
    let mistake = event("diagnostic");
    assert_eq!(
        (&mistake["file"], &mistake["line"], &mistake["level"]),
        (
            &json!("base44/entities/Task.jsonc"),
            &json!(3),
            &json!("error")
        )
    );
    let reload = event("reload");
    assert_eq!(reload["changes"], json!(["added Note"]));
    assert!(reload["milliseconds"].is_u64(), "{reload}");
    let ready = event("ready");
    assert_eq!(
        (&ready["entities"], &ready["app"]["linked"], &ready["port"]),
        (&json!(["Task"]), &json!(false), &json!(server.port()))
    );
}

#[tokio::test]
async fn a_line_that_is_printed_again_and_again_is_shown_once_with_a_count() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let source = "Deno.serve(() => { for (let i = 0; i < 500; i++) console.log('again'); return new Response(); });";
    let project = Project::new().function("hello", source);
    let server = backlot(&project)
        .clients(&clients)
        .args(&["--offline"])
        .start()
        .await;
    server.get("/functions/hello").await;
    let shown = || -> Vec<String> {
        let lines = server.output().stderr;
        lines
            .into_iter()
            .filter(|line| line.contains("again"))
            .collect()
    };
    let counted = |line: &String| -> usize {
        let count = line
            .split_once("(×")
            .and_then(|(_, rest)| rest.strip_suffix(')'));
        count.map_or(1, |count| count.parse().unwrap())
    };
    eventually("every line is counted", PATIENCE, async || {
        let lines = shown();
        that(
            lines.iter().map(counted).sum::<usize>() == 500,
            format!("{lines:?}"),
        )
    })
    .await;
    assert!(shown().len() < 50, "{:?}", shown());
}

#[tokio::test]
async fn commands_find_the_server_by_the_app_that_a_save_links() {
    let project = Project::new().linked("app-1");
    let launch = backlot(&project);
    let _server = launch.start().await;
    save(&project, "base44/.app.jsonc", r#"{ "id": "app-2" }"#);
    let root = project.root().to_string_lossy().into_owned();
    eventually("status has the new app", PATIENCE, async || {
        let status = launch.run(&["status", &root]).await;
        that(status.stdout.contains("app-2"), status.stdout)
    })
    .await;
}
