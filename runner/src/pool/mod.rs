//! The life cycle of functions as a pure state machine: what happened goes in, what to do comes out.
//!
//! ```text
//!            call              listens
//!   idle ───────────► starting ───────► ready ──save──► ready + starting ──listens──► ready (new), old drains
//!    ▲                  │  ▲                               │
//!    └── exit, idle ────┼──┼───────────────────────────────┼─ does not load
//!                       ▼  │ save, or a call a while later ▼
//!                      broken ◄────────────────────────────┘
//! ```
//!
//! No clock, no runtime and no process here: time is passed in, and [`Action`]s are carried out elsewhere.

mod function;
mod limits;
mod model;
mod steps;
#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    mem,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use indexmap::IndexMap;

use self::function::{Function, Serving};
pub use self::{
    function::{State, Status},
    limits::{Farewell, Limits},
    model::{
        Action, Ask, Cause, Changes, Definition, Deno, Ending, Endpoint, Generation, LoadError,
        LoadErrorKind, Refusal, Settings, Ticket,
    },
};

/// How long a function that did not load is not tried again, unless a file is saved. Long enough that a burst of calls
/// gets one answer, short enough that a network that came back is noticed.
pub const RETRY: Duration = Duration::from_secs(2);

/// All functions, and which process each of them has.
#[derive(Debug, Default)]
pub struct Pool {
    functions: IndexMap<String, Function>,
    settings: Arc<Settings>,
    draining: BTreeMap<Generation, String>,
    /// Those of them that a caller found not to answer. Most have died, and the caller was quicker than the system's word of
    /// it: their end is news.
    silent: BTreeSet<Generation>,
    last_generation: u64,
    stopping: bool,
    actions: Vec<Action>,
}

impl Pool {
    /// What is to be done since the last time this was asked, in order.
    pub fn take_actions(&mut self) -> Vec<Action> {
        mem::take(&mut self.actions)
    }

    /// The settings that new processes get.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
    }

    /// The functions that are up.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.functions
            .values()
            .filter_map(Function::endpoint)
            .collect()
    }

    /// Every function there is, in the project's order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }

    /// The functions that a process is being started for.
    #[must_use]
    pub fn starts(&self) -> BTreeSet<String> {
        let starting = |function: &&Function| function.starting.is_some();
        let functions = self.functions.values().filter(starting);
        functions
            .map(|function| function.definition.name.clone())
            .collect()
    }

    /// The definitions, in the project's order.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.functions.values().map(|function| &function.definition)
    }

    /// How every function fares, in the project's order.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        let draining = |name: &str| self.draining.values().any(|of| of == name);
        self.functions
            .values()
            .map(|function| function.status(draining(&function.definition.name)))
            .collect()
    }

    /// The function that a process was started for.
    #[must_use]
    pub fn owner(&self, generation: Generation) -> Option<&str> {
        let live = self
            .functions
            .values()
            .find(|function| function.has(generation));
        live.map(|function| function.definition.name.as_str())
            .or_else(|| self.draining.get(&generation).map(String::as_str))
    }

    /// Takes a whole new desired state.
    pub fn apply(&mut self, functions: Vec<Definition>, settings: Settings) -> Changes {
        if self.stopping {
            return Changes::default();
        }
        let alike = self.settings.alike(&settings);
        self.settings = Arc::new(settings);
        let mut changes = Changes::default();
        let mut before = mem::take(&mut self.functions);
        for definition in functions {
            let name = definition.name.clone();
            let function = match before.shift_remove(&name) {
                None => {
                    changes.added.push(name.clone());
                    Function::new(definition)
                }
                Some(known) if alike && known.definition == definition => known,
                Some(mut known) => {
                    changes.changed.push(name.clone());
                    known.definition = definition;
                    self.renew(&mut known);
                    known
                }
            };
            self.functions.insert(name, function);
        }
        for (name, function) in before {
            self.dismiss(&name, function);
            changes.removed.push(name);
        }
        self.actions.push(Action::Publish);
        changes
    }

    /// Files of these functions were saved. Returns those that get a new process.
    pub fn changed(&mut self, names: &[String]) -> Vec<String> {
        let mut swapped = Vec::new();
        for name in names {
            self.with(name, |pool, function| {
                if pool.renew(function) {
                    swapped.push(name.clone());
                }
            });
        }
        swapped
    }

    /// Somebody wants a function to be up.
    pub fn acquire(&mut self, name: &str, ask: Ask, now: Duration) {
        let ticket = ask.ticket;
        if let Some(refusal) = self.refusal(name) {
            self.actions.push(Action::Answer(ticket, Err(refusal)));
            return;
        }
        self.with(name, |pool, function| {
            if ask.failed.is_some() && function.generation() == ask.failed {
                pool.silent.extend(ask.failed);
                pool.retire(function, Farewell::Replaced);
            }
            if let Some(endpoint) = function.endpoint() {
                pool.actions.push(Action::Answer(ticket, Ok(endpoint)));
                return;
            }
            if let Some(error) = function.broken_at(now, RETRY) {
                let refusal = Refusal::Broken(function.definition.name.clone(), error);
                pool.actions.push(Action::Answer(ticket, Err(refusal)));
                return;
            }
            match ask.cause {
                Cause::Call => function.waiting.push(ticket),
                Cause::Forecast => function.watching.push(ticket),
            }
            if function.starting.is_none() {
                pool.start(function, ask.cause);
            }
        });
    }

    /// A call is no longer interested.
    pub fn give_up(&mut self, ticket: Ticket) {
        for function in self.functions.values_mut() {
            function.waiting.retain(|waiting| *waiting != ticket);
            function.watching.retain(|watching| *watching != ticket);
        }
    }

    /// A process is up: it takes over, and its predecessor finishes what it has begun.
    pub fn listening(
        &mut self,
        generation: Generation,
        address: SocketAddr,
        pid: u32,
        took: Duration,
    ) {
        let Some(name) = self.starting(generation) else {
            return self.actions.push(Action::Kill(generation));
        };
        self.with(&name, |pool, function| {
            pool.retire(function, Farewell::Replaced);
            function.starting = None;
            function.broken = None;
            function.took = took;
            let serving = Serving {
                generation,
                address,
                pid,
            };
            function.serving = Some(serving);
            pool.actions.push(Action::Publish);
            pool.answer(function);
        });
    }

    /// A process did not come up. Its predecessor is old code now, and not served any more.
    pub fn failed(&mut self, generation: Generation, error: LoadError, now: Duration) {
        self.actions.push(Action::Kill(generation));
        let Some(name) = self.starting(generation) else {
            return;
        };
        self.with(&name, |pool, function| {
            let cause = function.cause;
            function.starting = None;
            function.broken = Some((Arc::new(error), now));
            pool.draining.insert(generation, name.clone());
            pool.retire(function, Farewell::Replaced);
            match cause {
                Cause::Call => pool.answer(function),
                Cause::Forecast => pool.forget_forecast(function),
            }
        });
    }

    /// A process is gone, and with it its group.
    pub fn exited(&mut self, generation: Generation, now: Duration) -> Ending {
        if self.starting(generation).is_some() {
            let error = LoadError {
                kind: LoadErrorKind::Failed,
                message: "its process ended".to_owned(),
                detail: String::new(),
                place: String::new(),
                printed: false,
            };
            self.failed(generation, error, now);
        }
        let was_silent = self.silent.remove(&generation);
        if self.draining.remove(&generation).is_some() {
            return match was_silent && !self.stopping {
                true => Ending::Unexpected,
                false => Ending::Expected,
            };
        }
        let Some(name) = self.owner(generation).map(str::to_owned) else {
            return Ending::Expected;
        };
        self.with(&name, |pool, function| {
            function.serving = None;
            pool.actions.push(Action::Publish);
        });
        Ending::Unexpected
    }

    /// A process has had nothing to do for `idle`.
    pub fn unused(&mut self, generation: Generation, idle: Duration) {
        if self.settings.idle.is_none_or(|limit| idle < limit) {
            return;
        }
        let Some(name) = self.owner(generation).map(str::to_owned) else {
            return;
        };
        self.with(&name, |pool, function| {
            if function.generation() == Some(generation) && function.starting.is_none() {
                pool.retire(function, Farewell::Dismissed);
            }
        });
    }

    /// A process has been called.
    pub fn used(&mut self, generation: Generation, now: Duration) {
        let Some(name) = self.owner(generation).map(str::to_owned) else {
            return;
        };
        self.with(&name, |pool, function| {
            function.used = Some(now);
            pool.actions.push(Action::Publish);
        });
    }

    /// The functions that have been called, the most recently called first.
    #[must_use]
    pub fn recent(&self) -> Vec<String> {
        let used = |function: &Function| Some((function.used?, function.definition.name.clone()));
        let mut used: Vec<_> = self.functions.values().filter_map(used).collect();
        used.sort_by_key(|(when, _)| Reverse(*when));
        used.into_iter().map(|(_, name)| name).collect()
    }

    /// Ends everything; from now on every call is refused.
    pub fn stop(&mut self) {
        self.stopping = true;
        for (_, mut function) in mem::take(&mut self.functions) {
            self.abandon(&mut function);
            self.retire(&mut function, Farewell::Stopped);
            self.refuse(&mut function, &Refusal::Stopping);
        }
        let draining: Vec<_> = self.draining.keys().copied().collect();
        for generation in draining {
            let drain = Action::Drain(generation, Farewell::Stopped);
            if !self.actions.contains(&drain) {
                self.actions.push(drain);
            }
        }
    }

    fn refusal(&self, name: &str) -> Option<Refusal> {
        if self.stopping {
            return Some(Refusal::Stopping);
        }
        if !self.functions.contains_key(name) {
            return Some(Refusal::Unknown(name.to_owned()));
        }
        match &self.settings.deno {
            Deno::Found(_) => None,
            Deno::Missing(explanation) => Some(Refusal::NoDeno(explanation.clone())),
        }
    }

    /// Runs `change` on a function while the rest of the pool can be changed too.
    fn with(&mut self, name: &str, change: impl FnOnce(&mut Self, &mut Function)) {
        let Some((index, key, mut function)) = self.functions.shift_remove_full(name) else {
            return;
        };
        change(self, &mut function);
        self.functions.shift_insert(index, key, function);
    }

    /// The function that `generation` is being started for.
    fn starting(&self, generation: Generation) -> Option<String> {
        self.functions
            .values()
            .find(|function| function.starting == Some(generation))
            .map(|function| function.definition.name.clone())
    }
}
