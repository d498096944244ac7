//! JSON filter patterns: `{ ($.level = "ERROR" || $.latency > 100) && $.user.id NOT EXISTS }`.

use regex::Regex;
use serde_json::Value;

use super::super::super::reply::Fault;
use super::{invalid, read_quoted, read_regex};

#[derive(Debug)]
pub(in super::super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Vec<Step>, Test),
}

#[derive(Debug)]
pub(in super::super) enum Step {
    Member(String),
    Index(usize),
}

#[derive(Debug)]
pub(in super::super) enum Test {
    Compare(Comparison, Operand),
    Exists(bool),
    Is(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug)]
pub(in super::super) enum Operand {
    Number(f64),
    /// `*` stands for any text.
    Text(String),
    Regex(Regex),
}

impl Condition {
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(value)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(value)),
            Self::Test(path, test) => test.holds(select(value, path)),
        }
    }
}

fn select<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Index(index) => value.get(index),
    })
}

impl Test {
    fn holds(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Exists(wanted) => found.is_some() == *wanted,
            Self::Is(constant) => found == Some(constant),
            // A member that is not there satisfies no comparison, not even `!=`.
            Self::Compare(comparison, operand) => {
                found.is_some_and(|found| operand.compare(*comparison, found))
            }
        }
    }
}

impl Operand {
    fn compare(&self, comparison: Comparison, found: &Value) -> bool {
        match self {
            Self::Number(wanted) => {
                let number = found
                    .as_f64()
                    .or_else(|| found.as_str().and_then(|text| text.parse().ok()));
                number.map_or(
                    comparison == Comparison::NotEqual,
                    |number| match comparison {
                        Comparison::Equal => (number - wanted).abs() <= f64::EPSILON * wanted.abs(),
                        Comparison::NotEqual => {
                            (number - wanted).abs() > f64::EPSILON * wanted.abs()
                        }
                        Comparison::Less => number < *wanted,
                        Comparison::AtMost => number <= *wanted,
                        Comparison::More => number > *wanted,
                        Comparison::AtLeast => number >= *wanted,
                    },
                )
            }
            Self::Text(_) | Self::Regex(_) => {
                let text = found
                    .as_str()
                    .map_or_else(|| found.to_string(), str::to_owned);
                let equal = match self {
                    Self::Regex(regex) => regex.is_match(&text),
                    Self::Text(wanted) => glob(wanted, &text),
                    Self::Number(_) => false,
                };
                match comparison {
                    Comparison::Equal => equal,
                    Comparison::NotEqual => !equal,
                    _ => false,
                }
            }
        }
    }
}

/// Match `pattern`, in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, mut tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    while let Some((part, rest)) = tail.split_once('*') {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
        tail = rest;
    }
    text.ends_with(tail)
}

/// Parse what stands between the braces.
pub(super) fn parse(text: &str) -> Result<Condition, Fault> {
    let mut parser = Parser {
        rest: text.trim(),
        depth: 0,
    };
    let condition = parser.any()?;
    if parser.rest.is_empty() {
        Ok(condition)
    } else {
        Err(invalid())
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Condition, Fault> {
        let mut conditions = vec![self.all()?];
        while self.eat("||") {
            conditions.push(self.all()?);
        }
        Ok(Condition::Any(conditions))
    }

    fn all(&mut self) -> Result<Condition, Fault> {
        let mut conditions = vec![self.one()?];
        while self.eat("&&") {
            conditions.push(self.one()?);
        }
        Ok(Condition::All(conditions))
    }

    fn one(&mut self) -> Result<Condition, Fault> {
        if self.eat("(") {
            self.depth += 1;
            if self.depth > 32 {
                return Err(invalid());
            }
            let inner = self.any()?;
            self.depth -= 1;
            return if self.eat(")") {
                Ok(inner)
            } else {
                Err(invalid())
            };
        }
        let path = self.path()?;
        Ok(Condition::Test(path, self.test()?))
    }

    fn path(&mut self) -> Result<Vec<Step>, Fault> {
        if !self.eat_close("$") {
            return Err(invalid());
        }
        let mut path = Vec::new();
        loop {
            if self.eat_close(".") {
                path.push(Step::Member(self.word().to_owned()));
            } else if self.eat_close("[") {
                let end = self.rest.find(']').ok_or_else(invalid)?;
                let inner = &self.rest[..end];
                self.rest = &self.rest[end + 1..];
                path.push(match inner.trim_matches(['\'', '"']) {
                    name if name.len() < inner.len() => Step::Member(name.to_owned()),
                    index => Step::Index(index.parse().map_err(|_| invalid())?),
                });
            } else {
                break;
            }
        }
        self.rest = self.rest.trim_start();
        if path.is_empty()
            || path
                .iter()
                .any(|step| matches!(step, Step::Member(name) if name.is_empty()))
        {
            return Err(invalid());
        }
        Ok(path)
    }

    fn test(&mut self) -> Result<Test, Fault> {
        for (words, test) in [
            (["NOT", "EXISTS"], Test::Exists(false)),
            (["IS", "NULL"], Test::Is(Value::Null)),
            (["IS", "TRUE"], Test::Is(Value::Bool(true))),
            (["IS", "FALSE"], Test::Is(Value::Bool(false))),
        ] {
            let before = self.rest;
            if self.eat(words[0]) && self.eat(words[1]) {
                return Ok(test);
            }
            self.rest = before;
        }
        if self.eat("EXISTS") {
            return Ok(Test::Exists(true));
        }
        let comparisons = [
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        for (sign, comparison) in comparisons {
            if self.eat(sign) {
                return Ok(Test::Compare(comparison, self.operand()?));
            }
        }
        Err(invalid())
    }

    fn operand(&mut self) -> Result<Operand, Fault> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (text, after) = read_quoted(rest)?;
            self.rest = after.trim_start();
            return Ok(Operand::Text(text));
        }
        if let Some(rest) = self.rest.strip_prefix('%') {
            let end = rest.find('%').ok_or_else(invalid)?;
            self.rest = rest[end + 1..].trim_start();
            return Ok(Operand::Regex(read_regex(&rest[..end])?));
        }
        let word = self.word();
        self.rest = self.rest.trim_start();
        match word.parse::<f64>() {
            _ if word.is_empty() => Err(invalid()),
            Ok(number) => Ok(Operand::Number(number)),
            Err(_) => Ok(Operand::Text(word.to_owned())),
        }
    }

    /// A run of letters, digits and the few signs that bare values may hold.
    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "()=<>!&|[].\"%".contains(c))
            .unwrap_or(self.rest.len());
        // A decimal point belongs to a number.
        let end = match self.rest[..end].parse::<f64>() {
            Ok(_) => self
                .rest
                .find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)))
                .unwrap_or(self.rest.len()),
            Err(_) => end,
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn eat_close(&mut self, sign: &str) -> bool {
        self.rest
            .strip_prefix(sign)
            .map(|rest| self.rest = rest)
            .is_some()
    }

    fn eat(&mut self, sign: &str) -> bool {
        let eaten = self.eat_close(sign);
        if eaten {
            self.rest = self.rest.trim_start();
        }
        eaten
    }
}
