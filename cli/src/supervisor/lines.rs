//! The lines of a stream, whole, however they arrive.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// Bytes of a line that are held at most; a longer one goes on as the next. Far above what a person reads, and below what
/// a program that never ends its line would take from the machine.
const LONGEST: u64 = 1024 * 1024;

/// Calls `each` for every line without its end, the unfinished last one included, until the stream ends.
pub(super) async fn each_line(stream: impl AsyncRead + Unpin, mut each: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let whole = (&mut reader).take(LONGEST);
        match { whole }.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => each(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::{LONGEST, each_line};

    /// The lines of what is written in these pieces.
    async fn lines(pieces: &[&[u8]]) -> Vec<String> {
        // Smaller than the pieces, so that they are cut once more on their way.
        let (mut writer, reader) = tokio::io::duplex(7);
        let write = async {
            for piece in pieces {
                writer.write_all(piece).await.unwrap();
            }
            drop(writer);
        };
        let mut lines = Vec::new();
        let read = each_line(reader, |line| lines.push(line.to_owned()));
        tokio::join!(write, read);
        lines
    }

    #[tokio::test]
    async fn a_line_is_whole_wherever_its_pieces_were_cut() {
        let cases: [(&[&[u8]], &[&str]); 6] = [
            (&[b"one\ntwo\n"], &["one", "two"]),
            (&[b"on", b"e", b"\nt", b"wo\n"], &["one", "two"]),
            (&[b"crlf\r\n  indented \n"], &["crlf", "  indented"]),
            (&[b"no end"], &["no end"]),
            // A letter of two bytes, cut between them; and bytes that are no text.
            (&[b"gr\xc3", b"\xbcn\n\xff\n"], &["grün", "\u{fffd}"]),
            (&[b"\n\n"], &["", ""]),
        ];
        for (pieces, expected) in cases {
            assert_eq!(lines(pieces).await, expected, "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn a_line_without_an_end_does_not_grow_for_ever() {
        let limit = usize::try_from(LONGEST).unwrap();
        let line = vec![b'x'; limit + 5];
        let lines = lines(&[&line, b"\nnext\n"]).await;
        let lengths: Vec<usize> = lines.iter().map(String::len).collect();
        assert_eq!(lengths, [limit, 5, 4]);
    }
}
