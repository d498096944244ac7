//! `--since` and `--until`, as the AWS CLI reads them and a little more.

use anyhow::{anyhow, bail};

use crate::domain::timestamp;

/// Reads `now`, a distance back (`10m`, `1h30m`), a date or time (`2026-10-08`, `2026-10-08T14:03`, with or without zone; UTC
/// without), or seconds or milliseconds since the epoch. Milliseconds since the epoch come out.
pub fn parse(text: &str, now: i64) -> anyhow::Result<i64> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Some(back) = timestamp::distance(text) {
        return Ok(now - back);
    }
    if let Some(at) = date(text) {
        return Ok(at);
    }
    match text.parse::<i64>() {
        Ok(seconds) if text.len() == 10 => Ok(seconds * 1_000),
        Ok(milliseconds) if text.len() == 13 => Ok(milliseconds),
        Ok(_) => bail!("{text}: a number needs a unit: {text}s, {text}m, {text}h or {text}d"),
        Err(_) => Err(anyhow!(
            "{text}: not a time; it looks like 90s, 10m, 1h30m, 2d, 2026-10-08 or 2026-10-08T14:03:00Z"
        )),
    }
}

/// A timestamp whose end may be left out.
fn date(text: &str) -> Option<i64> {
    let completed = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        17 if text.ends_with('Z') => format!("{}:00Z", &text[..16]),
        _ => text.to_owned(),
    };
    timestamp::parse(completed.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_791_444_629_470;

    #[test]
    fn reads_what_the_aws_cli_reads() {
        for (text, wanted) in [
            ("now", NOW),
            ("10m", NOW - 600_000),
            ("1h30m", NOW - 5_400_000),
            ("2d", NOW - 172_800_000),
            ("500ms", NOW - 500),
            ("2026-10-08", 1_791_417_600_000),
            ("2026-10-08T07:30", 1_791_444_600_000),
            ("2026-10-08T07:30Z", 1_791_444_600_000),
            ("2026-10-08T07:30:29Z", 1_791_444_629_000),
            ("2026-10-08T09:30:29+02:00", 1_791_444_629_000),
            ("1791444629", 1_791_444_629_000),
            ("1791444629470", NOW),
        ] {
            assert_eq!(parse(text, NOW).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn says_what_it_cannot_read() {
        assert!(
            parse("10", NOW)
                .unwrap_err()
                .to_string()
                .contains("needs a unit")
        );
        for text in [
            "",
            "yesterday",
            "5 parsecs",
            "2026-13-40",
            "99999999999999999999h",
        ] {
            let error = parse(text, NOW).unwrap_err().to_string();
            assert!(error.contains("10m"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "\\PC{0,30}") {
            let _ = parse(&text, NOW);
        }
    }
}
