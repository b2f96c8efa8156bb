//! What the events of a life cycle have in common: starts, ends and answers of one function.

use std::{mem, sync::Arc};

use super::{Action, Cause, Deno, Farewell, Generation, Pool, Refusal, function::Function};

impl Pool {
    /// New code or new settings: whoever has or wants a process gets a new one beside the old.
    pub(super) fn renew(&mut self, function: &mut Function) -> bool {
        let in_use =
            function.serving.is_some() || function.starting.is_some() || function.broken.is_some();
        function.broken = None;
        self.abandon(function);
        match &self.settings.deno {
            Deno::Found(_) if in_use => {
                self.start(function, Cause::Call);
                true
            }
            Deno::Found(_) => false,
            Deno::Missing(explanation) => {
                let refusal = Refusal::NoDeno(explanation.clone());
                self.retire(function, Farewell::Dismissed);
                self.refuse(function, &refusal);
                false
            }
        }
    }

    pub(super) fn start(&mut self, function: &mut Function, cause: Cause) {
        self.last_generation += 1;
        let generation = Generation(self.last_generation);
        function.starting = Some(generation);
        function.cause = cause;
        function.starts += 1;
        let start = Action::Start(generation, function.definition.clone(), cause);
        self.actions.push(start);
    }

    /// Ends a start that has become pointless.
    pub(super) fn abandon(&mut self, function: &mut Function) {
        if let Some(generation) = function.starting.take() {
            let name = function.definition.name.clone();
            self.draining.insert(generation, name);
            self.actions.push(Action::Kill(generation));
        }
    }

    /// Takes the process that serves out of service.
    pub(super) fn retire(&mut self, function: &mut Function, farewell: Farewell) {
        if let Some(old) = function.serving.take() {
            let name = function.definition.name.clone();
            self.draining.insert(old.generation, name);
            self.actions.push(Action::Publish);
            self.actions.push(Action::Drain(old.generation, farewell));
        }
    }

    pub(super) fn dismiss(&mut self, name: &str, mut function: Function) {
        self.abandon(&mut function);
        self.retire(&mut function, Farewell::Dismissed);
        self.refuse(&mut function, &Refusal::Unknown(name.to_owned()));
        self.actions.push(Action::Forget(name.to_owned()));
    }

    /// Answers everybody who waited, now that the outcome is known.
    pub(super) fn answer(&mut self, function: &mut Function) {
        let outcome = match (function.endpoint(), &function.broken) {
            (Some(endpoint), _) => Ok(endpoint),
            (None, Some((error, _))) => Err(Refusal::Broken(
                function.definition.name.clone(),
                Arc::clone(error),
            )),
            (None, None) => return,
        };
        for ticket in function.take_tickets() {
            let answer = Action::Answer(ticket, outcome.clone());
            self.actions.push(answer);
        }
    }

    /// A start that nobody had called for has failed without a word. Whoever has called meanwhile gets a start whose error
    /// is shown; otherwise it is as if nothing had been tried.
    pub(super) fn forget_forecast(&mut self, function: &mut Function) {
        let callers = mem::take(&mut function.waiting);
        self.answer(function);
        function.broken = None;
        if !callers.is_empty() {
            function.waiting = callers;
            self.start(function, Cause::Call);
        }
    }

    pub(super) fn refuse(&mut self, function: &mut Function, refusal: &Refusal) {
        for ticket in function.take_tickets() {
            let answer = Action::Answer(ticket, Err(refusal.clone()));
            self.actions.push(answer);
        }
    }
}
