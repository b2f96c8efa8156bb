//! Plays every scenario. `TARGET_URL=http://…` plays them against a server that runs already, with the project of
//! `tests/scenarios/project` in it and `TARGET_DEVELOPER` logged in; `OFFICIAL=…` names the folder of the unpacked
//! official package, plays them against that as well, and writes PARITY.md.

use std::{env, fs, path::PathBuf};

use tests::{
    scenario::{self, Area, Official, Scenario, Target, Verdict, markdown, play, verdict},
    tools::{Clients, workspace},
};

use crate::backlot;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_plays() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let areas = scenario::all();
    let mut failures = Vec::new();
    for scenario in areas.iter().flat_map(|area| &area.scenarios) {
        if let Err(difference) = on_backlot(scenario, &clients).await {
            failures.push(format!("{}\n    {difference}", scenario.behaviour));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    if let Some(package) = env::var_os("OFFICIAL") {
        compare(&areas, Official::new(package.into(), clients.deno())).await;
    }
}

async fn on_backlot(scenario: &Scenario, clients: &Clients) -> Result<(), String> {
    if let Ok(url) = env::var("TARGET_URL") {
        let developer = env::var("TARGET_DEVELOPER").unwrap_or_else(|_| "ada@example.com".into());
        return play(scenario, &mut Target::at(&url, developer)).await;
    }
    let project = scenario::project();
    let mut target = Target::backlot(backlot(&project).clients(clients)).await;
    let played = play(scenario, &mut target).await;
    target.end().await;
    played
}

async fn compare(areas: &[Area], official: Official) {
    let mut verdicts = Vec::new();
    let mut unexplained = Vec::new();
    for area in areas {
        let mut of_area = Vec::new();
        for scenario in &area.scenarios {
            let project = scenario::project();
            let mut target = official.start(&project).await;
            let verdict = verdict(scenario, play(scenario, &mut target).await);
            target.end().await;
            if let Verdict::Unexplained(what) = &verdict {
                unexplained.push(format!("{}\n    {what}", scenario.behaviour));
            }
            of_area.push(verdict);
        }
        verdicts.push(of_area);
    }
    assert!(unexplained.is_empty(), "\n{}", unexplained.join("\n"));
    let path: PathBuf = workspace().join("PARITY.md");
    fs::write(path, markdown(areas, &verdicts)).unwrap();
}
