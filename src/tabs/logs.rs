//! The Logs tab: every line, every request, every error of the target's log groups, as they come.

use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::Instant;

use crate::app::Env;
use std::sync::Arc;

use crate::client::tail::{Patience, Phase, Span, Status, TailRequest, TailUpdate};
use crate::domain::invocation::Figures;
use crate::domain::line::LogEvent;
use crate::domain::query::Query;
use crate::effects::Event;
use crate::effects::logs::sift::Save;
use crate::effects::logs::{Effect, Event as LogsEvent};
use crate::keys::{Action, Scope};
use crate::store::{Arrival, DEFAULT_CAP_BYTES, Layer, Store, Want};
use crate::tabs::{Cx, Look, Now, Offer, Tab};
use crate::ui::theme::Tone;

mod clock;
mod errors;
mod handoff;
mod head;
mod lines;
mod prompt;
mod requests;
mod row;
mod sieve;

use errors::Errors;
use head::{Areas, Pill, Strip, WINDOWS, areas};
use lines::Lines;
use prompt::{Answer, Ask, Prompt};
use requests::Requests;
use sieve::Sieve;

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
}

/// The Logs tab's state.
pub struct Logs {
    store: Store,
    status: Status,
    ended: Option<String>,
    groups: Vec<Arc<str>>,
    pattern: Option<Arc<str>>,
    live_tail: bool,
    /// Number of the running tail; answers of older ones are dropped.
    tail: u64,
    view: View,
    /// Where Escape goes when the line filter was opened from another view.
    came_from: Option<View>,
    lines: Lines,
    requests: Requests,
    errors: Errors,
    sieve: Sieve,
    prompt: Option<Prompt>,
    /// Enter was pressed while the search still ran.
    find_when_done: bool,
    figures: [Figures; 3],
    strip: Strip,
    counted_at: Option<Instant>,
    /// Errors seen while the tab was in the background are a badge.
    unread_errors: usize,
}

impl Logs {
    /// The tab as it starts: an empty store whose spool will lie in the cache folder.
    pub fn new(env: &Env) -> Self {
        Self {
            store: Store::new(&env.settings.dirs.state, DEFAULT_CAP_BYTES),
            status: Status::Connecting,
            ended: None,
            groups: Vec::new(),
            pattern: None,
            live_tail: false,
            tail: 0,
            view: View::Lines,
            came_from: None,
            lines: Lines::default(),
            requests: Requests::default(),
            errors: Errors::default(),
            sieve: Sieve::default(),
            prompt: None,
            find_when_done: false,
            figures: [Figures::since([], 0); 3],
            strip: Strip::default(),
            counted_at: None,
            unread_errors: 0,
        }
    }

    /// Everything the tail has seen: other tabs read figures from it.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Begins again with an empty store.
    fn restart(&mut self, cx: &mut Cx) {
        self.store = Store::new(&cx.env.settings.dirs.state, DEFAULT_CAP_BYTES);
        self.lines.clear();
        self.requests = Requests::sorted_by(self.requests.sort);
        self.errors = Errors::default();
        (self.status, self.ended, self.came_from) = (Status::Connecting, None, None);
        self.tail += 1;
        cx.effect(self.tail_effect(cx.now));
        self.resift(cx);
        self.count(cx.now, true);
    }

    fn tail_effect(&self, now: Now) -> Effect {
        let since = now.wall.as_millisecond() - SINCE_MS;
        let request = TailRequest {
            groups: self.groups.clone(),
            pattern: self.pattern.clone(),
            span: Span {
                since,
                until: None,
                follow: true,
                newest_first: true,
            },
            patience: Patience::Endless,
            live_tail: self.live_tail,
        };
        Effect::Tail(self.tail, request)
    }

    fn append(&mut self, events: &[LogEvent], arrival: Arrival, cx: &mut Cx) {
        let templates: usize = self
            .store
            .templates()
            .rows()
            .iter()
            .map(|row| row.count)
            .sum();
        let appended = self.store.append(events, arrival);
        let seen = self.sieve.appended(&appended, &self.store);
        if arrival == Arrival::Live {
            let errors = self
                .store
                .templates()
                .rows()
                .iter()
                .map(|row| row.count)
                .sum::<usize>()
                - templates;
            self.unread_errors += errors;
            if !self.lines.follow {
                self.lines.fresh += seen;
            }
        }
        if appended.adopted && self.sieve.is_filtering() {
            self.resift(cx);
        }
        self.count(cx.now, false);
    }

    /// Counts figures, strip and tables anew, unless that was done a moment ago.
    fn count(&mut self, now: Now, at_once: bool) {
        let pause = if self.store.len() < LARGE {
            COUNT_EVERY
        } else {
            COUNT_LARGE_EVERY
        };
        if !at_once && self.counted_at.is_some_and(|at| now.mono < at + pause) {
            return;
        }
        self.counted_at = Some(now.mono);
        let wall = now.wall.as_millisecond();
        self.figures = WINDOWS.map(|minutes| self.store.figures(wall, Some(minutes)));
        self.strip = Strip::of(&self.store);
        match self.view {
            View::Lines => {}
            View::Requests => self.requests.refresh(&self.store),
            View::Errors => self.errors.refresh(&self.store),
        }
    }

    fn resift(&mut self, cx: &mut Cx) {
        let effect = self.sieve.sift(&self.store);
        cx.effect(effect);
    }

    /// The filter changed: keep the line under the cursor if it can still be seen.
    fn refilter(&mut self, cx: &mut Cx) {
        if !self.lines.follow {
            self.lines.cursor = self
                .lines
                .current(&self.sieve, &self.store)
                .or(self.lines.cursor);
        }
        self.resift(cx);
    }

    fn open(&mut self, view: View, cx: &mut Cx) {
        (self.view, self.came_from) = (view, None);
        self.count(cx.now, true);
    }

    fn height(cx: &Cx) -> usize {
        usize::from(areas(cx.body).list.height).max(1)
    }

    fn step(&mut self, by: isize, cx: &Cx) {
        match self.view {
            View::Lines => self
                .lines
                .step(by, Self::height(cx), &self.sieve, &self.store),
            View::Requests => self.requests.step(by),
            View::Errors => self.errors.step(by),
        }
    }

    fn sideways(&mut self, right: bool, cx: &mut Cx) {
        match self.view {
            View::Lines => {
                let half = usize::from(cx.body.width / 2).max(8);
                self.lines.shift = if right {
                    self.lines.shift + half
                } else {
                    self.lines.shift.saturating_sub(half)
                };
            }
            View::Requests => {
                self.requests.sort = self.requests.sort.step(right);
                self.count(cx.now, true);
            }
            View::Errors => {}
        }
    }

    /// Enter: open the line, or go to the lines of the request or error under the cursor.
    fn submit(&mut self, cx: &mut Cx) {
        let (label, want) = match self.view {
            View::Lines => return self.lines.toggle_expanded(&self.sieve, &self.store),
            View::Requests => {
                let Some(at) = self.requests.current() else {
                    return;
                };
                let id = self.store.invocations().rows()[at as usize].id;
                (
                    format!("request {}", &id.to_string()[..8]),
                    Want::Request(at),
                )
            }
            View::Errors => {
                let Some(at) = self.errors.current() else {
                    return;
                };
                (
                    self.store.templates().rows()[at].text.clone(),
                    Want::Template(at),
                )
            }
        };
        self.came_from = Some(self.view);
        self.view = View::Lines;
        self.sieve.push_layer(
            label,
            Layer {
                exclude: false,
                want,
            },
        );
        self.lines
            .set_follow(true, Self::height(cx), &self.sieve, &self.store);
        self.resift(cx);
    }

    /// Escape: one step out.
    fn back(&mut self, cx: &mut Cx) {
        if self.view != View::Lines {
            return self.open(View::Lines, cx);
        }
        if self.sieve.search().is_some() && self.came_from.is_none() {
            let _ = self.sieve.look_for("");
            return self.resift(cx);
        }
        if self.sieve.pop() {
            self.refilter(cx);
        }
        if let Some(view) = self.came_from.take() {
            self.open(view, cx);
        }
    }

    fn follow(&mut self, follow: bool, cx: &Cx) {
        self.lines
            .set_follow(follow, Self::height(cx), &self.sieve, &self.store);
    }

    fn find(&mut self, forward: bool, cx: &mut Cx) {
        let here = self.lines.index(&self.sieve, &self.store);
        match self.sieve.next_found(here, forward, &self.store) {
            Some(index) => {
                self.follow(false, cx);
                self.lines
                    .go(index, Self::height(cx), &self.sieve, &self.store);
            }
            None => cx.toast(Tone::Muted, "no match"),
        }
    }

    fn jump(&mut self, time: i64, cx: &Cx) {
        self.view = View::Lines;
        let index = self.sieve.index_at_time(time, &self.store);
        self.follow(false, cx);
        self.lines
            .go(index, Self::height(cx), &self.sieve, &self.store);
    }

    fn copy(&self, cx: &mut Cx) {
        match self.view {
            View::Lines => {
                if let Some(line) = self.lines.current(&self.sieve, &self.store) {
                    cx.copy(self.store.text(line), "the line");
                }
            }
            View::Requests => {
                if let Some(at) = self.requests.current() {
                    cx.copy(
                        self.store.invocations().rows()[at as usize].id.to_string(),
                        "the request id",
                    );
                }
            }
            View::Errors => {
                if let Some(at) = self.errors.current() {
                    cx.copy(
                        self.store.templates().rows()[at].text.clone(),
                        "the template",
                    );
                }
            }
        }
    }

    /// The request under the cursor, in whichever view.
    fn request(&self) -> Option<u32> {
        let at = match self.view {
            View::Lines => {
                self.store
                    .row(self.lines.current(&self.sieve, &self.store)?)
                    .request
            }
            View::Requests => self.requests.current()?,
            View::Errors => return None,
        };
        ((at as usize) < self.store.invocations().rows().len()).then_some(at)
    }

    fn copy_request(&self, cx: &mut Cx) {
        let Some(at) = self.request() else {
            return cx.toast(Tone::Muted, "this line belongs to no request");
        };
        let region = region(cx.env);
        let text = handoff::markdown(
            at,
            &self.store.invocations().rows()[at as usize],
            &region,
            &self.store,
        );
        cx.copy(text, "the request as Markdown");
    }

    fn copy_link(&self, cx: &mut Cx) {
        let group = self
            .lines
            .current(&self.sieve, &self.store)
            .map(|line| self.store.stream(line).0.to_string());
        let pattern = self
            .request()
            .map(|at| format!("\"{}\"", self.store.invocations().rows()[at as usize].id));
        let link = group.and_then(|group| {
            handoff::console_link(&region(cx.env), &group, &pattern.unwrap_or_default(), None)
        });
        match link {
            Some(link) => cx.copy(link, "the console link"),
            None => cx.toast(Tone::Muted, "no log group, no link"),
        }
    }

    fn export(&self, cx: &mut Cx) {
        let stamp = cx.now.wall.strftime("%Y%m%d-%H%M%S");
        let path = std::path::PathBuf::from(format!("vintner-logs-{stamp}.jsonl"));
        let export = self.store.export(self.sieve.lines(&self.store)).into();
        cx.effect(Effect::Export(Save { path, export }));
    }

    fn ask(&mut self, ask: Ask) {
        let text = match ask {
            Ask::Search => self
                .sieve
                .search()
                .map(|search| search.text.clone())
                .unwrap_or_default(),
            Ask::Pattern => self.pattern.as_deref().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        if !matches!(ask, Ask::Time | Ask::Pattern) {
            self.view = View::Lines;
        }
        self.prompt = Some(Prompt::new(ask, &text));
    }

    /// A search runs while it is typed; a bad text keeps the last good one and says where it is wrong.
    fn prompt_edited(&mut self, cx: &mut Cx) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        let read = match prompt.ask {
            Ask::Search => self.sieve.look_for(prompt.text()),
            Ask::Include | Ask::Exclude => Query::parse(prompt.text()).map(|_| ()),
            Ask::Time | Ask::Pattern => Ok(()),
        };
        if prompt.ask == Ask::Search && read.is_ok() {
            self.resift(cx);
        }
        prompt.error = read.err().map(|error| error.to_string());
        self.prompt = Some(prompt);
    }

    fn prompt_given(&mut self, cx: &mut Cx) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        let text = prompt.text().to_owned();
        let result = match prompt.ask {
            Ask::Search => {
                let is_good = prompt.error.is_none() && !text.is_empty();
                self.find_when_done = is_good && self.sieve.is_busy;
                if is_good && !self.sieve.is_busy {
                    self.find(false, cx);
                }
                prompt.error.clone().map_or(Ok(()), Err)
            }
            Ask::Include | Ask::Exclude => {
                let pushed = self.sieve.push(&text, prompt.ask == Ask::Exclude);
                pushed
                    .map(|()| self.refilter(cx))
                    .map_err(|error| error.to_string())
            }
            Ask::Time if text.is_empty() => Ok(()),
            Ask::Time => clock::parse_jump(&text, self.lines.clock, cx.now.wall)
                .map(|time| self.jump(time, cx)),
            Ask::Pattern => {
                self.pattern = (!text.trim().is_empty()).then(|| text.trim().into());
                self.restart(cx);
                Ok(())
            }
        };
        if let Err(error) = result {
            prompt.error = Some(error);
            self.prompt = Some(prompt);
        }
    }

    fn prompt_dropped(&mut self, cx: &mut Cx) {
        if self
            .prompt
            .take()
            .is_some_and(|prompt| prompt.ask == Ask::Search)
        {
            let _ = self.sieve.look_for("");
            self.resift(cx);
        }
    }

    fn toggle_live_tail(&mut self, cx: &mut Cx) {
        self.live_tail = !self.live_tail;
        let text = if self.live_tail {
            "Live Tail on; AWS bills it by the minute"
        } else {
            "Live Tail off"
        };
        cx.toast(Tone::Info, text);
        self.restart(cx);
    }

    fn step_level(&mut self, up: bool, cx: &mut Cx) {
        if self.view == View::Requests {
            self.requests.only_failures = up;
            self.count(cx.now, true);
        } else if self.sieve.step_level(up) {
            self.refilter(cx);
        }
    }

    fn step_context(&mut self, cx: &mut Cx) {
        const STEPS: [usize; 5] = [0, 1, 3, 5, 10];
        let at = STEPS
            .iter()
            .position(|step| *step == self.sieve.context)
            .unwrap_or(0);
        self.sieve.context = STEPS[(at + 1) % STEPS.len()];
        self.sieve.rebuild_visible(&self.store);
        if !self.sieve.is_filtering() {
            cx.toast(
                Tone::Muted,
                format!(
                    "{} lines around matches, once there is a filter",
                    self.sieve.context
                ),
            );
        }
    }

    fn on_tail(&mut self, update: &TailUpdate, cx: &mut Cx) {
        match update {
            TailUpdate::Events(batch) => {
                let arrival = if batch.phase == Phase::Live {
                    Arrival::Live
                } else {
                    Arrival::Backfill
                };
                self.append(&batch.events, arrival, cx);
            }
            TailUpdate::Status(status) => {
                self.status = status.clone();
                self.count(cx.now, false);
            }
        }
    }

    fn areas(body: Rect) -> Areas {
        areas(body)
    }

    fn empty(&self) -> String {
        if self.sieve.is_filtering() {
            return if self.sieve.is_busy {
                "filtering …".to_owned()
            } else {
                "no line passes the filter: Esc takes the last one off".to_owned()
            };
        }
        match (&self.ended, &self.status) {
            (Some(why), _) => why.clone(),
            (None, Status::Connecting) => "waiting for the first answer".to_owned(),
            (None, Status::Live(_)) => "no line yet; new ones appear here as they come".to_owned(),
            (None, status) => status.pill(0),
        }
    }
}

fn region(env: &Env) -> String {
    env.session
        .value()
        .map(|(session, _)| session.region.clone())
        .unwrap_or_default()
}

impl Tab for Logs {
    fn title(&self) -> &'static str {
        "Logs"
    }

    fn scope(&self) -> Scope {
        Scope::Logs
    }

    fn offers(&self) -> Vec<Offer> {
        let has_lines = !self.store.is_empty();
        let nothing = "there are no lines yet";
        let view = match self.view {
            View::Lines => "requests",
            View::Requests => "errors",
            View::Errors => "lines",
        };
        let enter = match self.view {
            View::Lines => "expand",
            View::Requests | View::Errors => "its lines",
        };
        let mut offers = vec![
            Offer::new(Action::View, view),
            Offer::new(Action::Errors, "errors"),
            Offer::new(Action::Search, "search"),
            Offer::new(Action::Include, "only"),
            Offer::new(Action::Exclude, "hide"),
            Offer::new(Action::Submit, enter).only_if(has_lines, nothing),
            Offer::new(
                Action::Follow,
                if self.lines.follow { "pause" } else { "follow" },
            ),
            Offer::new(
                Action::LevelUp,
                if self.view == View::Requests {
                    "only failures"
                } else {
                    "level up"
                },
            ),
            Offer::new(
                Action::LevelDown,
                if self.view == View::Requests {
                    "all"
                } else {
                    "level down"
                },
            ),
        ];
        if self.view == View::Requests {
            offers.push(Offer::new(
                Action::Right,
                format!("sort: {}", self.requests.sort.name()),
            ));
            offers.push(Offer::new(Action::Left, "previous sort"));
        } else {
            offers.push(Offer::new(Action::Right, "scroll right"));
            offers.push(Offer::new(Action::Left, "scroll left"));
        }
        let searching = "search first";
        offers.extend([
            Offer::new(Action::NextMatch, "next match")
                .only_if(self.sieve.search().is_some(), searching),
            Offer::new(Action::PreviousMatch, "previous match")
                .only_if(self.sieve.search().is_some(), searching),
            Offer::new(Action::Back, "one step out"),
            Offer::new(Action::Wrap, "wrap"),
            Offer::new(
                Action::TimeFormat,
                format!("times: {}", self.lines.clock.name()),
            ),
            Offer::new(Action::TimeJump, "jump to time").only_if(has_lines, nothing),
            Offer::new(Action::Context, "context"),
            Offer::new(Action::Mark, "mark").only_if(has_lines, nothing),
            Offer::new(Action::NextMark, "next mark")
                .only_if(!self.lines.marks.is_empty(), "nothing is marked"),
            Offer::new(Action::Copy, "copy").only_if(has_lines, nothing),
            Offer::new(Action::CopyMore, "copy request").only_if(has_lines, nothing),
            Offer::new(Action::Export, "export").only_if(has_lines, nothing),
            Offer::new(Action::OpenConsole, "copy console link").only_if(has_lines, nothing),
            Offer::new(Action::FilterPattern, "server-side filter"),
            Offer::new(
                Action::LiveTail,
                if self.live_tail {
                    "Live Tail off"
                } else {
                    "Live Tail"
                },
            ),
            Offer::new(Action::Refresh, "read again"),
            Offer::new(Action::Top, "first"),
            Offer::new(Action::Bottom, "last, follow"),
        ]);
        offers
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let areas = Self::areas(area);
        let pill = Pill {
            status: &self.status,
            ended: self.ended.as_deref(),
            paused: (!self.lines.follow).then_some(self.lines.fresh),
            views: (["lines", "requests", "errors"], self.view as usize),
        };
        pill.render(areas.pill, buf, look);
        head::figures(&self.figures, areas.figures, buf, look);
        let index = self.lines.index(&self.sieve, &self.store);
        let here = self
            .sieve
            .at(index, &self.store)
            .map(|line| self.store.row(line).time);
        self.strip.render(
            here.filter(|_| !self.lines.follow),
            self.lines.clock,
            areas.strip,
            buf,
            look,
        );
        let note = match self.view {
            View::Lines => String::new(),
            View::Requests => format!(", {} requests", crate::ui::text::count(self.requests.len())),
            View::Errors => format!(", {} templates", crate::ui::text::count(self.errors.len())),
        };
        let cursor = if let Some(prompt) = &self.prompt {
            let found = self
                .sieve
                .found_count(index, &self.store)
                .filter(|_| prompt.ask == Ask::Search);
            let right = found.map_or_else(String::new, |(_, all)| {
                format!("{} matches", crate::ui::text::count(all))
            });
            Some(prompt.render(&right, areas.chips, buf, look))
        } else if let Some(trouble) = self.store.trouble() {
            ratatui::widgets::Widget::render(
                ratatui::text::Line::styled(format!(" {trouble}"), look.theme.bad),
                areas.chips,
                buf,
            );
            None
        } else {
            head::chips(
                &self.sieve,
                index,
                &self.store,
                (&note, &self.groups.join("  ")),
                areas.chips,
                buf,
                look,
            );
            None
        };
        match self.view {
            View::Lines => self.lines.render(
                areas.list,
                buf,
                look,
                &self.sieve,
                &self.store,
                &self.empty(),
            ),
            View::Requests => {
                self.requests
                    .render(areas.list, buf, look, &self.store, self.lines.clock)
            }
            View::Errors => {
                self.errors
                    .render(areas.list, buf, look, &self.store, self.lines.clock)
            }
        }
        cursor
    }

    fn on_action(&mut self, action: Action, cx: &mut Cx) {
        let page = Self::height(cx) as isize;
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
            Action::Follow | Action::Toggle => self.follow(!self.lines.follow, cx),
            Action::View => {
                let next = match self.view {
                    View::Lines => View::Requests,
                    View::Requests => View::Errors,
                    View::Errors => View::Lines,
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
            Action::Include => self.ask(Ask::Include),
            Action::Exclude => self.ask(Ask::Exclude),
            Action::TimeJump => self.ask(Ask::Time),
            Action::FilterPattern => self.ask(Ask::Pattern),
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
                    self.follow(false, cx);
                    self.lines
                        .go(index, Self::height(cx), &self.sieve, &self.store);
                }
            }
            Action::Copy => self.copy(cx),
            Action::CopyMore => self.copy_request(cx),
            Action::OpenConsole => self.copy_link(cx),
            Action::Export => self.export(cx),
            Action::LiveTail => self.toggle_live_tail(cx),
            Action::Refresh => self.restart(cx),
            _ => {}
        }
    }

    fn on_open(&mut self, cx: &mut Cx) {
        self.unread_errors = 0;
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
                self.restart(cx);
            }
            Event::Unconnected { error, .. } => self.ended = Some(error.clone()),
            Event::Logs(LogsEvent::Tail(number, update)) if *number == self.tail => {
                self.on_tail(update, cx)
            }
            Event::Logs(LogsEvent::TailEnded(number, why)) if *number == self.tail => {
                self.ended.clone_from(why)
            }
            Event::Logs(LogsEvent::Sifted {
                id,
                filter,
                search,
                done,
            }) => {
                let index = self.lines.index(&self.sieve, &self.store);
                let known = self.sieve.at(index, &self.store);
                self.sieve
                    .sifted(*id, filter.as_ref(), search.as_ref(), *done, &self.store);
                if !self.lines.follow && self.lines.cursor.is_none() {
                    self.lines.cursor = known;
                }
                if *done && std::mem::take(&mut self.find_when_done) {
                    self.find(false, cx);
                }
            }
            Event::Logs(LogsEvent::Exported { path, result }) => match result {
                Ok(lines) => cx.toast(
                    Tone::Good,
                    format!(
                        "{} lines in {}",
                        crate::ui::text::count(*lines),
                        path.display()
                    ),
                ),
                Err(error) => cx.toast(Tone::Bad, error.clone()),
            },
            _ => {}
        }
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) {
        let areas = Self::areas(cx.body);
        if areas.strip.contains(at) {
            if let Some(time) = self.strip.time_at(areas.strip, at.x) {
                self.jump(time, cx);
            }
        } else if areas.list.contains(at) {
            match self.view {
                View::Lines => self.lines.click(areas.list, at.y, &self.sieve, &self.store),
                View::Requests => self.requests.click(areas.list, at.y),
                View::Errors => self.errors.click(areas.list, at.y),
            }
        }
    }

    fn on_scroll(&mut self, _at: Position, lines: i32, cx: &mut Cx) {
        match self.view {
            View::Lines => {
                self.lines
                    .scroll(lines as isize, Self::height(cx), &self.sieve, &self.store)
            }
            View::Requests | View::Errors => self.step(lines as isize, cx),
        }
    }

    fn badge(&self) -> Option<(String, Tone)> {
        if self.ended.is_some() || self.status.is_trouble() {
            return Some(("!".to_owned(), Tone::Bad));
        }
        (self.unread_errors > 0).then(|| (crate::ui::text::count(self.unread_errors), Tone::Bad))
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        // The pill counts on: how far behind, how long until the next attempt.
        let counts = matches!(
            self.status,
            Status::Live(_) | Status::Throttled { .. } | Status::Unreachable { .. }
        );
        (counts && self.ended.is_none()).then(|| now.mono + Duration::from_secs(1))
    }
}
