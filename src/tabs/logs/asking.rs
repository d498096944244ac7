//! The prompt: what typing, Enter and Escape do to search, filters, time and the server-side pattern.

use jiff::Timestamp;

use super::prompt::{Ask, Prompt};
use super::source::Source;
use super::{Logs, View, clock};
use crate::domain::compose::{self, Member};
use crate::domain::invocation::Wanted;
use crate::effects::logs::Effect;
use crate::tabs::Cx;

/// Longer lines are not taken apart for filters.
const MOST_COMPOSED: usize = 64 << 10;

impl Logs {
    pub(super) fn ask(&mut self, ask: Ask) {
        let text = match ask {
            Ask::Search => self
                .sieve
                .search()
                .map(|search| search.text.clone())
                .unwrap_or_default(),
            Ask::Pattern => self.pattern.as_deref().unwrap_or_default().to_owned(),
            Ask::Insights => self.insights.text().to_owned(),
            Ask::Requests => self.requests.wanted().words(),
            Ask::Columns => self.lines.columns.join(" "),
            _ => String::new(),
        };
        let line = (self.view == View::Lines)
            .then(|| self.lines.current(&self.sieve, &self.store))
            .flatten();
        if matches!(ask, Ask::Search | Ask::Include | Ask::Exclude) {
            self.view = View::Lines;
        }
        let choices = line.map_or_else(Vec::new, |line| self.choices(ask, line));
        let is_open = line.is_some_and(|line| self.lines.is_expanded(line));
        let take_first = ask == Ask::Pattern && text.is_empty() && is_open;
        self.prompt = Some(Prompt::new(ask, &text).with_choices(choices, take_first));
    }

    /// `&` where it belongs to: among requests it chooses requests.
    pub(super) fn ask_include(&mut self) {
        if self.view == View::Requests {
            self.wanted_before = self.requests.wanted().clone();
            self.ask(Ask::Requests);
        } else {
            self.ask(Ask::Include);
        }
    }

    /// Asks for a query, beginning with the last one, also of an earlier session.
    pub(super) fn ask_insights(&mut self, cx: &mut Cx) {
        self.ask(Ask::Insights);
        if self.insights.is_blank() {
            cx.effect(Effect::RecallQuery);
        }
    }

    /// The query of an earlier session is known: the prompt begins with it, unless something was typed meanwhile.
    pub(super) fn query_recalled(&mut self, text: &str) {
        let before = self.insights.text().to_owned();
        self.insights.recall(text);
        if let Some(prompt) = &self.prompt
            && prompt.ask == Ask::Insights
            && prompt.text() == before
        {
            self.prompt = Some(Prompt::new(Ask::Insights, self.insights.text()));
        }
    }

    /// What Tab offers: the members of a JSON line, and its request.
    fn choices(&self, ask: Ask, line: u32) -> Vec<String> {
        let members = compose::members(&self.store.head(line, MOST_COMPOSED));
        let request = self.store.row(line).and_then(|row| {
            let requests = self.store.invocations().rows();
            requests.get(row.request as usize)
        });
        let (mut choices, request): (Vec<String>, _) = match ask {
            Ask::Pattern => (
                members.iter().map(Member::pattern).collect(),
                request.map(|row| format!("\"{}\"", row.id)),
            ),
            Ask::Include | Ask::Exclude => (
                members.iter().map(Member::condition).collect(),
                request.map(|row| format!("request:{}", row.id)),
            ),
            Ask::Columns => {
                let added = |member: &Member| {
                    let columns = self.lines.columns.iter().chain([&member.path]);
                    columns.cloned().collect::<Vec<_>>().join(" ")
                };
                let is_new = |member: &&Member| !self.lines.columns.contains(&member.path);
                (members.iter().filter(is_new).map(added).collect(), None)
            }
            _ => return Vec::new(),
        };
        choices.extend(request);
        choices
    }

    /// A search runs while it is typed; a bad text keeps the last good one and says where it is wrong.
    pub(super) fn prompt_edited(&mut self, cx: &mut Cx) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        let read = match prompt.ask {
            Ask::Search => self.sieve.look_for(prompt.text()),
            Ask::Include | Ask::Exclude => self
                .sieve
                .preview(prompt.text(), prompt.ask == Ask::Exclude),
            Ask::Requests => {
                let wanted = Wanted::parse(prompt.text());
                prompt.error = wanted.map(|wanted| self.want(wanted)).err();
                self.prompt = Some(prompt);
                return;
            }
            Ask::Time | Ask::Pattern | Ask::Insights | Ask::File | Ask::Columns => Ok(()),
        };
        if matches!(prompt.ask, Ask::Search | Ask::Include | Ask::Exclude) && read.is_ok() {
            self.refilter(cx);
        }
        prompt.error = read.err().map(|error| error.to_string());
        self.prompt = Some(prompt);
    }

    pub(super) fn prompt_given(&mut self, cx: &mut Cx) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        let text = prompt.text().to_owned();
        let result = match prompt.ask {
            Ask::Search => {
                let is_good = prompt.error.is_none() && !text.is_empty();
                self.find_when_done = is_good && self.sieve.is_busy;
                if is_good && !self.sieve.is_busy {
                    self.find_nearest(cx);
                }
                prompt.error.clone().map_or(Ok(()), Err)
            }
            Ask::Requests => Wanted::parse(&text).map(|wanted| self.want(wanted)),
            Ask::Include | Ask::Exclude => {
                self.sieve.drop_preview();
                let pushed = self.sieve.push(&text, prompt.ask == Ask::Exclude);
                pushed
                    .map(|()| self.refilter(cx))
                    .map_err(|error| error.to_string())
            }
            Ask::Time if text.is_empty() => Ok(()),
            Ask::Time => clock::parse_jump(&text, self.lines.clock, self.present(cx))
                .map(|time| self.jump(time, cx)),
            Ask::Pattern => {
                let pattern = (!text.trim().is_empty()).then(|| text.trim().into());
                self.read_with(pattern, cx);
                Ok(())
            }
            Ask::Columns => {
                let names = text.split([',', ' ']).filter(|name| !name.is_empty());
                self.lines.columns = names.map(str::to_owned).collect();
                Ok(())
            }
            Ask::Insights => self.query(&text, cx),
            Ask::File => {
                self.read_from(Source::parse(&text), cx);
                Ok(())
            }
        };
        if let Err(error) = result {
            prompt.error = Some(error);
            self.prompt = Some(prompt);
        }
    }

    /// What a time without a day counts back from: now, or for a file and a recording their newest line.
    fn present(&self, cx: &Cx) -> Timestamp {
        let newest = (!self.source.is_tail())
            .then(|| self.store.newest_time())
            .flatten();
        newest
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
            .unwrap_or(cx.now.wall)
    }

    /// Asks the service; a query that still runs is stopped.
    fn query(&mut self, text: &str, cx: &mut Cx) -> Result<(), String> {
        let running = self.insights.stop();
        let groups = self.groups.iter().map(ToString::to_string).collect();
        let begun = self.insights.begin(text, groups, cx.now.wall);
        if let Some(stop) = running {
            cx.effect(stop);
        }
        let (number, query) = begun?;
        cx.effect(Effect::Query(number, query));
        cx.effect(Effect::KeepQuery(self.insights.text().to_owned()));
        self.open(View::Insights, cx);
        Ok(())
    }

    /// The service refused the query: its words stay on screen, and where it says it is wrong the prompt opens.
    pub(super) fn query_failed(&mut self, number: u64, why: &str) {
        if let Some(at) = self.insights.failed(number, why)
            && self.prompt.is_none()
        {
            self.prompt = Some(Prompt::new(Ask::Insights, self.insights.text()).with_cursor(at));
        }
    }

    pub(super) fn prompt_dropped(&mut self, cx: &mut Cx) {
        match self.prompt.take().map(|prompt| prompt.ask) {
            Some(Ask::Search) => {
                let _ = self.sieve.look_for("");
                self.resift(cx);
            }
            Some(Ask::Include | Ask::Exclude) if self.sieve.drop_preview() => self.refilter(cx),
            Some(Ask::Requests) => {
                let before = std::mem::take(&mut self.wanted_before);
                self.want(before);
            }
            _ => {}
        }
    }
}
