//! Packets of Engine.IO 4: one character for the kind, then text.

/// What a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Close,
    Ping,
    Pong,
    Message(&'a str),
    Binary,
    Upgrade,
    Noop,
}

impl<'a> Packet<'a> {
    /// None for what is no packet.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut characters = text.chars();
        let kind = characters.next()?;
        let rest = characters.as_str();
        match kind {
            '1' => Some(Self::Close),
            '2' => Some(Self::Ping),
            '3' => Some(Self::Pong),
            '4' => Some(Self::Message(rest)),
            '5' => Some(Self::Upgrade),
            '6' => Some(Self::Noop),
            // Base64 follows, which nobody reads: no event of ours has an attachment.
            'b' => Some(Self::Binary),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Packet;

    #[test]
    fn the_first_character_is_the_kind() {
        let cases = [
            ("1", Some(Packet::Close)),
            ("2probe", Some(Packet::Ping)),
            ("3", Some(Packet::Pong)),
            ("40", Some(Packet::Message("0"))),
            ("4", Some(Packet::Message(""))),
            ("5", Some(Packet::Upgrade)),
            ("6", Some(Packet::Noop)),
            ("bAQID", Some(Packet::Binary)),
            ("0{}", None),
            ("7", None),
            ("ü", None),
            ("", None),
        ];
        for (text, packet) in cases {
            assert_eq!(Packet::parse(text), packet, "{text:?}");
        }
    }
}
