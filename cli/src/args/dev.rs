//! The arguments of `backlot dev`.

use std::{net::IpAddr, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum};
use proto::telemetry::LogFormat;

/// What `backlot dev` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevArgs {
    /// A folder of the project; its root is found upwards from here
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Port to serve on [default: 4400, or the next free one]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Listen on this address instead of loopback only
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) host: Option<IpAddr>,

    /// Accept this Host header besides loopback names; repeatable
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allow_hosts: Vec<String>,

    /// Where calls go that cannot be served here
    #[arg(
        long,
        value_name = "URL",
        env = "BASE44_UPSTREAM_URL",
        default_value = "https://base44.app"
    )]
    pub(crate) upstream: String,

    /// Never contact the upstream
    #[arg(long)]
    pub(crate) offline: bool,

    /// Refuse values that break enum, format, pattern, length or range, instead of warning
    #[arg(long)]
    pub(crate) strict: bool,

    /// The Deno executable that runs functions
    #[arg(long, value_name = "PATH", env = "BACKLOT_DENO")]
    pub(crate) deno: Option<PathBuf>,

    /// What functions may do
    #[arg(long, value_name = "SET", default_value = "project")]
    pub(crate) function_permissions: FunctionPermissions,

    /// Do not run the project's own frontend (`site.serveCommand`)
    #[arg(long)]
    pub(crate) no_frontend: bool,

    /// Do not keep `base44/.types/types.d.ts` up to date
    #[arg(long)]
    pub(crate) no_types: bool,

    /// How output looks: text for a person, json for a program (one object a line, repetitions included)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Use a service that already runs (store, runner or gateway) instead of starting it; repeatable
    #[arg(long, value_name = "NAME=ADDR")]
    pub(crate) attach: Vec<String>,

    /// Say less: errors and warnings only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show requests, starts of functions and what services note as well
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// How far functions may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FunctionPermissions {
    /// Network, environment, reading the project, writing a temporary folder
    Project,
    /// Everything the user may do
    All,
}

/// An address of this machine. Names may stand for several.
fn address(text: &str) -> Result<IpAddr, &'static str> {
    text.parse().map_err(|_| match text {
        "localhost" => "that is where it listens by itself: leave out --host",
        _ => "expected an IP address, such as 0.0.0.0 for all of this machine's",
    })
}
