//! Lines of a pane: wrapped, scrolled with a mark of what is hidden, and in ASCII where nothing else is spoken.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::tabs::Look;
pub(super) use crate::ui::list::hidden;
use crate::ui::text::{fit, width, wrap};

/// Draws the lines from `offset` on, and on the frame's lower edge how many are hidden above and below.
pub(super) fn scrolled(
    lines: Vec<Line<'static>>,
    offset: usize,
    inner: Rect,
    frame: Rect,
    buf: &mut Buffer,
    look: &Look,
) {
    let room = usize::from(inner.height);
    let above = offset.min(lines.len().saturating_sub(room));
    let below = lines.len().saturating_sub(above + room);
    let shown: Vec<Line> = lines.into_iter().skip(above).take(room).collect();
    Paragraph::new(shown).render(inner, buf);
    hidden(above, below, frame, buf, look);
}

/// A text broken between words into lines of at most `cells` cells.
pub(super) fn wrapped(text: &str, cells: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, cells)
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect()
}

/// Spans one after the other, a new line begun where the next would not fit whole.
pub(super) fn flowed(spans: Vec<Span<'static>>, cells: usize) -> Vec<Line<'static>> {
    let mut lines = vec![(0, Vec::new())];
    for span in spans {
        let room = width(span.content.trim_end());
        let last = lines.len() - 1;
        if lines[last].0 > 0 && lines[last].0 + room > cells {
            lines.push((0, Vec::new()));
        }
        if let Some((used, line)) = lines.last_mut() {
            *used += width(&span.content);
            line.push(span);
        }
    }
    lines
        .into_iter()
        .map(|(_, line)| Line::from(line))
        .collect()
}

/// A row under the cursor: one colour, several reversed ones are hard to read.
pub(super) fn chosen(line: &Line, cells: u16, look: &Look) -> Line<'static> {
    let text: String = line
        .spans
        .iter()
        .map(|span| span.content.as_ref())
        .collect();
    let text = fit(&text, usize::from(cells), look.glyphs.ellipsis);
    Line::styled(text, look.theme.cursor())
}

/// Lines of a narrow and a wide column side by side.
pub(super) fn beside(
    left: Vec<Line<'static>>,
    right: Vec<Line<'static>>,
    cells: usize,
) -> Vec<Line<'static>> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            if let Some(right) = right.next() {
                let used = line.width();
                line.push_span(Span::raw(" ".repeat(cells.saturating_sub(used))));
                line.extend(styled_spans(right));
            }
            line
        })
        .collect()
}

/// A line's spans with the line's own style on each.
fn styled_spans(line: Line<'static>) -> Vec<Span<'static>> {
    let style = line.style;
    line.spans
        .into_iter()
        .map(|span| Span::styled(span.content, style.patch(span.style)))
        .collect()
}

/// Spans in ASCII where the terminal speaks nothing else.
pub(super) fn ascii_line(spans: Vec<Span<'static>>, look: &Look) -> Vec<Span<'static>> {
    if !look.glyphs.ascii {
        return spans;
    }
    spans
        .into_iter()
        .map(|span| Span::styled(plain(&span.content), span.style))
        .collect()
}

/// A text in ASCII where the terminal speaks nothing else.
pub(super) fn speak(text: String, look: &Look) -> String {
    if look.glyphs.ascii {
        plain(&text)
    } else {
        text
    }
}

/// Signs whose stand-in needs more cells than they do; the frame folds the others.
fn plain(text: &str) -> String {
    text.replace('±', "+-").replace('∞', "inf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        let lines = |text, cells| -> Vec<String> {
            wrapped(text, cells, Style::new())
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(
            lines("a incomprehensible", 6),
            ["a", "incomp", "rehens", "ible"]
        );
        assert_eq!(lines("", 5), [""]);
    }

    #[test]
    fn a_span_is_never_broken() {
        let spans = ["aaa  ", "bb  ", "cccc"].map(Span::raw).to_vec();
        let lines: Vec<String> = flowed(spans, 8).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["aaa  bb  ", "cccc"]);
    }
}
