//! Tells a file that was written or replaced from one that was not.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

/// Inode, length, and the times of the last change of content and of anything, in seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64, u64, (i64, i64), (i64, i64));

impl Stamp {
    /// The stamp of a file as it is now.
    pub(super) fn of(meta: &Metadata) -> Self {
        Self(
            meta.ino(),
            meta.len(),
            (meta.mtime(), meta.mtime_nsec()),
            (meta.ctime(), meta.ctime_nsec()),
        )
    }
}
