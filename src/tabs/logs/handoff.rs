//! What leaves the Logs tab: a request as Markdown, console links, the same view as an `aws` command.

use std::fmt::Write;

use super::{Logs, View};
use crate::app::Env;
use crate::client::predict::without_secrets;
use crate::domain::console;
use crate::domain::invocation::Invocation;
use crate::domain::timestamp;
use crate::effects::logs::sift::Save;
use crate::effects::logs::{Effect, Query};
use crate::store::Store;
use crate::tabs::Cx;
use crate::ui::text::{clean, ms, whole_ms};
use crate::ui::theme::Tone;

impl Logs {
    pub(super) fn copy(&self, cx: &mut Cx) {
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
            View::Insights => {
                if let Some(row) = self.insights.row_json() {
                    cx.copy(row, "the row as JSON");
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
    pub(super) fn request(&self) -> Option<u32> {
        let at = match self.view {
            View::Lines => {
                self.store
                    .row(self.lines.current(&self.sieve, &self.store)?)?
                    .request
            }
            View::Requests => self.requests.current()?,
            View::Errors | View::Insights => return None,
        };
        ((at as usize) < self.store.invocations().rows().len()).then_some(at)
    }

    pub(super) fn copy_request(&self, cx: &mut Cx) {
        if self.view == View::Insights {
            return cx.copy(self.insights.markdown(), "the table as Markdown");
        }
        let Some(at) = self.request() else {
            return cx.toast(Tone::Muted, "this line belongs to no request");
        };
        let region = region(cx.env);
        let text = markdown(
            at,
            &self.store.invocations().rows()[at as usize],
            &region,
            &self.store,
        );
        cx.copy(text, "the request as Markdown");
    }

    pub(super) fn copy_link(&self, cx: &mut Cx) {
        let group = self
            .lines
            .current(&self.sieve, &self.store)
            .map(|line| self.store.stream(line).0.to_string());
        let pattern = self
            .request()
            .map(|at| format!("\"{}\"", self.store.invocations().rows()[at as usize].id));
        let link = group.and_then(|group| {
            console::log_events(&region(cx.env), &group, &pattern.unwrap_or_default(), None)
        });
        match link {
            Some(link) => cx.copy_link(link, "the console link"),
            None => cx.toast(Tone::Muted, "no log group, no link"),
        }
    }

    /// The same view as a command of the AWS CLI.
    pub(super) fn copy_command(&self, cx: &mut Cx) {
        let target = Target::of(cx.env);
        if let (View::Insights, Some(query)) = (self.view, self.insights.asked()) {
            return cx.copy(target.start_query(query), "the query as an aws command");
        }
        let request = self
            .request()
            .map(|at| &self.store.invocations().rows()[at as usize]);
        let here = self.lines.current(&self.sieve, &self.store);
        let what = match (request, here.and_then(|line| self.store.time(line))) {
            (Some(row), _) if self.view == View::Requests || self.came_from.is_some() => {
                let ended = row.ended().unwrap_or(row.started);
                let pattern = format!("\"{}\"", row.id);
                (
                    Some(pattern),
                    Some((row.started - AROUND_MS, ended + AROUND_MS)),
                )
            }
            (_, Some(time)) if !self.lines.follow => {
                let around = (time - AROUND_MS, time + AROUND_MS);
                (self.pattern.as_deref().map(str::to_owned), Some(around))
            }
            _ => (self.pattern.as_deref().map(str::to_owned), None),
        };
        let commands: Vec<String> = self
            .groups
            .iter()
            .map(|group| match what.1 {
                Some(span) => target.filter_log_events(group, what.0.as_deref(), span),
                None => target.tail(group, what.0.as_deref()),
            })
            .collect();
        cx.copy(commands.join("\n"), "the aws logs command");
    }

    pub(super) fn export(&self, cx: &mut Cx) {
        let stamp = cx.now.wall.strftime("%Y%m%d-%H%M%S-%3f");
        if self.view == View::Insights {
            let path = format!("vintner-insights-{stamp}.jsonl").into();
            return cx.effect(Effect::Write(path, self.insights.jsonl()));
        }
        let path = std::path::PathBuf::from(format!("vintner-logs-{stamp}.jsonl"));
        let export = self.store.export(self.sieve.lines(&self.store)).into();
        cx.effect(Effect::Export(Save { path, export }));
    }
}

/// A command asks for so much before and after what is looked at.
const AROUND_MS: i64 = 60_000;

/// Where the commands of the AWS CLI go.
struct Target {
    region: String,
    profile: Option<String>,
    endpoint: Option<String>,
}

impl Target {
    fn of(env: &Env) -> Self {
        let session = env.session.value().map(|(session, _)| session);
        let target = session.and_then(|session| env.settings.targets.get(&session.target));
        Self {
            region: region(env),
            profile: target.and_then(|target| target.profile.clone()),
            endpoint: target
                .and_then(|target| target.endpoint_url.as_deref())
                .map(without_secrets),
        }
    }

    /// The words, each as a shell takes it for one, and where they are meant for.
    fn command(&self, words: &[&str]) -> String {
        let mut words: Vec<&str> = words.to_vec();
        let flags = [
            (
                "--region",
                Some(&self.region).filter(|region| !region.is_empty()),
            ),
            ("--profile", self.profile.as_ref()),
            ("--endpoint-url", self.endpoint.as_ref()),
        ];
        for (flag, value) in flags {
            words.extend(value.map(|value| [flag, value]).into_iter().flatten());
        }
        format!("aws logs {}", shell_words::join(words))
    }

    fn tail(&self, group: &str, pattern: Option<&str>) -> String {
        let mut words = vec![
            "tail", group, "--follow", "--since", "1h", "--format", "short",
        ];
        words.extend(filter_words(pattern));
        self.command(&words)
    }

    fn filter_log_events(&self, group: &str, pattern: Option<&str>, span: (i64, i64)) -> String {
        let (from, to) = (span.0.to_string(), span.1.to_string());
        let name = if group.starts_with("arn:") {
            "--log-group-identifier"
        } else {
            "--log-group-name"
        };
        let mut words = vec![
            "filter-log-events",
            name,
            group,
            "--start-time",
            &from,
            "--end-time",
            &to,
        ];
        words.extend(filter_words(pattern));
        self.command(&words)
    }

    fn start_query(&self, query: &Query) -> String {
        let (from, to) = (
            (query.start / 1000).to_string(),
            (query.end / 1000).to_string(),
        );
        let is_arn = query.groups.iter().any(|group| group.starts_with("arn:"));
        let mut words = vec![
            "start-query",
            if is_arn {
                "--log-group-identifiers"
            } else {
                "--log-group-names"
            },
        ];
        words.extend(query.groups.iter().map(String::as_str));
        words.extend([
            "--start-time",
            &from,
            "--end-time",
            &to,
            "--query-string",
            &query.text,
        ]);
        self.command(&words)
    }
}

/// The flag of a server-side pattern, where there is one.
fn filter_words(pattern: Option<&str>) -> impl Iterator<Item = &str> {
    pattern
        .into_iter()
        .flat_map(|pattern| ["--filter-pattern", pattern])
}

fn region(env: &Env) -> String {
    env.session
        .value()
        .map(|(session, _)| session.region.clone())
        .unwrap_or_default()
}

/// At most so many lines of a request go into Markdown.
const MOST_LINES: usize = 200;

/// A request as Markdown: facts, error, timeline, console link.
pub fn markdown(at: u32, row: &Invocation, region: &str, store: &Store) -> String {
    let lines: Vec<u32> = store
        .lines()
        .filter(|line| store.row(*line).is_some_and(|row| row.request == at))
        .collect();
    let mut text = format!("### Request `{}`: {}\n\n", row.id, row.status().word());
    let _ = writeln!(text, "- started {}", timestamp::format(row.started));
    if let Some(duration) = row.duration_ms() {
        let _ = writeln!(
            text,
            "- duration {}, billed {}",
            ms(duration),
            whole_ms(u64::from(row.billed_ms))
        );
    }
    if let Some(init) = row.init_ms() {
        let _ = writeln!(text, "- cold start, init {}", ms(init));
    }
    if row.memory_mb() > 0 {
        let _ = writeln!(
            text,
            "- memory {} of {} MB",
            row.max_memory_mb(),
            row.memory_mb()
        );
    }
    if let Some(line) = row.error_line() {
        let _ = writeln!(
            text,
            "- error: `{}`",
            one_line(&store.text(line)).replace('`', "'")
        );
    }
    if let Some(line) = lines.first() {
        let (group, stream) = store.stream(*line);
        let _ = writeln!(
            text,
            "- log stream `{}` in `{}`",
            clean(stream),
            clean(group)
        );
        if let Some(link) = console::log_events(
            region,
            group,
            &format!("\"{}\"", row.id),
            Some((
                row.started - 60_000,
                row.ended().unwrap_or(row.started) + 60_000,
            )),
        ) {
            let _ = writeln!(text, "- [CloudWatch]({link})");
        }
    }
    text.push_str("\n```\n");
    for line in lines.iter().take(MOST_LINES) {
        let after = store.time(*line).unwrap_or(row.started) - row.started;
        let _ = writeln!(
            text,
            "{after:>+7} ms  {}",
            one_line(&store.text(*line)).replace("```", "'''")
        );
    }
    if lines.len() > MOST_LINES {
        let _ = writeln!(text, "... {} more lines", lines.len() - MOST_LINES);
    }
    text.push_str("```\n");
    text
}

fn one_line(text: &str) -> String {
    clean(&text.trim().replace(['\n', '\r'], " "))
}
