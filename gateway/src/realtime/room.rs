//! Names of rooms, as the SDK writes them.

/// Longer names are no room's.
const LONGEST: usize = 512;

/// What a room is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room<'a> {
    /// The changes of one entity, in the client's spelling; the store knows which is meant.
    Entity(&'a str),
    /// A conversation with an agent, which runs on the platform: nothing is ever said here.
    Conversation,
}

impl<'a> Room<'a> {
    /// `entities:{app}:{entity}` of any app, for a server serves one; or an agent's conversation.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        if name.len() > LONGEST {
            return None;
        }
        if name.starts_with("/agent-conversations/") {
            return Some(Self::Conversation);
        }
        let (_app, entity) = name.strip_prefix("entities:")?.split_once(':')?;
        let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let is_name = !entity.is_empty() && entity.bytes().all(clean);
        is_name.then_some(Self::Entity(entity))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Room};

    #[test]
    fn rooms_of_entities_and_conversations_are_known_and_no_others() {
        let long = format!("entities:app:{}", "x".repeat(LONGEST));
        let cases = [
            ("entities:app:Task", Some(Room::Entity("Task"))),
            ("entities:other:task", Some(Room::Entity("task"))),
            ("entities::Task", Some(Room::Entity("Task"))),
            ("entities:app:A.b-c_1", Some(Room::Entity("A.b-c_1"))),
            ("/agent-conversations/1", Some(Room::Conversation)),
            ("entities:app:Task:1", None),
            ("entities:app:", None),
            ("entities:app", None),
            ("entities:app:a/b", None),
            ("Task", None),
            ("", None),
            (long.as_str(), None),
        ];
        for (name, room) in cases {
            assert_eq!(Room::parse(name), room, "{name}");
        }
    }
}
