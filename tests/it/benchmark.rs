//! The comparison with the official server: that it still measures both, not what it comes to.

use std::{fs, time::Duration};

use serde_json::Value;
use tests::{
    command::{command, finish},
    project::Project,
    tools::{Clients, on_path, workspace},
};

const LIMIT: Duration = Duration::from_secs(900);

#[tokio::test]
async fn the_benchmark_measures_both_servers() {
    let (Some(clients), Some(node)) = (Clients::get().await, on_path("node")) else {
        return;
    };
    let folder = Project::new();
    let result = folder.root().join("result.json");
    let mut run = command(node);
    run.arg(workspace().join("tests/benches/run.mjs"))
        .args(["--quick", "--only", "start,reload", "--json"])
        .arg(&result)
        .args(["--backlot", env!("CARGO_BIN_EXE_backlot-under-test")])
        .arg("--deno")
        .arg(clients.deno().join("deno"));
    let said = finish(run, LIMIT).await.success("tests/benches/run.mjs");
    let result: Value = serde_json::from_str(&fs::read_to_string(result).unwrap()).unwrap();
    for metric in ["start", "first-call", "save"] {
        for side in ["backlot", "official"] {
            let measured = &result["values"][format!("{metric}/{side}")]["values"][0];
            assert!(measured.as_f64() > Some(0.0), "{metric} of {side}\n{said}");
        }
    }
    let failures = &result["values"]["save-failures/backlot"]["values"];
    assert_eq!(failures[0], 0, "{said}");
}
