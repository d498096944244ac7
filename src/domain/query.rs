//! The query language of the Logs tab and `vintner logs`: words, regular expressions, fields, levels, requests and streams.
//!
//! | written | finds lines |
//! |---|---|
//! | `timed out` | with this text; all lower case means any case (smart case) |
//! | `"level>=x"` | with exactly this text, whatever it looks like |
//! | `/time(d)? out/` or `~time` | that match the regular expression |
//! | `level>=warn`, `level:error` | by severity |
//! | `request:79b5` | of the request whose id starts so |
//! | `stream:abc` | of streams whose name contains `abc` |
//! | `field:value`, `field=value`, `record.metrics.durationMs>500` | whose JSON member (or `key=value`, `Key: value` in text) compares so |
//! | `!word` | without it; conditions beside each other must all hold |

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use crate::domain::fields;
use crate::domain::line::Level;

/// A comparison in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `:` contains (text, any case) or equals (numbers).
    Has,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Compare {
    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Has | Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// One thing to look for.
#[derive(Debug, Clone)]
pub enum Term {
    /// A text, byte for byte.
    Literal(Box<memmem::Finder<'static>>),
    /// A regular expression; also a text in any case.
    Regex(Regex),
    /// A severity.
    Level(Compare, Level),
    /// The start of a request id.
    Request(String),
    /// A part of a stream's name.
    Stream(String),
    /// A member of a JSON message or a `key=value` of a text.
    Field {
        /// Dotted path.
        path: String,
        /// How to compare.
        compare: Compare,
        /// With what.
        value: String,
    },
}

impl Term {
    /// A text: any case when it is all lower case.
    pub fn text(text: &str) -> Self {
        if text.chars().any(char::is_uppercase) || !text.chars().any(char::is_alphabetic) {
            return Self::exact_text(text);
        }
        match RegexBuilder::new(&regex::escape(text))
            .case_insensitive(true)
            .build()
        {
            Ok(regex) => Self::Regex(regex),
            // Only a text of megabytes gets here.
            Err(_) => Self::exact_text(text),
        }
    }

    /// A text, case and all.
    pub fn exact_text(text: &str) -> Self {
        Self::Literal(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
    }

    /// A regular expression over the bytes of a message (`(?i)` for any case; `^` and `$` are the message's ends).
    pub fn regex(pattern: &str) -> Result<Self, QueryError> {
        let built = RegexBuilder::new(pattern).size_limit(4 << 20).build();
        built
            .map(Self::Regex)
            .map_err(|error| QueryError::from_regex(pattern, &error))
    }

    /// Whether the text of a line must be read to decide.
    pub fn needs_text(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::Regex(_) | Self::Field { .. })
    }

    /// Where it shows in a text.
    fn ranges(&self, text: &str, into: &mut Vec<std::ops::Range<usize>>) {
        match self {
            Self::Literal(finder) => {
                let len = finder.needle().len();
                into.extend(finder.find_iter(text.as_bytes()).map(|at| at..at + len));
            }
            Self::Regex(regex) => into.extend(regex.find_iter(text.as_bytes()).map(|m| m.range())),
            // The value itself, where it is compared by its text.
            Self::Field {
                value,
                compare: Compare::Has | Compare::Equal,
                ..
            } => {
                let value = Self::text(&value.to_lowercase());
                value.ranges(text, into);
            }
            Self::Request(prefix) => {
                let prefix = prefix.to_lowercase();
                into.extend(
                    text.match_indices(&prefix)
                        .map(|(at, hit)| at..at + hit.len()),
                );
            }
            Self::Field { .. } | Self::Level(..) | Self::Stream(_) => {}
        }
    }

    /// Decides the terms that look at the text; the others hold.
    pub fn matches_text(&self, message: &[u8]) -> bool {
        match self {
            Self::Literal(finder) => finder.find(message).is_some(),
            Self::Regex(regex) => regex.is_match(message),
            Self::Field {
                path,
                compare,
                value,
            } => field_matches(message, path, *compare, value),
            Self::Level(..) | Self::Request(_) | Self::Stream(_) => true,
        }
    }
}

/// A term and its sign.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The line must not match.
    pub negated: bool,
    /// What to look for.
    pub term: Term,
}

/// Conditions that must all hold. Empty: every line.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The conditions, as written.
    pub conditions: Vec<Condition>,
}

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The regular expression is wrong.
    #[error("bad regular expression `{pattern}` at character {at}: {reason}")]
    Regex {
        /// As written.
        pattern: String,
        /// 1-based position in the pattern.
        at: usize,
        /// The engine's words.
        reason: String,
    },
    /// `level` compared with something else.
    #[error("`{0}` is not a level: use trace, debug, info, warn, error or fatal")]
    Level(String),
}

impl QueryError {
    /// The engine's message is a picture: the pattern, a caret line, `error: …`. Take the caret's column and the reason.
    fn from_regex(pattern: &str, error: &regex::Error) -> Self {
        let picture = error.to_string();
        let caret = picture
            .lines()
            .find_map(|line| line.trim_start().starts_with('^').then(|| line.find('^')));
        let reason = picture
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        Self::Regex {
            pattern: pattern.to_owned(),
            at: caret
                .flatten()
                .map_or(1, |column| column.saturating_sub(3).max(1)),
            reason,
        }
    }
}

impl Query {
    /// Reads a query as a person types it. Words that are no condition of their own join to one text.
    pub fn parse(input: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut words = String::new();
        let mut rest = input.trim();
        if let Some(pattern) = rest.strip_prefix('~') {
            query.push(false, Term::regex(pattern)?);
            return Ok(query);
        }
        while !rest.is_empty() {
            let token = token(rest);
            let gap = rest[token.len()..].len() - rest[token.len()..].trim_start().len();
            match condition(token)? {
                Some(condition) => {
                    query.flush(&mut words);
                    query.conditions.push(condition);
                }
                None => words.push_str(&rest[..token.len() + gap]),
            }
            rest = &rest[token.len() + gap..];
        }
        query.flush(&mut words);
        Ok(query)
    }

    fn push(&mut self, negated: bool, term: Term) {
        self.conditions.push(Condition { negated, term });
    }

    fn flush(&mut self, words: &mut String) {
        if !words.trim_end().is_empty() {
            self.push(false, Term::text(words.trim_end()));
        }
        words.clear();
    }

    /// Where the conditions show in a text, as byte ranges, ascending: what to highlight. Negated ones show nowhere.
    pub fn ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let mut ranges = Vec::new();
        for condition in self.conditions.iter().filter(|c| !c.negated) {
            condition.term.ranges(text, &mut ranges);
        }
        ranges.retain(|range| {
            !range.is_empty()
                && text.is_char_boundary(range.start)
                && text.is_char_boundary(range.end)
        });
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        ranges.retain(|range| {
            let is_free = range.start >= end;
            end = end.max(range.end);
            is_free
        });
        ranges
    }

    /// Nothing is asked: every line matches.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }
}

/// The next token: up to white space, but quotes and slashes hold it together.
fn token(rest: &str) -> &str {
    let body = rest.strip_prefix('!').unwrap_or(rest);
    let skipped = rest.len() - body.len();
    if let Some(quote @ ('"' | '/')) = body.chars().next()
        && let Some(end) = closing(body, quote)
    {
        return &rest[..skipped + end];
    }
    let mut quoted = false;
    for (at, c) in rest.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return &rest[..at],
            _ => {}
        }
    }
    rest
}

/// Where the text that opens with `quote` ends: after an unescaped one that a blank or the end follows.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        let after = &body[at + c.len_utf8()..];
        if c == quote && !escaped && after.chars().next().is_none_or(char::is_whitespace) {
            return Some(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Reads one token as a condition; `None` when it is only a word.
fn condition(token: &str) -> Result<Option<Condition>, QueryError> {
    let (negated, body) = match token.strip_prefix('!') {
        Some(body) if !body.is_empty() && !body.starts_with('=') => (true, body),
        _ => (false, token),
    };
    let inside = |quote: char| {
        body.strip_prefix(quote)?
            .strip_suffix(quote)
            .filter(|text| !text.is_empty())
    };
    let term = if let Some(text) = inside('"') {
        Some(Term::exact_text(text))
    } else if let Some(pattern) = inside('/') {
        Some(Term::regex(pattern)?)
    } else {
        comparison(body)?
    };
    Ok(match term {
        Some(term) => Some(Condition { negated, term }),
        None if negated => Some(Condition {
            negated,
            term: Term::text(body),
        }),
        None => None,
    })
}

/// `name:value`, `name>=value`, …; `None` for a word that only looks alike (`12:30`, `https://x`, `Error:`).
fn comparison(word: &str) -> Result<Option<Term>, QueryError> {
    let Some(at) = word.find([':', '=', '<', '>', '!']) else {
        return Ok(None);
    };
    let (name, rest) = word.split_at(at);
    let ops = [
        (">=", Compare::AtLeast),
        ("<=", Compare::AtMost),
        ("!=", Compare::NotEqual),
        (">", Compare::Greater),
        ("<", Compare::Less),
        ("=", Compare::Equal),
        (":", Compare::Has),
    ];
    let Some((compare, value)) = ops
        .iter()
        .find_map(|(op, compare)| Some((*compare, rest.strip_prefix(op)?)))
    else {
        return Ok(None);
    };
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@'))
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'));
    if !is_name || value.is_empty() || value.starts_with("//") {
        return Ok(None);
    }
    let value = value.trim_matches('"');
    Ok(Some(match name.to_ascii_lowercase().as_str() {
        "level" => Term::Level(
            compare,
            Level::parse(value).ok_or_else(|| QueryError::Level(value.to_owned()))?,
        ),
        "request" | "requestid" => Term::Request(value.to_owned()),
        "stream" => Term::Stream(value.to_owned()),
        _ => Term::Field {
            path: name.to_owned(),
            compare,
            value: value.to_owned(),
        },
    }))
}

/// Whether `level` compares so (`:` means equal).
pub fn level_matches(level: Level, compare: Compare, wanted: Level) -> bool {
    compare.holds(level.cmp(&wanted))
}

fn field_matches(message: &[u8], path: &str, compare: Compare, wanted: &str) -> bool {
    let message = message.trim_ascii_start();
    let found = if message.first() == Some(&b'{') {
        fields::at_path(message, path).map(fields::text)
    } else {
        text_value(message, path)
    };
    let Some(found) = found else {
        return compare == Compare::NotEqual;
    };
    if let (Ok(a), Ok(b)) = (found.parse::<f64>(), wanted.parse::<f64>())
        && let Some(order) = a.partial_cmp(&b)
    {
        return compare.holds(order);
    }
    match compare {
        Compare::Has => found.to_lowercase().contains(&wanted.to_lowercase()),
        // A number is asked for and there is none.
        Compare::Less | Compare::AtMost | Compare::Greater | Compare::AtLeast
            if wanted.parse::<f64>().is_ok() =>
        {
            false
        }
        _ => compare.holds(found.as_str().cmp(wanted)),
    }
}

/// The value of `key=value` or `Key: value` in a text: up to white space, comma or semicolon, quotes stripped.
fn text_value(message: &[u8], key: &str) -> Option<String> {
    let message = String::from_utf8_lossy(message);
    let bytes = message.as_bytes();
    memchr::memchr2_iter(b'=', b':', bytes).find_map(|sign| {
        let start = sign.checked_sub(key.len())?;
        let named = bytes[start..sign].eq_ignore_ascii_case(key.as_bytes());
        let free = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        if !named || !free || !message.is_char_boundary(start) {
            return None;
        }
        let value = message[sign + 1..].trim_start_matches(' ');
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([' ', '\t', '\n', '\r', ',', ';']).next(),
        };
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests;
