//! Reading a query's text piece by piece, with the place of an error.

use regex::Regex;

/// Deepest nesting of parentheses.
const MOST_DEPTH: usize = 64;

/// What is wrong with a query, and where (in characters from its start).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct SyntaxError {
    pub at: usize,
    pub message: String,
}

#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Self {
            text,
            at: 0,
            depth: 0,
        };
        scanner.skip_space();
        scanner
    }

    pub fn error(&self, message: &str) -> SyntaxError {
        SyntaxError {
            at: self.text[..self.at].chars().count(),
            message: message.to_owned(),
        }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    /// The text since an earlier position, without the space around it.
    pub fn since(&self, start: usize) -> String {
        self.text[start..self.at].trim().to_owned()
    }

    pub fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            Err(self.error("nested too deeply"))
        } else {
            Ok(())
        }
    }

    pub fn shallower(&mut self) {
        self.depth -= 1;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        self.skip_space();
    }

    /// Space and `#` comments mean nothing.
    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    pub fn peek(&self, sign: &str) -> bool {
        self.rest().starts_with(sign)
    }

    pub fn eat(&mut self, sign: &str) -> bool {
        let found = self.peek(sign);
        if found {
            self.advance(sign.len());
        }
        found
    }

    pub fn expect(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.eat(sign) {
            Ok(())
        } else {
            Err(self.error(&format!("unexpected symbol found, expected {sign}")))
        }
    }

    /// A run of letters and underscores.
    pub fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        (end > 0).then(|| {
            self.advance(end);
            &rest[..end]
        })
    }

    /// This word, in any case, and no longer one.
    pub fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        let found = self
            .word()
            .is_some_and(|found| found.eq_ignore_ascii_case(word));
        if !found {
            self.at = before;
        }
        found
    }

    /// A field: `@message`, `level`, `user.id`, or anything between backticks.
    pub fn field(&mut self) -> Option<String> {
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('`') {
            let end = quoted.find('`')?;
            self.advance(end + 2);
            return Some(quoted[..end].to_owned());
        }
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '@' | '.')))
            .unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        self.advance(end);
        Some(rest[..end].to_owned())
    }

    pub fn number(&mut self) -> Option<f64> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let end = rest[sign..]
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(rest.len(), |at| at + sign);
        let number = rest[..end].parse().ok()?;
        self.advance(end);
        Some(number)
    }

    /// A text in single or double quotes.
    pub fn string(&mut self) -> Result<Option<String>, SyntaxError> {
        let rest = self.rest();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut characters = rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                c if c == quote => {
                    self.advance(at + 1);
                    return Ok(Some(text));
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        Err(self.error("the quoted text does not end"))
    }

    /// A regular expression in slashes.
    pub fn regex(&mut self) -> Result<Regex, SyntaxError> {
        let rest = self.rest();
        let body = rest
            .strip_prefix('/')
            .ok_or_else(|| self.error("expected a /regular expression/ or a text in quotes"))?;
        let mut escaped = false;
        let end = body
            .find(|c: char| {
                let ends = c == '/' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            })
            .ok_or_else(|| self.error("the regular expression does not end"))?;
        let pattern = body[..end].replace("\\/", "/").replace("(?<", "(?P<");
        let regex = regex::RegexBuilder::new(&pattern)
            .size_limit(1 << 20)
            .build()
            .map_err(|_| self.error("not a valid regular expression"))?;
        self.advance(end + 2);
        Ok(regex)
    }

    /// A period such as `5m`, `1h` or `30s`, in ms.
    pub fn period(&mut self) -> Result<i64, SyntaxError> {
        let wrong = self.error("bin needs a period such as 30s, 5m, 1h or 1d");
        let number = self.number().unwrap_or(1.0);
        let unit = match self.word().unwrap_or_default() {
            "ms" => 1.0,
            "s" | "sec" | "second" | "seconds" => 1e3,
            "m" | "min" | "minute" | "minutes" => 60e3,
            "h" | "hr" | "hour" | "hours" => 3600e3,
            "d" | "day" | "days" => 86_400e3,
            "w" | "week" | "weeks" => 604_800e3,
            _ => return Err(wrong),
        };
        let ms = (number * unit) as i64;
        if ms > 0 { Ok(ms) } else { Err(wrong) }
    }
}
