//! The text of an event, written around the record as the store sent it, and once for all sockets of a room.

use proto::v1::{Change, change::Kind};
use serde::Serialize;

use super::engine::Frames;

/// `update_model` with `{"room","data"}`, as the SDK reads it, once for each of these texts.
pub(super) fn frames(room: &str, texts: &[String]) -> Frames {
    let packets: Vec<_> = texts.iter().map(|text| packet(room, text)).collect();
    Frames::texts(&packets)
}

/// A message (`4`) of Engine.IO that is an event (`2`) of Socket.IO. `data` travels as a text within the text.
fn packet(room: &str, data: &str) -> String {
    #[derive(Serialize)]
    struct Fields<'a> {
        room: &'a str,
        data: &'a str,
    }
    let event = ("update_model", Fields { room, data });
    let event = serde_json::to_string(&event).expect("texts always serialise");
    ["42", &event].concat()
}

/// `{"type","data","id","timestamp"}` as JSON; none for what clients are not told.
pub(super) fn text(change: &Change) -> Option<String> {
    let kind = match change.kind() {
        Kind::Create => "create",
        Kind::Update => "update",
        Kind::Delete => "delete",
        // The SDK knows no event for a cleared entity.
        Kind::Clear | Kind::Unspecified => return None,
    };
    let record = std::str::from_utf8(&change.record_json).ok()?;
    let record = if record.is_empty() { "null" } else { record };
    let (id, timestamp) = (quoted(&change.id), quoted(&change.timestamp));
    let text = [
        r#"{"type":""#,
        kind,
        r#"","data":"#,
        record,
        r#","id":"#,
        &id,
        r#","timestamp":"#,
        &timestamp,
        "}",
    ];
    Some(text.concat())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text always serialises")
}

#[cfg(test)]
mod tests {
    use proto::v1::{Change, change::Kind};

    use super::{packet, text};

    fn change(kind: Kind, record: &str) -> Change {
        Change {
            kind: kind.into(),
            id: "1\"".to_owned(),
            record_json: record.to_owned().into(),
            timestamp: "t".to_owned(),
            ..Change::default()
        }
    }

    #[test]
    fn the_record_stands_in_the_text_as_it_came() {
        let cases = [
            (Kind::Create, r#"{"a": 1.0}"#, "create", r#"{"a": 1.0}"#),
            (Kind::Update, "{}", "update", "{}"),
            (Kind::Delete, "", "delete", "null"),
        ];
        for (kind, record, name, data) in cases {
            let expected =
                format!(r#"{{"type":"{name}","data":{data},"id":"1\"","timestamp":"t"}}"#);
            assert_eq!(text(&change(kind, record)).as_deref(), Some(&*expected));
        }
    }

    #[test]
    fn a_cleared_entity_is_no_event() {
        assert_eq!(text(&change(Kind::Clear, "")), None);
        assert_eq!(text(&change(Kind::Unspecified, "{}")), None);
    }

    #[test]
    fn the_text_is_written_as_a_text_beside_its_room() {
        let written = packet("a\"b", r#"{"c":"ü"}"#);
        let expected = r#"42["update_model",{"room":"a\"b","data":"{\"c\":\"ü\"}"}]"#;
        assert_eq!(written, expected);
    }
}
