//! Where events end up: printed as they come, or gathered in a store and printed as a table.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::{Exit, Failure, Run};
use super::tables;
use crate::domain::line::{Facts, Level, LogEvent};
use crate::domain::query::Term;
use crate::domain::text::visible;
use crate::domain::timestamp;
use crate::store::recording::{Recorder, write_json};
use crate::store::{Arrival, DEFAULT_CAP_BYTES, Store};

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Every line.
    Lines,
    /// One row per request.
    Requests,
    /// One row per kind of error.
    Errors,
}

/// Takes events and prints what was asked for.
#[allow(clippy::struct_excessive_bools)] // each is a wish of its own
pub struct Desk<'a, W> {
    out: &'a mut W,
    view: View,
    json: bool,
    /// Print requests as they end.
    pub follow: bool,
    /// Lines of several groups name theirs, and are sorted before they are printed if nothing is followed.
    pub several_groups: bool,
    /// Only lines that match.
    pub grep: Option<Term>,
    /// Only lines of this level or above.
    pub level: Option<Level>,
    /// Folder of the gathered text.
    pub spool: PathBuf,
    /// Lines that could not be printed: their text is gone.
    pub gone: usize,
    /// Something is missing from the source or from the recording.
    pub is_cut: bool,
    recorder: Option<Recorder>,
    store: Option<Store>,
    running: Vec<u32>,
    known: u32,
    text: String,
}

impl<'a, W: Write> Desk<'a, W> {
    /// A desk that prints `view` to `out`.
    pub fn new(view: View, json: bool, out: &'a mut W) -> Self {
        Self {
            out,
            view,
            json,
            follow: false,
            several_groups: false,
            grep: None,
            level: None,
            spool: std::env::temp_dir(),
            gone: 0,
            recorder: None,
            is_cut: false,
            store: None,
            running: Vec::new(),
            known: 0,
            text: String::new(),
        }
    }

    /// Keeps every event in a file.
    pub fn record(&mut self, path: &Path) -> Result<(), Failure> {
        self.recorder = Some(Recorder::create(path).map_err(Failure::usage)?);
        Ok(())
    }

    /// Whether every event is kept in a file.
    pub const fn records(&self) -> bool {
        self.recorder.is_some()
    }

    /// Takes events; whatever can be printed now is printed and flushed.
    pub fn take(&mut self, events: &[LogEvent]) -> Result<(), Failure> {
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.write(events)
        {
            note(&format!("{error}; it ends here, printing goes on"));
            (self.recorder, self.is_cut) = (None, true);
        }
        if self.gathers() {
            let spool = &self.spool;
            let store = self
                .store
                .get_or_insert_with(|| Store::new(spool, DEFAULT_CAP_BYTES));
            store.append(events, Arrival::Backfill);
            if self.follow && self.view == View::Requests {
                self.print_ended_requests()?;
            }
        } else {
            for event in events {
                self.line(event)?;
            }
        }
        Ok(self.out.flush()?)
    }

    /// Prints from a store that is already filled.
    pub fn adopt(&mut self, store: Store) {
        self.store = Some(store);
    }

    /// Prints one line if it passes.
    pub fn line(&mut self, event: &LogEvent) -> Result<(), Failure> {
        let message = event.message.as_bytes();
        let passes = self
            .grep
            .as_ref()
            .is_none_or(|grep| grep.matches_text(message))
            && self
                .level
                .is_none_or(|level| Facts::read(message).level >= level);
        if passes {
            self.print(event)?;
        }
        Ok(())
    }

    /// Prints what was gathered.
    pub fn finish(mut self) -> Run {
        let store = self.store.take();
        match (self.view, &store) {
            (View::Lines, Some(store)) => {
                for line in store.lines() {
                    match store.event(line) {
                        Some(event) => self.line(&event)?,
                        None => self.gone += 1,
                    }
                }
            }
            (View::Requests, Some(store)) if self.follow => {
                for &position in &self.running {
                    tables::request(store, position, self.json, self.out)?;
                }
            }
            (View::Requests, Some(store)) => tables::requests(store, self.json, self.out)?,
            (View::Errors, Some(store)) => tables::errors(store, self.json, self.out)?,
            (_, None) => {}
        }
        if let Some(trouble) = store.as_ref().and_then(Store::trouble) {
            note(trouble);
        }
        if self.gone > 0 {
            let gone = self.gone;
            note(&format!(
                "{gone} lines are missing: their text was gone before it could be read"
            ));
        }
        self.out
            .flush()
            .context("writing the output")
            .map_err(Failure::failed)?;
        let is_whole = self.gone == 0 && !self.is_cut;
        Ok(if is_whole { Exit::Fine } else { Exit::Failed })
    }

    /// Whether lines are kept until the end.
    pub fn gathers(&self) -> bool {
        self.view != View::Lines || (self.several_groups && !self.follow)
    }

    fn print_ended_requests(&mut self) -> io::Result<()> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let rows = store.invocations().rows();
        self.running.extend(self.known..rows.len() as u32);
        self.known = rows.len() as u32;
        let (ended, running): (Vec<u32>, Vec<u32>) = self
            .running
            .iter()
            .partition(|&&position| rows[position as usize].is_reported());
        self.running = running;
        for position in ended {
            tables::request(store, position, self.json, self.out)?;
        }
        Ok(())
    }

    fn print(&mut self, event: &LogEvent) -> io::Result<()> {
        if self.json {
            return write_json(self.out, event);
        }
        self.text.clear();
        if event.timestamp != 0 {
            self.text.push_str(&timestamp::format(event.timestamp));
            self.text.push(' ');
        }
        if self.several_groups {
            visible(
                event.group.rsplit('/').next().unwrap_or_default(),
                &mut self.text,
            );
            self.text.push(' ');
        }
        if !event.stream.is_empty() {
            visible(stream_tag(&event.stream), &mut self.text);
            self.text.push(' ');
        }
        visible(event.message.trim_end(), &mut self.text);
        self.text.push('\n');
        self.out.write_all(self.text.as_bytes())
    }
}

/// The last eight characters of a stream's name tell Lambda's streams apart.
fn stream_tag(stream: &str) -> &str {
    let from = stream.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    &stream[from..]
}

/// A sentence for the person in front of it: on stderr, so that stdout stays data.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "vintner: {text}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn printed(json: bool, grep: Option<&str>, message: &str) -> String {
        printed_at(1_791_444_629_470, json, grep, message)
    }

    fn printed_at(at: i64, json: bool, grep: Option<&str>, message: &str) -> String {
        let mut out = Vec::new();
        let mut desk = Desk::new(View::Lines, json, &mut out);
        desk.grep = grep.map(|grep| Term::regex(grep).unwrap());
        let event = LogEvent {
            timestamp: at,
            ingestion_time: 1_791_444_629_999,
            group: "/aws/lambda/x".into(),
            stream: "2026/10/08/[$LATEST]0123456789abcdef".into(),
            event_id: Some("7".into()),
            message: message.to_owned(),
        };
        desk.take(&[event]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_time_stream_and_harmless_text() {
        assert_eq!(
            printed(false, None, "\u{1b}[31mred\u{7}\r\nTraceback:\rfile\n"),
            "2026-10-08T07:30:29.470Z 89abcdef ␛[31mred␇\n    Traceback:\n    file\n"
        );
    }

    #[test]
    fn a_line_without_a_time_has_none() {
        assert_eq!(printed_at(0, false, None, "x"), "89abcdef x\n");
        let json = printed_at(0, true, None, "x");
        assert!(json.starts_with(r#"{"timestamp":null,"#), "{json}");
    }

    #[test]
    fn json_has_the_fields_of_the_aws_api() {
        let value: serde_json::Value = serde_json::from_str(&printed(true, None, "a\nb")).unwrap();
        assert_eq!(value["timestamp"], 1_791_444_629_470_i64);
        assert_eq!(value["ingestionTime"], 1_791_444_629_999_i64);
        assert_eq!(
            value["logStreamName"],
            "2026/10/08/[$LATEST]0123456789abcdef"
        );
        assert_eq!(value["eventId"], "7");
        assert_eq!(value["message"], "a\nb");
    }

    #[test]
    fn grep_lets_only_matches_pass() {
        assert_eq!(printed(false, Some("^x+$"), "yyy"), "");
        assert!(printed(false, Some("^x+$"), "xxx").ends_with("xxx\n"));
    }
}
