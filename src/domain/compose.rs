//! What is made of a JSON line's members: CloudWatch filter patterns, conditions of our own queries, and columns.

use serde_json::Value;

/// One plain member of a JSON line.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Dotted path: `record.metrics.durationMs`.
    pub path: String,
    /// Its value: a string, a number, a boolean or null.
    pub value: Value,
}

/// Longer texts are no good filters.
const MAX_TEXT: usize = 80;
/// Members that differ on every line come last.
const UNIQUE: [&str; 6] = ["timestamp", "time", "@timestamp", "ts", "message", "msg"];
/// Members that say most come first.
const FIRST: [&str; 5] = ["level", "severity", "levelname", "errorType", "status"];

/// The plain members of a JSON message, the most telling first; none for other text.
pub fn members(message: &str) -> Vec<Member> {
    let mut members = Vec::new();
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(message.trim()) {
        walk(String::new(), &value, &mut members);
    }
    let rank = |member: &Member| {
        let is = |names: &[&str]| names.contains(&member.path.as_str());
        if is(&FIRST) {
            0
        } else if is(&UNIQUE) {
            2
        } else {
            1
        }
    };
    members.sort_by_key(rank);
    members
}

/// Most characters of a value in a column.
const MAX_CELL: usize = 24;
/// A value of so many characters keeps what follows in line.
const USUAL_CELL: usize = 8;

/// The members at these dotted paths as columns, `alcohol=12.5    level=INFO     `; `None` for a text that is no JSON object
/// or has none of them. A member that is not there leaves its column blank.
pub fn columns(message: &str, paths: &[String]) -> Option<String> {
    let value: Value = serde_json::from_str(message.trim()).ok()?;
    value.as_object()?;
    let find = |path: &String| {
        path.split('.')
            .try_fold(&value, |value, key| value.get(key))
    };
    if !paths.iter().any(|path| find(path).is_some()) {
        return None;
    }
    let cell = |path: &String| {
        let text = match find(path) {
            None => String::new(),
            Some(Value::String(text)) => format!("{path}={text}"),
            Some(value) => format!("{path}={value}"),
        };
        let name = path.chars().count() + 1;
        let text: String = text.chars().take(name + MAX_CELL).collect();
        format!("{text:<0$}  ", name + USUAL_CELL)
    };
    Some(paths.iter().map(cell).collect())
}

fn walk(path: String, value: &Value, into: &mut Vec<Member>) {
    match value {
        Value::Object(inner) => {
            for (key, value) in inner {
                let dot = if path.is_empty() { "" } else { "." };
                walk(format!("{path}{dot}{key}"), value, into);
            }
        }
        Value::Array(_) => {}
        Value::String(text) if text.len() > MAX_TEXT => {}
        value => into.push(Member {
            path,
            value: value.clone(),
        }),
    }
}

impl Member {
    /// As CloudWatch writes it: `{ $.level = "ERROR" }`.
    pub fn pattern(&self) -> String {
        let path = &self.path;
        match &self.value {
            Value::Bool(true) => format!("{{ $.{path} IS TRUE }}"),
            Value::Bool(false) => format!("{{ $.{path} IS FALSE }}"),
            Value::Null => format!("{{ $.{path} IS NULL }}"),
            value => format!("{{ $.{path} = {value} }}"),
        }
    }

    /// As our own queries write it: `level="ERROR"`, `alcohol=12.5`.
    pub fn condition(&self) -> String {
        match &self.value {
            Value::String(text) if text.contains(char::is_whitespace) => {
                format!("{}=\"{text}\"", self.path)
            }
            Value::String(text) => format!("{}={text}", self.path),
            value => format!("{}={value}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::query::Query;

    const LINE: &str = r#"{"timestamp":"t","message":"no score","requestId":"7","level":"ERROR","record":{"ms":1.5,"warm":true,"why":null},"list":[1]}"#;

    #[test]
    fn members_become_patterns_the_most_telling_first() {
        let patterns: Vec<String> = members(LINE).iter().map(Member::pattern).collect();
        assert_eq!(
            patterns,
            [
                r#"{ $.level = "ERROR" }"#,
                r#"{ $.requestId = "7" }"#,
                "{ $.record.ms = 1.5 }",
                "{ $.record.warm IS TRUE }",
                "{ $.record.why IS NULL }",
                r#"{ $.timestamp = "t" }"#,
                r#"{ $.message = "no score" }"#,
            ]
        );
        assert!(members("no JSON").is_empty() && members("[1]").is_empty());
    }

    #[test]
    fn chosen_members_line_up() {
        let paths = ["level", "record.ms", "nothing"].map(str::to_owned);
        assert_eq!(
            columns(LINE, &paths).unwrap(),
            "level=ERROR     record.ms=1.5                         "
        );
        let long = format!("{{\"level\":\"{}\"}}", "x".repeat(100));
        assert_eq!(columns(&long, &paths[..1]).unwrap().trim_end().len(), 30);
        assert_eq!(columns(LINE, &paths[2..]), None, "not even one of them");
        assert_eq!(columns("plain", &paths), None);
        assert_eq!(columns("[1]", &paths), None);
    }

    #[test]
    fn every_condition_finds_its_own_line() {
        for member in members(LINE) {
            let text = member.condition();
            let query = Query::parse(&text).unwrap();
            let holds = |term: &crate::domain::query::Term| term.matches_text(LINE.as_bytes());
            let mut conditions = query.conditions.iter();
            // `level` and `request:` are decided by the index.
            assert!(conditions.all(|c| holds(&c.term)), "{text}");
        }
    }
}
