//! One log line as rows on screen: time, level, request, and what it says in one line; or all of it, pretty, when expanded.

use std::fmt::Write;

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use super::lines::{Lines, highlighted};
use super::sieve::Sieve;
use crate::domain::compose;
use crate::domain::headline;
use crate::domain::line::{Kind, Level};
use crate::domain::report::{Outcome, Report};
use crate::store::{Row, Store};
use crate::tabs::Look;
use crate::ui::text::{bytes, clean, fit, ms, truncate, whole_ms, width};
use crate::ui::theme::Theme;

/// Text looked at for one row, and for an expanded line.
const HEAD_BYTES: usize = 16 << 10;
const WHOLE_BYTES: usize = 256 << 10;
/// Rows of an expanded or wrapped line.
const MOST_ROWS: usize = 400;

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

/// What a line says, the chosen columns first.
fn said(row: &Row, text: &str, columns: &[String]) -> String {
    let said = one_line(row, text);
    let cells = (!columns.is_empty())
        .then(|| compose::columns(text, columns))
        .flatten();
    cells.map_or(said.clone(), |cells| clean(&cells) + &said)
}

/// What a line says, in one line: Lambda's own lines shortened, JSON and columns unpacked, control characters disarmed.
pub fn one_line(row: &Row, text: &str) -> String {
    let short = match row.kind() {
        Kind::Start => short_id(text, "START"),
        Kind::End => short_id(text, "END"),
        Kind::Report => Report::parse(text).map(|report| report_line(&report)),
        _ => None,
    };
    clean(&short.unwrap_or_else(|| headline::of(text).into_owned()))
}

fn short_id(text: &str, word: &str) -> Option<String> {
    let facts = crate::domain::line::Facts::read(text.as_bytes());
    let id = facts.request?.to_string();
    let version = text
        .split_once("Version: ")
        .map(|(_, version)| format!("  version {}", version.trim()));
    Some(format!(
        "{word:<6} {}{}",
        &id[..8],
        version.unwrap_or_default()
    ))
}

fn report_line(report: &Report) -> String {
    let id = report.request_id.to_string();
    let mut line = format!(
        "REPORT {}  {}  billed {}  {} of {} MB",
        &id[..8],
        ms(report.duration_ms),
        whole_ms(report.billed_ms),
        report.max_memory_mb,
        report.memory_mb
    );
    if let Some(init) = report.init_ms {
        let _ = write!(line, "  init {}", ms(init));
    }
    if let Some(restore) = report.restore_ms {
        let _ = write!(line, "  restore {}", ms(restore));
    }
    if report.status != Outcome::Success {
        let _ = write!(line, "  {}", report.status.word());
    }
    if let Some(kind) = &report.error_type {
        let _ = write!(line, "  {kind}");
    }
    line
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

/// The rows of an expanded line; what is left out is said.
fn expanded_rows(len: usize, head: &str, room: usize) -> Vec<String> {
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

/// The part of a text that fits, with a mark on each side where something was cut off.
fn cut(text: &str, shift: usize, room: usize, look: Option<&Look>) -> String {
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

/// The text in pieces of at most `cells` cells, broken at blanks where possible.
fn wrapped(text: &str, cells: usize) -> Vec<String> {
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
