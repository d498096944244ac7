//! Numbers, times and remote text as they are printed; the only place that formats them.

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::domain::text::{clean, clean_char};

/// Milliseconds with three significant figures: `0.42 ms`, `41.8 ms`, `187 ms`, `1.40 s`.
pub fn ms(milliseconds: f64) -> String {
    match milliseconds {
        m if !m.is_finite() => "–".to_owned(),
        m if m > 0.0 && m < 0.1 => format!("{:.0} µs", m * 1000.0),
        m if m < 10.0 => format!("{m:.2} ms"),
        m if m < 100.0 => format!("{m:.1} ms"),
        m if m < 1000.0 => format!("{m:.0} ms"),
        m if m < 10_000.0 => format!("{:.2} s", m / 1000.0),
        m => format!("{:.1} s", m / 1000.0),
    }
}

/// Whole milliseconds, as AWS bills them: `42 ms`, `1.46 s`.
pub fn whole_ms(milliseconds: u64) -> String {
    match milliseconds {
        m if m < 1000 => format!("{m} ms"),
        m => ms(m as f64),
    }
}

/// An integer with thin groups: `1 234 567`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A count in at most five cells, for where there is no room for more: a number that is cut would be another one.
pub fn short_count(n: usize) -> String {
    match n {
        0..10_000 => count(n),
        10_000..999_500 => format!("{:.0}k", n as f64 / 1e3),
        _ => format!("{:.1}M", n as f64 / 1e6),
    }
}

/// So many of something: `1 request`, `1 283 requests`.
pub fn plural(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(n))
}

/// A share as a percentage with one decimal: `0.4 %`; a few among many are never none: `< 0.1 %`.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.0005 {
        return "< 0.1 %".to_owned();
    }
    format!("{:.1} %", share * 100.0)
}

/// Bytes in binary units: `512 B`, `1.5 KiB`, `188.0 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// How long ago something was: `now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    match seconds {
        0 => "now".to_owned(),
        s @ 1..=119 => format!("{s} s ago"),
        s @ 120..=7_199 => format!("{} min ago", s / 60),
        s @ 7_200..=172_799 => format!("{} h ago", s / 3600),
        s => format!("{} d ago", s / 86_400),
    }
}

/// Width on screen, in cells.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut to `cells` cells, with `ellipsis` in the last ones if anything was cut.
pub fn truncate(text: &str, cells: usize, ellipsis: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(ellipsis));
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(c);
    }
    if cells >= width(ellipsis) {
        out.push_str(ellipsis);
    }
    out
}

/// The first of the variants, longest first, that fits in `cells`; else the last.
pub fn fitting(variants: &[String], cells: usize) -> String {
    let fits = variants.iter().find(|variant| width(variant) <= cells);
    fits.or(variants.last()).cloned().unwrap_or_default()
}

/// The text broken between words into lines of at most `cells` cells; a longer word is broken anywhere.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let gap = usize::from(!lines[last].is_empty());
        if width(&lines[last]) + gap + width(word) <= cells {
            lines[last].push_str(&" "[..gap]);
            lines[last].push_str(word);
            continue;
        }
        if gap > 0 {
            lines.push(String::new());
        }
        for c in word.chars() {
            let last = lines.len() - 1;
            if width(&lines[last]) + c.width().unwrap_or(0) > cells {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
        }
    }
    lines
}

/// At most so many lines; where there are more, the last one says how many, and what to do about it.
pub fn shorten(mut lines: Vec<String>, most: usize, advice: &str) -> Vec<String> {
    let all = lines.len();
    if all > most {
        lines.truncate(most.saturating_sub(1));
        if most > 0 {
            let left = plural(all - lines.len(), "line");
            lines.push(format!("({left} more{advice})"));
        }
    }
    lines
}

/// The text padded with spaces on the right, or truncated, to exactly `cells` cells.
pub fn fit(text: &str, cells: usize, ellipsis: &str) -> String {
    let mut out = truncate(text, cells, ellipsis);
    let missing = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_milliseconds_have_no_decimals() {
        assert_eq!(
            [whole_ms(5), whole_ms(999), whole_ms(1460)],
            ["5 ms", "999 ms", "1.46 s"]
        );
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(
            [ms(0.418), ms(41.75), ms(186.6), ms(1398.4), ms(30_030.0)],
            ["0.42 ms", "41.8 ms", "187 ms", "1.40 s", "30.0 s"]
        );
        assert_eq!(
            [count(0), count(999), count(1283), count(1_234_567)],
            ["0", "999", "1 283", "1 234 567"]
        );
        assert_eq!(
            [9_999, 12_345, 999_499, 999_500].map(short_count),
            ["9 999", "12k", "999k", "1.0M"]
        );
        assert_eq!(
            [bytes(35), bytes(1536), bytes(197_132_288)],
            ["35 B", "1.5 KiB", "188.0 MiB"]
        );
        assert_eq!(percent(0.0042), "0.4 %");
        assert_eq!(percent(3.0 / 8787.0), "< 0.1 %");
        assert_eq!(
            (percent(0.0), percent(0.000_51)),
            ("0.0 %".into(), "0.1 %".into())
        );
    }

    #[test]
    fn ages_never_run_backwards() {
        let at = |s: i64| Timestamp::from_second(1_000_000 + s).unwrap();
        assert_eq!(age(at(5), at(0)), "now");
        assert_eq!(
            [
                age(at(0), at(12)),
                age(at(0), at(180)),
                age(at(0), at(7200)),
                age(at(0), at(200_000))
            ],
            ["12 s ago", "3 min ago", "2 h ago", "2 d ago"]
        );
    }

    #[test]
    fn hostile_text_is_disarmed() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\u{202e}\tb\0"), "a␛[31mred b");
    }

    proptest! {
        #[test]
        fn fit_is_always_exactly_as_wide(text in "\\PC{0,40}", cells in 0usize..30) {
            let fitted = fit(&text, cells, "…");
            prop_assert_eq!(width(&fitted), cells, "{:?}", fitted);
        }

        #[test]
        fn cleaned_text_has_no_controls(text in any::<String>()) {
            prop_assert!(clean(&text).chars().all(|c| !c.is_control()));
        }
    }
}
