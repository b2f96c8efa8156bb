//! Generated types, judged by the real compiler with the real SDK.

use std::fs;

use serde_json::Value;
use tests::{
    project::Project,
    tools::{Clients, workspace},
    wait::{PATIENCE, eventually, that},
};

use crate::backlot;

const TYPES: &str = "base44/.types/types.d.ts";

const TSCONFIG: &str = r#"{
  // Ours
  "compilerOptions": {
    "strict": true, "noEmit": true, "target": "es2022", "lib": ["es2022", "dom"],
    "module": "esnext", "moduleResolution": "bundler", "types": [],
  },
  "include": [
    "checks", // what is checked here
  ],
}
"#;

/// A schema with every kind of field.
const EVERYTHING: &str = r##"{
  "name": "commerce.every-thing",
  "description": "Ends */ nothing",
  "properties": {
    "text": { "type": "string", "description": "Some text" },
    "whole": { "type": "integer", "minimum": 0 },
    "number": { "type": "number" },
    "flag": { "type": "boolean", "default": false },
    "nothing": { "type": "null" },
    "file": { "type": "binary" },
    "maybe": { "type": ["string", "null"], "format": "date-time" },
    "choice": { "type": "string", "enum": ["a", "b c", "it's \"c\""] },
    "mixed": { "enum": ["one", 2, true, null] },
    "fixed": { "const": "always" },
    "tags": { "type": "array", "items": { "type": "string" } },
    "choices": { "type": "array", "items": { "enum": ["x", "y"] } },
    "anything": { "type": "array" },
    "address": {
      "type": "object",
      "properties": { "city": { "type": "string" }, "zip-code": { "type": "string" } },
      "required": ["city"],
    },
    "lines": {
      "type": "array",
      "items": { "type": "object", "properties": { "price": { "type": "number" } }, "required": ["price"] },
    },
    "open": { "type": "object" },
    "same": { "$ref": "#/properties/address" },
    "needs-quotes": { "type": "string" },
    "created_by": { "type": "string" },
  },
  "required": ["text", "whole"],
}"##;

const USER: &str = r#"{ "name": "User", "properties": { "team": { "type": "string" } } }"#;

/// Compiles without a complaint.
const RIGHT: &str = r#"
import { createClient, type EntityRecord } from "@base44/sdk";
import type { Task } from "../base44/.types/types";

const base44 = createClient({ appId: "x" });
const draft: Task = { title: "Tea", priority: "low" };
await base44.entities.Task.create(draft);
await base44.functions.invoke("tasks/tidy");
base44.agents.createConversation({ agent_name: "helper" });
await base44.asServiceRole.connectors.getConnection("slack");

const record: EntityRecord["Task"] = await base44.entities.Task.get("1");
const words: string = record.id + record.title + record.created_date;

const thing = await base44.entities["commerce.every-thing"].get("1");
const nothing: null | undefined = thing.nothing;
const maybe: string | null | undefined = thing.maybe;
const mixed: "one" | 2 | true | null | undefined = thing.mixed;
const fixed: "always" | undefined = thing.fixed;
const choices: ("x" | "y")[] | undefined = thing.choices;
const zip: string | undefined = thing.address?.["zip-code"];
const city: string | undefined = thing.same?.city;
const price: number | undefined = thing.lines?.[0]?.price;
const open: unknown = thing.open?.["whatever"];
const creator: string | null | undefined = thing.created_by;
await base44.entities["commerce.every-thing"].filter({ tags: { $all: ["a"] }, whole: { $gte: 1 } }, "-needs-quotes");

const user = await base44.entities.User.get("1");
const names: (string | null | undefined)[] = [user.email, user.full_name, user.role, user.team];
export { words, nothing, maybe, mixed, fixed, choices, zip, city, price, open, creator, names };
"#;

/// Every line after the first three is a mistake.
const WRONG: &str = r#"import { createClient } from "@base44/sdk";
const base44 = createClient({ appId: "x" });
const thing = await base44.entities["commerce.every-thing"].get("1");
base44.functions.invoke("tasks/tidi");
base44.entities.Task.create({ titel: "Tea" });
base44.entities.Task.create({ priority: "urgent" });
base44.entities.Task.create({ title: 7 });
base44.entities.Task.list("-titel");
base44.agents.createConversation({ agent_name: "nobody" });
base44.asServiceRole.connectors.getConnection("pigeon");
thing.choice = "d";
thing.mixed = "two";
thing.address = { "zip-code": "1" };
thing.lines = [{ price: "1" }];
thing.nope;
(await base44.entities.User.get("1")).nickname;
"#;

#[tokio::test]
async fn the_compiler_takes_right_code_and_refuses_wrong_names_and_fields() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let project = Project::copy_of(&workspace().join("examples/tasks"))
        .file("base44/entities/everything.jsonc", EVERYTHING)
        .file("base44/entities/user.jsonc", USER)
        .file("base44/agents/helper.jsonc", r#"{"name":"helper"}"#)
        .file("base44/connectors/slack.jsonc", r#"{"type":"slack"}"#)
        .file("base44/actors/Room/entry.ts", "")
        .file("tsconfig.json", TSCONFIG)
        .file("checks/right.ts", RIGHT)
        .file("checks/wrong.ts", WRONG);
    let said = backlot(&project).run(&["types", "generate"]).await;
    let said = said.success("types generate");
    assert!(
        said.stdout
            .starts_with(&format!("Wrote {TYPES}: 3 entities, 2 functions\n")),
        "{said}"
    );
    let tsconfig = fs::read_to_string(project.root().join("tsconfig.json")).unwrap();
    let with_glob = "// what is checked here\n    \"base44/.types/*.d.ts\",\n";
    assert_eq!(
        tsconfig,
        TSCONFIG.replace("// what is checked here\n", with_glob)
    );

    let compiled = clients.compile(project.root()).await;
    let mistakes = &compiled.stdout;
    assert!(
        mistakes
            .lines()
            .all(|line| line.starts_with("checks/wrong.ts(") || line.starts_with(' ')),
        "{compiled}"
    );
    for line in 4..=WRONG.lines().count() {
        let place = format!("checks/wrong.ts({line},");
        assert!(
            mistakes.contains(&place),
            "line {line} is taken\n{compiled}"
        );
    }
    for line in 1..4 {
        assert!(
            !mistakes.contains(&format!("checks/wrong.ts({line},")),
            "{compiled}"
        );
    }
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    let project = Project::new().with_tasks().file("tsconfig.json", "{}");
    let generate = ["types", "generate", "--json"];
    let first = backlot(&project).run(&generate).await.success("first");
    let first: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(
        (&first["changed"], &first["tsconfig"]),
        (&true.into(), &"added".into())
    );
    let second = backlot(&project).run(&generate).await.success("second");
    let second: Value = serde_json::from_str(&second.stdout).unwrap();
    assert_eq!(
        (&second["changed"], &second["tsconfig"]),
        (&false.into(), &"present".into())
    );
}

#[tokio::test]
async fn a_tsconfig_that_cannot_be_read_is_left_alone_with_a_warning() {
    let project = Project::new()
        .with_tasks()
        .file("tsconfig.json", "{ broken");
    let said = backlot(&project)
        .run(&["types", "generate"])
        .await
        .success("generate");
    assert!(said.stderr.contains("tsconfig.json"), "{said}");
    assert_eq!(
        fs::read_to_string(project.root().join("tsconfig.json")).unwrap(),
        "{ broken"
    );
    assert!(project.root().join(TYPES).is_file());
}

#[tokio::test]
async fn the_server_keeps_types_fresh_unless_told_not_to() {
    let project = Project::new().with_tasks().file("tsconfig.json", "{}");
    let server = backlot(&project).start().await;
    let has = async |text: &str| {
        eventually("the types are fresh", PATIENCE, async || {
            let types = fs::read_to_string(project.root().join(TYPES)).unwrap_or_default();
            that(types.contains(text), types)
        })
        .await;
    };
    has("export interface Task {").await;
    project.save("base44/entities/note.jsonc", r#"{"name":"Note"}"#);
    has("\"Note\": Note;").await;
    project.save(
        "base44/functions/hello/entry.ts",
        "Deno.serve(() => new Response());",
    );
    has("\"hello\": true;").await;
    project.save("base44/agents/helper.jsonc", r#"{"name":"helper"}"#);
    has("\"helper\": true;").await;
    drop(server);
    assert_eq!(
        fs::read_to_string(project.root().join("tsconfig.json")).unwrap(),
        "{}"
    );

    let project = Project::new()
        .with_tasks()
        .file("base44/.types", "in the way");
    let server = backlot(&project).args(&["-v"]).start().await;
    server.says("types are not written").await;
    let _ = server
        .get("/api/apps/local/entities/Task")
        .await
        .expect(200);

    let project = Project::new().with_tasks();
    let mut server = backlot(&project).args(&["--no-types"]).start().await;
    assert_eq!(server.interrupt().await, 0);
    assert!(!project.root().join(TYPES).exists());
}
