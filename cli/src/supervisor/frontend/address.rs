//! Where the frontend listens: it knows best, and says so in its output, in words that differ from tool to tool.

use std::time::Duration;

use anstream::adapter::strip_str;
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::timeout,
};

/// How long the address in use may take to accept a connection before another one takes its place.
const ALIVE: Duration = Duration::from_secs(1);

/// Addresses that may wait to be looked at.
const WAITING: usize = 16;

/// Takes addresses as they are seen in the output.
pub(super) type Sightings = mpsc::Sender<String>;

/// The address in use, once there is one.
pub(crate) type Address = watch::Receiver<Option<String>>;

/// Follows what is sighted until nobody can see anything any more.
pub(super) fn follow() -> (Sightings, Address) {
    let (sightings, mut seen) = mpsc::channel::<String>(WAITING);
    let (found, address) = watch::channel(None);
    tokio::spawn(async move {
        while let Some(url) = seen.recv().await {
            let known = found.borrow().clone();
            if known.as_ref() != Some(&url) && !is_alive(known.as_deref()).await {
                found.send_replace(Some(url));
            }
        }
    });
    (sightings, address)
}

/// The first address stays as long as somebody listens there: a frontend's output names others too, of databases and of
/// errors. One that was started again elsewhere has left its old address.
async fn is_alive(url: Option<&str>) -> bool {
    let Some((_scheme, authority)) = url.and_then(|url| url.split_once("://")) else {
        return false;
    };
    let connected = timeout(ALIVE, TcpStream::connect(authority)).await;
    connected.is_ok_and(|connected| connected.is_ok())
}

/// The first address on this machine in a line, `http://localhost:5173`, whatever its colours; `own` is the port of this
/// server, which is never meant.
pub(super) fn find(line: &str, own: u16) -> Option<String> {
    if !line.contains("http") {
        return None;
    }
    let line = strip_str(line).to_string();
    let mut starts = line.match_indices("http").map(|(at, _)| &line[at..]);
    starts.find_map(|text| at_start(text, own))
}

fn at_start(text: &str, own: u16) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let hosts = ["localhost:", "127.0.0.1:", "[::1]:"];
    let host = hosts.into_iter().find(|host| rest.starts_with(host))?;
    let rest = &rest[host.len()..];
    let end = rest.find(|character: char| !character.is_ascii_digit());
    let port: u16 = rest[..end.unwrap_or(rest.len())].parse().ok()?;
    let is_meant = matches!(scheme, "http" | "https") && port != 0 && port != own;
    is_meant.then(|| format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::{net::TcpListener, time::timeout};

    use super::{find, follow};

    proptest! {
        #[test]
        fn prop_any_line_names_an_address_of_this_machine_or_none(
            line in prop_oneof!["(http|https|://|localhost:|127\\.0\\.0\\.1:|\\[::1\\]:|[0-9]{1,6}|/|\u{1b}\\[1m|\u{1b}|é| ){0,12}", ".{0,40}"],
        ) {
            if let Some(url) = find(&line, 4400) {
                let (scheme, rest) = url.split_once("://").unwrap();
                let (host, port) = rest.rsplit_once(':').unwrap();
                prop_assert!(["http", "https"].contains(&scheme) && ["localhost", "127.0.0.1", "[::1]"].contains(&host), "{url}");
                prop_assert!(port.parse::<u16>().is_ok_and(|port| port != 0 && port != 4400), "{url}");
            }
        }
    }

    #[test]
    fn the_first_address_on_this_machine_is_found_in_any_wording() {
        for (line, expected) in [
            (
                "  ➜  Local:   http://localhost:5173/",
                Some("http://localhost:5173"),
            ),
            (
                "  \u{1b}[32m➜\u{1b}[39m  \u{1b}[1mLocal\u{1b}[22m: \u{1b}[36mhttp://localhost:\u{1b}[1m5173\u{1b}[22m/\u{1b}[39m",
                Some("http://localhost:5173"),
            ),
            (
                "- Local: https://127.0.0.1:3000",
                Some("https://127.0.0.1:3000"),
            ),
            ("on http://[::1]:8080/app/?a=1.", Some("http://[::1]:8080")),
            (
                "proxy http://localhost:4400 at http://localhost:3000",
                Some("http://localhost:3000"),
            ),
            ("(http://localhost:1)", Some("http://localhost:1")),
            ("at http://localhost:4400/", None),
            ("http://localhost", None),
            ("http://localhost:0", None),
            ("http://localhost:99999", None),
            ("http://localhost.example:80", None),
            ("Network: http://192.168.0.2:5173/", None),
            ("ftp://localhost:21 and https", None),
            ("", None),
        ] {
            assert_eq!(find(line, 4400).as_deref(), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn an_address_stays_until_nobody_listens_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (sightings, mut address) = follow();
        let (first, second) = (url(&listener), "http://localhost:2".to_owned());
        sightings.send(first.clone()).await.unwrap();
        sightings.send(second).await.unwrap();
        let known = timeout(Duration::from_secs(60), address.wait_for(Option::is_some)).await;
        assert_eq!(known.unwrap().unwrap().as_ref(), Some(&first));

        let moved = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let third = url(&moved);
        drop(listener);
        sightings.send(third.clone()).await.unwrap();
        let is_third = |known: &Option<String>| known.as_ref() == Some(&third);
        let known = timeout(Duration::from_secs(60), address.wait_for(is_third)).await;
        assert!(known.is_ok(), "it stayed where nobody listens");
    }
}
