//! The text formats that schemas name. Formats that only say how a field is shown admit any text.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::core::instant::Instant;

/// Whether `text` has the format.
#[must_use]
pub(super) fn admits(format: &str, text: &str) -> bool {
    match format {
        "date" => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        "date-time" => Instant::parse(text).is_some(),
        "time" => text
            .trim_end_matches('Z')
            .parse::<jiff::civil::Time>()
            .is_ok(),
        "email" => is_email(text),
        "uri" => is_uri(text),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uuid" => is_uuid(text),
        "regex" => fancy_regex::Regex::new(text).is_ok(),
        _ => true,
    }
}

/// One `@` with something before it and a host name with a dot behind it.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |character: char| !character.is_whitespace() && character != '@';
    let fits = !local.is_empty() && text.len() <= 254 && local.chars().all(plain);
    fits && host.contains('.') && is_hostname(host)
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let fits = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(fits)
        && !rest.is_empty()
        && !text.contains(char::is_whitespace)
}

fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let fits = |character: char| character.is_alphanumeric() || character == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && text
            .chars()
            .all(|character| character == '-' || character.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::admits;

    #[test]
    fn formats_admit_what_they_name() {
        let cases = [
            ("date", "2026-02-28", "2026-02-30"),
            ("date-time", "2026-02-28T10:00:00Z", "tomorrow"),
            ("time", "10:30:00", "25:00"),
            ("email", "ann@example.com", "ann@localhost"),
            ("uri", "https://example.com/a", "example.com"),
            ("hostname", "a-b.example", "-a.example"),
            ("ipv4", "127.0.0.1", "127.0.0.256"),
            ("ipv6", "::1", "::g"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("regex", "a+", "(a"),
        ];
        for (format, good, bad) in cases {
            assert!(admits(format, good), "{format}: {good}");
            assert!(!admits(format, bad), "{format}: {bad}");
        }
        assert!(admits("richtext", "<b>anything</b>"));
    }
}
