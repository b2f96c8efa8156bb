//! Names and paths as they stand in a URL.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// With everything escaped that has a meaning in a URL.
pub(crate) fn path(bytes: &[u8]) -> PercentEncode<'_> {
    percent_encode(bytes, PATH)
}

/// A file's absolute path as a URL.
pub(crate) fn file_url(file: &Path) -> String {
    format!("file://{}", path(file.as_os_str().as_encoded_bytes()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::file_url;

    #[test]
    fn a_path_with_any_character_becomes_a_url() {
        assert_eq!(
            file_url(Path::new("/a b/ü#?.ts")),
            "file:///a%20b/%C3%BC%23%3F.ts"
        );
    }
}
