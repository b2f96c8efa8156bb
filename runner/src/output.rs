//! Cuts a process' output into lines. A line is never split and never grows beyond a bound; what is over is counted and
//! left out, and reading goes on, so that no process ever waits for us.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes of a line that are kept.
pub(crate) const LINE_LIMIT: usize = 16 * 1024;

/// Lines that an error message repeats.
const TAIL: usize = 20;

/// Collects bytes until a line is whole.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    line: Vec<u8>,
    over: usize,
}

impl Splitter {
    /// Takes what was read; `emit` gets every line that it completes, without its end.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut emit: impl FnMut(String)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.add(&bytes[..end]);
            emit(self.take());
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    /// The last line, when it had no end.
    pub(crate) fn finish(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.take())
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = LINE_LIMIT.saturating_sub(self.line.len()).min(bytes.len());
        self.line.extend_from_slice(&bytes[..room]);
        self.over += bytes.len() - room;
    }

    fn take(&mut self) -> String {
        if self.over == 0 && self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let mut text = String::from_utf8_lossy(&self.line).into_owned();
        if self.over > 0 {
            text.push_str(&format!("… ({} more bytes)", self.over));
        }
        self.line.clear();
        self.over = 0;
        text
    }
}

/// Reads to the end, line by line.
pub(crate) async fn read_lines(mut from: impl AsyncRead + Unpin, mut emit: impl FnMut(String)) {
    let mut buffer = vec![0_u8; 32 * 1024];
    let mut splitter = Splitter::default();
    // A broken pipe is an end like any other.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        splitter.feed(&buffer[..count], &mut emit);
    }
    if let Some(line) = splitter.finish() {
        emit(line);
    }
}

/// The last few lines, for the message about a process that did not come up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// Adds a line.
    pub(crate) fn push(&self, line: &str) {
        let mut lines = self.0.lock();
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// All of them, oldest first.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock();
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LINE_LIMIT, Splitter, Tail};

    proptest! {
        #[test]
        fn prop_lines_do_not_depend_on_how_the_bytes_arrive(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..80),
            size in 1_usize..20,
        ) {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            prop_assert_eq!(lines(&pieces), lines(&[&bytes]));
        }
    }

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |line| lines.push(line));
        }
        lines.extend(splitter.finish());
        lines
    }

    #[test]
    fn lines_are_whole_however_they_arrive() {
        for (chunks, expected) in [
            (vec![&b"a\nb\n"[..]], vec!["a", "b"]),
            (vec![b"a", b"b\nc", b"\n"], vec!["ab", "c"]),
            (vec![b"a\r\n\r\n"], vec!["a", ""]),
            (vec![b"no end"], vec!["no end"]),
            (vec![b"\xc3", b"\xa4\n"], vec!["ä"]),
            (vec![b"\xff\n"], vec!["\u{fffd}"]),
            (vec![b""], vec![]),
        ] {
            assert_eq!(lines(&chunks), expected, "{chunks:?}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_is_whole() {
        let flood = vec![b'x'; LINE_LIMIT];
        let got = lines(&[&flood, b"12345", b"67\nnext\n"]);
        assert_eq!(got.len(), 2);
        assert!(
            got[0].ends_with("x… (7 more bytes)"),
            "{}",
            &got[0][LINE_LIMIT..]
        );
        assert_eq!(got[1], "next");
    }

    #[test]
    fn the_tail_forgets_the_oldest() {
        let tail = Tail::default();
        for number in 0..25 {
            tail.push(&number.to_string());
        }
        assert!(tail.text().starts_with("5\n6\n"));
        assert!(tail.text().ends_with("\n24"));
    }
}
