//! What a session says of itself: to the developer at the start, and to other commands through its descriptor.

use std::path::PathBuf;

use super::Session;
use crate::{
    commands::dev::{
        context::Context,
        start_block::{self, Started},
    },
    descriptor::{self, Descriptor, Published},
    desired::app_id,
    places::Places,
    ui::Level,
};

impl Session {
    /// Writes where everything is now, for `backlot status`.
    pub(super) fn describe(&mut self) {
        let descriptor = Descriptor {
            url: self.supervisor.url().to_owned(),
            port: self.supervisor.port(),
            pid: std::process::id(),
            app_id: app_id(&self.context.project).to_owned(),
            started_at: self.started_at.clone(),
            services: self.supervisor.services(),
            token: self.token.expose().to_owned(),
        };
        if let Some(published) = &mut self.published
            && let Err(error) = published.write(&descriptor)
        {
            self.context.say(
                Level::Warn,
                format!("`backlot status` will not find this server: {error}"),
            );
        }
    }

    pub(super) fn introduce(&self) {
        let Context {
            settings, terminal, ..
        } = &self.context;
        let started = Started {
            context: &self.context,
            port: self.supervisor.port(),
            took: self.took,
        };
        terminal.start_block(&started.block());
        if settings.host.is_some_and(|host| !host.is_loopback()) {
            let warning = "everybody who reaches this address can use the server, and sign in as you with any password";
            self.context.say(Level::Warn, warning.to_owned());
            if settings.host.is_some_and(|host| host.is_unspecified())
                && settings.allowed_hosts.is_empty()
            {
                let hint = "others need `--allow-host` with the name or address by which they know this machine";
                self.context.say(Level::Info, hint.to_owned());
            }
        }
        if let Some(reason) = start_block::moved(settings, self.supervisor.port()) {
            self.context.say(Level::Info, reason);
        }
        terminal.ready(self.supervisor.url(), &started.facts());
    }
}

pub(super) fn publish(places: &Places, context: &Context) -> Option<Published> {
    let root = &context.project.layout.root;
    let taken = Published::take(&places.descriptor(root)).and_then(|published| {
        let others = places.further_descriptors(root).into_iter();
        let runs = |path: PathBuf| descriptor::running(&path).ok().flatten();
        if published.is_some() && others.filter_map(runs).next().is_none() {
            return Ok(published);
        }
        let warning = "another server of this project runs; `backlot status` shows that one";
        context.say(Level::Warn, warning.to_owned());
        drop(published);
        Published::take(&places.further_descriptor(root, std::process::id()))
    });
    match taken {
        Ok(published) => published,
        Err(error) => {
            context.say(
                Level::Warn,
                format!("`backlot status` will not find this server: {error}"),
            );
            None
        }
    }
}
