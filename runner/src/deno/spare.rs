//! The process in waiting: who may take it, and who has claimed it before it was up.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::boot::Booted;
use crate::pool::Settings;

/// A booted process, or why Deno did not come up, for people.
pub(super) type Boot = Result<Booted, String>;

/// The process in waiting, if there is one.
#[derive(Debug, Default)]
pub(super) struct Spare {
    /// What it must fit; `None` when none is wanted.
    settings: Option<Arc<Settings>>,
    ready: Option<Booted>,
    coming: Option<Coming>,
}

/// A spare that boots, or is about to.
#[derive(Debug)]
struct Coming {
    fits: Arc<Settings>,
    claim: Option<oneshot::Sender<Boot>>,
    /// Somebody waits for it.
    urgent: CancellationToken,
}

/// What a start gets of the spare.
#[derive(Debug)]
pub(super) enum Claim {
    /// It is up.
    Now(Booted),
    /// It will be up soon; the channel ends when it will not.
    Soon(oneshot::Receiver<Boot>),
    /// There is none, or it is somebody else's.
    Nothing,
}

impl Spare {
    /// Says what a spare must fit from now on; one that does not is ended.
    pub(super) fn want(&mut self, settings: Option<Arc<Settings>>) {
        let fits = settings
            .as_ref()
            .is_some_and(|settings| self.is_wanted(settings));
        if !fits {
            self.ready = None;
        }
        self.settings = settings;
    }

    /// Ends it, lets down whoever has claimed it, and wants no other.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    /// Whether one has to be booted: the answer is what says that it has become urgent.
    pub(super) fn begin(&mut self) -> Option<CancellationToken> {
        if self.ready.is_some() || self.coming.is_some() {
            return None;
        }
        let urgent = CancellationToken::new();
        self.coming = Some(Coming {
            fits: Arc::clone(self.settings.as_ref()?),
            claim: None,
            urgent: urgent.clone(),
        });
        Some(urgent)
    }

    /// What the one that boots now has to fit, with what was said since [`Spare::begin`]; `None` when there is no need
    /// for it any more.
    pub(super) fn boots(&mut self) -> Option<Arc<Settings>> {
        let coming = self.coming.as_mut()?;
        let is_claimed = coming
            .claim
            .as_ref()
            .is_some_and(|claim| !claim.is_closed());
        if !is_claimed {
            let Some(wanted) = &self.settings else {
                self.coming = None;
                return None;
            };
            coming.fits = Arc::clone(wanted);
        }
        Some(Arc::clone(&coming.fits))
    }

    /// The one that was coming is up, or does not come up.
    pub(super) fn arrived(&mut self, boot: Boot) {
        let Some(Coming { fits, claim, .. }) = self.coming.take() else {
            return;
        };
        let unclaimed = match claim {
            Some(claim) => claim.send(boot).err(),
            None => Some(boot),
        };
        if let Some(Ok(booted)) = unclaimed
            && self.is_wanted(&fits)
        {
            self.ready = Some(booted);
        }
    }

    /// Whether a process that fits `settings` would do.
    pub(super) fn is_wanted(&self, settings: &Settings) -> bool {
        let wanted = self.settings.as_ref();
        wanted.is_some_and(|wanted| wanted.alike(settings))
    }

    /// Takes the spare, or claims the one that is coming.
    pub(super) fn claim(&mut self, settings: &Settings) -> Claim {
        if self.is_wanted(settings)
            && let Some(mut ready) = self.ready.take()
            && ready.worker.is_running()
        {
            return Claim::Now(ready);
        }
        match &mut self.coming {
            Some(Coming {
                fits,
                claim: claim @ None,
                urgent,
            }) if fits.alike(settings) => {
                let (sender, receiver) = oneshot::channel();
                *claim = Some(sender);
                urgent.cancel();
                Claim::Soon(receiver)
            }
            Some(_) | None => Claim::Nothing,
        }
    }
}
