//! Sets variables in `.env.local`: what is not about them stays as it is, order, comments and mode included.
//! Values are quoted so that the npm package `dotenv` reads them back, and so does `env.rs`.

use std::{
    fs, io,
    ops::Range,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::env;
use crate::places::{self, PRIVATE};

/// What was done, by variable. Their values are nobody's to show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Edited {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    /// Had that value already.
    pub(crate) unchanged: Vec<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error(
        "`{0}` cannot be the name of a variable: use letters, digits and `_`, and no digit first"
    )]
    Name(String),
    /// There is no way to write such a value that every reader of these files understands.
    #[error(
        "the value of `{0}` cannot be written to an env file: it has every kind of quotation mark, or ends in a backslash"
    )]
    Value(String),
    /// Quotes opened before, in a line that is none of ours to mend, would end in the new value.
    #[error(
        "`{0}` cannot be set: the file has quotation marks that are never closed. Close them and try again"
    )]
    Unclosed(String),
    #[error("cannot change {}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Sets the variables in the file at `path`, which is made where there is none, for this user alone. It is replaced at
/// once: whoever reads meanwhile reads the old one or the new one. Nothing is written when nothing changes.
///
/// # Errors
///
/// When a name or a value does not fit into such a file, or the file cannot be read or written; it is as it was then.
pub(crate) fn set(path: &Path, values: &[(String, String)]) -> Result<Edited, EditError> {
    let failed = |source| EditError::File {
        path: path.to_owned(),
        source,
    };
    let (old, mode) = read(path).map_err(failed)?;
    let mut text = old.clone().unwrap_or_default();
    let mut edited = Edited::default();
    for (name, value) in values {
        assign(&mut text, name, value, &mut edited)?;
    }
    if old.as_ref() != Some(&text) {
        places::replace(path, text.as_bytes(), mode).map_err(failed)?;
    }
    Ok(edited)
}

/// The file's text, where it exists, and its mode.
fn read(path: &Path) -> io::Result<(Option<String>, u32)> {
    match fs::read_to_string(path) {
        Ok(text) => Ok((Some(text), fs::metadata(path)?.permissions().mode())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((None, PRIVATE)),
        Err(error) => Err(error),
    }
}

/// Sets one variable. Of several assignments the last one counts for every reader, so that one is changed.
pub(super) fn assign(
    text: &mut String,
    name: &str,
    value: &str,
    edited: &mut Edited,
) -> Result<(), EditError> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(EditError::Name(name.to_owned()));
    }
    let place = match find(text, name) {
        Some((_, current)) if current == value => {
            edited.unchanged.push(name.to_owned());
            return Ok(());
        }
        found => found.map(|(place, _)| place),
    };
    let was_there = place.is_some();
    *text = with_value(text, name, value, place.as_ref())?;
    let list = if was_there {
        &mut edited.changed
    } else {
        &mut edited.added
    };
    list.push(name.to_owned());
    Ok(())
}

/// The text with the value at `place`, or on a line of its own, spelled such that no other variable changes.
fn with_value(
    text: &str,
    name: &str,
    value: &str,
    place: Option<&Range<usize>>,
) -> Result<String, EditError> {
    let spellings = spellings(value);
    if spellings.is_empty() {
        return Err(EditError::Value(name.to_owned()));
    }
    spellings
        .iter()
        .map(|written| match place {
            Some(place) => replaced(text, place.clone(), written),
            None => appended(text, &format!("{name}={written}")),
        })
        .find(|after| sets_only(text, after, name, value))
        .ok_or_else(|| EditError::Unclosed(name.to_owned()))
}

/// Whether `name` has the value in `after`, and every other variable the one it had in `before`.
fn sets_only(before: &str, after: &str, name: &str, value: &str) -> bool {
    let variables = |text: &str| {
        let (ours, others): (Vec<_>, Vec<_>) = env::parse("", text, &mut Vec::new())
            .into_iter()
            .partition(|(key, _)| key == name);
        (ours.into_iter().next().map(|(_, value)| value), others)
    };
    let (_, others) = variables(before);
    variables(after) == (Some(value.to_owned()), others)
}

/// The last assignment of `name`: where its value stands in `text`, and what it is.
fn find(text: &str, name: &str) -> Option<(Range<usize>, String)> {
    let text = &with_line_ends(text);
    let mut found = None;
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    while at < text.len() {
        let line = text[at..].lines().next().unwrap_or_default();
        let mut used = line.len();
        if !line.trim_start().starts_with('#')
            && let Some(assignment) = env::assignment(&text[at..], line)
        {
            used = assignment.used;
            if assignment.key == name {
                let place = at + assignment.place.start..at + assignment.place.end;
                found = Some((place, assignment.value.replace("\r\n", "\n")));
            }
        }
        at += used + 1;
    }
    found
}

/// A carriage return alone ends a line for every reader as well; all places stay the same.
fn with_line_ends(text: &str) -> String {
    let next = text.chars().skip(1).map(Some).chain([None]);
    let ends = text.chars().zip(next).map(|(c, next)| match (c, next) {
        ('\r', Some('\n')) => c,
        ('\r', _) => '\n',
        _ => c,
    });
    ends.collect()
}

fn replaced(text: &str, place: Range<usize>, written: &str) -> String {
    let before_comment = text[place.end..].starts_with('#');
    let gap = if before_comment { " " } else { "" };
    let mut after = text.to_owned();
    after.replace_range(place, &format!("{written}{gap}"));
    after
}

fn appended(text: &str, line: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let is_open = !text.is_empty() && !text.ends_with('\n');
    let gap = if is_open { newline } else { "" };
    format!("{text}{gap}{line}{newline}")
}

/// The ways to write a value, the plainest first. Nothing in single quotes is special; in double quotes `\n` and `\r` are.
fn spellings(value: &str) -> Vec<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    let escaped = value.replace('\r', "\\r");
    let mut candidates = vec![
        format!("'{value}'"),
        format!("\"{escaped}\""),
        format!("`{value}`"),
    ];
    let bare = if !value.is_empty() && value.chars().all(is_plain) {
        0
    } else {
        candidates.len()
    };
    candidates.insert(bare, value.to_owned());
    candidates.retain(|written| reads_back(written, value));
    candidates
}

fn reads_back(written: &str, value: &str) -> bool {
    let mut unreported = Vec::new();
    let text = format!("A={written}\nB='b'\n");
    let read = env::parse("", &text, &mut unreported);
    // A backslash before the closing quotes is where readers differ.
    let is_ambiguous = value.ends_with('\\') && written != value;
    let expected = [("A", value), ("B", "b")];
    !is_ambiguous
        && unreported.is_empty()
        && read.len() == expected.len()
        && read
            .iter()
            .zip(expected)
            .all(|((name, read), (key, value))| name == key && read == value)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{EditError, Edited, assign, set};
    use crate::project::env::parse;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn edit(text: &str, name: &str, value: &str) -> String {
        let mut text = text.to_owned();
        assign(&mut text, name, value, &mut Edited::default()).unwrap();
        text
    }

    #[test]
    fn only_the_value_changes() {
        for (before, after) in [
            ("", "A=new\n"),
            ("B=1", "B=1\nA=new\n"),
            ("B=1\r\n", "B=1\r\nA=new\r\n"),
            ("# A=1\nA=old # why\nB=2\n", "# A=1\nA=new # why\nB=2\n"),
            ("  export A = 'old'\nB=2", "  export A = new\nB=2"),
            ("A=\"one\ntwo\" # c\nB=2\n", "A=new # c\nB=2\n"),
            ("A=\nB=2\n", "A=new\nB=2\n"),
            ("A=# nothing\n", "A=new # nothing\n"),
            ("A: old\n", "A: new\n"),
            ("A=first\nA=last\n", "A=first\nA=new\n"),
            ("B=1\rA=old\rC=2", "B=1\rA=new\rC=2"),
            ("=\rA=\"", "=\rA=new"),
            ("A=old\r\nB=2\r\n", "A=new\r\nB=2\r\n"),
            ("B='\nA=inside\n'\n", "B='\nA=inside\n'\nA=new\n"),
            ("\u{feff}A=old\n", "\u{feff}A=new\n"),
            ("nonsense\nA=new\n", "nonsense\nA=new\n"),
        ] {
            assert_eq!(edit(before, "A", "new"), after, "{before:?}");
        }
    }

    #[test]
    fn quotes_that_are_never_closed_do_not_end_in_a_new_value() {
        assert_eq!(edit("B='", "A", ""), "B='\nA=\"\"\n");
        assert_eq!(
            edit("B='\nA=old\n", "A", "two words"),
            "B='\nA=\"two words\"\n"
        );
        let mut text = "B='\nC=\"\nD=`".to_owned();
        let refused = assign(&mut text, "A", "two\nlines", &mut Edited::default());
        assert!(matches!(refused, Err(EditError::Unclosed(_))));
        assert_eq!(text, "B='\nC=\"\nD=`");
    }

    #[test]
    fn every_value_is_read_back() {
        for value in [
            "",
            "plain-1.2/3:4@5",
            "two words",
            " edges ",
            "#hash",
            "a#b",
            "it's",
            "say \"hi\"",
            "it's \"both\"",
            "line one\nline two\n",
            "carriage\r\nreturn",
            "literal \\n stays",
            "$HOME `x`",
            "-----BEGIN KEY-----\nab+/=\n-----END KEY-----\n",
            "back\\slash",
            "ends\\",
            "größe",
        ] {
            let text = edit("B='b'\n", "A", value);
            let read = parse("", &text, &mut Vec::new());
            assert_eq!(read, [pair("B", "b"), pair("A", value)], "{text:?}");
            assert_eq!(edit(&text, "A", value), text, "again");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let mut text = String::new();
        for name in ["", "1A", "A B", "A=B", "é"] {
            let refused = assign(&mut text, name, "x", &mut Edited::default());
            assert!(matches!(refused, Err(EditError::Name(_))), "{name}");
        }
        let refused = assign(&mut text, "A", "'\"`\n", &mut Edited::default());
        assert!(matches!(refused, Err(EditError::Value(_))));
        assert!(!refused.unwrap_err().to_string().contains('\n'));
    }

    #[test]
    fn a_new_file_is_the_users_alone_and_an_old_one_keeps_its_mode_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env.local");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let edited = set(&path, &[pair("A", "1"), pair("B", "x y")]).unwrap();
        assert_eq!(edited.added, ["A", "B"]);
        assert_eq!(
            (mode(), fs::read_to_string(&path).unwrap().as_str()),
            (0o600, "A=1\nB='x y'\n")
        );

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let edited = set(&link, &[pair("A", "2"), pair("B", "x y")]).unwrap();
        assert_eq!(
            (edited.changed, edited.unchanged),
            (vec!["A".to_owned()], vec!["B".to_owned()])
        );
        assert_eq!(
            (mode(), fs::read_to_string(&path).unwrap().as_str()),
            (0o640, "A=2\nB='x y'\n")
        );
        assert!(link.is_symlink());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "no draft is left"
        );
    }
}
