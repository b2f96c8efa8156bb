//! One client of Socket.IO: whether it is connected, and the rooms that it joined.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
    sync::Arc,
};

use parking_lot::Mutex;
use proto::uuid;
use serde_json::json;
use tokio::sync::Notify;

use super::{
    engine::{Broken, Frames, Outbox},
    hub::{Hub, Seat, Topic},
    message::{Message, Packet},
    room::Room,
};
use crate::session::Identity;

/// Rooms that one client may be in; an app has one for each entity that its page listens to.
const ROOMS: usize = 1000;

/// Leaves every room when it is dropped.
#[derive(Debug)]
pub(super) struct Client {
    number: u64,
    identity: Identity,
    hub: Arc<Hub>,
    outbox: Outbox,
    /// It has connected at least once.
    greeted: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_connected: bool,
    /// How many attachments of its last packet are still to come.
    attachments: u32,
    /// With what is watched for each; nothing for those that stay silent.
    rooms: HashMap<Arc<str>, Option<Topic>>,
}

impl Client {
    /// Hears of what it joins by `outbox`.
    pub(super) fn new(hub: Arc<Hub>, identity: Identity, outbox: Outbox) -> Self {
        Self {
            number: hub.enter(),
            identity,
            hub,
            outbox,
            greeted: Notify::new(),
            state: Mutex::default(),
        }
    }

    /// Until it has connected.
    pub(super) async fn greeted(&self) {
        self.greeted.notified().await;
    }

    /// Takes a packet. Whatever it asks for is done when this returns, so that packets count in their order.
    pub(super) fn receive(&self, text: &str) -> Result<(), Broken> {
        let mut state = self.state.lock();
        let packet = Packet::parse(text).filter(|_| state.attachments == 0);
        let packet = packet.ok_or(Broken)?;
        match (packet.is_for_main(), packet.message) {
            (false, Message::Connect) => self.refuse(packet.namespace),
            (true, Message::Connect) if !state.is_connected => self.connect(&mut state)?,
            (true, message) if state.is_connected => self.heed(&mut state, message)?,
            // It speaks to a namespace to which it is not connected.
            _ => return Err(Broken),
        }
        Ok(())
    }

    /// Does what a connected client asks for.
    fn heed(&self, state: &mut State, message: Message) -> Result<(), Broken> {
        match message {
            Message::Connect => return Err(Broken),
            Message::Disconnect => {
                state.is_connected = false;
                self.leave_all(state);
            }
            Message::Event {
                name,
                argument: Some(room),
            } => match name.as_str() {
                "join" => self.join(state, &room),
                "leave" => self.leave(state, &room),
                _ => {}
            },
            Message::Attached(count) => state.attachments = count,
            Message::Event { .. } | Message::Other => {}
        }
        Ok(())
    }

    /// Takes an attachment of the packet before, in which nobody here is interested.
    pub(super) fn receive_attachment(&self) -> Result<(), Broken> {
        let attachments = &mut self.state.lock().attachments;
        *attachments = attachments.checked_sub(1).ok_or(Broken)?;
        Ok(())
    }

    fn connect(&self, state: &mut State) -> Result<(), Broken> {
        // Not the id of its session, which only the client itself may know.
        let id = uuid::random().map_err(|_| Broken)?;
        state.is_connected = true;
        self.outbox
            .send(&Frames::text(&format!("40{}", json!({ "sid": id }))));
        self.greeted.notify_one();
        tracing::debug!(id, "realtime client connected");
        Ok(())
    }

    fn refuse(&self, namespace: &str) {
        let refusal = json!({ "message": "Invalid namespace" });
        self.outbox
            .send(&Frames::text(&format!("44{namespace},{refusal}")));
    }

    fn join(&self, state: &mut State, name: &str) {
        let Some(room) = Room::parse(name) else {
            tracing::debug!(
                length = name.len(),
                "a realtime client joins no room of ours"
            );
            return;
        };
        let rooms = &mut state.rooms;
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
            let seat = self.seat(place.key());
            self.hub.join(topic, seat, self.outbox.clone());
        }
        place.insert(topic);
    }

    fn leave(&self, state: &mut State, name: &str) {
        if let Some((room, topic)) = state.rooms.remove_entry(name) {
            self.rise(&room, topic);
        }
    }

    fn leave_all(&self, state: &mut State) {
        for (room, topic) in mem::take(&mut state.rooms) {
            self.rise(&room, topic);
        }
    }

    fn rise(&self, room: &Arc<str>, topic: Option<Topic>) {
        if let Some(topic) = topic {
            self.hub.leave(&topic, &self.seat(room));
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

impl Drop for Client {
    fn drop(&mut self) {
        self.leave_all(&mut self.state.lock());
        self.hub.exit();
    }
}
