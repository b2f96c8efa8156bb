//! Lines that say the same again within a second are counted instead of shown. The first is never held back, and no count
//! is lost.
//!
//! Our own lines count wherever they stand. What functions and frontends print is somebody else's layout: there only a
//! direct repetition of a line counts, and never one that is drawn of punctuation.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::Entry;

/// How long a line is known after it was shown.
const WINDOW: Duration = Duration::from_secs(1);

/// Lines that are known at a time; more of them are shown without being counted.
const MOST: usize = 1000;

/// Counts entries; what time it is comes from outside.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: HashMap<Key, Known>,
    /// The last line of each function and of the frontend.
    latest: HashMap<String, Key>,
}

/// An entry to show, for this many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) entry: Entry,
    pub(super) count: u32,
}

/// What makes two entries the same: label, level and text.
type Key = (String, u8, String);

#[derive(Debug)]
struct Known {
    shown: Instant,
    entry: Entry,
    again: u32,
}

impl Repeats {
    /// Takes an entry; answers what to show now, oldest first.
    pub(super) fn offer(&mut self, entry: &Entry, now: Instant) -> Vec<Counted> {
        let mut out = self.due(now);
        let key = key(entry);
        if entry.is_of_others() {
            out.extend(self.end_of_repetition(&key));
        }
        if let Some(known) = self.known.get_mut(&key) {
            known.again += 1;
            known.entry.time.clone_from(&entry.time);
            return out;
        }
        let has_words = entry.message.chars().any(char::is_alphanumeric);
        if (has_words || !entry.is_of_others()) && self.known.len() < MOST {
            let known = Known {
                shown: now,
                entry: entry.clone(),
                again: 0,
            };
            self.known.insert(key, known);
        }
        out.push(Counted {
            entry: entry.clone(),
            count: 1,
        });
        out
    }

    /// What has been held back for long enough.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Counted> {
        let mut out: Vec<(Instant, Counted)> = Vec::new();
        self.known.retain(|_, known| {
            if known.shown + WINDOW > now {
                return true;
            }
            let Some(counted) = known.take() else {
                return false;
            };
            out.push((known.shown, counted));
            known.shown = now;
            true
        });
        out.sort_by_key(|(shown, _)| *shown);
        out.into_iter().map(|(_, counted)| counted).collect()
    }

    /// When something that was held back is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let held = self.known.values().filter(|known| known.again > 0);
        held.map(|known| known.shown + WINDOW).min()
    }

    /// Everything that was held back.
    pub(super) fn flush(&mut self) -> Vec<Counted> {
        let mut held: Vec<Known> = self.known.drain().map(|(_, known)| known).collect();
        held.sort_by_key(|known| known.shown);
        held.iter_mut().filter_map(Known::take).collect()
    }

    /// Another line of the same label ends the repetition of the one before.
    fn end_of_repetition(&mut self, key: &Key) -> Option<Counted> {
        let before = self.latest.insert(key.0.clone(), key.clone())?;
        if before == *key {
            return None;
        }
        self.known.remove(&before)?.take()
    }
}

impl Known {
    fn take(&mut self) -> Option<Counted> {
        let count = std::mem::take(&mut self.again);
        (count > 0).then(|| Counted {
            entry: self.entry.clone(),
            count,
        })
    }
}

fn key(entry: &Entry) -> Key {
    // No function has a component's name with a space in front.
    let label = entry
        .function
        .clone()
        .unwrap_or_else(|| format!(" {}", entry.component));
    (label, entry.level.rank(), entry.message.clone())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Counted, MOST, Repeats};
    use crate::ui::{Entry, Level};

    const MOMENT: Duration = Duration::from_millis(10);
    const SECOND: Duration = Duration::from_secs(1);

    fn ours(text: &str) -> Entry {
        Entry::new("gateway", Level::Warn, text)
    }

    fn printed(text: &str) -> Entry {
        Entry {
            function: Some("hello".to_owned()),
            ..Entry::new("function", Level::Info, text)
        }
    }

    fn shown(counted: Vec<Counted>) -> Vec<String> {
        let line = |counted: Counted| match counted.count {
            1 => counted.entry.message,
            count => format!("{} ×{count}", counted.entry.message),
        };
        counted.into_iter().map(line).collect()
    }

    /// Offers the entries a moment apart, and flushes.
    fn all(entries: &[Entry]) -> Vec<String> {
        let mut repeats = Repeats::default();
        let mut now = Instant::now();
        let mut out = Vec::new();
        for entry in entries {
            out.extend(repeats.offer(entry, now));
            now += MOMENT;
        }
        out.extend(repeats.flush());
        shown(out)
    }

    #[test]
    fn our_own_lines_are_counted_wherever_they_stand() {
        let lines = ["a", "b", "a", "b", "a", "c"].map(ours);
        assert_eq!(all(&lines), ["a", "b", "c", "a ×2", "b"]);
    }

    #[test]
    fn of_what_others_print_only_direct_repetitions_are_counted_and_keep_their_place() {
        let lines = ["tick", "tick", "tick", "{", "}", "{", "}", "}", "tick"].map(printed);
        assert_eq!(
            all(&lines),
            ["tick", "tick ×2", "{", "}", "{", "}", "}", "tick"]
        );
    }

    #[test]
    fn counts_are_due_a_second_after_the_line_and_every_second_while_it_goes_on() {
        let mut repeats = Repeats::default();
        let begin = Instant::now();
        assert_eq!(shown(repeats.offer(&ours("a"), begin)), ["a"]);
        assert_eq!(repeats.next_due(), None);
        for _ in 0..12 {
            assert!(repeats.offer(&ours("a"), begin + MOMENT).is_empty());
        }
        assert_eq!(repeats.next_due(), Some(begin + SECOND));
        assert!(repeats.due(begin + SECOND - MOMENT).is_empty());
        assert_eq!(shown(repeats.due(begin + SECOND)), ["a ×12"]);
        assert!(
            repeats
                .offer(&ours("a"), begin + SECOND + MOMENT)
                .is_empty()
        );
        assert_eq!(shown(repeats.due(begin + SECOND * 2)), ["a"]);
        assert!(repeats.due(begin + SECOND * 3).is_empty());
        let later = repeats.offer(&ours("a"), begin + SECOND * 3);
        assert_eq!(shown(later), ["a"], "forgotten by then, so shown at once");
    }

    #[test]
    fn levels_and_labels_are_told_apart() {
        let mut error = ours("a");
        error.level = Level::Error;
        let other = Entry::new("store", Level::Warn, "a");
        assert_eq!(all(&[ours("a"), error, other, printed("a")]).len(), 4);
    }

    #[test]
    fn a_flood_of_different_lines_is_shown_and_takes_bounded_memory() {
        let mut repeats = Repeats::default();
        let now = Instant::now();
        for index in 0..MOST * 2 {
            assert_eq!(repeats.offer(&ours(&index.to_string()), now).len(), 1);
        }
        assert_eq!(repeats.known.len(), MOST);
    }
}
