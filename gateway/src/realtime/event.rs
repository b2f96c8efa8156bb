//! The text of an event, written around the record as the store sent it, and once for all sockets of a room.

use std::sync::Arc;

use proto::v1::{Change, change::Kind};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// What the SDK reads: `{"room","data"}`, written out.
#[derive(Clone, Debug)]
pub(super) struct Update(Arc<RawValue>);

impl Update {
    /// `data` travels as a text within the text.
    pub(super) fn new(room: &str, data: &str) -> Self {
        #[derive(Serialize)]
        struct Fields<'a> {
            room: &'a str,
            data: &'a str,
        }
        let written = to_raw_value(&Fields { room, data });
        Self(written.expect("texts always serialise").into())
    }

    /// Bytes.
    pub(super) fn len(&self) -> usize {
        self.0.get().len()
    }
}

impl Serialize for Update {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
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

    use super::{Update, text};

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
        let update = Update::new("a\"b", r#"{"c":"ü"}"#);
        let written = serde_json::to_string(&update).unwrap();
        assert_eq!(written, r#"{"room":"a\"b","data":"{\"c\":\"ü\"}"}"#);
        assert_eq!(update.len(), written.len());
    }
}
