//! The rows of a query as a grid: columns as wide as their values, the open row below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{Insights, State};
use crate::client::logs::QueryResults;
use crate::tabs::Look;
use crate::ui::list::mark;
use crate::ui::panel::notice;
use crate::ui::text::{clean, fit, truncate, width};
use crate::ui::theme::Tone;

/// No column is wider; Enter shows the whole value.
const MOST_CELLS: usize = 48;

/// One column of the grid.
#[derive(Debug, PartialEq)]
pub struct Column {
    pub name: String,
    cells: usize,
    is_number: bool,
}

impl Insights {
    /// Draws the query, and below it the rows or what went wrong.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let theme = look.theme;
        let text = truncate(
            &clean(&self.text),
            usize::from(area.width).saturating_sub(2),
            look.glyphs.ellipsis,
        );
        Line::from(vec![Span::raw(" "), Span::styled(text, theme.accent)]).render(area, buf);
        let below = Rect {
            y: area.y + 1.min(area.height),
            height: area.height.saturating_sub(1),
            ..area
        };
        if let Some(State::Failed(why)) = &self.state {
            return self.render_failure(why, below, buf, look);
        }
        if self.results.rows.is_empty() {
            let text = match &self.state {
                Some(State::Done) => "no record matches",
                Some(State::Stopped) => "stopped before anything was found",
                _ => "",
            };
            return notice(text, Tone::Muted, below, buf, look);
        }
        self.header(below, buf, look);
        let rows = self.rows_area(area);
        let top = self.top(rows);
        let shown = self.results.rows.iter().enumerate().skip(top);
        for (y, (at, row)) in (rows.y..rows.bottom()).zip(shown) {
            let rect = Rect {
                y,
                height: 1,
                ..area
            };
            self.line(row, look).render(rect, buf);
            if at == self.cursor {
                mark(rect, buf, look);
            }
        }
        if self.is_open {
            let rest = Rect {
                y: rows.bottom(),
                height: area.bottom().saturating_sub(rows.bottom()),
                ..area
            };
            self.render_open(rest, buf, look);
        }
    }

    fn render_failure(&self, why: &str, area: Rect, buf: &mut Buffer, look: &Look) {
        if let Some(at) = self.wrong_at().filter(|_| !area.is_empty()) {
            let before: String = self.text.chars().take(at).collect();
            let x = area.x + 1 + width(&clean(&before)) as u16;
            if x < area.right() {
                buf[(x, area.y)].set_symbol("^").set_style(look.theme.bad);
            }
        }
        notice(&clean(why), Tone::Bad, area, buf, look);
    }

    /// Where the rows stand: below query and header, above the open row.
    pub(super) fn rows_area(&self, area: Rect) -> Rect {
        let room = area.height.saturating_sub(2);
        let open = if self.is_open {
            (self.columns.len() as u16 + 1).min(room / 2)
        } else {
            0
        };
        Rect {
            y: area.y + 2.min(area.height),
            height: room - open,
            ..area
        }
    }

    pub(super) fn top(&self, rows: Rect) -> usize {
        let height = usize::from(rows.height).max(1);
        let most = self.results.rows.len().saturating_sub(height);
        self.cursor.saturating_sub(height / 2).min(most)
    }

    fn header(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let mut spans = vec![Span::raw(" ")];
        if self.first > 0 {
            spans.push(Span::styled(
                format!("{} ", look.glyphs.ellipsis),
                look.theme.muted,
            ));
        }
        for column in &self.columns[self.first..] {
            spans.push(Span::styled(
                column.cell(&column.name, look),
                look.theme.muted,
            ));
        }
        Line::from(spans).render(
            Rect {
                height: 1.min(area.height),
                ..area
            },
            buf,
        );
    }

    fn line(&self, row: &[(String, String)], look: &Look) -> Line<'static> {
        let mut spans = vec![Span::raw(if self.first > 0 { "   " } else { " " })];
        for column in &self.columns[self.first..] {
            let text = clean(value(row, &column.name).trim()).replace('\n', " ");
            spans.push(Span::styled(column.cell(&text, look), look.theme.text));
        }
        Line::from(spans)
    }

    /// All values of the row under the cursor.
    fn render_open(&self, area: Rect, buf: &mut Buffer, look: &Look) {
        let Some(row) = self.results.rows.get(self.cursor) else {
            return;
        };
        let names = self
            .columns
            .iter()
            .map(|c| width(&c.name))
            .max()
            .unwrap_or(0);
        for (y, column) in (area.y + 1..area.bottom()).zip(&self.columns) {
            let room = usize::from(area.width).saturating_sub(names + 4);
            let text = clean(&value(row, &column.name).trim().replace('\n', " "));
            let line = Line::from(vec![
                Span::styled(
                    format!(" {}  ", fit(&column.name, names, "")),
                    look.theme.muted,
                ),
                Span::styled(truncate(&text, room, look.glyphs.ellipsis), look.theme.text),
            ]);
            line.render(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                buf,
            );
        }
    }
}

impl Column {
    fn cell(&self, text: &str, look: &Look) -> String {
        let text = fit(text, self.cells, look.glyphs.ellipsis);
        if self.is_number {
            let text = text.trim_end();
            format!(
                "{}{text}  ",
                " ".repeat(self.cells.saturating_sub(width(text)))
            )
        } else {
            format!("{text}  ")
        }
    }
}

/// The value of a row's field; empty when it has none.
pub fn value<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    row.iter()
        .find(|(field, _)| field == name)
        .map_or("", |(_, value)| value)
}

/// The columns of what was found.
pub fn columns(results: &QueryResults) -> Vec<Column> {
    let column = |name: &str| {
        let values = || results.rows.iter().map(|row| value(row, name).trim());
        let widest = values()
            .map(|value| width(&clean(value)))
            .max()
            .unwrap_or(0);
        Column {
            name: name.to_owned(),
            cells: widest.max(width(name)).min(MOST_CELLS),
            is_number: values().all(|value| value.is_empty() || value.parse::<f64>().is_ok()),
        }
    };
    results.fields().into_iter().map(column).collect()
}
