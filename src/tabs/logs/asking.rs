//! The prompt: what typing, Enter and Escape do to search, filters, time and the server-side pattern.

use super::prompt::{Ask, Prompt};
use super::source::Source;
use super::{Logs, View, clock};
use crate::domain::query::Query;
use crate::effects::logs::Effect;
use crate::tabs::Cx;

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
            _ => String::new(),
        };
        if !matches!(ask, Ask::Time | Ask::Pattern | Ask::Insights | Ask::File) {
            self.view = View::Lines;
        }
        self.prompt = Some(Prompt::new(ask, &text));
    }

    /// A search runs while it is typed; a bad text keeps the last good one and says where it is wrong.
    pub(super) fn prompt_edited(&mut self, cx: &mut Cx) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        let read = match prompt.ask {
            Ask::Search => self.sieve.look_for(prompt.text()),
            Ask::Include | Ask::Exclude => Query::parse(prompt.text()).map(|_| ()),
            Ask::Time | Ask::Pattern | Ask::Insights | Ask::File => Ok(()),
        };
        if prompt.ask == Ask::Search && read.is_ok() {
            self.resift(cx);
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
                let pattern = (!text.trim().is_empty()).then(|| text.trim().into());
                self.read_with(pattern, cx);
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

    /// Asks the service; a query that still runs is stopped.
    fn query(&mut self, text: &str, cx: &mut Cx) -> Result<(), String> {
        let running = self.insights.stop();
        let groups = self.groups.iter().map(ToString::to_string).collect();
        let begun = self.insights.begin(text, groups, cx.now.wall);
        if let Some(id) = running {
            cx.effect(Effect::StopQuery { id });
        }
        let (number, query) = begun?;
        cx.effect(Effect::Query(number, query));
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
        if self
            .prompt
            .take()
            .is_some_and(|prompt| prompt.ask == Ask::Search)
        {
            let _ = self.sieve.look_for("");
            self.resift(cx);
        }
    }
}
