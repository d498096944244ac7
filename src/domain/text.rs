//! Text from elsewhere made harmless: nothing in it moves the cursor, colours the screen or turns a line around.

/// Characters that do not show, that turn a line around or that terminals disagree about the width of: control characters,
/// zero-width ones and fillers, bidirectional controls, line and paragraph separators, tags.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
    let mut rest = text;
    loop {
        let (plain, odd) = rest.split_at(plain_len(rest));
        into.push_str(plain);
        let mut chars = odd.chars();
        let Some(c) = chars.next() else { return };
        rest = chars.as_str();
        match c {
            '\r' if rest.starts_with('\n') => {}
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

/// Bytes of printable ASCII at the start of a text: what may go anywhere as it is, found a block at a time.
pub fn plain_len(text: &str) -> usize {
    const BLOCK: usize = 32;
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    // No way out inside a block, so that it becomes a few vector instructions.
    let plain_block = |block: &&[u8]| block.iter().fold(true, |all, byte| all & is_plain(byte));
    let bytes = text.as_bytes();
    let blocks = bytes.chunks_exact(BLOCK).take_while(plain_block).count() * BLOCK;
    let tail = bytes[blocks..].iter().take_while(|byte| is_plain(byte));
    blocks + tail.count()
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

    #[test]
    fn what_does_not_show_or_has_no_certain_width_goes() {
        assert_eq!(
            clean("a\u{2028}b\u{2029}c\u{ad}d\u{61c}e\u{e0041}f\u{3164}g"),
            "abcdefg"
        );
        assert_eq!(
            clean("é漢🍷e\u{301} עב"),
            "é漢🍷e\u{301} עב",
            "letters stay"
        );
    }

    #[test]
    fn a_line_for_a_strange_terminal_keeps_its_breaks() {
        let long = "x".repeat(70);
        let mut shown = String::new();
        visible(
            &format!("{long}\r\n\tü{long}\u{1b}[2J\u{202e}\r."),
            &mut shown,
        );
        assert_eq!(
            shown,
            format!("{long}\n    \tü{long}\u{241b}[2J\u{fffd}\n    .")
        );
        assert_eq!(plain_len(&format!("{long}\u{7f}{long}")), 70);
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
            let plain = text.chars().take_while(|c| (' '..='~').contains(c)).count();
            prop_assert_eq!(plain_len(&text), plain);
        }
    }
}
