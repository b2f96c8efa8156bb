//! The few places where PCRE's notation means something else to our regular expression engine, rewritten: brackets and
//! set operators inside character classes, `\Q…\E`, `\h`, control characters and octal codes.

/// PCRE's horizontal white space, as the inside of a character class.
const HORIZONTAL_SPACE: &str =
    r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";

/// The pattern in the engine's notation; what PCRE does not accept either is left for the engine to refuse.
pub(super) fn from_pcre(pattern: &str) -> String {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len()),
    };
    while !translator.rest.is_empty() {
        translator.outside_class();
    }
    translator.out
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
}

impl<'p> Translator<'p> {
    fn outside_class(&mut self) {
        if self.eat("\\") {
            self.escape("[", "[^", "]");
        } else if self.eat("[") {
            self.class();
        } else {
            self.copy();
        }
    }

    fn class(&mut self) {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        if self.eat("]") {
            self.out.push_str("\\]");
        }
        let mut follows_set = false;
        while !self.rest.is_empty() && !self.eat("]") {
            follows_set = self.class_item(follows_set);
        }
        self.out.push(']');
    }

    /// Translates one item of a class and tells whether it stood for several characters, after which a hyphen is one of
    /// its own rather than a range.
    fn class_item(&mut self, follows_set: bool) -> bool {
        if let Some(name) = self.posix_name() {
            self.out.push_str(name);
            return true;
        }
        if self.eat("\\") {
            let is_set = self
                .rest
                .starts_with(['d', 'D', 'w', 'W', 's', 'S', 'h', 'H', 'v', 'V']);
            if self.eat("b") {
                self.out.push_str("\\x08");
            } else {
                self.escape("", "[^", "");
            }
            return is_set;
        }
        if self.eat("-") {
            let precedes_set = self.rest.starts_with("\\d")
                || self.rest.starts_with("\\w")
                || self.rest.starts_with("\\s");
            self.out.push_str(if follows_set || precedes_set {
                "\\-"
            } else {
                "-"
            });
            if self.eat("-") {
                self.out.push_str("\\-");
            }
            return false;
        }
        if self.rest.starts_with(['[', '&', '~']) {
            self.out.push('\\');
        }
        self.copy();
        false
    }

    /// A name such as `[:alpha:]`, taken off the rest.
    fn posix_name(&mut self) -> Option<&'p str> {
        let inside = self.rest.strip_prefix("[:")?;
        let length = inside.find(":]")?;
        let is_name = inside[..length]
            .bytes()
            .all(|byte| byte == b'^' || byte.is_ascii_alphabetic());
        let (name, rest) = is_name.then(|| self.rest.split_at(length + 4))?;
        self.rest = rest;
        Some(name)
    }

    /// Translates what follows a backslash; sets open and close as given.
    fn escape(&mut self, open: &str, open_negated: &str, close: &str) {
        if self.eat("Q") {
            let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            self.out.push_str(&fancy_regex::escape(literal));
        } else if self.eat("E") {
            // Ends a quotation that was not begun.
        } else if self.eat("h") {
            self.push_all([open, HORIZONTAL_SPACE, close]);
        } else if self.eat("H") {
            self.push_all([open_negated, HORIZONTAL_SPACE, "]"]);
        } else if let Some(control) = self.control() {
            self.push_code(control);
        } else if let Some(octal) = self.octal() {
            self.push_code(octal);
        } else {
            self.out.push('\\');
            self.copy();
        }
    }

    /// `\cA` is character 1, and so on.
    fn control(&mut self) -> Option<u32> {
        let letter = self
            .rest
            .strip_prefix('c')?
            .bytes()
            .next()
            .filter(u8::is_ascii_graphic)?;
        self.rest = &self.rest[2..];
        Some(u32::from(letter.to_ascii_uppercase() ^ 0x40))
    }

    /// A zero and up to two more octal digits.
    fn octal(&mut self) -> Option<u32> {
        self.rest.strip_prefix('0')?;
        let digits = self
            .rest
            .bytes()
            .take(3)
            .take_while(|byte| (b'0'..b'8').contains(byte))
            .count();
        let (code, rest) = self.rest.split_at(digits);
        self.rest = rest;
        u32::from_str_radix(code, 8).ok()
    }

    fn push_code(&mut self, code: u32) {
        self.out.push_str(&format!("\\x{{{code:X}}}"));
    }

    fn push_all<const N: usize>(&mut self, parts: [&str; N]) {
        self.out.extend(parts);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn copy(&mut self) {
        let mut chars = self.rest.chars();
        self.out.extend(chars.next());
        self.rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::regex::{Budget, Pattern};

    #[test]
    fn patterns_mean_what_pcre_means() {
        let cases = [
            (r"\/a\-b\_\@\#\%\:\'\!", "/a-b_@#%:'!", true),
            (r"^[[]$", "[", true),
            (r"^[a[b]+$", "[ab", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]a]$", "]", false),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[a~~b]+$", "a~b", true),
            (r"^[+--]+$", "+,-", true),
            (r"^[\d-z]+$", "1-z", true),
            (r"^[a-\d]+$", "a-1", true),
            (r"^[[:alpha:]_]+$", "a_b", true),
            (r"^[\w.-]+@[\w-]+$", "a.b@c-d", true),
            (r"^\d\h[\h,]\H$", "1\u{a0},x", true),
            (r"^[^\h]$", " ", false),
            (r"^[\H]$", "x", true),
            (r"^\Qa.b[\E+$", "a.b[[", true),
            (r"^\Qa.b", "axb", false),
            (r"^\cA\07\0$", "\u{1}\u{7}\0", true),
            (r"^[\b]$", "\u{8}", true),
            ("a{,3", "a{,3", true),
            ("{x}", "{x}", true),
            (r"^(?<n>a)\k<n>(?P<m>b)(?P=m)$", "aabb", true),
            (r"^a++(?>b+)c$", "aabbc", true),
            (r"(?<=a|bc)d", "bcd", true),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::compile(pattern, "", &Budget::default())
                .unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(
                compiled.is_match(text),
                Ok(expected),
                "{pattern} on {text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn prop_no_pattern_panics(pattern in r"[\\\[\]\^\-&:QEhHcb0a()*é]{0,12}") {
            if let Ok(compiled) = Pattern::compile(&pattern, "", &Budget::default()) {
                let _ = compiled.is_match("a[]b é");
            }
        }
    }
}
