//! What `backlot dev` was asked to do, checked: from here on nothing can be wrong with it.

use std::{
    net::{IpAddr, Ipv6Addr},
    path::{Path, PathBuf},
};

use proto::telemetry::LogFormat;

use crate::{
    args::{DevArgs, FunctionPermissions},
    deno,
    supervisor::plan::Attachments,
    ui::{Level, Problem},
};

/// The port where none was asked for.
pub(crate) const DEFAULT_PORT: u16 = 4400;

/// Checked options of `backlot dev`.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    pub(crate) port: PortChoice,
    /// Absent means both loopback addresses.
    pub(crate) host: Option<IpAddr>,
    pub(crate) allowed_hosts: Vec<String>,
    /// Absent under `--offline`.
    pub(crate) upstream: Option<String>,
    pub(crate) strict: bool,
    pub(crate) deno: Option<PathBuf>,
    pub(crate) all_permissions: bool,
    pub(crate) frontend: bool,
    /// Keeps `base44/.types/types.d.ts` up to date.
    pub(crate) types: bool,
    pub(crate) attachments: Attachments,
    /// Shows requests and cold starts as well.
    pub(crate) verbose: bool,
}

/// Which port to serve on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortChoice {
    /// This one and no other.
    Exactly(u16),
    /// This one, or the next that is free.
    From(u16),
}

impl PortChoice {
    /// The one that is tried first.
    pub(crate) const fn first(self) -> u16 {
        match self {
            Self::Exactly(port) | Self::From(port) => port,
        }
    }
}

impl Settings {
    /// Checks the arguments.
    pub(crate) fn check(args: DevArgs) -> Result<Self, Problem> {
        let port = args
            .port
            .map_or(PortChoice::From(DEFAULT_PORT), PortChoice::Exactly);
        Ok(Self {
            folder: args.dir,
            port,
            host: args.host,
            allowed_hosts: host_names(args.allow_hosts)?,
            upstream: if args.offline {
                None
            } else {
                Some(upstream(&args.upstream)?)
            },
            strict: args.strict,
            deno: args.deno.as_deref().map(executable).transpose()?,
            all_permissions: args.function_permissions == FunctionPermissions::All,
            frontend: !args.no_frontend,
            types: !args.no_types,
            attachments: Attachments::parse(&args.attach)?,
            verbose: args.verbose > 0,
        })
    }
}

/// How much is shown.
pub(crate) const fn least_level(args: &DevArgs) -> Level {
    match (args.quiet, args.verbose) {
        (true, _) => Level::Warn,
        (false, 0) => Level::Info,
        (false, _) => Level::Debug,
    }
}

/// How it is shown.
pub(crate) const fn format(args: &DevArgs) -> LogFormat {
    args.log_format
}

fn upstream(url: &str) -> Result<String, Problem> {
    let url = url.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(url.to_owned()),
        _ => Err(
            Problem::usage(format!("`{url}` is not an upstream URL")).with_hint(
                "give one like `--upstream https://base44.app`, or work without with `--offline`",
            ),
        ),
    }
}

/// Names as they stand in a Host header, without scheme, port or path: another would never match.
fn host_names(names: Vec<String>) -> Result<Vec<String>, Problem> {
    let is_name = |name: &str| {
        let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_ipv6 = || {
            let inner = name
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
        };
        !name.is_empty() && (name.bytes().all(clean) || is_ipv6())
    };
    match names.iter().find(|name| !is_name(name)) {
        None => Ok(names),
        Some(name) => Err(Problem::usage(format!("`{name}` is not a host name")).with_hint(
            "give the name alone, without scheme, port or path: `--allow-host my-tunnel.example.com`",
        )),
    }
}

pub(crate) fn executable(path: &Path) -> Result<PathBuf, Problem> {
    if deno::is_executable(path) {
        return std::path::absolute(path).map_err(|error| Problem::usage(error.to_string()));
    }
    Err(
        Problem::usage(format!("`{}` is not an executable file", path.display()))
            .with_hint("`--deno` and BACKLOT_DENO take the path of the `deno` executable itself"),
    )
}

#[cfg(test)]
mod tests {
    use super::{host_names, upstream};

    #[test]
    fn hosts_are_allowed_by_their_bare_names() {
        let names = ["a.example.com", "192.0.2.7", "[2001:db8::1]", "my_host"].map(String::from);
        assert_eq!(host_names(names.to_vec()).unwrap(), names);
        for wrong in [
            "https://a.example.com",
            "a.example.com:8080",
            "a/b",
            "2001:db8::1",
            "*.a",
            "",
        ] {
            assert_eq!(
                host_names(vec![wrong.to_owned()]).unwrap_err().exit,
                2,
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_http_urls_are_upstreams() {
        assert_eq!(
            upstream("https://base44.app/").unwrap(),
            "https://base44.app"
        );
        for wrong in ["base44.app", "https://", "ftp://x", "http://a b"] {
            assert_eq!(upstream(wrong).unwrap_err().exit, 2, "{wrong}");
        }
    }
}
