//! One log line as rows on screen: time, level, request, and what it says in one line; or all of it, pretty, when expanded.

mod said;
mod wrapping;

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::lines::{Lines, highlighted};
use super::sieve::Sieve;
use crate::domain::line::{Kind, Level};
use crate::store::{Row, Store};
use crate::tabs::Look;
use crate::ui::text::{clean, fit, width};
use crate::ui::theme::Theme;

pub use said::one_line;
use said::said;
use wrapping::{cut, expanded_rows, wrapped};

/// Text looked at for one row, and for an expanded line.
const HEAD_BYTES: usize = 16 << 10;
const WHOLE_BYTES: usize = 256 << 10;

/// The rows of a line in `cells` cells. Without a look only their number is right: for clicks.
pub fn rows(
    lines: &Lines,
    line: u32,
    cells: u16,
    expanded: bool,
    sieve: &Sieve,
    store: &Store,
    look: Option<&Look>,
) -> Vec<Line<'static>> {
    let cells = usize::from(cells);
    let Some(row) = store.row(line) else {
        return Vec::new();
    };
    let columns = Columns::of(cells, lines, store);
    let room = room(cells, lines, line, store);
    let said = said(row, &store.head(line, HEAD_BYTES), &lines.columns);
    let mut texts = if lines.wrap {
        wrapped(&said, room)
    } else {
        vec![cut(&said, lines.shift, room, look)]
    };
    if expanded {
        texts.truncate(1);
        texts.extend(expanded_rows(
            row.len(),
            &store.head(line, WHOLE_BYTES),
            room,
        ));
    }
    let Some(look) = look else {
        return vec![Line::default(); texts.len()];
    };
    let style = if sieve.is_match(line) {
        text_style(row, look.theme)
    } else {
        look.theme.muted
    };
    let found = found_style(look.theme);
    let wanted = sieve.search().filter(|_| sieve.is_found(line));
    let mut out = Vec::with_capacity(texts.len());
    for (n, text) in texts.into_iter().enumerate() {
        let mut spans = if n == 0 {
            columns.spans(lines, line, sieve, store, look)
        } else {
            vec![columns.margin(look)]
        };
        let style = if n > 0 && expanded {
            look.theme.text
        } else {
            style
        };
        spans.extend(highlighted(&text, wanted, style, found));
        out.push(Line::from(spans));
    }
    out
}

/// How many cells of what a line says have no room in its row.
pub fn overhang(lines: &Lines, line: u32, cells: u16, store: &Store) -> usize {
    let Some(row) = store.row(line) else {
        return 0;
    };
    let said = said(row, &store.head(line, HEAD_BYTES), &lines.columns);
    let room = room(usize::from(cells), lines, line, store);
    width(&said).saturating_sub(room)
}

/// Cells for what a line says, beside its columns.
fn room(cells: usize, lines: &Lines, line: u32, store: &Store) -> usize {
    let taken = Columns::of(cells, lines, store).width() + width(&late_mark(store, line));
    cells.saturating_sub(taken).max(10)
}

/// Which columns fit.
struct Columns {
    time: usize,
    request: bool,
    stream: bool,
}

impl Columns {
    fn of(cells: usize, lines: &Lines, store: &Store) -> Self {
        Self {
            time: lines.clock.width(),
            request: cells >= 100,
            stream: cells >= 120 && store.stream_count() > 1,
        }
    }

    fn width(&self) -> usize {
        1 + self.time
            + 1
            + 3
            + 1
            + if self.request { 9 } else { 0 }
            + if self.stream { 7 } else { 0 }
    }

    fn margin(&self, look: &Look) -> Span<'static> {
        Span::styled(
            format!("{}│ ", " ".repeat(self.width().saturating_sub(2))),
            look.theme.muted,
        )
    }

    fn spans(
        &self,
        lines: &Lines,
        line: u32,
        sieve: &Sieve,
        store: &Store,
        look: &Look,
    ) -> Vec<Span<'static>> {
        let theme = look.theme;
        let Some(row) = store.row(line) else {
            return Vec::new();
        };
        let mark = match (lines.marks.contains(&line), sieve.is_found(line)) {
            (true, _) => Span::styled(look.glyphs.bullet, theme.accent),
            (_, true) => Span::styled(look.glyphs.pointer, theme.warn),
            _ => Span::raw(" "),
        };
        let time = lines.clock.print(row.time, look.now.wall);
        let mut spans = vec![
            mark,
            Span::styled(format!("{time:>0$} ", self.time), theme.muted),
            Span::styled(format!("{} ", tag(row)), level_style(row, theme)),
        ];
        if self.request {
            let id = store
                .invocations()
                .rows()
                .get(row.request as usize)
                .map(|r| r.id);
            let (text, style) = id.map_or_else(
                || (String::new(), theme.muted),
                |id| (id.to_string()[..8].to_owned(), request_style(id.0, theme)),
            );
            spans.push(Span::styled(format!("{text:<9}"), style));
        }
        if self.stream {
            let name = clean(store.stream(line).1);
            let tail: String = name
                .chars()
                .skip(name.chars().count().saturating_sub(6))
                .collect();
            spans.push(Span::styled(
                fit(&tail, 7, look.glyphs.ellipsis),
                theme.muted,
            ));
        }
        spans.push(Span::styled(late_mark(store, line), theme.warn));
        spans
    }
}

/// `late +7s `, for a line that came after newer ones had been shown.
fn late_mark(store: &Store, line: u32) -> String {
    store.lateness(line).map_or_else(String::new, |late| {
        format!("late +{}s ", (late + 500) / 1000)
    })
}

/// Three letters for the level; platform lines have none.
fn tag(row: &Row) -> &'static str {
    if row.kind().is_platform() && row.level() < Level::Warn {
        return "   ";
    }
    match row.level() {
        Level::Trace => "TRC",
        Level::Debug => "DBG",
        Level::Info => "INF",
        Level::Warn => "WRN",
        Level::Error => "ERR",
        Level::Fatal => "FTL",
    }
}

/// The style of what was looked for.
pub const fn found_style(theme: &Theme) -> Style {
    theme.accent.add_modifier(Modifier::REVERSED)
}

/// The style of a level.
pub fn level_style(row: &Row, theme: &Theme) -> Style {
    match row.level() {
        Level::Trace | Level::Debug => theme.muted,
        Level::Info => theme.good,
        Level::Warn => theme.warn,
        Level::Error | Level::Fatal => theme.bad,
    }
}

fn text_style(row: &Row, theme: &Theme) -> Style {
    match (row.level(), row.kind()) {
        (Level::Error | Level::Fatal, _) => theme.bad,
        (Level::Warn, _) => theme.warn,
        (_, Kind::InitStart | Kind::InitReport | Kind::Restore) => theme.cold,
        (_, Kind::Report) => theme.text,
        (Level::Trace | Level::Debug, _) => theme.muted,
        (_, kind) if kind.is_platform() => theme.muted,
        _ => theme.text,
    }
}

/// Neighbouring requests rarely get the same style.
fn request_style(id: u128, theme: &Theme) -> Style {
    [theme.key, theme.cold, theme.warm, theme.good][(id % 4) as usize]
}
