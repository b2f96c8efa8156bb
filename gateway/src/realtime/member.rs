//! One socket: who is behind it, and the rooms that it joined.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::ready,
    sync::Arc,
};

use parking_lot::Mutex;
use socketioxide::extract::{Data, SocketRef};

use super::{
    http::Handshake,
    hub::{Hub, Seat, Topic},
    outbox::{self, Deliveries, Outbox},
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
    hub: Arc<Hub>,
    outbox: Outbox,
    /// Taken when there is first something to deliver.
    deliveries: Mutex<Option<Deliveries>>,
    /// With what is watched for each; nothing for those that stay silent.
    rooms: Mutex<HashMap<Arc<str>, Option<Topic>>>,
}

impl Member {
    /// Makes `socket` a member. The handlers do their work before they return, so that messages count in their order.
    pub(super) fn register(socket: &SocketRef, handshake: Handshake, hub: Arc<Hub>) {
        let session = socket.id.to_string();
        let number = hub.enter(&session, handshake.cut.clone());
        let (outbox, deliveries) = outbox::queue(handshake.cut);
        let member = Arc::new(Self {
            number,
            session,
            identity: handshake.identity,
            hub,
            outbox,
            deliveries: Mutex::new(Some(deliveries)),
            rooms: Mutex::default(),
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
        let mut rooms = self.rooms.lock();
        if self.outbox.is_closed() || (rooms.len() >= ROOMS && !rooms.contains_key(name)) {
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
            let seat = self.seat(place.key());
            self.hub.join(topic, seat, self.outbox.clone());
            if let Some(deliveries) = self.deliveries.lock().take() {
                tokio::spawn(deliveries.deliver(socket));
            }
        }
        place.insert(topic);
    }

    fn leave(&self, name: &str) {
        if let Some((room, Some(topic))) = self.rooms.lock().remove_entry(name) {
            self.hub.leave(&topic, &self.seat(&room));
        }
    }

    fn end(&self) {
        self.outbox.close();
        let rooms = std::mem::take(&mut *self.rooms.lock());
        for (room, topic) in rooms {
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
