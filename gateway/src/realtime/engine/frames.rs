//! Texts as a websocket carries them from a server (RFC 6455, 5.2): written once, for all who are sent them.

use bytes::Bytes;

/// The first byte of a text that is one frame.
const TEXT: u8 = 0x81;

/// Bytes before the longest text.
const HEAD: usize = 10;

/// Lengths that stand in the second byte itself; 126 and 127 say that two or eight bytes of length follow.
const SHORT: usize = 125;

/// Whole frames, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::realtime) struct Frames(Bytes);

impl Frames {
    pub(in crate::realtime) fn text(text: &str) -> Self {
        Self::texts(&[text])
    }

    pub(in crate::realtime) fn texts(texts: &[impl AsRef<str>]) -> Self {
        let lengths = texts.iter().map(|text| HEAD + text.as_ref().len());
        let mut bytes = Vec::with_capacity(lengths.sum());
        for text in texts {
            write(&mut bytes, text.as_ref());
        }
        Self(bytes.into())
    }

    /// What is framed already: by these very functions, or by a library that answers for us.
    pub(super) const fn framed(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The first text and the frames behind it; none when there is nothing.
    pub(super) fn split(self) -> Option<(Bytes, Self)> {
        let mut bytes = self.0;
        let short = *bytes.get(1)?;
        let (head, length) = match short {
            126 => (4, usize::from(u16::from_be_bytes(array(&bytes)?))),
            127 => (
                HEAD,
                usize::try_from(u64::from_be_bytes(array(&bytes)?)).ok()?,
            ),
            short => (2, usize::from(short)),
        };
        let mut text = bytes.split_to(head + length);
        Some((text.split_off(head), Self(bytes)))
    }
}

/// The bytes of a length, behind the first two.
fn array<const N: usize>(frame: &[u8]) -> Option<[u8; N]> {
    frame.get(2..2 + N)?.try_into().ok()
}

fn write(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(TEXT);
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length), _) if text.len() <= SHORT => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend(length.to_be_bytes());
        }
        (_, Err(_)) => {
            bytes.push(127);
            bytes.extend((text.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::{Message, WebSocket, protocol::Role};

    use super::Frames;

    fn of_each_length() -> Vec<String> {
        let lengths = [0, 1, 125, 126, 65_535, 65_536];
        lengths.map(|length| "x".repeat(length)).to_vec()
    }

    #[test]
    fn a_client_reads_texts_of_any_length() {
        let texts = of_each_length();
        let frames = Frames::texts(&texts);
        let stream = std::io::Cursor::new(frames.into_bytes().to_vec());
        let mut client = WebSocket::from_raw_socket(stream, Role::Client, None);
        for text in texts {
            assert_eq!(client.read().unwrap(), Message::text(text));
        }
    }

    #[test]
    fn texts_are_taken_out_again_one_by_one() {
        let texts = of_each_length();
        let mut frames = Frames::texts(&texts);
        for expected in texts {
            let (text, rest) = frames.split().unwrap();
            assert_eq!(text, expected);
            frames = rest;
        }
        assert!(frames.split().is_none());
    }
}
