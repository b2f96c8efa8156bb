//! Finds the strings in JavaScript or TypeScript, leaving out comments, and imports whose name is computed.
//!
//! Not a parser: regular expressions are told from divisions by what stands before them, which is right wherever it
//! matters here. Text that is no JavaScript gives some strings or none, and never a panic.

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// String literals and templates without substitutions, as written; escapes are not resolved.
    pub(crate) strings: Vec<String>,
    /// Those of them that name a module: behind `from`, `import` or `import(`.
    pub(crate) imports: Vec<String>,
    /// Whether there is an `import(…)` of something else than such a string.
    pub(crate) computed_import: bool,
}

/// Reads a whole file.
#[must_use]
pub(crate) fn scan(text: &str) -> Found {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        last: Last::Operator,
        braces: Vec::new(),
        importing: false,
        found: Found::default(),
    };
    while let Some(byte) = scanner.peek() {
        scanner.step(byte);
    }
    scanner.found
}

/// What the last token was, as far as it decides what a slash means and whether `import(` is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A name, number, closing bracket or literal: a slash divides.
    Operand,
    /// Anything else: a slash begins a regular expression.
    Operator,
    /// The word `import`.
    Import,
    /// The word `from`, which also is an operand.
    From,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    last: Last,
    /// For every open brace whether it is the `${` of a template.
    braces: Vec<bool>,
    /// Just behind `import(`.
    importing: bool,
    found: Found,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            self.at += 1;
            return;
        }
        if self.rest().starts_with(b"//") {
            return self.skip_past(b"\n");
        }
        if self.rest().starts_with(b"/*") {
            self.at += 2;
            return self.skip_past(b"*/");
        }
        let importing = std::mem::take(&mut self.importing);
        if importing && !matches!(byte, b'"' | b'\'' | b'`') {
            self.found.computed_import = true;
        }
        match byte {
            b'"' | b'\'' => self.string(byte, importing),
            b'`' => {
                self.at += 1;
                self.template(importing);
            }
            b'/' if !matches!(self.last, Last::Operand | Last::From) => self.regex(),
            b'{' => self.operator(|scanner| scanner.braces.push(false)),
            b'}' => self.close_brace(),
            b'(' => {
                self.importing = self.last == Last::Import;
                self.operator(|_| {});
            }
            b')' | b']' => self.operand(),
            _ if is_word(byte) => self.word(),
            _ => self.operator(|_| {}),
        }
    }

    fn operator(&mut self, also: impl FnOnce(&mut Self)) {
        self.at += 1;
        self.last = Last::Operator;
        also(self);
    }

    fn operand(&mut self) {
        self.at += 1;
        self.last = Last::Operand;
    }

    fn skip_past(&mut self, end: &[u8]) {
        let found = self
            .rest()
            .windows(end.len())
            .position(|window| window == end);
        self.at = found.map_or(self.bytes.len(), |found| self.at + found + end.len());
    }

    fn word(&mut self) {
        const BEFORE_EXPRESSION: [&[u8]; 8] = [
            b"return", b"typeof", b"case", b"in", b"of", b"await", b"yield", b"throw",
        ];
        let start = self.at;
        let member = self.bytes[..start].last() == Some(&b'.');
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        self.last = match word {
            b"import" if !member => Last::Import,
            b"from" if !member => Last::From,
            _ if BEFORE_EXPRESSION.contains(&word) => Last::Operator,
            _ => Last::Operand,
        };
    }

    fn string(&mut self, quote: u8, importing: bool) {
        let importing = importing || matches!(self.last, Last::Import | Last::From);
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 2,
                b'\n' => break,
                _ if byte == quote => {
                    self.keep(start, importing);
                    break;
                }
                _ => self.at += 1,
            }
        }
        self.operand();
    }

    /// The text of a template up to its end or to its next substitution.
    fn template(&mut self, importing: bool) {
        let start = self.at;
        let whole = self.bytes[..start].last() == Some(&b'`');
        while let Some(byte) = self.peek() {
            if byte == b'\\' {
                self.at += 2;
            } else if byte == b'`' {
                if whole {
                    self.keep(start, importing);
                }
                return self.operand();
            } else if self.rest().starts_with(b"${") {
                self.found.computed_import |= importing;
                self.at += 2;
                self.last = Last::Operator;
                self.braces.push(true);
                return;
            } else {
                self.at += 1;
            }
        }
    }

    fn close_brace(&mut self) {
        self.at += 1;
        if self.braces.pop() == Some(true) {
            self.template(false);
        } else {
            // After a block a slash begins a regular expression, after an object it divides; the former is commoner.
            self.last = Last::Operator;
        }
    }

    fn regex(&mut self) {
        self.at += 1;
        let mut in_class = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => break,
                // It was a division after all.
                b'\n' => break,
                _ => {}
            }
            self.at += 1;
        }
        self.operand();
    }

    /// Keeps the text from `start` to here.
    fn keep(&mut self, start: usize, importing: bool) {
        if let Some(bytes) = self.bytes.get(start..self.at) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if importing {
                self.found.imports.push(text.clone());
            }
            self.found.strings.push(text);
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::scan;

    proptest! {
        #[test]
        fn prop_any_text_is_scanned_and_an_import_in_front_of_it_is_found(
            text in prop_oneof!["([a-z]|import|from|\\(|\\)|'|\"|`|\\$\\{|\\}|/|\\*|\\\\|\n| |é){0,40}", ".{0,60}"],
        ) {
            let found = scan(&text);
            prop_assert!(found.strings.iter().all(|string| string.len() <= text.len()));
            prop_assert!(found.imports.iter().all(|import| found.strings.contains(import)));
            let found = scan(&format!("import './first.ts';\n{text}"));
            prop_assert_eq!(found.imports.first().map(String::as_str), Some("./first.ts"));
        }
    }

    #[test]
    fn a_large_file_is_scanned_in_one_pass() {
        for unit in ["'", "`${", "/", "/*", "import(", "{`", "a=/["] {
            let _ = scan(&unit.repeat(200_000));
        }
    }

    #[test]
    fn strings_are_found_where_code_is() {
        let cases: [(&str, &[&str], bool); 16] = [
            ("import a from './a.ts'", &["./a.ts"], false),
            ("export { b } from \"../b.ts\";", &["../b.ts"], false),
            (
                "import './c.ts'\nimport type D from './d.ts'",
                &["./c.ts", "./d.ts"],
                false,
            ),
            ("await import('./e.ts')", &["./e.ts"], false),
            ("await import(`./f.ts`)", &["./f.ts"], false),
            ("await import(`./${g}.ts`)", &[], true),
            ("await import( /* why */ name)", &[], true),
            ("import.meta.url; x.import(name)", &[], false),
            (
                "// import './no.ts'\n/* import(no) './no' */ '1'",
                &["1"],
                false,
            ),
            (r"const r = /['//*`]/g; './h.ts'", &["./h.ts"], false),
            ("a = b / c; './i.ts'; d / e", &["./i.ts"], false),
            (
                "`${ `${'./j.ts'}` } '` + './k.ts'",
                &["./j.ts", "./k.ts"],
                false,
            ),
            (r"'it\'s' + './l.ts'", &[r"it\'s", "./l.ts"], false),
            (
                "new Worker(new URL('./w.ts', import.meta.url))",
                &["./w.ts"],
                false,
            ),
            ("return /'/.test(x) && './m.ts'", &["./m.ts"], false),
            ("'unfinished\nimport './n.ts'", &["./n.ts"], false),
        ];
        for (text, strings, computed) in cases {
            let found = scan(text);
            assert_eq!(found.strings, strings, "{text}");
            assert_eq!(found.computed_import, computed, "{text}");
        }
    }

    #[test]
    fn imports_are_told_from_other_strings() {
        let text = "import a, { b } from './1.ts'; import './2.ts'; export * from\n'./3.ts';
            await import('./4.ts', { with: {} }); import(`./5.ts`); import json from './6.json' with { type: 'json' };
            const from = './no.ts'; read('./no.ts'); x.from('./no.ts'); from / 2; '/no.ts'; `from ${'./no.ts'}`";
        let found = scan(text).imports;
        let files = ["./1.ts", "./2.ts", "./3.ts", "./4.ts", "./5.ts", "./6.json"];
        assert_eq!(found, files);
    }

    #[test]
    fn broken_text_does_no_harm() {
        for text in [
            "'",
            "`",
            "`${",
            "/",
            "/*",
            "'\\",
            "}",
            "import(",
            "\u{feff}é",
            "`\\",
        ] {
            let _ = scan(text);
        }
    }
}
