//! Which services are started and which are only attached, and with what arguments.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr};

use super::service::Component;
use crate::{
    settings::{PortChoice, Settings},
    ui::Problem,
};

/// Services that somebody else started: name and gRPC address of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attachments(BTreeMap<Component, SocketAddr>);

impl Attachments {
    /// Reads `NAME=ADDR` pairs.
    pub(crate) fn parse(pairs: &[String]) -> Result<Self, Problem> {
        let mut attached = BTreeMap::new();
        for pair in pairs {
            let (component, address) = attachment(pair).ok_or_else(|| {
                Problem::usage(format!("`--attach {pair}` is not NAME=ADDR"))
                    .with_hint("NAME is store, runner or gateway, ADDR where it serves gRPC: `--attach store=127.0.0.1:7401`")
            })?;
            if attached.insert(component, address).is_some() {
                return Err(Problem::usage(format!(
                    "`--attach {component}=…` is given twice"
                )));
            }
        }
        Ok(Self(attached))
    }

    /// Where that service listens, when it is not ours to start.
    pub(crate) fn get(&self, component: Component) -> Option<SocketAddr> {
        self.0.get(&component).copied()
    }
}

fn attachment(pair: &str) -> Option<(Component, SocketAddr)> {
    let (name, address) = pair.split_once('=')?;
    let component = Component::ALL
        .into_iter()
        .find(|component| component.name() == name)?;
    Some((component, address.parse().ok()?))
}

/// The arguments of a service at its first start.
pub(crate) fn arguments(component: Component, settings: &Settings) -> Vec<OsString> {
    match component {
        Component::Store | Component::Runner => Vec::new(),
        Component::Gateway => {
            let (port, fallback) = match settings.port {
                PortChoice::Exactly(port) => (port, false),
                PortChoice::From(port) => (port, true),
            };
            gateway(settings, port, fallback)
        }
    }
}

/// The arguments of a gateway that must come back where clients know it.
pub(crate) fn gateway_again(settings: &Settings, port: u16) -> Vec<OsString> {
    gateway(settings, port, false)
}

fn gateway(settings: &Settings, port: u16, fallback: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--http-port".into(), port.to_string().into()];
    if fallback {
        arguments.push("--http-port-fallback".into());
    }
    if let Some(host) = settings.host {
        arguments.extend(["--http-host".into(), host.to_string().into()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::{Attachments, Component};

    #[test]
    fn attachments_name_a_service_and_an_address() {
        let attached = Attachments::parse(&["store=127.0.0.1:7401".to_owned()]).unwrap();
        assert_eq!(
            attached.get(Component::Store),
            Some("127.0.0.1:7401".parse().unwrap())
        );
        assert_eq!(attached.get(Component::Runner), None);
        for wrong in ["store", "shop=127.0.0.1:1", "store=localhost", "store="] {
            assert_eq!(
                Attachments::parse(&[wrong.to_owned()]).unwrap_err().exit,
                2,
                "{wrong}"
            );
        }
        let twice = [
            "store=127.0.0.1:1".to_owned(),
            "store=127.0.0.1:2".to_owned(),
        ];
        assert!(Attachments::parse(&twice).is_err());
    }
}
