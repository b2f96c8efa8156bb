//! Numbers of things, in words.

/// "1 entity", "2 entities". `noun` forms its plural with an s, one on y with ies.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular_and_everything_else_is_not() {
        for (count, noun, expected) in [
            (0, "function", "0 functions"),
            (1, "function", "1 function"),
            (2, "function", "2 functions"),
            (1, "entity", "1 entity"),
            (2, "entity", "2 entities"),
        ] {
            assert_eq!(counted(count, noun), expected);
        }
    }
}
