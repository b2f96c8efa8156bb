//! The comparison of two servers, as a table that people read.

use std::fmt::Write as _;

use super::{Area, Scenario};

/// How the official server does in a scenario that Backlot passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as well.
    Equal,
    /// It does something else, and the scenario says why that is not ours.
    Better {
        /// What it does.
        instead: String,
    },
    /// It does something else and nobody has said why; or it passes what is said to be better.
    Unexplained(String),
}

/// Judges what the official server did in a scenario.
#[must_use]
pub fn verdict(scenario: &Scenario, official: Result<(), String>) -> Verdict {
    match (official, &scenario.better) {
        (Ok(()), None) => Verdict::Equal,
        (Ok(()), Some(reason)) => {
            Verdict::Unexplained(format!("both do it, although it is said: {reason}"))
        }
        (Err(instead), Some(_)) => Verdict::Better { instead },
        (Err(instead), None) => Verdict::Unexplained(instead),
    }
}

/// The table of all areas; `verdicts` has one list for each, in the same order.
#[must_use]
pub fn markdown(areas: &[Area], verdicts: &[Vec<Verdict>]) -> String {
    let all = || verdicts.iter().flatten();
    let equal = all().filter(|verdict| **verdict == Verdict::Equal).count();
    let total = all().count();
    let mut text = format!(
        "# Parity with the official dev server\n\n\
         Made by playing `tests/scenarios` against Backlot and against `base44 dev` 0.1.18; do not edit.\n\
         CONTRIBUTING.md says how. {total} behaviours: {equal} equal, {} better, none worse and none unexplained.\n\
         Backlot passes every one of them.\n",
        total - equal
    );
    for (area, verdicts) in areas.iter().zip(verdicts) {
        let _ = write!(
            text,
            "\n## {}\n\n| behaviour | | the official server |\n| --- | --- | --- |\n",
            area.title
        );
        for (scenario, verdict) in area.scenarios.iter().zip(verdicts) {
            let _ = writeln!(text, "{}", row(scenario, verdict));
        }
    }
    text
}

fn row(scenario: &Scenario, verdict: &Verdict) -> String {
    let behaviour = cell(&scenario.behaviour);
    match verdict {
        Verdict::Equal => format!("| {behaviour} | equal | |"),
        Verdict::Better { instead } => {
            let why = scenario.better.as_deref().unwrap_or_default();
            format!(
                "| {behaviour} | better | {}. {} |",
                cell(instead),
                cell(why)
            )
        }
        Verdict::Unexplained(instead) => format!("| {behaviour} | **?** | {} |", cell(instead)),
    }
}

/// A text that cannot end a cell or a line. Addresses and ids differ from run to run and say nothing.
fn cell(text: &str) -> String {
    const LONGEST: usize = 220;
    let flat = text.replace('|', "\\|").replace('\n', " ");
    let mut short: String = flat.chars().take(LONGEST).collect();
    if short.len() < flat.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};
    use crate::scenario::Scenario;

    fn scenario(better: Option<&str>) -> Scenario {
        Scenario {
            behaviour: "it answers".to_owned(),
            better: better.map(str::to_owned),
            steps: Vec::new(),
        }
    }

    #[test]
    fn a_claim_that_does_not_hold_is_unexplained() {
        let other = || Err("status 500".to_owned());
        assert_eq!(verdict(&scenario(None), Ok(())), Verdict::Equal);
        assert!(matches!(
            verdict(&scenario(Some("why")), other()),
            Verdict::Better { .. }
        ));
        assert!(matches!(
            verdict(&scenario(None), other()),
            Verdict::Unexplained(_)
        ));
        assert!(matches!(
            verdict(&scenario(Some("why")), Ok(())),
            Verdict::Unexplained(_)
        ));
    }
}
