//! Names the process that listens on a port, where the system tells: on Linux, for processes of the same user.

use std::{fs, path::Path};

/// `node (pid 4711)`, or nothing where it cannot be known.
pub(crate) fn of(port: u16) -> Option<String> {
    let inodes = listening_inodes(port);
    let processes = fs::read_dir("/proc").ok()?;
    for process in processes.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if holds_any(&process.path(), &inodes) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let name = name.trim();
            return Some(match dev_server(&process.path()) {
                Some(parent) => format!("{name} dev (pid {parent})"),
                None => format!("{name} (pid {pid})"),
            });
        }
    }
    None
}

/// The `backlot dev` that a gateway of ours belongs to: to stop the gateway alone would only have it started again.
fn dev_server(process: &Path) -> Option<u32> {
    let arguments = fs::read(process.join("cmdline")).ok()?;
    let mut arguments = arguments.split(|byte| *byte == 0).skip(1);
    let is_gateway = arguments.next() == Some(b"gateway".as_slice());
    if !is_gateway || !arguments.any(|argument| argument == b"--lifeline") {
        return None;
    }
    let status = fs::read_to_string(process.join("status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    parent.trim().parse().ok().filter(|parent| *parent > 1)
}

fn listening_inodes(port: u16) -> Vec<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            table
                .lines()
                .filter_map(|line| listening_inode(line, port))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The socket's inode, when the line of `/proc/net/tcp` is of a listener on `port`.
fn listening_inode(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (_, hex_port) = columns.get(1)?.rsplit_once(':')?;
    let is_ours = u16::from_str_radix(hex_port, 16).ok()? == port && *columns.get(3)? == LISTEN;
    is_ours.then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
}

fn holds_any(process: &Path, inodes: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    descriptors.flatten().any(|descriptor| {
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.iter().any(|known| known == inode))
    })
}

#[cfg(test)]
mod tests {
    use super::{listening_inode, of};

    const LINE: &str = "   0: 0100007F:1130 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 81234 1 0 100 0 0 10 0";

    #[test]
    fn a_listener_is_found_by_its_port() {
        assert_eq!(listening_inode(LINE, 4400).as_deref(), Some("81234"));
        assert_eq!(listening_inode(LINE, 4401), None);
        assert_eq!(listening_inode(&LINE.replace(" 0A ", " 01 "), 4400), None);
        assert_eq!(
            listening_inode("  sl  local_address rem_address   st", 4400),
            None
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_named_as_the_owner_of_its_listener() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let owner = of(listener.local_addr().unwrap().port()).unwrap();
        assert!(
            owner.ends_with(&format!("(pid {})", std::process::id())),
            "{owner}"
        );
    }
}
