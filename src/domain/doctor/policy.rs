//! Does a resource policy let a service in? Allow and Deny, principals, actions and ARN globs, with near misses named.

use serde_json::Value;

/// The question asked of a policy: may `principal` do `action`, coming from `source_arn`?
#[derive(Debug, Clone, PartialEq)]
pub struct Question<'a> {
    /// A service principal, `apigateway.amazonaws.com`.
    pub principal: &'a str,
    /// `lambda:InvokeFunction`.
    pub action: &'a str,
    /// The ARN the service presents as `aws:SourceArn`, if any.
    pub source_arn: Option<&'a str>,
    /// The account the call comes from, `aws:SourceAccount`.
    pub source_account: Option<&'a str>,
}

/// What a policy answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Allowed by the statement of this id.
    Allowed(String),
    /// Denied explicitly by the statement of this id.
    Denied(String),
    /// No statement fits. Statements that allow the same service to do the same under other conditions say what differs.
    NotAllowed {
        /// One sentence per near miss.
        near_misses: Vec<String>,
        /// The source ARNs those statements allow.
        allowed_sources: Vec<String>,
    },
    /// The document is not a policy.
    Unreadable(String),
}

/// Evaluates a policy document (JSON).
pub fn evaluate(document: &str, question: &Question<'_>) -> Answer {
    let policy: Value = match serde_json::from_str(document) {
        Ok(policy) => policy,
        Err(error) => return Answer::Unreadable(format!("the policy is not JSON: {error}")),
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => return Answer::Unreadable("the policy has no Statement".to_owned()),
    };
    let about: Vec<&Value> = statements
        .iter()
        .filter(|s| names_principal(s, question.principal) && names_action(s, question.action))
        .collect();
    let unmet = |s: &Value| unmet_conditions(s, question);
    let effect = |s: &Value, wanted: &str| s.get("Effect").and_then(Value::as_str) == Some(wanted);

    if let Some(deny) = about
        .iter()
        .find(|s| effect(s, "Deny") && unmet(s).is_empty())
    {
        return Answer::Denied(sid(deny));
    }
    if let Some(allow) = about
        .iter()
        .find(|s| effect(s, "Allow") && unmet(s).is_empty())
    {
        return Answer::Allowed(sid(allow));
    }
    let close: Vec<&Value> = about.into_iter().filter(|s| effect(s, "Allow")).collect();
    Answer::NotAllowed {
        near_misses: close
            .iter()
            .flat_map(|s| {
                unmet(s)
                    .into_iter()
                    .map(|why| format!("statement {}: {why}", sid(s)))
            })
            .collect(),
        allowed_sources: close.iter().flat_map(|s| source_patterns(s)).collect(),
    }
}

fn sid(statement: &Value) -> String {
    statement
        .get("Sid")
        .and_then(Value::as_str)
        .unwrap_or("without Sid")
        .to_owned()
}

/// A value that may be one string or a list of them.
fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn names_principal(statement: &Value, principal: &str) -> bool {
    match statement.get("Principal") {
        Some(Value::String(all)) => all == "*",
        Some(Value::Object(kinds)) => {
            strings(kinds.get("Service")).contains(&principal)
                || strings(kinds.get("AWS")).contains(&"*")
        }
        _ => false,
    }
}

fn names_action(statement: &Value, action: &str) -> bool {
    // IAM actions are compared without case.
    let wanted = action.to_ascii_lowercase();
    strings(statement.get("Action"))
        .iter()
        .any(|pattern| glob(&pattern.to_ascii_lowercase(), &wanted))
}

const SOURCE_ARN: &str = "aws:sourcearn";
const SOURCE_ACCOUNT: &str = "aws:sourceaccount";

/// (operator, key, values) of every condition, operator and key in lower case as IAM compares them.
fn conditions(statement: &Value) -> Vec<(String, String, Vec<&str>)> {
    let Some(Value::Object(operators)) = statement.get("Condition") else {
        return Vec::new();
    };
    operators
        .iter()
        .filter_map(|(operator, keys)| Some((operator, keys.as_object()?)))
        .flat_map(|(operator, keys)| {
            keys.iter().map(|(key, values)| {
                (
                    operator.to_ascii_lowercase(),
                    key.to_ascii_lowercase(),
                    strings(Some(values)),
                )
            })
        })
        .collect()
}

fn source_patterns(statement: &Value) -> Vec<String> {
    conditions(statement)
        .into_iter()
        .filter(|(_, key, _)| key == SOURCE_ARN)
        .flat_map(|(_, _, values)| values.into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Why the statement's conditions do not hold for this question; empty when they all do.
fn unmet_conditions(statement: &Value, question: &Question<'_>) -> Vec<String> {
    conditions(statement)
        .iter()
        .filter_map(|(operator, key, values)| unmet(operator, key, values, question))
        .collect()
}

fn unmet(operator: &str, key: &str, values: &[&str], question: &Question<'_>) -> Option<String> {
    let presented = match key {
        SOURCE_ARN => question.source_arn,
        SOURCE_ACCOUNT => question.source_account,
        _ => {
            return Some(format!(
                "its condition on {key} is not one API Gateway or Lambda fills in"
            ));
        }
    };
    let if_exists = operator.ends_with("ifexists");
    let Some(presented) = presented else {
        return (!if_exists).then(|| format!("it requires {key}"));
    };
    let matches = match operator.trim_end_matches("ifexists") {
        "arnlike" | "arnequals" => values.iter().any(|v| arn_glob(v, presented)),
        "stringlike" => values.iter().any(|v| glob(v, presented)),
        "stringequals" => values.contains(&presented),
        "stringequalsignorecase" => values.iter().any(|v| v.eq_ignore_ascii_case(presented)),
        "stringnotequals" => !values.contains(&presented),
        "arnnotlike" | "arnnotequals" => !values.iter().any(|v| arn_glob(v, presented)),
        "stringnotlike" => !values.iter().any(|v| glob(v, presented)),
        other => return Some(format!("its operator {other} is unknown to vintner")),
    };
    (!matches).then(|| match (key, values) {
        (SOURCE_ARN, [only]) => format!(
            "{} (it allows {only}, the call comes from {presented})",
            difference(only, presented)
        ),
        _ => format!(
            "{key} allows {}, the call has {presented}",
            values.join(", ")
        ),
    })
}

/// Names the first part in which an execute-api source ARN differs from the pattern.
fn difference(pattern: &str, arn: &str) -> String {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, arn) = (parts(pattern), parts(arn));
    if pattern.len() < 6 || arn.len() < 6 {
        return "the source ARN is not an ARN".to_owned();
    }
    for (index, name) in [
        (1, "partition"),
        (2, "service"),
        (3, "region"),
        (4, "account"),
    ] {
        if !glob(&pattern[index], &arn[index]) {
            return format!(
                "another {name}: {} instead of {}",
                pattern[index], arn[index]
            );
        }
    }
    let (wanted, got): (Vec<_>, Vec<_>) = (
        pattern[5].splitn(4, '/').collect(),
        arn[5].splitn(4, '/').collect(),
    );
    for (index, name) in ["API id", "stage", "method", "path"].iter().enumerate() {
        match (wanted.get(index), got.get(index)) {
            (Some(w), Some(g)) if !glob(w, g) => {
                return format!("another {name}: {w} instead of {g}");
            }
            (None, Some(g)) if !wanted.last().is_some_and(|w| w.ends_with('*')) => {
                return format!("the {name} is missing: it should match {g}");
            }
            _ => {}
        }
    }
    "another source ARN".to_owned()
}

/// `ArnLike`: a glob in which the first five parts are compared one by one, so `*` does not cross a colon there.
pub fn arn_glob(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<_>, Vec<_>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    patterns.len() == parts.len() && patterns.iter().zip(&parts).all(|(p, a)| glob(p, a))
}

/// `*` is any run of characters, `?` any single one. Linear in practice, never exponential.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    p = star_p + 1;
                    t = star_t + 1;
                    star = Some((star_p, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
