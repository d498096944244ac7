//! Hyperlinks in the terminal (OSC 8): cells that open a web address when the terminal's user clicks them as it wants it.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, CellDiffOption, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// A web address that may stand inside an escape sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperlink(String);

/// Longer addresses are cut off or ignored by terminals.
const LONGEST: usize = 2000;

impl Hyperlink {
    /// An `https` address of printable ASCII; anything else could end the escape sequence and begin another.
    pub fn new(address: &str) -> Option<Self> {
        let is_safe = address.starts_with("https://")
            && address.len() <= LONGEST
            && address.bytes().all(|byte| byte.is_ascii_graphic());
        is_safe.then(|| Self(address.to_owned()))
    }

    /// Makes a link of what is drawn in `area`. Each cell carries the whole sequence, so that it can be drawn anew alone; the
    /// id tells the terminal that they are one link. A terminal that knows no links shows the text.
    pub fn mark(&self, area: Rect, buf: &mut Buffer) {
        buf.set_style(area, Style::new().add_modifier(Modifier::UNDERLINED));
        for position in area.positions() {
            let Some(cell) = buf.cell_mut(position) else {
                continue;
            };
            // The second cell of a wide sign has no width of its own and is not drawn.
            if let Some(width) = NonZeroU16::new(cell.cell_width()) {
                let (address, sign) = (&self.0, cell.symbol());
                let linked =
                    format!("\u{1b}]8;id=vintner;{address}\u{1b}\\{sign}\u{1b}]8;;\u{1b}\\");
                cell.set_symbol(&linked)
                    .set_diff_option(CellDiffOption::ForcedWidth(width));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use ratatui::Terminal;
    use ratatui::backend::CrosstermBackend;
    use ratatui::widgets::{Clear, Widget};
    use ratatui::{TerminalOptions, Viewport};

    use super::*;

    #[test]
    fn only_what_cannot_leave_the_sequence_is_a_link() {
        assert!(Hyperlink::new("https://x.example/a?b=c#d").is_some());
        for bad in [
            "",
            "http://x.example",
            "file:///etc/passwd",
            "https://x.example/\u{1b}\\",
            "https://x.example/\u{7}",
            "https://x.example/ä",
            "https://x.example/ b",
        ] {
            assert_eq!(Hyperlink::new(bad), None, "{bad:?}");
        }
        assert_eq!(
            Hyperlink::new(&format!("https://{}", "x".repeat(2000))),
            None
        );
    }

    fn cells(n: u16) -> NonZeroU16 {
        NonZeroU16::new(n).unwrap()
    }

    /// What reaches a real terminal, as vt100 shows it and byte for byte.
    #[test]
    fn a_terminal_sees_the_text_once_and_the_address_around_it() {
        let area = Rect::new(0, 0, 20, 2);
        let mut bytes = Vec::new();
        let options = TerminalOptions {
            viewport: Viewport::Fixed(area),
        };
        let backend = CrosstermBackend::new(&mut bytes);
        let mut terminal = Terminal::with_options(backend, options).unwrap();
        let link = Hyperlink::new("https://x.example/").unwrap();
        for text in ["see 漢字 here", "see", "see 漢字 here"] {
            terminal
                .draw(|frame| {
                    let buf = frame.buffer_mut();
                    Clear.render(area, buf);
                    buf.set_string(1, 1, text, Style::new().bg(ratatui::style::Color::Blue));
                    if text.len() > 3 {
                        link.mark(Rect::new(5, 1, 4, 1), buf);
                    }
                })
                .unwrap();
        }
        drop(terminal);
        let mut screen = vt100::Parser::new(cells(2), cells(20), 0);
        screen.process(&bytes);
        assert_eq!(screen.screen().contents().trim(), "see 漢字 here");
        let text = String::from_utf8(bytes).unwrap();
        let link = "\u{1b}]8;id=vintner;https://x.example/\u{1b}\\漢\u{1b}]8;;\u{1b}\\";
        assert_eq!(text.matches(link).count(), 2);
        assert_eq!(text.matches("\u{1b}]8;;").count(), 4);
    }
}
