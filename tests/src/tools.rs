//! Programs of other people that tests drive Backlot with: Node with the official SDK, Deno, buf, Chromium.
//!
//! Where one is missing, a test says so and passes on a developer's machine, and fails in continuous integration.

use std::{
    env,
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::command::{Finished, command, finish};

/// How long npm may take to install the clients, Deno being forty megabytes.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// How long a script may take, a browser's start included.
const SCRIPT_LIMIT: Duration = Duration::from_secs(900);

/// Says that a test cannot run here.
///
/// # Panics
///
/// Under `CI=true`, where everything has to be there.
pub fn skip(reason: &str) {
    assert_ne!(
        env::var("CI").as_deref(),
        Ok("true"),
        "this has to run here: {reason}"
    );
    #[expect(clippy::print_stderr, reason = "a test says why it did nothing")]
    {
        eprintln!("skipped: {reason}");
    }
}

/// The first executable of that name on `PATH`.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Chromium, or what its users call it.
#[must_use]
pub fn chromium() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(on_path);
    if found.is_none() {
        skip("there is no Chromium");
    }
    found
}

/// A folder for what is downloaded once and kept between runs, in cargo's own.
#[must_use]
pub fn kept(name: &str) -> PathBuf {
    let folder = workspace().join("target/tests").join(name);
    fs::create_dir_all(&folder).expect("cargo's folder can be written");
    folder
}

/// The workspace's root.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate is a folder of the workspace")
}

/// Held by one test, of whatever process, at a time.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "closing the file ends the turn")] File);

/// Waits for the turn of that name.
///
/// # Panics
///
/// When the lock's file cannot be made.
pub async fn turn(name: &str) -> Turn {
    let path = kept("locks").join(name);
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock().map(|()| file)
    });
    Turn(
        waiting
            .await
            .expect("waiting does not panic")
            .expect("the lock's file can be made"),
    )
}

/// The clients of `tests/clients`, installed.
#[derive(Clone, Debug)]
pub struct Clients {
    node: PathBuf,
    folder: PathBuf,
}

impl Clients {
    /// Installs them where that is not done yet; nothing where there is no Node or no npm.
    ///
    /// # Panics
    ///
    /// When npm fails.
    pub async fn get() -> Option<Self> {
        let (Some(node), Some(npm)) = (on_path("node"), on_path("npm")) else {
            skip("there is no Node with npm");
            return None;
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let _alone = turn("clients").await;
        if !is_installed(&folder) {
            let mut install = command(npm);
            install
                .args(["install", "--ignore-scripts", "--no-save"])
                .current_dir(&folder);
            let _ = finish(install, INSTALL_LIMIT)
                .await
                .success("npm install in tests/clients");
        }
        Some(Self { node, folder })
    }

    /// Runs one of the scripts; it gets its arguments in variables.
    ///
    /// # Panics
    ///
    /// With what it printed, when it fails.
    pub async fn run(&self, script: &str, variables: &[(&str, &str)]) -> Finished {
        let mut command = command(&self.node);
        command
            .arg(script)
            .current_dir(&self.folder)
            .envs(variables.iter().copied());
        finish(command, SCRIPT_LIMIT).await.success(script)
    }

    /// Compiles a TypeScript project with the packages of these clients; its exit status says whether there were
    /// mistakes, and its standard output which.
    ///
    /// # Panics
    ///
    /// When `node_modules` cannot be linked into `folder`.
    pub async fn compile(&self, folder: &Path) -> Finished {
        let modules = folder.join("node_modules");
        if !modules.exists() {
            symlink(self.folder.join("node_modules"), modules).expect("the folder can be written");
        }
        let mut command = command(&self.node);
        command
            .args(["node_modules/typescript/bin/tsc", "--pretty", "false"])
            .args(["--project", "."])
            .current_dir(folder);
        finish(command, SCRIPT_LIMIT).await
    }

    /// The folder that holds the `deno` executable.
    ///
    /// # Panics
    ///
    /// When npm has none for this platform.
    #[must_use]
    pub fn deno(&self) -> PathBuf {
        let package = self.platform_package("@deno", "deno");
        package
            .expect("npm installs the executable of this platform")
            .parent()
            .expect("a file is in a folder")
            .to_owned()
    }

    /// buf, as a command to add arguments to.
    ///
    /// # Panics
    ///
    /// When npm has none for this platform.
    #[must_use]
    pub fn buf(&self) -> Command {
        let mut command = command(
            self.platform_package("@bufbuild", "bin/buf")
                .expect("npm installs the executable of this platform"),
        );
        // It has a cache of its own, which nobody else needs to share.
        command.env("BUF_CACHE_DIR", kept("buf"));
        command
    }

    /// The first package of a scope that holds that file.
    fn platform_package(&self, scope: &str, file: &str) -> Option<PathBuf> {
        let packages = fs::read_dir(self.folder.join("node_modules").join(scope)).ok()?;
        packages
            .flatten()
            .map(|package| package.path().join(file))
            .find(|path| {
                // The package of the scope's own name holds a script that looks for the others.
                path.is_file()
                    && path
                        .parent()
                        .is_some_and(|folder| !folder.ends_with("buf/bin"))
            })
    }
}

/// The official command line tool, as a script for Node.
#[derive(Clone, Debug)]
pub struct OfficialCli {
    /// The `node` executable.
    pub node: PathBuf,
    /// Its first argument.
    pub script: PathBuf,
}

/// The version of the official tool that Backlot is compared with.
const OFFICIAL_CLI: &str = "base44@0.1.18";

/// Downloads it where that is not done yet; nothing where there is no Node or no npm. What it needs for other things
/// than talking to the platform is not installed.
///
/// # Panics
///
/// When npm or tar fails.
pub async fn official_cli() -> Option<OfficialCli> {
    let (Some(node), Some(npm)) = (on_path("node"), on_path("npm")) else {
        skip("there is no Node with npm");
        return None;
    };
    let folder = kept("official-cli");
    let _alone = turn("official-cli").await;
    let script = folder.join("package/bin/run.js");
    let done = folder.join("done");
    if !done.is_file() {
        let mut pack = command(npm);
        pack.args(["pack", OFFICIAL_CLI]).current_dir(&folder);
        let packed = finish(pack, INSTALL_LIMIT).await.success("npm pack");
        let archive = packed.stdout.lines().last().unwrap_or_default().trim();
        let mut unpack = command("tar");
        unpack.args(["-xzf", archive]).current_dir(&folder);
        let _ = finish(unpack, INSTALL_LIMIT).await.success("tar");
        File::create(done).expect("cargo's folder can be written");
    }
    Some(OfficialCli { node, script })
}

/// npm writes a list of what it installed when it is done; a newer `package.json` means other versions.
fn is_installed(folder: &Path) -> bool {
    let modified = |file: &str| {
        fs::metadata(folder.join(file))
            .and_then(|meta| meta.modified())
            .ok()
    };
    let done = modified("node_modules/.package-lock.json");
    done.is_some() && done >= modified("package.json")
}

/// What a server's environment needs so that npm and Deno, run by it, keep their downloads between runs.
#[must_use]
pub fn caches() -> Vec<(&'static str, PathBuf)> {
    let mut caches = vec![
        ("DENO_DIR", kept("deno")),
        ("NPM_CONFIG_CACHE", kept("npm")),
    ];
    // The registry to use is the developer's choice.
    if let Some(home) = env::home_dir() {
        caches.push(("NPM_CONFIG_USERCONFIG", home.join(".npmrc")));
    }
    caches
}
