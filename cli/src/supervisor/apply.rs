//! Tells one service what it should be, and reports what it made of that.

use std::collections::HashSet;

use proto::{
    Code, Failure,
    client::{RunnerClient, StoreClient},
    v1::apply_schemas_response::SchemaProblem,
};

use super::service::Component;
use crate::{
    desired::Desired,
    ui::{Entry, Level, Problem, Terminal},
};

/// Schemas first: the developer's user record has the defaults of the `User` schema.
pub(crate) async fn store(
    store: &StoreClient,
    desired: &Desired,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let applied = store.apply_schemas(desired.schemas.clone()).await?;
    report(&applied.problems, &desired.diagnosed, terminal);
    store.seed_user(desired.user.clone()).await.map(drop)
}

pub(crate) async fn runner(runner: &RunnerClient, desired: &Desired) -> Result<(), Failure> {
    runner
        .apply_functions(desired.functions.clone())
        .await
        .map(drop)
}

/// A service did not take what it was told.
pub(crate) fn problem(component: Component, failure: &Failure) -> Problem {
    let mut message = format!(
        "the {component} cannot be told what to serve: {}",
        failure.message()
    );
    if !failure.detail().is_empty() {
        message = format!("{message} ({})", failure.detail());
    }
    // What the service says of its token is meant for somebody who calls it by hand.
    let hint = if failure.code() == Code::Unauthenticated {
        "it was started with a token; give this command the same one as `BACKLOT_TOKEN`".to_owned()
    } else if failure.code() == Code::Unavailable {
        format!("if it was attached, check that it runs: `backlot {component} --listen ADDR`")
    } else {
        failure.hint().to_owned()
    };
    Problem::broken(message).with_hint(hint)
}

/// What the store thinks of schemas that it was given, besides what has been said of their files.
pub(crate) fn report(problems: &[SchemaProblem], diagnosed: &HashSet<String>, terminal: &Terminal) {
    let is_news =
        |problem: &&SchemaProblem| !problem.warning || !diagnosed.contains(&problem.source);
    for problem in problems.iter().filter(is_news) {
        let level = if problem.warning {
            Level::Warn
        } else {
            Level::Error
        };
        let message = format!("{}: {}", problem.source, problem.message);
        terminal.entry(&Entry::of_cli(level, message));
    }
}
