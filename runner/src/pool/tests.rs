//! The life cycle, event by event.

use std::{net::SocketAddr, time::Duration};

use super::{
    Action, Ask, Cause, Changes, Definition, Deno, Ending, Endpoint, Farewell, Generation,
    LoadError, LoadErrorKind, Pool, RETRY, Refusal, Settings, State, Ticket,
};

const NOW: Duration = Duration::from_secs(100);

fn definition(name: &str) -> Definition {
    Definition {
        name: name.to_owned(),
        entry: format!("/p/{name}/entry.ts").into(),
        source: format!("{name}/entry.ts"),
    }
}

fn settings() -> Settings {
    Settings {
        root: "/p".into(),
        deno: Deno::Found("/deno".into()),
        idle: Some(Duration::from_secs(600)),
        ..Settings::default()
    }
}

fn pool(names: &[&str]) -> Pool {
    let mut pool = Pool::default();
    pool.apply(
        names.iter().map(|name| definition(name)).collect(),
        settings(),
    );
    pool.take_actions();
    pool
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn endpoint(name: &str, generation: u64) -> Endpoint {
    Endpoint {
        function: name.to_owned(),
        address: address(u16::try_from(generation).unwrap()),
        generation: Generation(generation),
    }
}

fn error(message: &str) -> LoadError {
    LoadError {
        kind: LoadErrorKind::Failed,
        message: message.to_owned(),
        detail: String::new(),
        place: String::new(),
        printed: false,
    }
}

fn broken(name: &str, message: &str) -> Refusal {
    Refusal::Broken(name.to_owned(), error(message).into())
}

const fn calls(ticket: u64) -> Ask {
    Ask {
        ticket: Ticket(ticket),
        failed: None,
        cause: Cause::Call,
    }
}

fn call(pool: &mut Pool, ticket: u64, name: &str) -> Vec<Action> {
    pool.acquire(name, calls(ticket), NOW);
    pool.take_actions()
}

fn forecast(pool: &mut Pool, ticket: u64, name: &str) -> Vec<Action> {
    let cause = Cause::Forecast;
    pool.acquire(
        name,
        Ask {
            cause,
            ..calls(ticket)
        },
        NOW,
    );
    pool.take_actions()
}

fn listens(pool: &mut Pool, generation: u64) -> Vec<Action> {
    let port = u16::try_from(generation).unwrap();
    pool.listening(Generation(generation), address(port), 1, Duration::ZERO);
    pool.take_actions()
}

fn fails(pool: &mut Pool, generation: u64, message: &str) -> Vec<Action> {
    pool.failed(Generation(generation), error(message), NOW);
    pool.take_actions()
}

fn saved(pool: &mut Pool, name: &str) -> Vec<Action> {
    pool.changed(&[name.to_owned()]);
    pool.take_actions()
}

fn start(generation: u64, name: &str) -> Action {
    Action::Start(Generation(generation), definition(name), Cause::Call)
}

fn answer(ticket: u64, name: &str, generation: u64) -> Action {
    Action::Answer(Ticket(ticket), Ok(endpoint(name, generation)))
}

fn refuse(ticket: u64, refusal: Refusal) -> Action {
    Action::Answer(Ticket(ticket), Err(refusal))
}

fn drain(generation: u64, farewell: Farewell) -> Action {
    Action::Drain(Generation(generation), farewell)
}

const fn kill(generation: u64) -> Action {
    Action::Kill(Generation(generation))
}

fn state(pool: &Pool) -> State {
    pool.status()[0].state
}

/// One function that is up as generation 1.
fn ready() -> Pool {
    let mut pool = pool(&["f"]);
    call(&mut pool, 1, "f");
    listens(&mut pool, 1);
    pool
}

#[test]
fn calls_share_a_start_and_find_the_process_later() {
    let mut pool = pool(&["f"]);
    assert_eq!(state(&pool), State::Idle);
    assert_eq!(call(&mut pool, 1, "f"), [start(1, "f")]);
    assert_eq!(call(&mut pool, 2, "f"), []);
    assert_eq!(state(&pool), State::Starting);
    assert_eq!(pool.starts(), ["f".to_owned()].into());
    let actions = listens(&mut pool, 1);
    assert_eq!(pool.starts(), [].into());
    assert_eq!(
        actions,
        [Action::Publish, answer(1, "f", 1), answer(2, "f", 1)]
    );
    assert_eq!(call(&mut pool, 3, "f"), [answer(3, "f", 1)]);
    assert_eq!(state(&pool), State::Ready);
    assert_eq!(pool.endpoints(), [endpoint("f", 1)]);
}

#[test]
fn a_call_of_what_cannot_run_is_refused_at_once() {
    let mut pool = pool(&["f"]);
    assert_eq!(
        call(&mut pool, 1, "g"),
        [refuse(1, Refusal::Unknown("g".to_owned()))]
    );
    let missing = Settings {
        deno: Deno::Missing("get it".to_owned()),
        ..settings()
    };
    pool.apply(vec![definition("f")], missing);
    pool.take_actions();
    assert_eq!(
        call(&mut pool, 2, "f"),
        [refuse(2, Refusal::NoDeno("get it".to_owned()))]
    );
    pool.stop();
    assert_eq!(call(&mut pool, 3, "f"), [refuse(3, Refusal::Stopping)]);
}

#[test]
fn a_saved_function_is_served_by_the_old_process_until_the_new_one_listens() {
    let mut pool = ready();
    assert_eq!(saved(&mut pool, "f"), [start(2, "f")]);
    assert_eq!(call(&mut pool, 2, "f"), [answer(2, "f", 1)]);
    let actions = listens(&mut pool, 2);
    let expected = [
        Action::Publish,
        drain(1, Farewell::Replaced),
        Action::Publish,
    ];
    assert_eq!(actions, expected);
    assert_eq!(call(&mut pool, 3, "f"), [answer(3, "f", 2)]);
    assert_eq!(pool.exited(Generation(1), NOW), Ending::Expected);
}

#[test]
fn a_save_during_a_start_begins_it_again_and_callers_go_on_waiting() {
    let mut pool = pool(&["f"]);
    call(&mut pool, 1, "f");
    assert_eq!(saved(&mut pool, "f"), [kill(1), start(2, "f")]);
    assert_eq!(listens(&mut pool, 1), [kill(1)], "too late");
    assert_eq!(pool.exited(Generation(1), NOW), Ending::Expected);
    assert_eq!(listens(&mut pool, 2), [Action::Publish, answer(1, "f", 2)]);
}

#[test]
fn a_save_of_what_nobody_has_called_starts_nothing() {
    let mut pool = pool(&["f"]);
    assert_eq!(saved(&mut pool, "f"), []);
    assert_eq!(saved(&mut pool, "unknown"), []);
}

#[test]
fn a_version_that_does_not_load_takes_over_as_its_error() {
    let mut pool = ready();
    saved(&mut pool, "f");
    let expected = [kill(2), Action::Publish, drain(1, Farewell::Replaced)];
    assert_eq!(fails(&mut pool, 2, "boom"), expected);
    assert_eq!(state(&pool), State::Broken);
    assert_eq!(pool.endpoints(), []);
    assert_eq!(call(&mut pool, 2, "f"), [refuse(2, broken("f", "boom"))]);
    assert_eq!(pool.exited(Generation(2), NOW), Ending::Expected);
    assert_eq!(
        saved(&mut pool, "f"),
        [start(3, "f")],
        "the next save tries again"
    );
    assert_eq!(call(&mut pool, 3, "f"), [], "and its outcome is waited for");
    assert_eq!(listens(&mut pool, 3), [Action::Publish, answer(3, "f", 3)]);
}

#[test]
fn a_broken_function_is_tried_again_after_a_while() {
    let mut pool = pool(&["f"]);
    call(&mut pool, 1, "f");
    assert_eq!(
        fails(&mut pool, 1, "no network"),
        [kill(1), refuse(1, broken("f", "no network"))]
    );
    pool.acquire("f", calls(2), NOW + RETRY);
    assert_eq!(pool.take_actions(), [start(2, "f")]);
}

#[test]
fn a_forecast_starts_a_function_that_a_call_finds_up() {
    let mut pool = pool(&["f"]);
    let start = Action::Start(Generation(1), definition("f"), Cause::Forecast);
    assert_eq!(forecast(&mut pool, 1, "f"), [start]);
    assert_eq!(forecast(&mut pool, 2, "f"), []);
    let expected = [Action::Publish, answer(1, "f", 1), answer(2, "f", 1)];
    assert_eq!(listens(&mut pool, 1), expected);
    assert_eq!(call(&mut pool, 3, "f"), [answer(3, "f", 1)]);
}

#[test]
fn a_forecast_that_fails_is_forgotten_and_tried_again_for_a_caller() {
    let mut pool = pool(&["f"]);
    forecast(&mut pool, 1, "f");
    let expected = [kill(1), refuse(1, broken("f", "boom"))];
    assert_eq!(fails(&mut pool, 1, "boom"), expected);
    pool.exited(Generation(1), NOW);
    assert_eq!(state(&pool), State::Idle);

    forecast(&mut pool, 2, "f");
    assert_eq!(call(&mut pool, 3, "f"), [], "it joins the start");
    let expected = [kill(2), refuse(2, broken("f", "boom")), start(3, "f")];
    assert_eq!(fails(&mut pool, 2, "boom"), expected);
    let expected = [kill(3), refuse(3, broken("f", "boom"))];
    assert_eq!(fails(&mut pool, 3, "boom"), expected);
    assert_eq!(state(&pool), State::Broken);
}

#[test]
fn functions_that_were_called_are_listed_the_latest_first() {
    let mut pool = pool(&["a", "b", "c"]);
    for (generation, name) in [(1, "a"), (2, "b"), (3, "c")] {
        call(&mut pool, generation, name);
        listens(&mut pool, generation);
    }
    assert_eq!(pool.recent(), [""; 0]);
    pool.used(Generation(1), NOW);
    pool.used(Generation(3), NOW + RETRY);
    assert_eq!(pool.take_actions(), [Action::Publish, Action::Publish]);
    assert_eq!(pool.recent(), ["c", "a"]);
}

#[test]
fn an_exit_is_told_apart_by_what_went_before() {
    let mut pool = ready();
    assert_eq!(pool.exited(Generation(1), NOW), Ending::Unexpected);
    assert_eq!(pool.take_actions(), [Action::Publish]);
    assert_eq!(call(&mut pool, 2, "f"), [start(2, "f")]);
    assert_eq!(pool.exited(Generation(2), NOW), Ending::Expected);
    let actions = pool.take_actions();
    assert_eq!(
        actions,
        [kill(2), refuse(2, broken("f", "its process ended"))]
    );
}

#[test]
fn a_process_that_does_not_answer_is_replaced_unless_that_has_happened() {
    let mut pool = ready();
    let failed = Some(Generation(1));
    pool.acquire("f", Ask { failed, ..calls(2) }, NOW);
    let expected = [Action::Publish, drain(1, Farewell::Replaced), start(2, "f")];
    assert_eq!(pool.take_actions(), expected);
    listens(&mut pool, 2);
    pool.acquire("f", Ask { failed, ..calls(3) }, NOW);
    assert_eq!(pool.take_actions(), [answer(3, "f", 2)]);
    // It had died, and its caller was quicker than the system's word of it.
    assert_eq!(pool.exited(Generation(1), NOW), Ending::Unexpected);
}

#[test]
fn a_desired_state_changes_only_what_differs() {
    let mut pool = pool(&["a", "b", "c"]);
    for (generation, name) in [(1, "a"), (2, "b"), (3, "c")] {
        call(&mut pool, generation, name);
        listens(&mut pool, generation);
    }
    let moved = Definition {
        entry: "/p/b/other.ts".into(),
        ..definition("b")
    };
    let wanted = vec![moved.clone(), definition("a"), definition("d")];
    let changes = pool.apply(wanted.clone(), settings());
    let expected = Changes {
        added: vec!["d".to_owned()],
        changed: vec!["b".to_owned()],
        removed: vec!["c".to_owned()],
    };
    assert_eq!(changes, expected);
    let expected = [
        Action::Start(Generation(4), moved, Cause::Call),
        Action::Publish,
        drain(3, Farewell::Dismissed),
        Action::Forget("c".to_owned()),
        Action::Publish,
    ];
    assert_eq!(pool.take_actions(), expected);
    assert_eq!(pool.names(), ["b", "a", "d"]);
    assert_eq!(pool.apply(wanted, settings()), Changes::default());
}

#[test]
fn other_settings_renew_what_runs_except_for_the_idle_limit() {
    let mut pool = ready();
    let longer = Settings {
        idle: None,
        ..settings()
    };
    pool.apply(vec![definition("f")], longer);
    assert_eq!(pool.take_actions(), [Action::Publish]);
    let wider = Settings {
        all_permissions: true,
        ..settings()
    };
    pool.apply(vec![definition("f")], wider);
    assert_eq!(pool.take_actions(), [start(2, "f"), Action::Publish]);
}

#[test]
fn callers_of_a_function_that_is_removed_are_told() {
    let mut pool = pool(&["f"]);
    call(&mut pool, 1, "f");
    pool.apply(vec![], settings());
    let actions = pool.take_actions();
    assert!(actions.contains(&kill(1)));
    assert!(actions.contains(&refuse(1, Refusal::Unknown("f".to_owned()))));
}

#[test]
fn an_unused_process_leaves_after_the_limit() {
    let mut pool = ready();
    pool.unused(Generation(1), Duration::from_secs(599));
    assert_eq!(pool.take_actions(), []);
    pool.unused(Generation(1), Duration::from_secs(600));
    assert_eq!(
        pool.take_actions(),
        [Action::Publish, drain(1, Farewell::Dismissed)]
    );
    assert_eq!(state(&pool), State::Draining);
    pool.exited(Generation(1), NOW);
    assert_eq!(state(&pool), State::Idle);
}

#[test]
fn the_end_ends_everything() {
    let mut pool = ready();
    saved(&mut pool, "f");
    listens(&mut pool, 2);
    saved(&mut pool, "f");
    pool.stop();
    let actions = pool.take_actions();
    for expected in [
        kill(3),
        drain(2, Farewell::Stopped),
        drain(1, Farewell::Stopped),
    ] {
        assert!(actions.contains(&expected), "{expected:?} in {actions:?}");
    }
}
