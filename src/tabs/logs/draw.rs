//! Drawing the Logs tab: the state above, the open view below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::head::{Areas, Pill};
use super::prompt::Ask;
use super::source::{Reading, Source};
use super::{Logs, View, chips, figures};
use crate::client::tail::Status;
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::text::{count, plural, truncate};

impl Logs {
    /// Draws the tab; gives back where the cursor belongs.
    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let areas = self.areas(area);
        let pill = Pill {
            status: &self.status,
            ended: self.ended.as_deref(),
            file: self.source.pill(self.lines.clock, look.now.wall),
            has_trouble: self.store.trouble().is_some(),
            paused: (self.view == View::Lines && !self.lines.follow && !self.is_whole_file())
                .then(|| self.lines.fresh(&self.sieve, &self.store)),
            views: (self.views(), self.view as usize),
        };
        pill.render(areas.pill, buf, look);
        figures::render(
            &self.figures,
            self.pattern.is_some(),
            self.focus,
            areas.figures,
            buf,
            look,
        );
        let index = self.lines.index(&self.sieve, &self.store);
        let here = self
            .sieve
            .at(index, &self.store)
            .and_then(|line| self.store.time(line));
        self.strip.render(
            here.filter(|_| !self.lines.follow),
            self.lines.clock,
            areas.strip,
            buf,
            look,
        );
        if let Some(trouble) = self.store.trouble() {
            Line::styled(format!(" {trouble}"), look.theme.bad).render(areas.trouble, buf);
        }
        let cursor = self.render_chips(index, &areas, buf, look);
        match self.view {
            View::Lines => self.lines.render(
                areas.list,
                buf,
                look,
                &self.sieve,
                &self.store,
                &self.no_lines(look),
            ),
            View::Requests => {
                self.requests
                    .render(areas.list, buf, look, &self.store, self.lines.clock);
            }
            View::Errors => {
                let told = (self.lines.clock, self.deploy());
                self.errors.render(areas.list, buf, look, &self.store, told);
            }
            View::Insights => self.insights.render(areas.list, buf, look),
        }
        if let Some(prompt) = &self.prompt {
            prompt.render_error(areas.list, buf, look);
        }
        cursor
    }

    /// The row above the list: what is typed, how a query stands, or the chips. Gives back where the cursor belongs.
    fn render_chips(
        &self,
        index: usize,
        areas: &Areas,
        buf: &mut Buffer,
        look: &Look,
    ) -> Option<Position> {
        if let Some(prompt) = &self.prompt {
            let of = |some, all| format!("{} of {}", count(some), count(all));
            let found = self.sieve.found_count(index, &self.store);
            let right = match prompt.ask {
                Ask::Search => found.map_or_else(String::new, |(_, all)| chips::matches(all)),
                Ask::Include | Ask::Exclude if self.sieve.is_filtering() => {
                    of(self.sieve.match_count(&self.store), self.store.len())
                }
                Ask::Requests => of(self.requests.len(), self.requests.total()),
                _ => String::new(),
            };
            return Some(prompt.render(&right, areas.chips, buf, look));
        }
        if self.view == View::Insights {
            let (text, tone) = self.insights.status(look);
            let room = usize::from(areas.chips.width).saturating_sub(1);
            let text = truncate(&text, room, look.glyphs.ellipsis);
            Line::styled(format!(" {text}"), look.theme.tone(tone)).render(areas.chips, buf);
            return None;
        }
        let counted = match self.view {
            View::Errors => format!(", {}", plural(self.errors.len(), "template")),
            View::Lines | View::Requests | View::Insights => String::new(),
        };
        let another = hint(Scope::Logs, Action::OpenFile, "opens another", look);
        let watched = match &self.source {
            Source::Tail => self.groups.join("  "),
            Source::File { .. } => format!("a local file, {another}"),
            Source::Replay { .. } => {
                let again = hint(Scope::Logs, Action::Refresh, "plays it again", look);
                format!("a recording, {again}, {another}")
            }
        };
        let jump = self.pending_jump.map(|time| {
            let at = self.lines.clock.short(time);
            let stays = hint(Scope::Logs, Action::Back, "stays here", look);
            format!("reading back to {at}, {stays}  ")
        });
        let notes = chips::Notes {
            pattern: self.pattern.as_deref(),
            counted: &counted,
            watched: &format!("{}{watched}", jump.unwrap_or_default()),
        };
        if self.view == View::Requests {
            let clock = self.lines.clock;
            chips::requests(&self.requests, clock, &notes, areas.chips, buf, look);
            return None;
        }
        chips::chips(
            &self.sieve,
            index,
            &self.store,
            &notes,
            areas.chips,
            buf,
            look,
        );
        None
    }

    fn no_lines(&self, look: &Look) -> String {
        if self.sieve.is_filtering() {
            return if self.sieve.is_busy {
                "filtering …".to_owned()
            } else {
                let off = hint(Scope::Logs, Action::Back, "takes the last one off", look);
                format!("no line passes the filter: {off}")
            };
        }
        match (&self.ended, &self.status) {
            (Some(why), _) => why.clone(),
            (None, Status::Complete) => match &self.source {
                Source::File { reading, .. } => match reading {
                    Reading::Begun => "reading …".to_owned(),
                    Reading::Whole => "the file is empty".to_owned(),
                    Reading::Followed(_) => {
                        "the file is empty; new lines appear here as they are written".to_owned()
                    }
                },
                _ => "no line yet".to_owned(),
            },
            (None, Status::Connecting) => "waiting for the first answer".to_owned(),
            (None, Status::Live(_)) => "no line yet; new ones appear here as they come".to_owned(),
            (None, status) => status.pill(look.now.wall.as_millisecond()),
        }
    }
}
