//! The arguments of `backlot exec`.

use std::path::PathBuf;

use clap::Args;

/// What `backlot exec` takes.
#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// The script, in TypeScript or JavaScript; read from standard input where none is given
    pub(crate) file: Option<PathBuf>,

    /// Against the dev server that runs for this project, instead of the deployed app
    #[arg(long, conflicts_with = "app_id")]
    pub(crate) local: bool,

    /// The deployed app [default: BASE44_APP_ID, or the one that this project is linked to]
    #[arg(long, value_name = "ID")]
    pub(crate) app_id: Option<String>,

    /// As this user, instead of the one who is signed in on the command line
    #[arg(long = "as", value_name = "EMAIL", requires = "local")]
    pub(crate) user: Option<String>,

    /// Past all rules; the platform lets only the app's owners and editors do that
    #[arg(long)]
    pub(crate) privileged: bool,

    /// The dev server on this port, whichever project it serves
    #[arg(short, long, value_name = "N", requires = "local", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Which data of the deployed app to use
    #[arg(long, value_name = "ENV", conflicts_with = "local")]
    pub(crate) data_env: Option<String>,

    /// A folder of the project; FILE is looked for in the current folder all the same
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document when the script cannot be started; what it prints itself stays as it is
    #[arg(long)]
    pub(crate) json: bool,

    /// The Deno executable that runs the script
    #[arg(long, value_name = "PATH", env = "BACKLOT_DENO")]
    pub(crate) deno: Option<PathBuf>,

    /// Arguments of the script, in `Deno.args`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,
}
