//! Packets of Socket.IO 5, as text: kind, number of attachments, namespace, id of an acknowledgement, document.
//!
//! The protocol is <https://socket.io/docs/v4/socket-io-protocol/>.

use serde_json::{Map, Number, value::RawValue};

/// The namespace of a packet that names none.
const MAIN: &str = "/";

/// What a client may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Connect,
    Disconnect,
    /// With the first argument, when that is a text.
    Event {
        name: String,
        argument: Option<String>,
    },
    /// Nothing that anybody here waits for.
    Other,
    /// An event or an answer that this many attachments belong to, which follow.
    Attached(u32),
}

/// A message and its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) namespace: &'a str,
    pub(super) message: Message,
}

impl<'a> Packet<'a> {
    /// None for what is no packet of a client.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        let (attachments, rest) = match kind {
            "5" | "6" => rest.split_once('-')?,
            _ => ("0", rest),
        };
        let (namespace, rest) = split_namespace(rest);
        let document = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let message = match kind {
            "0" => connect(document)?,
            "1" => rest.is_empty().then_some(Message::Disconnect)?,
            "2" => event(document)?,
            "3" => arguments(document).map(|_| Message::Other)?,
            "5" => event(document).and_then(|_| attached(attachments))?,
            "6" => arguments(document).and_then(|_| attached(attachments))?,
            _ => return None,
        };
        Some(Self { namespace, message })
    }

    pub(super) fn is_for_main(&self) -> bool {
        self.namespace == MAIN
    }
}

fn split_namespace(rest: &str) -> (&str, &str) {
    match rest.starts_with('/') {
        true => rest.split_once(',').unwrap_or((rest, "")),
        false => (MAIN, rest),
    }
}

fn connect(document: &str) -> Option<Message> {
    // What it says about itself is nobody's concern: who it is was said with the first request.
    let is_object = || serde_json::from_str::<Map<String, serde_json::Value>>(document).is_ok();
    (document.is_empty() || is_object()).then_some(Message::Connect)
}

fn event(document: &str) -> Option<Message> {
    let arguments = arguments(document)?;
    let (name, rest) = arguments.split_first()?;
    let name = match name.get().starts_with('"') {
        true => text(name)?,
        // A number is a name too, of nothing here.
        false => serde_json::from_str::<Number>(name.get()).ok()?.to_string(),
    };
    let argument = rest.first().and_then(|argument| text(argument));
    Some(Message::Event { name, argument })
}

fn arguments(document: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(document).ok()
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn attached(count: &str) -> Option<Message> {
    let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|_| is_number)?;
    Some(Message::Attached(count))
}

#[cfg(test)]
mod tests {
    use super::{Message, Packet};

    fn message(text: &str) -> Option<Message> {
        let packet = Packet::parse(text)?;
        assert!(packet.is_for_main(), "{text}");
        Some(packet.message)
    }

    fn event(name: &str, argument: Option<&str>) -> Option<Message> {
        let (name, argument) = (name.to_owned(), argument.map(str::to_owned));
        Some(Message::Event { name, argument })
    }

    #[test]
    fn packets_are_read_as_clients_write_them() {
        let cases = [
            ("0", Some(Message::Connect)),
            (r#"0{"token":"x"}"#, Some(Message::Connect)),
            ("1", Some(Message::Disconnect)),
            (r#"2["join","room"]"#, event("join", Some("room"))),
            (r#"217["join","r\u00f6om",1]"#, event("join", Some("röom"))),
            (r#"2["join"]"#, event("join", None)),
            (r#"2["join",{"a":["b"]}]"#, event("join", None)),
            ("2[7]", event("7", None)),
            ("3[]", Some(Message::Other)),
            (
                r#"52-["join",{"_placeholder":true,"num":0}]"#,
                Some(Message::Attached(2)),
            ),
            ("61-7[]", Some(Message::Attached(1))),
        ];
        for (text, expected) in cases {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_packet_of_a_client_is_refused() {
        let deep = format!("2{}", "[".repeat(10_000));
        let texts = [
            "",
            "7",
            "a",
            "ü",
            "0[]",
            "0x",
            "1x",
            "2",
            "2{}",
            "2[]",
            "2[{}]",
            "2[null]",
            r#"2["join""#,
            r#"2x["join"]"#,
            "3",
            "3{}",
            "4{}",
            r#"5["join"]"#,
            r#"5x-["join"]"#,
            r#"5+1-["join"]"#,
            r#"599999999999-["join"]"#,
            "6-{}",
            &deep,
        ];
        for text in texts {
            assert_eq!(Packet::parse(text), None, "{text:.40}");
        }
    }

    #[test]
    fn a_namespace_stands_before_the_document() {
        let cases = [
            ("0/admin,", "/admin"),
            ("0/admin", "/admin"),
            (r#"0/admin,{"token":"x"}"#, "/admin"),
            (r#"2/a,7["b","/c,"]"#, "/a"),
            ("0/,", "/"),
        ];
        for (text, namespace) in cases {
            let packet = Packet::parse(text).unwrap();
            assert_eq!(packet.namespace, namespace, "{text}");
        }
    }
}
