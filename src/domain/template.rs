//! Error templates: messages that differ only in their numbers, ids and names fall into one row.
//!
//! First the variable parts are masked (`<num>`, `<uuid>`, `<hex>`, `<ip>`, `<str>`), then messages of equal length that share
//! most of their words are merged, the odd words becoming `<*>`: the idea of Drain (He et al., ICWS 2017) with one tree level.

use std::collections::HashMap;

use crate::domain::request_id::{RequestId, TEXT_LEN};

/// Replaces what varies in one message: quoted strings, UUIDs, hex words, IP addresses and numbers. Only the first line counts.
pub fn mask(message: &str) -> String {
    let line = message
        .trim_start()
        .split(['\n', '\r'])
        .next()
        .unwrap_or_default();
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let at_word = out
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_alphanumeric() && before != '_');
        if at_word && let Some((mark, len)) = variable(rest) {
            out.push_str(mark);
            rest = &rest[len..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        if out.len() >= MAX_LEN {
            out.push('…');
            break;
        }
    }
    out
}

/// Templates are cut here; an endless line has no more to tell.
const MAX_LEN: usize = 240;

/// A variable part at the start of `text`: its mark and its length in bytes.
fn variable(text: &str) -> Option<(&'static str, usize)> {
    let bytes = text.as_bytes();
    if let quote @ (b'\'' | b'"') = bytes[0] {
        let end = memchr::memchr(quote, &bytes[1..])?;
        return (end < 120).then_some(("<str>", end + 2));
    }
    if RequestId::at_start(bytes).is_some()
        && !bytes.get(TEXT_LEN).is_some_and(u8::is_ascii_alphanumeric)
    {
        return Some(("<uuid>", TEXT_LEN));
    }
    let len = bytes
        .iter()
        .position(|b| !b.is_ascii_alphanumeric())
        .unwrap_or(bytes.len());
    let word = &bytes[..len];
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    if word.starts_with(b"0x") && len > 2 && word[2..].iter().all(u8::is_ascii_hexdigit) {
        return Some(("<hex>", len));
    }
    if len >= 8 && digits > 0 && digits < len && word.iter().all(u8::is_ascii_hexdigit) {
        return Some(("<hex>", len));
    }
    if bytes[0].is_ascii_digit()
        || (bytes[0] == b'-' && bytes.get(1).is_some_and(u8::is_ascii_digit))
    {
        return Some(number(bytes));
    }
    None
}

/// `41`, `-1.5e3`, `30.03`, `10:22:31`, `10.0.0.1:443`; a unit right behind stays (`<num>ms`).
fn number(bytes: &[u8]) -> (&'static str, usize) {
    let mut len = 1;
    let mut dots = 0;
    while let Some(&b) = bytes.get(len) {
        let goes_on = b.is_ascii_digit()
            || (matches!(b, b'.' | b':' | b',' | b'-')
                && bytes.get(len + 1).is_some_and(u8::is_ascii_digit))
            || (matches!(b, b'e' | b'E')
                && matches!(bytes.get(len + 1..len + 3), Some([b'+' | b'-', d]) if d.is_ascii_digit()))
            || (matches!(b, b'+' | b'-') && matches!(bytes[len - 1], b'e' | b'E'));
        if !goes_on {
            break;
        }
        dots += usize::from(b == b'.');
        len += 1;
    }
    (if dots >= 3 { "<ip>" } else { "<num>" }, len)
}

/// One row of the Errors view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The masked text.
    pub text: String,
    /// How many lines fell into it.
    pub count: usize,
    /// Earliest event time, milliseconds since the epoch.
    pub first_seen: i64,
    /// Latest event time.
    pub last_seen: i64,
    /// Its lines, in order of arrival.
    pub lines: Vec<u32>,
}

/// All templates seen so far, built line by line.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    rows: Vec<Template>,
    words: Vec<Vec<String>>,
    exact: HashMap<String, usize>,
    by_shape: HashMap<(usize, String), Vec<usize>>,
    /// The template that the newest line made more general, and its words before.
    merged: Option<(usize, Vec<String>)>,
}

/// Words that must agree, in hundredths.
const SIMILAR: usize = 60;
/// Distinct masked texts remembered word for word; beyond it every line goes through the comparison.
const MAX_EXACT: usize = 4096;
/// More templates than this are no help to a reader; the rest is counted in one row.
const MAX_TEMPLATES: usize = 1024;

impl Templates {
    /// The templates, in order of first appearance.
    pub fn rows(&self) -> &[Template] {
        &self.rows
    }

    /// The template of this text; also the one that has taken it in since, `<*>` standing for words that came to differ.
    pub fn find(&self, text: &str) -> Option<&Template> {
        if let Some(row) = self.rows.iter().find(|row| row.text == text) {
            return Some(row);
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let shape = (words.len(), words.first().cloned()?);
        let mut known = self.by_shape.get(&shape)?.iter();
        let at = known.find(|&&at| is_similar(&self.words[at], &words))?;
        self.rows.get(*at)
    }

    /// Puts one message into its template and returns that template's position.
    pub fn observe(&mut self, line: u32, time: i64, message: &str) -> usize {
        let masked = mask(message);
        self.merged = None;
        let known = self.exact.get(&masked).copied();
        let at = known.unwrap_or_else(|| self.place(&masked));
        if known.is_none() && self.exact.len() < MAX_EXACT {
            self.exact.insert(masked, at);
        }
        let row = &mut self.rows[at];
        row.count += 1;
        row.first_seen = row.first_seen.min(time);
        row.last_seen = row.last_seen.max(time);
        row.lines.push(line);
        at
    }

    /// Takes the newest line back, to be observed anew.
    pub fn withdraw(&mut self, line: u32) {
        let mut rows = self.rows.iter_mut();
        let Some(at) = rows.position(|row| row.lines.last() == Some(&line)) else {
            return;
        };
        let row = &mut self.rows[at];
        row.lines.pop();
        row.count -= 1;
        if let Some((merged, words)) = self.merged.take()
            && merged == at
        {
            row.text = words.join(" ");
            self.words[at] = words;
        }
        // A template of one line was made by it, so it is the last.
        if row.count == 0 && at + 1 == self.rows.len() {
            self.rows.pop();
            self.words.pop();
            self.exact.retain(|_, known| *known != at);
            for known in self.by_shape.values_mut() {
                known.retain(|known| *known != at);
            }
        }
    }

    fn place(&mut self, masked: &str) -> usize {
        let full = self.rows.len() >= MAX_TEMPLATES;
        let words: Vec<String> = masked.split_whitespace().map(str::to_owned).collect();
        let shape = (words.len(), words.first().cloned().unwrap_or_default());
        let known = self.by_shape.entry(shape).or_default();
        let similar = known
            .iter()
            .copied()
            .find(|&at| is_similar(&self.words[at], &words));
        if let Some(at) = similar {
            let before = self.words[at].clone();
            if merge(&mut self.words[at], &words) {
                self.rows[at].text = self.words[at].join(" ");
                self.merged = Some((at, before));
            }
            return at;
        }
        if full {
            return self.rows.len() - 1;
        }
        let at = self.rows.len();
        known.push(at);
        let text = if at + 1 == MAX_TEMPLATES {
            "(everything else)".to_owned()
        } else {
            words.join(" ")
        };
        self.rows.push(Template {
            text,
            count: 0,
            first_seen: i64::MAX,
            last_seen: i64::MIN,
            lines: Vec::new(),
        });
        self.words.push(words);
        at
    }
}

fn is_similar(template: &[String], words: &[String]) -> bool {
    let same = template
        .iter()
        .zip(words)
        .filter(|(a, b)| a == b || *a == "<*>")
        .count();
    same * 100 >= template.len() * SIMILAR && template.len() > 2 || same == template.len()
}

/// Words that differ come to stand for any; true when there is such a new one.
fn merge(template: &mut [String], words: &[String]) -> bool {
    let mut has_changed = false;
    for (mine, other) in template.iter_mut().zip(words) {
        if mine != other && mine != "<*>" {
            "<*>".clone_into(mine);
            has_changed = true;
        }
    }
    has_changed
}

/// How many of `times` fall into each of `buckets` equal slices of `from..to` (milliseconds): a sparkline's heights.
pub fn histogram(
    times: impl IntoIterator<Item = i64>,
    from: i64,
    to: i64,
    buckets: usize,
) -> Vec<u32> {
    let mut counts = vec![0_u32; buckets];
    let span = i128::from(to) - i128::from(from);
    if span <= 0 || buckets == 0 {
        return counts;
    }
    for time in times {
        if (from..to).contains(&time) {
            let at = (i128::from(time) - i128::from(from)) * buckets as i128 / span;
            counts[at as usize] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masks_what_varies() {
        for (message, want) in [
            (
                "❌ Error: could not convert string to float: 'abc'",
                "❌ Error: could not convert string to float: <str>",
            ),
            (
                "Task timed out after 30.03 seconds",
                "Task timed out after <num> seconds",
            ),
            (
                "request 79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b failed",
                "request <uuid> failed",
            ),
            (
                "at 0x7f3a connect 10.0.0.1:443 took 41ms",
                "at <hex> connect <ip> took <num>ms",
            ),
            (
                "digest deadbeef01 of s3://bucket/v2/model",
                "digest <hex> of s3://bucket/v2/model",
            ),
            (
                "KeyError: 'alcohol'\rTraceback (most recent call last):",
                "KeyError: <str>",
            ),
            ("-12.5e-3 and 7", "<num> and <num>"),
        ] {
            assert_eq!(mask(message), want);
        }
    }

    #[test]
    fn merges_messages_of_one_shape() {
        let mut templates = Templates::default();
        for (line, host) in ["alpha", "beta", "gamma"].iter().enumerate() {
            templates.observe(
                line as u32,
                1000 - line as i64,
                &format!("cannot reach host {host} on port {line}"),
            );
        }
        templates.observe(3, 5000, "disk full");
        let rows = templates.rows();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].text.as_str(), rows[0].count),
            ("cannot reach host <*> on port <num>", 3)
        );
        assert_eq!((rows[0].first_seen, rows[0].last_seen), (998, 1000));
        assert_eq!(rows[0].lines, [0, 1, 2]);
        for text in [
            "cannot reach host alpha on port <num>",
            "cannot reach host <*> on port <num>",
        ] {
            assert_eq!(templates.find(text), rows.first(), "{text}");
        }
        assert_eq!(templates.find("cannot reach the moon"), None);
    }

    #[test]
    fn counts_by_time() {
        assert_eq!(histogram([0, 5, 9, 10, -1], 0, 10, 2), [1, 2]);
        assert_eq!(histogram([1], i64::MIN, i64::MAX, 3), [0, 1, 0]);
        assert_eq!(histogram([1], 5, 5, 1), [0]);
    }

    proptest! {
        #[test]
        fn any_text_is_safe_and_counted(messages in proptest::collection::vec("\\PC{0,60}", 0..40)) {
            let mut templates = Templates::default();
            for (line, message) in messages.iter().enumerate() {
                templates.observe(line as u32, 0, message);
            }
            prop_assert_eq!(templates.rows().iter().map(|row| row.count).sum::<usize>(), messages.len());
        }

        #[test]
        fn masking_twice_changes_nothing_in_plain_words(message in "[a-z ]{0,40}") {
            prop_assert_eq!(mask(&mask(&message)), mask(&message));
        }
    }
}
