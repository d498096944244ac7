//! The Requests view: one row per invocation, joined live; sorted by time, duration, memory or lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::clock::Clock;
use super::listed::Listed;
use super::row::one_line;
use crate::domain::invocation::{Invocation, Status, Wanted};
use crate::domain::line::Level;
use crate::keys::{Action, Scope};
use crate::store::Store;
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::panel::notice;
use crate::ui::text::{fit, ms, whole_ms};
use crate::ui::theme::Tone;

/// What the rows are sorted by, largest or newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Newest first.
    #[default]
    Time,
    /// Slowest first.
    Duration,
    /// Longest init first.
    Init,
    /// Hungriest first.
    Memory,
    /// Most lines first.
    Lines,
}

impl Sort {
    const ALL: [Self; 5] = [
        Self::Time,
        Self::Duration,
        Self::Init,
        Self::Memory,
        Self::Lines,
    ];

    /// The next or previous one.
    pub fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(at + if forward { 1 } else { len - 1 }) % len]
    }

    /// Its name in the footer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "newest",
            Self::Duration => "slowest",
            Self::Init => "longest init",
            Self::Memory => "most memory",
            Self::Lines => "most lines",
        }
    }

    fn key(self, row: &Invocation) -> f64 {
        match self {
            Self::Time => row.started as f64,
            Self::Duration => row.duration_ms().unwrap_or(-1.0),
            Self::Init => row.init_ms().unwrap_or(-1.0),
            Self::Memory => f64::from(row.max_memory_mb()),
            Self::Lines => f64::from(row.lines),
        }
    }
}

/// Which requests are listed and where we are.
#[derive(Debug, Default)]
pub struct Requests {
    /// Order of the rows.
    pub sort: Sort,
    wanted: Wanted,
    /// How many there are in all.
    total: usize,
    /// Requests by their position.
    listed: Listed<u32>,
}

impl Requests {
    /// Nothing yet; the order and the filter stay.
    pub fn clear(&mut self) {
        (self.total, self.listed) = (0, Listed::default());
    }

    /// Back to the newest, and stays there.
    pub fn follow(&mut self) {
        self.sort = Sort::Time;
        self.listed.release();
    }

    /// Lists these from now on, from the first.
    pub fn list(&mut self, wanted: Wanted, sort: Sort) {
        (self.wanted, self.sort) = (wanted, sort);
        self.listed.release();
    }

    /// Which ones are listed.
    pub const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Lists anew what is known now.
    pub fn refresh(&mut self, store: &Store) {
        let rows = store.invocations().rows();
        self.total = rows.len();
        let mut keyed: Vec<(f64, u32)> = (0_u32..)
            .zip(rows)
            .filter(|(_, row)| self.wanted.holds(row, || first_error(row, store)))
            .map(|(at, row)| (self.sort.key(row), at))
            .collect();
        keyed.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        self.listed.rows = keyed.into_iter().map(|(_, at)| at).collect();
    }

    /// How many there are, listed or not.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.listed.rows.len()
    }

    /// The request under the cursor.
    pub fn current(&self) -> Option<u32> {
        self.listed.current()
    }

    /// Moves the cursor; on the first row it stays with whatever is first.
    pub fn step(&mut self, by: isize) {
        self.listed.step(by);
        if self.listed.index() == 0 {
            self.listed.release();
        }
    }

    /// Puts the cursor on a clicked row.
    pub fn click(&mut self, area: Rect, y: u16) {
        self.listed.click(area, y);
    }

    /// Draws the table.
    pub fn render(&self, area: Rect, buf: &mut Buffer, look: &Look, store: &Store, clock: Clock) {
        if self.listed.rows.is_empty() {
            let text = if self.total > 0 {
                let off = hint(Scope::Logs, Action::Back, "takes it off", look);
                format!("no request passes the filter: {off}")
            } else {
                "no request yet: START, END and REPORT lines make them".to_owned()
            };
            return notice(&text, Tone::Muted, area, buf, look);
        }
        let is_wide = area.width >= 100;
        header(self.sort, is_wide, clock, area, buf, look);
        let rows = store.invocations().rows();
        self.listed.draw(area, buf, look, |at| {
            cells(&rows[at as usize], is_wide, clock, store, look)
        });
    }
}

fn header(sort: Sort, is_wide: bool, clock: Clock, area: Rect, buf: &mut Buffer, look: &Look) {
    let title = |text: &str, of: Option<Sort>, cells: usize, right: bool| {
        let mark = if of == Some(sort) {
            look.glyphs.down
        } else {
            ""
        };
        let style = if of == Some(sort) {
            look.theme.accent
        } else {
            look.theme.muted
        };
        let text = format!("{text}{mark}");
        Span::styled(
            if right {
                format!("{text:>cells$} ")
            } else {
                format!("{text:<cells$} ")
            },
            style,
        )
    };
    let mut spans = vec![
        title(" started", Some(Sort::Time), clock.width() + 1, false),
        title("status", None, 9, false),
        title("duration", Some(Sort::Duration), 9, true),
    ];
    if is_wide {
        spans.push(title("billed", None, 8, true));
    }
    spans.push(title("init", Some(Sort::Init), 7, true));
    spans.push(title("memory MB", Some(Sort::Memory), 10, true));
    spans.push(title("lines", Some(Sort::Lines), 6, true));
    if is_wide {
        spans.push(title("request", None, 8, false));
    }
    spans.push(title("first error", None, 11, false));
    Line::from(spans).render(Rect { height: 1, ..area }, buf);
}

fn cells(
    row: &Invocation,
    is_wide: bool,
    clock: Clock,
    store: &Store,
    look: &Look,
) -> Vec<Span<'static>> {
    let theme = look.theme;
    let (status, tone) = status(row.status(), look);
    let dash = || "–".to_owned();
    let duration = row.duration_ms().map_or_else(dash, ms);
    let memory = if row.memory_mb() > 0 {
        format!("{}/{}", row.max_memory_mb(), row.memory_mb())
    } else {
        dash()
    };
    let is_tight = row.memory_mb() > 0 && row.max_memory_mb() * 10 >= row.memory_mb() * 9;
    let mut spans = vec![
        Span::styled(
            format!(
                " {:>1$} ",
                clock.print(row.started, look.now.wall),
                clock.width()
            ),
            theme.muted,
        ),
        Span::styled(fit(&status, 10, look.glyphs.ellipsis), theme.tone(tone)),
        Span::styled(format!("{duration:>9} "), theme.text),
    ];
    if is_wide {
        let billed = if row.billed_ms > 0 {
            whole_ms(u64::from(row.billed_ms))
        } else {
            dash()
        };
        spans.push(Span::styled(format!("{billed:>8} "), theme.muted));
    }
    let init = match (row.init_ms(), row.is_cold()) {
        (Some(init), _) => ms(init),
        (None, true) => "cold".to_owned(),
        (None, false) => String::new(),
    };
    spans.push(Span::styled(format!("{init:>7} "), theme.cold));
    spans.push(Span::styled(
        format!("{memory:>10} "),
        if is_tight { theme.warn } else { theme.muted },
    ));
    spans.push(Span::styled(format!("{:>6} ", row.lines), theme.muted));
    if is_wide {
        spans.push(Span::styled(
            format!("{} ", &row.id.to_string()[..8]),
            theme.key,
        ));
    }
    spans.push(Span::styled(first_error(row, store), theme.bad));
    spans
}

fn status(status: Status, look: &Look) -> (String, Tone) {
    let (glyph, tone) = match status {
        Status::InFlight => (look.glyphs.dot, Tone::Info),
        Status::Ok => (look.glyphs.ok, Tone::Good),
        Status::Error | Status::Timeout | Status::OutOfMemory => (look.glyphs.bad, Tone::Bad),
    };
    (
        format!(
            "{glyph} {}",
            if status == Status::InFlight {
                "running"
            } else {
                status.word()
            }
        ),
        tone,
    )
}

/// The text of the line that explains a failure best.
pub fn first_error(row: &Invocation, store: &Store) -> String {
    let line = row.error_line().and_then(|line| {
        let row = store.row(line)?;
        (row.level() >= Level::Error).then(|| one_line(row, &store.head(line, 4096)))
    });
    line.unwrap_or_default()
}
