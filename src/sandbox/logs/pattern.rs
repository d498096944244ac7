//! CloudWatch filter patterns: terms, quoted phrases, `?any`, `-without`, `%regex%`, and `{ $.json = conditions }`.

mod json;

use regex::Regex;

use super::super::reply::Fault;
use json::Condition;

/// A parsed pattern. The empty pattern matches everything.
#[derive(Debug)]
pub(super) enum Pattern {
    Terms(Terms),
    Json(Condition),
}

#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    without: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Term {
    /// Matching is case-sensitive.
    fn found_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

pub(super) fn invalid() -> Fault {
    Fault::invalid("Invalid filter pattern")
}

impl Pattern {
    pub fn parse(pattern: &str) -> Result<Self, Fault> {
        let pattern = pattern.trim();
        if pattern.len() > 1024 {
            return Err(Fault::invalid(
                "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024",
            ));
        }
        match pattern.strip_prefix('{') {
            Some(rest) => Ok(Self::Json(json::parse(
                rest.strip_suffix('}').ok_or_else(invalid)?,
            )?)),
            None => Ok(Self::Terms(Terms::parse(pattern)?)),
        }
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.match_text(message),
            Self::Json(condition) => {
                message.trim_start().starts_with('{')
                    && serde_json::from_str(message).is_ok_and(|value| condition.holds(&value))
            }
        }
    }
}

impl Terms {
    fn parse(pattern: &str) -> Result<Self, Fault> {
        let mut terms = Self::default();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let (list, body) = match first {
                '?' => (&mut terms.any, &rest[1..]),
                '-' => (&mut terms.without, &rest[1..]),
                _ => (&mut terms.all, rest),
            };
            let (term, after) = read_term(body)?;
            list.push(term);
            if after
                .chars()
                .next()
                .is_some_and(|next| !next.is_whitespace())
            {
                return Err(invalid());
            }
            rest = after.trim_start();
        }
        Ok(terms)
    }

    fn match_text(&self, message: &str) -> bool {
        let found = |term: &Term| term.found_in(message);
        // Optional terms count only on their own, as the manual says.
        let any = !self.all.is_empty() || self.any.is_empty() || self.any.iter().any(found);
        any && self.all.iter().all(found) && !self.without.iter().any(found)
    }
}

/// Take one term off the front: `"quoted"`, `%regex%`, or a bare word of letters, digits and underscores.
fn read_term(text: &str) -> Result<(Term, &str), Fault> {
    if let Some(rest) = text.strip_prefix('"') {
        let (quoted, after) = read_quoted(rest)?;
        return Ok((Term::Text(quoted), after));
    }
    if let Some(rest) = text.strip_prefix('%') {
        let end = rest.find('%').ok_or_else(invalid)?;
        return Ok((Term::Regex(read_regex(&rest[..end])?), &rest[end + 1..]));
    }
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    if end == 0 {
        Err(invalid())
    } else {
        Ok((Term::Text(text[..end].into()), &text[end..]))
    }
}

/// The rest of a quoted string, with `\"` and `\\` undone.
fn read_quoted(text: &str) -> Result<(String, &str), Fault> {
    let mut quoted = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((quoted, &text[at + 1..])),
            '\\' => quoted.push(characters.next().ok_or_else(invalid)?.1),
            other => quoted.push(other),
        }
    }
    Err(invalid())
}

fn read_regex(text: &str) -> Result<Regex, Fault> {
    regex::RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Fault::invalid("Invalid regular expression in filter pattern"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_and_case_sensitive() {
        assert!(matches("", "anything"));
        assert!(matches("REPORT RequestId", "REPORT RequestId: 1"));
        assert!(!matches("REPORT absent", "REPORT RequestId: 1"));
        assert!(!matches("error", "[ERROR] no"));
    }

    #[test]
    fn quotes_any_without_and_regex() {
        assert!(matches("\"[ERROR]\"", "[ERROR] ValueError"));
        assert!(matches("?ERROR ?START", "START RequestId"));
        assert!(!matches("?ERROR ?START", "END RequestId"));
        assert!(!matches("ERROR -json", "ERROR in json"));
        assert!(matches(
            "%Duration: [0-9]{4,}%",
            "REPORT Duration: 1398.44 ms"
        ));
    }

    #[test]
    fn json_conditions() {
        let line = r#"{"level":"ERROR","latency":120,"user":{"id":7},"tags":["a","b"],"ok":false,"gone":null}"#;
        for pattern in [
            r#"{ $.level = "ERROR" }"#,
            r#"{ $.level = "ERR*" && $.latency > 100 }"#,
            "{ $.latency >= 120 || $.nothing = 1 }",
            "{ ($.latency < 5 || $.user.id = 7) && $.tags[1] = \"b\" }",
            "{ $.ok IS FALSE }",
            "{ $.gone IS NULL }",
            "{ $.nothing NOT EXISTS }",
            "{ $.level = %^ERR% }",
            "{ $.level != WARN }",
        ] {
            assert!(matches(pattern, line), "{pattern}");
        }
        for pattern in [
            r#"{ $.level = "INFO" }"#,
            "{ $.latency > 120 }",
            "{ $.nothing != 1 }",
        ] {
            assert!(!matches(pattern, line), "{pattern}");
        }
        assert!(!matches(r#"{ $.level = "ERROR" }"#, "ERROR, but no JSON"));
    }

    #[test]
    fn what_cloudwatch_refuses_is_refused() {
        for pattern in [
            "foo-bar",
            "\"open",
            "{ $.a = 1",
            "{ a = 1 }",
            "{ $.a ~ 1 }",
            "%[%",
            "{ $.a = 1 && }",
        ] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
