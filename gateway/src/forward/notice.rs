//! What the developer is told about a forwarded call.

use http::Method;

/// What a call is about: `Core.InvokeLLM` for integrations, method and path for everything else.
pub(super) fn feature(method: &Method, path: &str) -> String {
    let mut segments = path
        .split('/')
        .skip_while(|part| *part != "integration-endpoints");
    segments.next();
    match (
        segments.next(),
        segments.next(),
        segments.next(),
        segments.next(),
    ) {
        (Some("Core"), Some(endpoint), None, None) => format!("Core.{endpoint}"),
        (Some("installable"), Some(package), Some("integration-endpoints"), Some(endpoint)) => {
            format!("{package}.{endpoint}")
        }
        _ => format!("{method} {path}"),
    }
}

/// Looks for addresses of files here in what is sent away.
pub(super) struct LocalFiles {
    /// `:4400/media/`
    mark: String,
    feature: String,
    is_told: bool,
}

impl LocalFiles {
    pub(super) fn new(port: u16, feature: String) -> Self {
        Self {
            mark: format!(":{port}/media/"),
            feature,
            is_told: false,
        }
    }

    /// Warns once. An address that is cut in two by the pieces is missed, which costs a warning and nothing else.
    pub(super) fn look(&mut self, piece: &[u8]) {
        if self.is_told || !contains(piece, self.mark.as_bytes()) {
            return;
        }
        self.is_told = true;
        tracing::warn!(
            "{} was sent the address of a local file, which the platform cannot fetch",
            self.feature
        );
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{LocalFiles, feature};

    #[test]
    fn integrations_are_called_by_their_names() {
        let at = "/api/apps/a/integration-endpoints";
        let cases = [
            (format!("{at}/Core/InvokeLLM"), "Core.InvokeLLM"),
            (
                format!("{at}/installable/pkg/integration-endpoints/ep"),
                "pkg.ep",
            ),
            ("/api/apps/a/agents".to_owned(), "POST /api/apps/a/agents"),
        ];
        for (path, expected) in cases {
            assert_eq!(feature(&Method::POST, &path), expected);
        }
    }

    #[test]
    fn an_address_of_a_local_file_is_noticed() {
        let mut files = LocalFiles::new(4400, "Core.X".to_owned());
        files.look(br#"{"a":"http://localhost:4401/media/x"}"#);
        assert!(!files.is_told);
        files.look(br#"{"a":"http://localhost:4400/media/x"}"#);
        assert!(files.is_told);
    }
}
