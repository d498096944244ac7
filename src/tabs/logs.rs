//! The Logs tab: every line, every request, every error of the target's log groups, as they come.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use crate::client::tail::{Status, Wishes};
use crate::domain::invocation::{Figures, Wanted};
use crate::domain::line::Level;
use crate::domain::timestamp;
use crate::effects::Event;
use crate::effects::lambda::Event as LambdaEvent;
use crate::effects::logs::Event as LogsEvent;
use crate::keys::{Action, Scope};
use crate::store::open::Indexer;
use crate::store::{DEFAULT_CAP_BYTES, Store};
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::ui::theme::Tone;

mod asking;
mod behind;
mod chips;
mod clock;
mod draw;
mod errors;
mod feed;
mod figures;
mod handoff;
mod head;
mod insights;
mod lines;
mod listed;
mod moves;
mod offers;
mod prompt;
mod requests;
mod row;
mod sieve;
mod source;
mod strip;

use errors::{Deploy, Errors};
use insights::Insights;
use lines::Lines;
use prompt::{Answer, Ask, Prompt};
use requests::Requests;
use sieve::Sieve;
use source::Source;
use strip::Strip;

/// How far back the tail begins.
const SINCE_MS: i64 = 60 * 60 * 1000;
/// Figures and strip are counted anew at most so often; a large store is counted less often.
const COUNT_EVERY: Duration = Duration::from_millis(250);
const COUNT_LARGE_EVERY: Duration = Duration::from_secs(1);
const LARGE: usize = 100_000;

/// Which view is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Lines,
    Requests,
    Errors,
    Insights,
}

/// The view that the lines of a request or an error were opened from.
#[derive(Debug)]
struct Origin {
    view: View,
    /// Place of the filter that this put on.
    layer: usize,
    /// The level shown before.
    level: Option<Level>,
}

/// A server-side pattern that is being replaced; `None` asks for everything.
#[derive(Debug, PartialEq, Eq)]
struct Replaced(Option<Arc<str>>);

/// The Logs tab's state.
pub struct Logs {
    store: Store,
    status: Status,
    ended: Option<String>,
    groups: Vec<Arc<str>>,
    pattern: Option<Arc<str>>,
    wishes: Wishes,
    source: Source,
    /// Makes lines of what is added to a followed file.
    indexer: Indexer,
    /// The pattern whose lines are still shown, while the first answer to another one is awaited.
    replaces: Option<Replaced>,
    /// Number of the running tail; answers of older ones are dropped.
    tail: u64,
    view: View,
    /// Where Escape goes back to, in the lines of a request or an error.
    came_from: Option<Origin>,
    /// From when on the tail reads, milliseconds since the epoch.
    since: i64,
    /// A time to go to as soon as it has been read.
    pending_jump: Option<i64>,
    /// Lines were joined to requests since the filter last looked at that.
    has_adopted: bool,
    lines: Lines,
    requests: Requests,
    errors: Errors,
    /// When the watched function was last deployed, milliseconds since the epoch.
    deployed: Option<i64>,
    insights: Insights,
    sieve: Sieve,
    prompt: Option<Prompt>,
    /// Enter was pressed while the search still ran.
    find_when_done: bool,
    figures: [Figures; 3],
    /// The instant that the figures look back from.
    figures_end: i64,
    /// The figure that hears Enter.
    focus: Option<figures::Place>,
    /// Which requests were listed before others were typed.
    wanted_before: Wanted,
    strip: Strip,
    counted_at: Option<Instant>,
    /// Lines at that time: a store that grows fast is counted at once.
    counted_len: usize,
    /// Errors that came since the last key here are a badge.
    unread_errors: usize,
}

impl Logs {
    /// The tab as it starts: an empty store whose spool will lie in the state folder.
    pub fn new(env: &Env) -> Self {
        Self {
            store: Store::new(&env.settings.dirs.state, DEFAULT_CAP_BYTES),
            status: Status::Connecting,
            ended: None,
            groups: Vec::new(),
            pattern: None,
            wishes: Wishes::default(),
            source: Source::of(env.settings.log_file.as_ref()),
            indexer: Indexer::default(),
            replaces: None,
            tail: 0,
            view: View::Lines,
            came_from: None,
            since: 0,
            pending_jump: None,
            has_adopted: false,
            lines: Lines::default(),
            requests: Requests::default(),
            errors: Errors::default(),
            deployed: None,
            insights: Insights::default(),
            sieve: Sieve::default(),
            prompt: None,
            find_when_done: false,
            figures: [Figures::since([], 0); 3],
            figures_end: 0,
            focus: None,
            wanted_before: Wanted::default(),
            strip: Strip::default(),
            counted_at: None,
            counted_len: 0,
            unread_errors: 0,
        }
    }

    /// Everything the tail has seen: other tabs read figures from it.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The views' names; Insights once it was asked.
    fn views(&self) -> &'static [&'static str] {
        const ALL: [&str; 4] = ["lines", "requests", "errors", "Insights"];
        &ALL[..if self.insights.was_asked() { 4 } else { 3 }]
    }

    fn deploy(&self) -> Deploy {
        match self.deployed {
            Some(at) if self.source.is_tail() && at < self.since => Deploy::BeforeTheLines,
            Some(at) if self.source.is_tail() => Deploy::At(at),
            _ => Deploy::Unknown,
        }
    }
}

impl Tab for Logs {
    fn title(&self) -> &'static str {
        "Logs"
    }

    fn scope(&self) -> Scope {
        Scope::Logs
    }

    fn offers(&self) -> Vec<Offer> {
        offers::offers(self)
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        self.draw(area, buf, look)
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        self.unread_errors = 0;
        let page = self.height(cx) as isize;
        match action {
            Action::Up => self.step(-1, cx),
            Action::Down => self.step(1, cx),
            Action::PageUp => self.step(1 - page, cx),
            Action::PageDown => self.step(page - 1, cx),
            Action::HalfPageUp => self.step(-page / 2, cx),
            Action::HalfPageDown => self.step(page / 2, cx),
            Action::Top => self.step(isize::MIN / 2, cx),
            Action::Bottom if self.view == View::Lines => self.follow(true, cx),
            Action::Bottom => self.step(isize::MAX / 2, cx),
            Action::Left => self.sideways(false, cx),
            Action::Right => self.sideways(true, cx),
            Action::Submit => self.submit(cx),
            Action::Back => self.back(cx),
            Action::Follow | Action::Toggle => self.toggle_follow(cx),
            Action::View => {
                let next = match self.view {
                    View::Lines => View::Requests,
                    View::Requests => View::Errors,
                    View::Errors if self.insights.was_asked() => View::Insights,
                    View::Errors | View::Insights => View::Lines,
                };
                self.open(next, cx);
            }
            Action::Errors => {
                let next = if self.view == View::Errors {
                    View::Lines
                } else {
                    View::Errors
                };
                self.open(next, cx);
            }
            Action::Search => self.ask(Ask::Search),
            Action::Include => self.ask_include(),
            Action::Exclude => self.ask(Ask::Exclude),
            Action::TimeJump => self.ask(Ask::Time),
            Action::FilterPattern => self.ask(Ask::Pattern),
            Action::NextField => self.step_focus(true, cx),
            Action::PreviousField => self.step_focus(false, cx),
            Action::Earlier => self.step_time(false, cx),
            Action::Later => self.step_time(true, cx),
            Action::CopyCommand => self.copy_command(cx),
            Action::OpenFile => self.ask(Ask::File),
            Action::Columns => self.ask(Ask::Columns),
            Action::Insights => self.ask_insights(cx),
            Action::NextMatch => self.find(true, cx),
            Action::PreviousMatch => self.find(false, cx),
            Action::Wrap => self.lines.wrap = !self.lines.wrap,
            Action::TimeFormat => self.lines.clock = self.lines.clock.next(),
            Action::Context => self.step_context(cx),
            Action::LevelUp => self.step_level(true, cx),
            Action::LevelDown => self.step_level(false, cx),
            Action::Mark => self.lines.toggle_mark(&self.sieve, &self.store),
            Action::NextMark => {
                if let Some(index) = self.lines.next_mark(&self.sieve, &self.store) {
                    self.visit(index, cx);
                }
            }
            Action::Copy => self.copy(cx),
            Action::CopyMore => self.copy_request(cx),
            Action::OpenConsole => self.copy_link(cx),
            Action::Export => self.export(cx),
            Action::LiveTail => self.toggle_live_tail(cx),
            Action::Refresh => self.look_again(cx),
            _ => {}
        }
    }

    fn on_open(&mut self, cx: &mut Cx) {
        self.unread_errors = 0;
        // The file named on the command line waits for no connection.
        if self.tail == 0 && !self.source.is_tail() {
            self.restart(cx);
        }
        self.count(cx.now, true);
    }

    fn on_key(&mut self, key: KeyEvent, cx: &mut Cx) -> bool {
        let Some(prompt) = &mut self.prompt else {
            return false;
        };
        match prompt.on_key(key) {
            Answer::Edited => self.prompt_edited(cx),
            Answer::Given => self.prompt_given(cx),
            Answer::Dropped => self.prompt_dropped(cx),
            Answer::Kept => {}
        }
        true
    }

    fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    fn on_paste(&mut self, text: &str, cx: &mut Cx) -> bool {
        let Some(prompt) = &mut self.prompt else {
            return false;
        };
        prompt.paste(text);
        self.prompt_edited(cx);
        true
    }

    fn on_event(&mut self, event: &Event, cx: &mut Cx) {
        match event {
            Event::Connected(link) => {
                self.groups = link
                    .log_groups
                    .iter()
                    .map(|group| Arc::from(group.as_str()))
                    .collect();
                self.insights.stop();
                self.deployed = None;
                if self.source.is_tail() {
                    self.restart(cx);
                }
            }
            Event::Lambda(LambdaEvent::Described {
                overview: Ok(overview),
                ..
            }) => {
                let config = overview.config.known();
                self.deployed =
                    config.and_then(|config| timestamp::parse(config.last_modified.as_bytes()));
            }
            Event::Unconnected { error, .. } if self.source.is_tail() => {
                self.ended = Some(error.clone());
            }
            Event::Logs(LogsEvent::Opened(number, result)) if *number == self.tail => {
                self.on_opened(result, cx);
            }
            Event::Logs(LogsEvent::Grown(number, growth)) if *number == self.tail => {
                self.on_grown(growth, cx);
            }
            Event::Logs(LogsEvent::Tail(number, update)) if *number == self.tail => {
                self.on_tail(update, cx);
            }
            Event::Logs(LogsEvent::TailEnded(number, why)) if *number == self.tail => {
                self.on_tail_ended(why.as_ref(), cx);
            }
            Event::Logs(LogsEvent::Point(wanted)) => self.point_at(wanted, cx),
            Event::Logs(LogsEvent::Sifted(sifted)) => {
                let is_current = self.sieve.sifted(sifted, &self.store);
                if is_current && sifted.done && std::mem::take(&mut self.find_when_done) {
                    self.find_nearest(cx);
                }
            }
            Event::Logs(LogsEvent::QueryRecalled(text)) => self.query_recalled(text),
            Event::Logs(LogsEvent::QueryNotKept(why)) => cx.toast(Tone::Warn, why.clone()),
            Event::Logs(LogsEvent::QueryStarted(number, id)) => self.insights.started(*number, id),
            Event::Logs(LogsEvent::QueryResults(number, results)) => {
                self.insights.found(*number, results);
            }
            Event::Logs(LogsEvent::QueryFailed(number, why)) => self.query_failed(*number, why),
            Event::Logs(LogsEvent::Exported { path, result }) => match result {
                Ok(lines) => cx.toast(
                    Tone::Good,
                    format!(
                        "{} in {}",
                        crate::ui::text::plural(*lines, "line"),
                        path.display()
                    ),
                ),
                Err(error) => cx.toast(Tone::Bad, error.clone()),
            },
            _ => {}
        }
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        let areas = self.areas(cx.body);
        if areas.strip.contains(at) {
            if let Some(time) = self.strip.time_at(areas.strip, at.x) {
                self.jump(time, cx);
            }
        } else if areas.figures.contains(at) {
            let is_filtered = self.pattern.is_some();
            if let Some(place) = figures::place_at(&self.figures, is_filtered, areas.figures, at.x)
            {
                self.open_behind(place, cx);
            }
        } else if areas.list.contains(at) {
            match self.view {
                View::Lines => self.lines.click(areas.list, at.y, &self.sieve, &self.store),
                View::Requests => self.requests.click(areas.list, at.y),
                View::Errors => self.errors.click(areas.list, at.y),
                View::Insights => self.insights.click(areas.list, at.y),
            }
        }
    }

    fn on_scroll(&mut self, at: Position, lines: i32, cx: &mut Cx) {
        if self.areas(cx.body).strip.contains(at) {
            return self.step_time(lines > 0, cx);
        }
        match self.view {
            View::Lines => {
                self.lines
                    .scroll(lines as isize, self.height(cx), &self.sieve, &self.store);
            }
            View::Requests | View::Errors | View::Insights => self.step(lines as isize, cx),
        }
    }

    fn badge(&self) -> Option<(String, Tone)> {
        if self.ended.is_some() || self.status.is_trouble() {
            return Some(("!".to_owned(), Tone::Bad));
        }
        (self.unread_errors > 0).then(|| (crate::ui::text::count(self.unread_errors), Tone::Bad))
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        if self.insights.is_running() && self.view == View::Insights {
            return Some(now.mono + Duration::from_millis(100));
        }
        // The pill counts on: how far behind, how long until the next attempt.
        let counts = matches!(
            self.status,
            Status::Live(_) | Status::Throttled { .. } | Status::Unreachable { .. }
        );
        (counts && self.ended.is_none()).then(|| now.mono + Duration::from_secs(1))
    }
}
