//! Which requests to list: `failed`, `cold`, `>500ms`, `timeout`, or a text.

use super::{Invocation, Status};

/// Conditions on a request that must all hold; none of them lists all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wanted {
    /// Error, timeout or out of memory.
    pub failed: bool,
    /// It started a new environment.
    pub cold: bool,
    /// Exactly this state.
    pub status: Option<Status>,
    /// Handler time of at least so many milliseconds.
    pub at_least_ms: Option<f64>,
    /// Handler time of at most so many milliseconds.
    pub at_most_ms: Option<f64>,
    /// Ended at or after this instant, milliseconds since the epoch.
    pub since: Option<i64>,
    /// The start of the id, or a part of its first error, in lower case.
    pub text: Option<String>,
}

impl Wanted {
    /// Reads words as a person types them; what is no condition is looked for as a text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        let mut rest: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            match word.to_ascii_lowercase().as_str() {
                "failed" => wanted.failed = true,
                "cold" => wanted.cold = true,
                "ok" => wanted.status = Some(Status::Ok),
                "error" => wanted.status = Some(Status::Error),
                "timeout" => wanted.status = Some(Status::Timeout),
                "oom" => wanted.status = Some(Status::OutOfMemory),
                "running" => wanted.status = Some(Status::InFlight),
                _ if word.starts_with('>') => wanted.at_least_ms = Some(milliseconds(word)?),
                _ if word.starts_with('<') => wanted.at_most_ms = Some(milliseconds(word)?),
                _ => rest.push(word),
            }
        }
        wanted.text = (!rest.is_empty()).then(|| rest.join(" ").to_lowercase());
        Ok(wanted)
    }

    /// Whether every request is listed.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a request is listed; `error` gives the text of its first error.
    pub fn holds(&self, row: &Invocation, error: impl FnOnce() -> String) -> bool {
        let duration = row.duration_ms();
        (!self.failed || row.status().is_failure())
            && (!self.cold || row.is_cold())
            && self.status.is_none_or(|status| row.status() == status)
            && self
                .at_least_ms
                .is_none_or(|least| duration.is_some_and(|own| own >= least))
            && self
                .at_most_ms
                .is_none_or(|most| duration.is_some_and(|own| own <= most))
            && self
                .since
                .is_none_or(|since| row.ended().is_some_and(|ended| ended >= since))
            && self.text.as_ref().is_none_or(|text| {
                row.id.to_string().starts_with(text.as_str())
                    || error().to_lowercase().contains(text.as_str())
            })
    }

    /// The conditions as they are typed, without the instant.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if self.failed {
            words.push("failed".to_owned());
        }
        if self.cold {
            words.push("cold".to_owned());
        }
        words.extend(self.status.map(|status| match status {
            Status::InFlight => "running".to_owned(),
            status => status.word().to_lowercase(),
        }));
        words.extend(self.at_least_ms.map(|ms| format!(">{ms}ms")));
        words.extend(self.at_most_ms.map(|ms| format!("<{ms}ms")));
        words.extend(self.text.clone());
        words.join(" ")
    }
}

/// `>500`, `>=500ms`, `<1.5s`: milliseconds.
fn milliseconds(word: &str) -> Result<f64, String> {
    let number = word.trim_start_matches(['>', '<', '=']);
    let (number, factor) = match (number.strip_suffix("ms"), number.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1000.0),
        (None, None) => (number, 1.0),
    };
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value * factor),
        _ => Err(format!("`{word}` is no duration: write >500ms or >1.5s")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for text in [
            "failed",
            "cold >500ms",
            "timeout <1500ms",
            "oom",
            "running",
            "79b5 boom",
        ] {
            assert_eq!(Wanted::parse(text).unwrap().words(), text);
        }
        assert_eq!(Wanted::parse(">1.5s").unwrap().at_least_ms, Some(1500.0));
        assert!(Wanted::parse("").unwrap().is_all());
        assert!(
            Wanted::parse(">fast")
                .unwrap_err()
                .contains("`>fast` is no duration")
        );
    }
}
