//! One socket: who is behind it, and the rooms that it joined.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::ready,
    sync::Arc,
};

use parking_lot::Mutex;
use socketioxide::extract::{Data, SocketRef};
use tokio_util::sync::CancellationToken;

use super::{
    http::Handshake,
    hub::{Hub, Seat, Topic},
    outbox::Outbox,
    room::Room,
};
use crate::session::Identity;

/// Rooms that one socket may be in; an app has one for each entity that its page listens to.
const ROOMS: usize = 1000;

/// Leaves every room when it is dropped.
pub(super) struct Member {
    number: u64,
    session: String,
    identity: Identity,
    /// Ends the connection.
    cut: CancellationToken,
    hub: Arc<Hub>,
    /// None when it has left for good.
    seating: Mutex<Option<Seating>>,
}

/// What one socket listens to.
#[derive(Default)]
struct Seating {
    /// With what is watched for each; nothing for those that stay silent.
    rooms: HashMap<Arc<str>, Option<Topic>>,
    /// Made at the first room of which anything is ever said.
    outbox: Option<Outbox>,
}

impl Member {
    /// Makes `socket` a member. The handlers do their work before they return, so that messages count in their order.
    pub(super) fn register(socket: &SocketRef, handshake: Handshake, hub: Arc<Hub>) {
        let session = socket.id.to_string();
        let number = hub.enter(&session, handshake.cut.clone());
        let member = Arc::new(Self {
            number,
            session,
            identity: handshake.identity,
            cut: handshake.cut,
            hub,
            seating: Mutex::new(Some(Seating::default())),
        });
        let joining = member.clone();
        socket.on(
            "join",
            move |socket: SocketRef, Data(room): Data<String>| {
                joining.join(&room, socket);
                ready(())
            },
        );
        let leaving = member.clone();
        socket.on("leave", move |Data(room): Data<String>| {
            leaving.leave(&room);
            ready(())
        });
        socket.on_disconnect(move || {
            member.end();
            ready(())
        });
    }

    fn join(&self, name: &str, socket: SocketRef) {
        let Some(room) = Room::parse(name) else {
            tracing::debug!(
                length = name.len(),
                "a realtime client joins no room of ours"
            );
            return;
        };
        let mut seating = self.seating.lock();
        let Some(Seating { rooms, outbox }) = seating.as_mut() else {
            return;
        };
        if rooms.len() >= ROOMS && !rooms.contains_key(name) {
            tracing::debug!(rooms = rooms.len(), "a realtime client joins no more rooms");
            return;
        }
        let Entry::Vacant(place) = rooms.entry(name.into()) else {
            return;
        };
        let topic = match room {
            Room::Entity(entity) => Some(self.topic(entity)),
            Room::Conversation => None,
        };
        if let Some(topic) = topic.clone() {
            let outbox = outbox.get_or_insert_with(|| Outbox::new(socket, self.cut.clone()));
            self.hub.join(topic, self.seat(place.key()), outbox.clone());
        }
        place.insert(topic);
    }

    fn leave(&self, name: &str) {
        let mut seating = self.seating.lock();
        let left = seating
            .as_mut()
            .and_then(|seating| seating.rooms.remove_entry(name));
        if let Some((room, Some(topic))) = left {
            self.hub.leave(&topic, &self.seat(&room));
        }
    }

    /// Also lets go of the socket, which holds this.
    fn end(&self) {
        let rooms = self.seating.lock().take().map(|seating| seating.rooms);
        for (room, topic) in rooms.into_iter().flatten() {
            if let Some(topic) = topic {
                self.hub.leave(&topic, &self.seat(&room));
            }
        }
    }

    fn topic(&self, entity: &str) -> Topic {
        Topic {
            caller: self.identity.clone(),
            entity: entity.to_owned(),
        }
    }

    fn seat(&self, room: &Arc<str>) -> Seat {
        Seat {
            member: self.number,
            room: room.clone(),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end();
        self.hub.exit(&self.session);
    }
}
