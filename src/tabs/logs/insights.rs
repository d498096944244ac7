//! The Insights view: a query that the service runs over more than can be pulled, its progress and price, its rows as a grid.

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::client::logs::QueryResults;
use crate::domain::{cost, timestamp};
use crate::effects::logs::{Effect, Query};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::ui::hints::hint;
use crate::ui::text::{bytes, clean, count, plural};
use crate::ui::theme::Tone;

mod grid;

use grid::{Column, columns, value};

/// A query that is useful for every Lambda function, with the range it looks at.
const FIRST_QUERY: &str = "-1h filter @type = \"REPORT\" | stats count(*) as n, pct(@duration, 50) as p50, \
     pct(@duration, 99) as p99, max(@maxMemoryUsed / 1000000) as MB by bin(5m) as time | sort time desc";
/// Looked at when the text names no range.
const DEFAULT_RANGE_MS: i64 = 3_600_000;

/// How the query stands.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Sent to the service, accepted once the id is known.
    Running {
        since: Timestamp,
        id: Option<String>,
    },
    /// Stopped by the reader.
    Stopped,
    /// It ended; the results say how.
    Done,
    /// The service's sentence.
    Failed(String),
}

/// The last query and what came of it.
#[derive(Debug, Default)]
pub struct Insights {
    number: u64,
    /// As typed, with its range.
    text: String,
    asked: Option<Query>,
    state: Option<State>,
    results: QueryResults,
    columns: Vec<Column>,
    cursor: usize,
    /// The first column on screen.
    first: usize,
    /// All values of the row under the cursor are shown.
    is_open: bool,
}

/// Splits `-15m filter …` into milliseconds to look back and the query itself.
fn read(text: &str) -> Result<(i64, &str), String> {
    let text = text.trim();
    let (back, query) = match text.strip_prefix('-') {
        None => (DEFAULT_RANGE_MS, text),
        Some(rest) => {
            let (range, query) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let back = timestamp::distance(range)
                .ok_or_else(|| format!("`-{range}` is no range: begin with -15m, -1h or -7d"))?;
            (back, query.trim())
        }
    };
    if query.is_empty() {
        return Err("write a query behind the range".to_owned());
    }
    Ok((back, query))
}

impl Insights {
    /// What the prompt starts from: the last query, else one that is useful at once.
    pub fn text(&self) -> &str {
        if self.text.is_empty() {
            FIRST_QUERY
        } else {
            &self.text
        }
    }

    /// What was asked in an earlier session, unless something was asked in this one.
    pub fn recall(&mut self, text: &str) {
        if self.text.is_empty() {
            text.clone_into(&mut self.text);
        }
    }

    /// Nothing was asked yet, in this session or as far as is known in an earlier one.
    pub const fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether there is anything to show.
    pub const fn was_asked(&self) -> bool {
        self.state.is_some()
    }

    /// What the service was asked last.
    pub const fn asked(&self) -> Option<&Query> {
        self.asked.as_ref()
    }

    /// Whether the service is at work.
    pub const fn is_running(&self) -> bool {
        matches!(self.state, Some(State::Running { .. }))
    }

    /// Begins a query over `groups`: its number and what to ask for.
    pub fn begin(
        &mut self,
        text: &str,
        groups: Vec<String>,
        now: Timestamp,
    ) -> Result<(u64, Query), String> {
        let (back, query) = read(text)?;
        let end = now.as_millisecond();
        let query = Query {
            groups,
            text: query.to_owned(),
            start: end - back,
            end,
        };
        *self = Self {
            number: self.number + 1,
            text: text.trim().to_owned(),
            asked: Some(query.clone()),
            state: Some(State::Running {
                since: now,
                id: None,
            }),
            ..Self::default()
        };
        Ok((self.number, query))
    }

    /// The service knows the query under this id.
    pub fn started(&mut self, number: u64, id: &str) {
        if number == self.number
            && let Some(State::Running { id: known, .. }) = &mut self.state
        {
            *known = Some(id.to_owned());
        }
    }

    /// Takes in what was found so far.
    pub fn found(&mut self, number: u64, results: &QueryResults) {
        if number != self.number || !self.is_running() {
            return;
        }
        self.columns = columns(results);
        self.results = results.clone();
        if results.is_done() {
            self.state = Some(State::Done);
        }
    }

    /// The query failed. Gives back where in the typed text the service says it is wrong, if it does.
    pub fn failed(&mut self, number: u64, why: &str) -> Option<usize> {
        if number != self.number || !self.is_running() {
            return None;
        }
        self.state = Some(State::Failed(why.to_owned()));
        self.wrong_at()
    }

    /// Stops waiting; what was found stays. Gives the effect that stops it at the service; `None` when nothing runs.
    pub fn stop(&mut self) -> Option<Effect> {
        let Some(State::Running { id, .. }) = &mut self.state else {
            return None;
        };
        let id = id.take();
        self.state = Some(State::Stopped);
        Some(Effect::StopQuery { id })
    }

    /// Where in the typed text (in characters) the service's message points: "(at character 7)" counts from the query's start.
    fn wrong_at(&self) -> Option<usize> {
        let Some(State::Failed(why)) = &self.state else {
            return None;
        };
        let (_, place) = why.rsplit_once("(at character ")?;
        let at: usize = place.split(')').next()?.parse().ok()?;
        let (_, query) = read(&self.text).ok()?;
        let before = self.text.chars().count() - query.chars().count();
        Some((before + at.saturating_sub(1)).min(self.text.chars().count()))
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        let last = self.results.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// Scrolls by one column.
    pub fn sideways(&mut self, right: bool) {
        let last = self.columns.len().saturating_sub(1);
        self.first = if right {
            (self.first + 1).min(last)
        } else {
            self.first.saturating_sub(1)
        };
    }

    /// Shows or hides all values of the row under the cursor.
    pub const fn toggle(&mut self) {
        self.is_open = !self.is_open;
    }

    /// Puts the cursor on a clicked row.
    pub fn click(&mut self, area: Rect, y: u16) {
        let rows = self.rows_area(area);
        if let Some(row) = y.checked_sub(rows.y).filter(|_| y < rows.bottom()) {
            let at = self.top(rows) + usize::from(row);
            if at < self.results.rows.len() {
                self.cursor = at;
            }
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.results.rows.len()
    }

    /// The row under the cursor as one JSON object.
    pub fn row_json(&self) -> Option<String> {
        self.results.rows.get(self.cursor).map(|row| json(row))
    }

    /// All rows, one JSON object a line.
    pub fn jsonl(&self) -> String {
        let rows = self.results.rows.iter();
        rows.map(|row| json(row) + "\n").collect()
    }

    /// All rows as a Markdown table under the query.
    pub fn markdown(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let mut text = format!("```\n{}\n```\n\n| {} |\n", self.text, names.join(" | "));
        text.push_str(&format!("|{}\n", "---|".repeat(names.len())));
        for row in &self.results.rows {
            let cells: Vec<String> = names
                .iter()
                .map(|name| clean(value(row, name).trim()).replace('|', "\\|"))
                .collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }

    /// How the query stands, with what it has read and what that costs.
    pub fn status(&self, look: &Look) -> (String, Tone) {
        let found = &self.results;
        let matched = format!(
            "{} of {} records matched",
            count(found.records_matched as usize),
            count(found.records_scanned as usize),
        );
        let scanned = bytes(found.bytes_scanned as u64);
        let is_sandbox = look.env.session.value().is_some_and(|(s, _)| s.sandbox);
        let price = if is_sandbox {
            "free in the sandbox".to_owned()
        } else {
            let dollars = cost::dollars(cost::insights(found.bytes_scanned));
            format!("{dollars} at ${} a GB", cost::INSIGHTS_GB)
        };
        let read = format!("{scanned} scanned, {price} · {matched}");
        let rows = plural(self.len(), "row");
        match &self.state {
            None => (String::new(), Tone::Muted),
            Some(State::Running { since, .. }) => {
                let seconds = (look.now.wall.as_millisecond() - since.as_millisecond()) / 1000;
                let spinner = look.spinner(*since);
                let stops = hint(Scope::Logs, Action::Back, "stops", look);
                let text = format!("{spinner} {} · {seconds} s · {stops} · {read}", self.word());
                (text, Tone::Info)
            }
            Some(State::Stopped) => (format!("stopped · {rows} · {read}"), Tone::Warn),
            Some(State::Done) => {
                let is_good = found.status == "Complete";
                let tone = if is_good { Tone::Good } else { Tone::Bad };
                (format!("{} · {rows} · {read}", self.word()), tone)
            }
            Some(State::Failed(_)) => {
                let edits = hint(Scope::Logs, Action::Insights, "edits the query", look);
                (format!("failed: {edits}"), Tone::Bad)
            }
        }
    }

    fn word(&self) -> String {
        match self.results.status.as_str() {
            "" => "asking".to_owned(),
            status => status.to_lowercase(),
        }
    }
}

fn json(row: &[(String, String)]) -> String {
    let object: serde_json::Map<String, serde_json::Value> = row
        .iter()
        .map(|(field, value)| (field.clone(), value.as_str().into()))
        .collect();
    serde_json::Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_range_stands_before_the_query() {
        assert_eq!(
            read("-15m fields @message"),
            Ok((900_000, "fields @message"))
        );
        assert_eq!(read(" stats count(*) "), Ok((3_600_000, "stats count(*)")));
        assert!(read("-soon fields x").unwrap_err().contains("`-soon`"));
        assert!(read("-1h ").is_err() && read("").is_err());
        assert!(read(FIRST_QUERY).is_ok());
    }

    #[test]
    fn the_services_position_is_found_in_the_typed_text() {
        let mut insights = Insights::default();
        let now = Timestamp::UNIX_EPOCH;
        let (number, _) = insights.begin("-1h  feilds x", Vec::new(), now).unwrap();
        let why = "Malformed query: unknown command (at character 1)";
        assert_eq!(insights.failed(number, why), Some(5));
    }

    #[test]
    fn answers_of_an_older_query_are_dropped() {
        let mut insights = Insights::default();
        let now = Timestamp::UNIX_EPOCH;
        let (old, _) = insights.begin("fields x", Vec::new(), now).unwrap();
        let (new, _) = insights.begin("fields y", Vec::new(), now).unwrap();
        let results = QueryResults {
            status: "Complete".to_owned(),
            rows: vec![vec![("x".to_owned(), "1".to_owned())]],
            ..QueryResults::default()
        };
        insights.found(old, &results);
        assert!(insights.is_running() && insights.len() == 0);
        insights.started(new, "id");
        let id = Some("id".to_owned());
        assert_eq!(insights.stop(), Some(Effect::StopQuery { id }));
        insights.found(new, &results);
        assert_eq!(insights.len(), 0, "what comes after the stop is not wanted");
        assert_eq!(insights.stop(), None);
    }
}
