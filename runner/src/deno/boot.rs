//! Booted processes: Deno is up and has run our bootstrap, and waits to be told which function it is.
//!
//! One is kept ready, so that a first call costs what the function itself costs to load.

use std::{io, path::Path, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    command::command,
    files::Files,
    spare::{Boot, Claim, Spare},
};
use crate::{
    control::{Link, Switchboard},
    output::{Tail, read_lines},
    pool::{Cause, Deno, Settings},
    reaper::Reaper,
    worker::Worker,
};

/// How long Deno may take to run our own few lines; more than a slow disk and a busy machine need.
const BOOT: Duration = Duration::from_secs(20);

/// The spare is started a moment after it was used, so that it does not compete with the call that used it.
const REFILL: Duration = Duration::from_millis(300);

/// Processes that boot at the same time; more only slow each other down.
const AT_ONCE: usize = 4;

/// How long a process may wait for its turn to boot. On a slow machine it is that for the last of many that are called at
/// once.
const TURN: Duration = Duration::from_secs(120);

/// A process that waits to be told what to load.
#[derive(Debug)]
pub(super) struct Booted {
    pub(super) worker: Worker,
    pub(super) link: Link,
}

/// Where booted processes come from.
#[derive(Debug)]
pub(super) struct Boots {
    board: Switchboard,
    reaper: Arc<Reaper>,
    files: Files,
    turns: Semaphore,
    keep_spare: bool,
    spare: Mutex<Spare>,
    closed: CancellationToken,
}

impl Boots {
    pub(super) async fn open(keep_spare: bool) -> io::Result<Self> {
        Ok(Self {
            board: Switchboard::open().await?,
            reaper: Arc::new(Reaper::start()),
            files: Files::write()?,
            turns: Semaphore::new(AT_ONCE),
            keep_spare,
            spare: Mutex::default(),
            closed: CancellationToken::new(),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.files.folder()
    }

    /// Says which settings a spare must fit from now on.
    pub(super) fn prepare(self: &Arc<Self>, settings: Arc<Settings>, wanted: bool) {
        let wanted = wanted && self.keep_spare && matches!(settings.deno, Deno::Found(_));
        self.spare.lock().want(wanted.then_some(settings));
        self.refill();
    }

    /// Ends the spare, and boots no more.
    pub(super) fn close(&self) {
        self.closed.cancel();
        self.spare.lock().close();
    }

    /// A process that has booted. A call gets the spare, and waits for it when it is booting already; nobody waits for
    /// what is only expected to be called, and so it leaves the spare alone. An error is for people.
    pub(super) async fn get(&self, settings: &Settings, cause: Cause) -> Boot {
        if cause == Cause::Call {
            let claim = self.spare.lock().claim(settings);
            match claim {
                Claim::Now(booted) => return Ok(booted),
                Claim::Soon(coming) => {
                    if let Ok(boot) = coming.await {
                        return boot;
                    }
                }
                Claim::Nothing => {}
            }
        }
        self.boot(settings).await
    }

    /// Starts another spare when there is none.
    pub(super) fn refill(self: &Arc<Self>) {
        let Some(urgent) = self.spare.lock().begin() else {
            return;
        };
        let boots = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = boots.closed.cancelled() => {}
                () = boots.fill(urgent) => {}
            }
        });
    }

    async fn fill(&self, urgent: CancellationToken) {
        let _ = timeout(REFILL, urgent.cancelled()).await;
        loop {
            let Some(settings) = self.spare.lock().boots() else {
                return;
            };
            let boot = self.boot(&settings).await;
            let mut spare = self.spare.lock();
            spare.arrived(boot);
            // Other settings came meanwhile, or this was the last one that anybody wanted.
            if spare.is_wanted(&settings) || spare.begin().is_none() {
                return;
            }
        }
    }

    async fn boot(&self, settings: &Settings) -> Boot {
        let Deno::Found(deno) = &settings.deno else {
            return Err("there is no Deno to run it".to_owned());
        };
        let Ok(_turn) = timeout(TURN, self.turns.acquire()).await else {
            return Err(format!(
                "did not get to start Deno within {} s: other functions were being started",
                TURN.as_secs()
            ));
        };
        let cannot = |error: io::Error| format!("cannot start {}: {error}", deno.display());
        let (token, mut expected) = self.board.expect().map_err(cannot)?;
        let control = (self.board.address(), &token);
        let command = command(deno, settings, &self.files, control);
        let mut worker = Worker::spawn(command, &self.reaper).map_err(cannot)?;
        let link = tokio::select! {
            link = timeout(BOOT, expected.link()) => link.ok().flatten(),
            _ = worker.wait() => None,
        };
        match link {
            Some(link) => Ok(Booted { worker, link }),
            None => Err(last_words(worker).await),
        }
    }
}

/// What a process printed that did not get as far as our bootstrap.
async fn last_words(mut worker: Worker) -> String {
    worker.kill();
    let tail = Tail::default();
    let (out, err) = worker.take_output();
    let reading = async {
        if let Some(err) = err {
            read_lines(err, |line| tail.push(&line)).await;
        }
        if let Some(out) = out {
            read_lines(out, |line| tail.push(&line)).await;
        }
    };
    let _ = timeout(Duration::from_secs(1), reading).await;
    format!("Deno did not start\n{}", tail.text())
}
