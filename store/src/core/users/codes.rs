//! Comparing secrets in a time that does not tell how much of a guess was right.

/// Whether two texts are the same, in a time that depends on their lengths only.
#[must_use]
pub(super) fn same(left: &str, right: &str) -> bool {
    let pairs = left.bytes().zip(right.bytes());
    let differing = pairs.fold(0, |found, (left, right)| found | (left ^ right));
    left.len() == right.len() && differing == 0
}
