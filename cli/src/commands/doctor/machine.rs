//! What `backlot doctor` says about this machine: programs, the port, the login, and the limits of the system.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::resource::{Resource, getrlimit};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::{Check, project::Known};
use crate::{
    commands::running::Running,
    deno,
    login::Developer,
    places::Places,
    platform::Environment,
    port_owner,
    settings::DEFAULT_PORT,
    supervisor::child::{Child, Output, Start},
};

/// How long a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Open files that are enough for a thousand sockets and what serves them.
const OPEN_FILES: u64 = 2048;

/// Where Linux says how many folders one user may watch.
const MAX_WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";

/// Deno, Node and npm.
pub(super) async fn programs(places: &Places, known: &Known) -> Vec<Check> {
    let path = std::env::var_os("PATH");
    let [node, npm] = ["node", "npm"].map(|name| deno::on_path(name, path.as_deref()));
    let asked = std::env::var_os("BACKLOT_DENO").map(PathBuf::from);
    let deno = asked.or_else(|| deno::find(places, path.as_deref()));
    vec![
        deno_check(deno, npm.is_some(), known).await,
        node_check("Node", node, known).await,
        node_check("npm", npm, known).await,
    ]
}

async fn deno_check(deno: Option<PathBuf>, has_npm: bool, known: &Known) -> Check {
    const NAME: &str = "Deno";
    match deno {
        Some(path) => match version(&path).await {
            Some(version) => Check::ok(NAME, format!("{version}, {}", path.display())),
            None => Check::broken(
                NAME,
                format!("{} does not run", path.display()),
                deno::HOW_TO,
            ),
        },
        None if has_npm => Check::note(
            NAME,
            "none",
            format!("{} is installed when it is first needed", deno::VERSION),
        ),
        None if known.functions == 0 => Check::note(NAME, "none", "only functions need it"),
        None => Check::broken(NAME, "none, and no npm", deno::HOW_TO),
    }
}

async fn node_check(name: &'static str, program: Option<PathBuf>, known: &Known) -> Check {
    const HINT: &str = "install Node (https://nodejs.org)";
    let Some(path) = program else {
        return if known.has_frontend {
            Check::broken(name, "none, and the project has a frontend", HINT)
        } else {
            Check::note(name, "none", "only frontends and npm packages need it")
        };
    };
    match version(&path).await {
        Some(version) => Check::ok(name, format!("{version}, {}", path.display())),
        None => Check::broken(name, format!("{} does not run", path.display()), HINT),
    }
}

/// The number in the first line of `PROGRAM --version`.
async fn version(program: &Path) -> Option<String> {
    let start = Start {
        program: program.to_owned(),
        arguments: vec!["--version".into()],
        ..Start::default()
    };
    let (child, Output { mut stdout, .. }) = Child::start(&start).ok()?;
    let mut said = Vec::new();
    let status = timeout(VERSION_LIMIT, async {
        let _ = stdout.read_to_end(&mut said).await;
        child.ended().await
    });
    status.await.ok().filter(|status| status.success())?;
    let said = String::from_utf8_lossy(&said);
    let is_number = |word: &&str| {
        word.trim_start_matches('v')
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let number = said.split_whitespace().find(is_number)?;
    Some(number.trim_start_matches('v').to_owned())
}

/// The usual port. Who serves this very project there is meant to.
pub(super) fn port(root: Option<&Path>) -> Check {
    const NAME: &str = "Port";
    let server = root.and_then(|root| Running::find(root).ok().flatten());
    if let Some(server) = server {
        let url = &server.descriptor.url;
        return Check::ok(NAME, format!("this project is being served at {url}"));
    }
    if TcpListener::bind((Ipv4Addr::LOCALHOST, DEFAULT_PORT)).is_ok() {
        return Check::ok(NAME, format!("{DEFAULT_PORT} is free"));
    }
    let owner =
        port_owner::of(DEFAULT_PORT).map_or_else(String::new, |owner| format!(" by {owner}"));
    Check::note(
        NAME,
        format!("{DEFAULT_PORT} is in use{owner}"),
        "`backlot dev` takes the next that is free, or the one given with `--port N`",
    )
}

/// The developer's login.
pub(super) fn login(environment: &Environment, places: &Places) -> Check {
    const NAME: &str = "Login";
    match Developer::find(environment, &places.login_file()) {
        (_, Some(complaint)) => Check::broken(NAME, complaint, "log in again, or delete the file"),
        (developer, None) if developer.logged_in => Check::ok(NAME, developer.email),
        (developer, None) => Check::note(
            NAME,
            "nobody",
            format!("{} stands in, which is enough here", developer.email),
        ),
    }
}

/// What the system allows, against what the project needs.
pub(super) fn limits(known: &Known) -> Vec<Check> {
    let watches = fs::read_to_string(MAX_WATCHES).ok();
    let watches = watches.and_then(|text| text.trim().parse().ok());
    let files = getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _hard)| soft);
    [
        watches.map(|most| watching(most, known.folders)),
        files.ok().map(open_files),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Other programs, editors above all, watch as well; so half of what is allowed counts as enough.
fn watching(most: usize, folders: usize) -> Check {
    let found = format!("{folders} folders to watch, {most} allowed");
    if folders <= most / 2 {
        return Check::ok("Watching", found);
    }
    Check::note(
        "Watching",
        found,
        "files are looked at twice a second instead; `sudo sysctl fs.inotify.max_user_watches=524288` allows more",
    )
}

fn open_files(most: u64) -> Check {
    const NAME: &str = "Open files";
    let found = format!("{most} at a time");
    if most >= OPEN_FILES {
        return Check::ok(NAME, found);
    }
    let hint = format!("`ulimit -n {OPEN_FILES}` before the start allows more sockets");
    Check::note(NAME, found, hint)
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, open_files, watching};

    #[test]
    fn limits_are_told_against_what_is_needed() {
        assert_eq!(watching(100, 50).verdict, Verdict::Ok);
        assert_eq!(watching(100, 51).verdict, Verdict::Note);
        assert_eq!(open_files(2048).verdict, Verdict::Ok);
        assert_eq!(open_files(256).verdict, Verdict::Note);
    }
}
