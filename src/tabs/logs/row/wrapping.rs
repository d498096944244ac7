//! A text in the cells it has: all of it over several rows, or the part that fits in one.

use unicode_width::UnicodeWidthChar;

use super::WHOLE_BYTES;
use crate::tabs::Look;
use crate::ui::text::{bytes, clean, truncate, width};

/// Rows of an expanded or wrapped line.
const MOST_ROWS: usize = 400;

/// The rows of an expanded line; what is left out is said.
pub fn expanded_rows(len: usize, head: &str, room: usize) -> Vec<String> {
    let mut rows: Vec<String> = whole(head)
        .iter()
        .flat_map(|text| wrapped(text, room))
        .collect();
    if rows.len() > MOST_ROWS {
        let left = rows.len() - MOST_ROWS;
        rows.truncate(MOST_ROWS);
        rows.push(format!(
            "({left} more rows: copy the line to have them all)"
        ));
    } else if len > WHOLE_BYTES {
        let left = bytes((len - WHOLE_BYTES) as u64);
        rows.push(format!("({left} more: copy the line to have it all)"));
    }
    rows
}

/// The whole text, line by line: JSON indented, the carriage returns of Python tracebacks broken.
fn whole(text: &str) -> Vec<String> {
    let pretty = serde_json::from_str::<serde_json::Value>(text.trim())
        .ok()
        .filter(|value| value.is_object() || value.is_array())
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    let text = pretty.as_deref().unwrap_or(text);
    let lines = text
        .trim_end()
        .split(['\n', '\r'])
        .filter(|line| !line.is_empty());
    lines.map(|line| clean(&line.replace('\t', "  "))).collect()
}

/// The text in pieces of at most `cells` cells, broken at blanks where possible.
pub fn wrapped(text: &str, cells: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let need = width(word.trim_end());
        if used > 0 && used + need > cells {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        for c in word.chars() {
            let w = c.width().unwrap_or(0);
            if used + w > cells {
                if c == ' ' {
                    continue;
                }
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            row.push(c);
            used += w;
        }
        if rows.len() >= MOST_ROWS {
            return rows;
        }
    }
    rows.push(row);
    rows
}

/// The part of a text that fits, with a mark on each side where something was cut off.
pub fn cut(text: &str, shift: usize, room: usize, look: Option<&Look>) -> String {
    let Some(look) = look else {
        return String::new();
    };
    let ellipsis = look.glyphs.ellipsis;
    if shift == 0 {
        return truncate(text, room, ellipsis);
    }
    let rest = skip(text, shift + width(ellipsis));
    let mark = if text.is_empty() { "" } else { ellipsis };
    truncate(&format!("{mark}{rest}"), room, ellipsis)
}

/// The text without its first cells.
fn skip(text: &str, cells: usize) -> String {
    let mut skipped = 0;
    let rest = text.chars().skip_while(|c| {
        let before = skipped;
        skipped += c.width().unwrap_or(0);
        before < cells
    });
    rest.take(2000).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_expanded_line_is_readable() {
        assert_eq!(
            whole("{\"a\":{\"b\":1}}"),
            ["{", "  \"a\": {", "    \"b\": 1", "  }", "}"]
        );
        assert_eq!(
            whole("KeyError: 'x'\rTraceback\r  File \"a\"\n"),
            ["KeyError: 'x'", "Traceback", "  File \"a\""]
        );
        assert_eq!(wrapped("alpha beta gamma", 11), ["alpha beta ", "gamma"]);
        assert_eq!(skip("añb漢字", 2), "b漢字");
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word_and_keeps_the_width(text in "[a-z漢 ]{0,80}", cells in 2_usize..20) {
            let rows = wrapped(&text, cells);
            prop_assert!(rows.iter().all(|row| width(row.trim_end()) <= cells), "{:?}", rows);
            let squeeze = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&rows.concat()), squeeze(&text));
        }
    }
}
