//! Text from elsewhere made harmless: nothing in it moves the cursor, colours the screen or turns a line around.

/// Characters that do not show or that turn a line around: control characters, zero-width ones, bidirectional controls.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// For a cell of the screen: an escape becomes a sign that shows, a tab one space, everything else hidden goes.
pub fn clean(text: &str) -> String {
    text.chars().filter_map(clean_char).collect()
}

/// One character of remote text as [`clean`] shows it.
pub fn clean_char(c: char) -> Option<char> {
    match c {
        '\t' => Some(' '),
        '\u{1b}' => Some('␛'),
        c if is_hidden(c) => None,
        c => Some(c),
    }
}

/// For a sentence: one line without hidden characters, words one space apart, at most `limit` characters.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut left = limit + 1;
    for word in text
        .split(|c: char| c.is_whitespace() || is_hidden(c))
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
            left = left.saturating_sub(1);
        }
        line.extend(word.chars().take(left));
        left = left.saturating_sub(word.chars().take(left).count());
        if left == 0 {
            break;
        }
    }
    if line.chars().count() > limit {
        line = line.chars().take(limit.saturating_sub(1)).collect();
        line.push('…');
    }
    line
}

/// For a terminal that is not ours: line breaks are kept and indented, tabs kept, everything else hidden is made visible.
pub fn visible(text: &str, into: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => into.push_str("\n    "),
            '\t' => into.push('\t'),
            '\u{0}'..='\u{1f}' => {
                into.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'));
            }
            c if is_hidden(c) => into.push('\u{fffd}'),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sentence_is_cut_with_a_sign() {
        assert_eq!(one_line("  a\u{1b}[31m  b\nc ", 80), "a [31m b c");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("ab cd ef", 6), "ab cd…");
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_through(text in "(\\PC|[\\x00-\\x1f\\x7f\\u{80}-\\u{9f}\\u{200b}-\\u{200f}\\u{202a}-\\u{202e}\\u{2066}-\\u{2069}\\u{feff}]){0,60}", limit in 1_usize..80) {
            let line = one_line(&text, limit);
            prop_assert!(line.chars().count() <= limit);
            prop_assert!(!line.chars().any(is_hidden), "{line:?}");
            prop_assert!(!clean(&text).chars().any(is_hidden));
            let mut shown = String::new();
            visible(&text, &mut shown);
            prop_assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n' && c != '\t'), "{shown:?}");
        }
    }
}
