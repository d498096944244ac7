//! The last thing done to a frame where the terminal speaks ASCII only: every other sign gets a stand-in as wide as itself.

use ratatui::buffer::{Buffer, CellWidth};

/// What stands for a sign that has no likeness in ASCII: letters of other scripts in remote text.
const UNKNOWN: char = '?';

/// Leaves nothing but ASCII in the buffer, each sign in its place.
pub fn fold(buf: &mut Buffer) {
    for i in 0..buf.content.len() {
        let symbol = buf.content[i].symbol();
        if symbol.is_ascii() {
            continue;
        }
        let cells = symbol.cell_width();
        let sign = symbol.chars().next().map_or(' ', stand_in);
        buf.content[i].set_symbol(sign.encode_utf8(&mut [0; 4]));
        let rest = if sign == UNKNOWN { "?" } else { " " };
        // A wide sign's second cell is its own in the buffer; it is never the next row's.
        for cell in buf
            .content
            .iter_mut()
            .skip(i + 1)
            .take(usize::from(cells).saturating_sub(1))
        {
            cell.set_symbol(rest);
        }
    }
}

/// The ASCII sign that looks most like `c`.
pub const fn stand_in(c: char) -> char {
    match c {
        '\0'..='\x7f' => c,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{2800}' => ' ',
        '─'
        | '━'
        | '┄'
        | '┅'
        | '┈'
        | '┉'
        | '╌'
        | '╍'
        | '═'
        | '╴'
        | '╶'
        | '‐'..='―'
        | '−'
        | '▄'
        | '▃' => '-',
        '│' | '┃' | '┆' | '┇' | '┊' | '┋' | '║' | '╵' | '╷' | '▌' | '▍' | '▎' | '▏' | '▐' => {
            '|'
        }
        '\u{2500}'..='\u{257f}' | '±' => '+',
        '▁' => '_',
        '▂' | '░' | '·' | '․' => '.',
        '▅' | '▆' => '=',
        '▒' => ':',
        '▀' => '"',
        '\u{2580}'..='\u{259f}' | '\u{1fb00}'..='\u{1fb3b}' | '■' => '#',
        '\u{2801}'..='\u{28ff}' => dots(c),
        '…' | '≈' | '∼' => '~',
        '•' | '◆' | '◉' | '★' | '∗' => '*',
        '●' => 'O',
        '○' | '°' | '◦' => 'o',
        '→' | '▸' | '▶' | '►' | '›' | '»' | '≥' => '>',
        '←' | '◂' | '◀' | '◄' | '‹' | '«' | '≤' | '↵' => '<',
        '↑' | '▲' | '△' | '␛' => '^',
        '↓' | '▼' | '▽' | '✓' | '✔' | '✅' => 'v',
        '✗' | '✘' | '❌' | '×' | 'χ' => 'x',
        '⚠' | '≠' => '!',
        '⇧' | 'Σ' | '§' => 'S',
        'Δ' | 'δ' => 'd',
        'µ' | 'μ' => 'u',
        'α' => 'a',
        'σ' => 's',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '²' => '2',
        '³' => '3',
        '¹' => '1',
        '₀'..='₉' => (b'0' + (c as u32 - '₀' as u32) as u8) as char,
        _ => UNKNOWN,
    }
}

/// A braille pattern by where its dots are: above, below, or both.
const fn dots(c: char) -> char {
    let pattern = c as u32 - 0x2800;
    let (above, below) = (pattern & 0b0001_1011, pattern & 0b1110_0100);
    match (above.count_ones(), below.count_ones()) {
        (_, 0) => '\'',
        (0, _) => '.',
        (3.., 3..) => '#',
        _ => ':',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    fn folded(text: &str) -> String {
        let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, 24, 1));
        buf.set_string(0, 0, text, Style::new());
        fold(&mut buf);
        let row: String = buf
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        row.trim_end().to_owned()
    }

    #[test]
    fn signs_keep_their_place_and_their_sense() {
        assert_eq!(folded("╭─ 12 µs · SO₂ ─╮"), "+- 12 us . SO2 -+");
        assert_eq!(folded("漢字 ok ❌ no"), "???? ok x  no");
        assert_eq!(folded("e\u{301}|"), "e|");
        assert_eq!(folded("⠉⣀⣿⠀"), "'.#");
    }

    #[test]
    fn both_halves_of_the_glyph_table_agree() {
        let (utf8, ascii) = (
            crate::ui::theme::Glyphs::UTF8,
            crate::ui::theme::Glyphs::ASCII,
        );
        for (sign, plain) in [
            (utf8.rule, ascii.rule),
            (utf8.full, ascii.full),
            (utf8.track, ascii.track),
            (utf8.knob, ascii.knob),
            (utf8.median, ascii.median),
            (utf8.pointer, ascii.pointer),
            (utf8.dot, ascii.dot),
            (utf8.ok, ascii.ok),
            (utf8.bad, ascii.bad),
            (utf8.skip, ascii.skip),
            (utf8.up, ascii.up),
            (utf8.down, ascii.down),
            (utf8.ellipsis, ascii.ellipsis),
            (utf8.bullet, ascii.bullet),
        ] {
            assert_eq!(folded(sign), plain);
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is_left_and_nothing_moves(text in "\\PC{0,12}") {
            let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, 40, 1));
            buf.set_string(0, 0, format!("{text}|"), Style::new());
            let end = buf.content.iter().rposition(|cell| cell.symbol() == "|");
            fold(&mut buf);
            prop_assert!(buf.content.iter().all(|cell| cell.symbol().is_ascii()));
            prop_assert_eq!(buf.content.iter().rposition(|cell| cell.symbol() == "|"), end);
        }
    }
}
