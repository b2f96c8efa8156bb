//! How Deno is called: what it may do, and what it finds in its environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use proto::token::LaunchToken;
use tokio::process::Command;

use super::files::Files;
use crate::pool::Settings;

/// Nothing of the project or of the user's Deno settings applies: deployed functions do not have them either.
const ISOLATION: [&str; 5] = [
    "run",
    "--no-config",
    "--node-modules-dir=none",
    "--no-lock",
    "--no-prompt",
];

/// The command for one process, which will connect to `control` and show `token`.
pub(super) fn command(
    deno: &Path,
    settings: &Settings,
    files: &Files,
    (control, token): (SocketAddr, &LaunchToken),
) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where function processes are started; the worker puts them into groups"
    )]
    let mut command = Command::new(deno);
    command
        .args(ISOLATION)
        .arg("--import-map")
        .arg(files.import_map())
        .args(permissions(settings, files))
        .arg(files.bootstrap())
        .current_dir(&settings.root)
        .env_clear()
        .envs(&settings.environment)
        .envs([
            ("NO_COLOR", "1"),
            ("DENO_NO_PACKAGE_JSON", "1"),
            ("DENO_NO_PROMPT", "1"),
            ("DENO_NO_UPDATE_CHECK", "1"),
        ])
        .env("TMPDIR", files.scratch())
        .env("BACKLOT_CONTROL", control.to_string())
        .env("BACKLOT_CONTROL_TOKEN", token.expose());
    command
}

/// Network, environment, and reading the project; no other programs and no native libraries.
fn permissions(settings: &Settings, files: &Files) -> Vec<OsString> {
    if settings.all_permissions {
        return vec!["--allow-all".into()];
    }
    let roots = settings.roots();
    // Code may ask by either name.
    let real = roots.iter().filter_map(|root| root.canonicalize().ok());
    let readable: BTreeSet<PathBuf> = real
        .chain(roots.clone())
        .chain([files.code(), files.scratch()])
        .chain(cache(&settings.environment))
        .collect();
    let mut flags: Vec<OsString> = ["net", "env", "sys", "import"]
        .iter()
        .map(|kind| format!("--allow-{kind}").into())
        .collect();
    // One flag a path: a comma is a separator within a flag.
    flags.extend(readable.iter().map(|path| flag("--allow-read=", path)));
    flags.push(flag("--allow-write=", &files.scratch()));
    flags
}

/// A comma in a path is doubled, as Deno's manual has it.
fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    match path.to_str() {
        Some(text) => flag.push(text.replace(',', ",,")),
        None => flag.push(path),
    }
    flag
}

/// Where Deno keeps modules and packages, by the rules of its manual.
fn cache(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let folder = |key: &str| environment.get(key).map(PathBuf::from);
    folder("DENO_DIR").or_else(|| {
        if cfg!(target_os = "macos") {
            Some(folder("HOME")?.join("Library/Caches/deno"))
        } else {
            let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
            Some(cache?.join("deno"))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::{cache, flag};

    #[test]
    fn the_cache_is_where_deno_looks_for_it() {
        for (pairs, expected) in [
            (vec![("DENO_DIR", "/d"), ("HOME", "/h")], Some("/d")),
            (vec![], None),
        ] {
            let environment: BTreeMap<_, _> = pairs
                .into_iter()
                .map(|(key, value): (&str, &str)| (key.to_owned(), value.to_owned()))
                .collect();
            assert_eq!(cache(&environment).as_deref(), expected.map(Path::new));
        }
    }

    #[test]
    fn a_comma_in_a_path_is_no_separator() {
        assert_eq!(
            flag("--allow-read=", Path::new("/a,b")),
            "--allow-read=/a,,b"
        );
    }
}
