//! Opens a page in the user's browser, where there is one.

use std::{env, os::unix::process::CommandExt as _, path::PathBuf, process::Stdio};

use crate::deno;

/// Opens `page`; false where there is no browser to be expected: in continuous integration, over a bare connection, or
/// where nothing knows how to open one. What the browser does then is its own business.
pub(crate) fn open(page: &str) -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    // Only a page, never a program or an option, whatever the server says.
    let is_page = page.starts_with("https://") || page.starts_with("http://");
    if is_set("CI") || !is_page || !has_display(is_set) {
        return false;
    }
    let Some(opener) = opener() else { return false };
    #[expect(
        clippy::disallowed_methods,
        reason = "the browser is the user's and outlives this command: it is in nobody's group to be ended"
    )]
    let mut command = std::process::Command::new(opener);
    command
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C here is not meant for the browser.
        .process_group(0);
    command.spawn().is_ok()
}

fn has_display(is_set: impl Fn(&'static str) -> bool) -> bool {
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

fn opener() -> Option<PathBuf> {
    let name = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    deno::on_path(name, env::var_os("PATH").as_deref())
}
