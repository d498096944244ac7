//! The log store: an append-only spool on disk, a compact index in memory, and the requests and error templates joined from it.
//!
//! Lines are numbered in order of arrival and keep their number; [`Store::at`] and [`Store::position`] translate to the order
//! on screen (event time, ingestion time, event id), where late lines stand in place. Text is read back by position.
//! A filter runs on a [`Store::scan`], a picture of the store that another thread can read while the store grows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::domain::headline;
use crate::domain::invocation::{Figures, Invocations};
use crate::domain::lateness::Shown;
use crate::domain::line::{Facts, Kind, Level, LogEvent};
use crate::domain::template::Templates;

pub mod filter;
pub mod open;
mod order;
mod picture;
pub mod recording;
mod rows;
pub mod stats;
mod streams;
mod text;
mod volume;

pub use filter::{Filter, Layer, Matches, Scan, Want};
pub use open::{OpenError, Opened};
pub use picture::{Export, Written};
pub use rows::{BLOCK, Row};
pub use stats::{Stats, stats};
pub use text::DEFAULT_CAP_BYTES;

use order::Order;
use picture::Picture;
use rows::Rows;
use streams::Streams;
use text::Spool;
use volume::{GRAIN_MS, Volume};

/// How a batch of events reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Followed: a line older than what is on screen is late.
    Live,
    /// Older pages that fill the history upwards: nothing is late.
    Backfill,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appended {
    /// The new line numbers.
    pub lines: std::ops::Range<u32>,
    /// How many of them were late.
    pub late: usize,
    /// Some line, new or old, was put between older ones: positions have moved.
    pub reordered: bool,
    /// Earlier lines were joined to a request after the fact.
    pub adopted: bool,
}

/// Everything the Logs tab and `vintner logs` know.
#[derive(Debug)]
pub struct Store {
    spool: Spool,
    rows: Rows,
    order: Order,
    streams: Streams,
    invocations: Invocations,
    templates: Templates,
    volume: Volume,
    late: HashMap<u32, u32>,
    shown: Shown,
    /// Whether each text is followed by its ingestion time and event id (events), or is a piece of a file.
    is_framed: bool,
}

/// Stands for a text that can no longer be read.
const GONE: &str = "(this text is gone: the file was cut, or the spool is full)";
/// Ends the text of an event in the spool; ingestion time and event id follow.
const FRAME: u8 = 0x1f;
/// Text is written in pieces of about this size.
const WRITE_BYTES: usize = 1 << 20;

impl Store {
    /// An empty store whose spool lies in `dir` and takes at most `cap` bytes ([`DEFAULT_CAP_BYTES`]). Never fails: without
    /// a usable directory the newest text is kept in memory and [`Store::trouble`] says so.
    pub fn new(dir: &Path, cap: u64) -> Self {
        Self {
            spool: Spool::new(dir, cap),
            rows: Rows::default(),
            order: Order::default(),
            streams: Streams::default(),
            invocations: Invocations::default(),
            templates: Templates::default(),
            volume: Volume::default(),
            late: HashMap::new(),
            shown: Shown::default(),
            is_framed: true,
        }
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Trouble with the disk, in words for the reader.
    pub fn trouble(&self) -> Option<&str> {
        self.spool.trouble()
    }

    /// The joined requests.
    pub fn invocations(&self) -> &Invocations {
        &self.invocations
    }

    /// The error templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The figures of the requests that ended in the `minutes` before `now` (milliseconds since the epoch); `None`: of all.
    pub fn figures(&self, now: i64, minutes: Option<i64>) -> Figures {
        let since = minutes.map_or(i64::MIN, |minutes| now - minutes * 60_000);
        Figures::since(self.invocations.rows(), since)
    }

    /// The same for several spans of minutes before `now`, in one go.
    pub fn figures_over<const N: usize>(&self, now: i64, minutes: [i64; N]) -> [Figures; N] {
        let longest = now - minutes.iter().max().copied().unwrap_or(0) * 60_000;
        let rows = self.invocations.rows().iter();
        let recent: Vec<_> = rows
            .filter(|row| row.ended().is_some_and(|ended| ended >= longest))
            .collect();
        minutes.map(|span| Figures::since(recent.iter().copied(), now - span * 60_000))
    }

    /// Adds events as they came from CloudWatch or a recording, in any order.
    pub fn append(&mut self, events: &[LogEvent], arrival: Arrival) -> Appended {
        let mut batch: Vec<&LogEvent> = events.iter().collect();
        batch.sort_by_key(|event| event.order_key());
        let first = self.rows.len() as u32;
        let mut appended = Appended::default();
        let mut rest = &batch[..];
        while !rest.is_empty() {
            let mut size = 0;
            let piece = rest.iter().take_while(|event| {
                (size < WRITE_BYTES)
                    .then(|| size += event.message.len())
                    .is_some()
            });
            let (piece, after) = rest.split_at(piece.count());
            self.append_piece(piece);
            rest = after;
        }
        appended.lines = first..self.rows.len() as u32;
        if arrival == Arrival::Live {
            for line in appended.lines.clone() {
                let time = self.time(line);
                if let Some(late) = time.and_then(|time| self.shown.lateness(time)) {
                    self.late.insert(line, late);
                    appended.late += 1;
                }
            }
        }
        self.shown.show(events);
        let mut order = std::mem::take(&mut self.order);
        appended.reordered = order.insert(appended.lines.clone(), |a, b| self.compare(a, b));
        self.order = order;
        appended.adopted = self.adopt();
        appended
    }

    /// Writes the texts in one go and indexes them.
    fn append_piece(&mut self, events: &[&LogEvent]) {
        let mut bytes = Vec::with_capacity(events.iter().map(|e| e.message.len() + 64).sum());
        for event in events {
            bytes.extend_from_slice(event.message.as_bytes());
            bytes.push(FRAME);
            let id = event.event_id.as_deref().unwrap_or_default();
            bytes.extend_from_slice(format!("{:x}\t{id}\n", event.ingestion_time).as_bytes());
        }
        let mut at = self.spool.push(&bytes);
        let mut offset = 0;
        for event in events {
            let stream = self.streams.number(&event.group, &event.stream);
            let message = event.message.as_bytes();
            self.push_line(event.timestamp, at, stream, message, &Facts::read(message));
            let trailer = memchr::memchr(b'\n', &bytes[offset + message.len()..]).unwrap_or(0) + 1;
            offset += message.len() + trailer;
            at += (message.len() + trailer) as u64;
        }
    }

    /// Indexes one line whose text lies at `at`.
    fn push_line(&mut self, time: i64, at: u64, stream: u16, message: &[u8], facts: &Facts) {
        let row = Row::new(time, at, message.len(), stream, facts);
        self.volume.add(&row);
        let line = self.rows.push(row);
        if let Some(request) = self.invocations.observe(line, stream, time, facts, message)
            && let Some(row) = self.rows.get_mut(line)
        {
            row.request = request;
        }
        if facts.level >= Level::Error && !matches!(facts.kind, Kind::Report | Kind::End) {
            let text = String::from_utf8_lossy(&message[..message.len().min(MAX_ERROR_TEXT)]);
            self.templates.observe(line, time, &headline::words(&text));
        }
    }

    /// Takes the newest lines of a file back, down to `len` of them: an unfinished last line has gone on and is read anew.
    fn withdraw_last(&mut self, len: usize) {
        while self.rows.len() > len {
            let line = self.rows.len() as u32 - 1;
            let facts = Facts::read(&self.message(line));
            let Some(row) = self.rows.pop() else { return };
            self.order.pop();
            self.volume.remove(&row);
            self.invocations.withdraw(line, row.stream(), &facts);
            self.templates.withdraw(line);
        }
    }

    /// Writes down the requests of lines that were joined after the fact.
    fn adopt(&mut self) -> bool {
        let adopted = self.invocations.take_adopted();
        for (line, request) in &adopted {
            if let Some(row) = self.rows.get_mut(*line) {
                row.request = *request;
            }
        }
        !adopted.is_empty()
    }

    /// The index entry of a line; `None` when there is no such line here.
    pub fn row(&self, line: u32) -> Option<&Row> {
        self.rows.get(line)
    }

    /// Event time of a line, milliseconds since the epoch.
    pub fn time(&self, line: u32) -> Option<i64> {
        Some(self.row(line)?.time)
    }

    /// Whether a line stands before an instant.
    fn is_before(&self, line: u32, time: i64) -> bool {
        self.time(line).is_some_and(|own| own < time)
    }

    /// The line at a position on screen (0 is the oldest).
    pub fn at(&self, position: usize) -> Option<u32> {
        (position < self.rows.len()).then(|| self.order.at(position))
    }

    /// The position of a line on screen.
    pub fn position(&self, line: u32) -> usize {
        let time = self.time(line).unwrap_or(i64::MAX);
        self.order
            .position(line, |other| self.is_before(other, time))
    }

    /// The first position at or after a time (milliseconds since the epoch).
    pub fn position_at_time(&self, time: i64) -> usize {
        self.order
            .partition_point(self.rows.len(), |line| self.is_before(line, time))
    }

    /// Lines in the order on screen.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        (0..self.rows.len()).map(|position| self.order.at(position))
    }

    /// Event time of the last line on screen.
    pub fn newest_time(&self) -> Option<i64> {
        self.time(self.at(self.rows.len().checked_sub(1)?)?)
    }

    /// The time of the first line in order; `None` while there is none.
    pub fn oldest_time(&self) -> Option<i64> {
        self.time(self.at(0)?)
    }

    /// How much later than its neighbours a late line came, in milliseconds.
    pub fn lateness(&self, line: u32) -> Option<u32> {
        self.late.get(&line).copied()
    }

    /// How many lines came late.
    pub fn late_count(&self) -> usize {
        self.late.len()
    }

    /// The text of a line, as it came.
    pub fn message(&self, line: u32) -> Vec<u8> {
        let Some(row) = self.row(line) else {
            return Vec::new();
        };
        let mut bytes = Vec::with_capacity(row.len());
        if !self.spool.read(row.at(), row.len(), &mut bytes) {
            return GONE.as_bytes().to_vec();
        }
        bytes
    }

    /// The text of a line; what is not UTF-8 becomes the replacement character.
    pub fn text(&self, line: u32) -> String {
        match String::from_utf8(self.message(line)) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// The beginning of a line's text, at most `limit` bytes: enough for one row on screen.
    pub fn head(&self, line: u32, limit: usize) -> String {
        let Some(row) = self.row(line) else {
            return String::new();
        };
        let mut bytes = Vec::new();
        if !self.spool.read(row.at(), row.len().min(limit), &mut bytes) {
            return GONE.to_owned();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// (group, stream) names of a line; empty for a plain file.
    pub fn stream(&self, line: u32) -> (&Arc<str>, &Arc<str>) {
        self.streams
            .names(self.row(line).map_or(u16::MAX, Row::stream))
    }

    /// How many different streams were seen.
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// A line as the event it came from; `None` when its text is gone.
    pub fn event(&self, line: u32) -> Option<LogEvent> {
        let picture = Picture::new(
            Vec::new(),
            self.spool.reader(),
            self.streams.all(),
            self.is_framed,
        );
        picture.event(self.row(line)?)
    }

    /// Ingestion time and event id, from behind the text.
    fn trailer(&self, row: &Row) -> Option<(i64, Option<Box<str>>)> {
        self.is_framed
            .then(|| picture::trailer(&self.spool.reader(), row))
            .flatten()
    }

    /// A picture of everything so far that another thread can read.
    fn picture(&self) -> Picture {
        Picture::new(
            self.rows.share(0),
            self.spool.reader(),
            self.streams.all(),
            self.is_framed,
        )
    }

    /// These lines, ready to be written as JSON lines on another thread.
    pub fn export(&self, lines: Vec<u32>) -> Export {
        Export::new(self.picture(), lines)
    }

    /// Screen order of two lines.
    fn compare(&self, a: u32, b: u32) -> std::cmp::Ordering {
        let (Some(row_a), Some(row_b)) = (self.row(a), self.row(b)) else {
            return a.cmp(&b);
        };
        row_a
            .time
            .cmp(&row_b.time)
            .then_with(|| self.trailer(row_a).cmp(&self.trailer(row_b)))
            .then(a.cmp(&b))
    }

    /// A filter over everything so far, ready to run on any thread.
    pub fn scan(&self, filter: &Filter) -> Scan {
        self.scan_from(0, filter)
    }

    /// The same over the lines from one on: for those that came after a scan.
    pub fn scan_from(&self, from: usize, filter: &Filter) -> Scan {
        Scan::new(self, filter, from)
    }

    /// Lines and lines at ERROR or above in each of `buckets` equal slices of `from..to` (milliseconds since the epoch).
    pub fn histogram(&self, from: i64, to: i64, buckets: usize) -> Vec<(u32, u32)> {
        let mut counts = vec![(0, 0); buckets];
        let span = to.saturating_sub(from);
        if span <= 0 || buckets == 0 {
            return counts;
        }
        if span / buckets as i64 >= 2 * GRAIN_MS {
            return self.volume.histogram(from, to, buckets);
        }
        let scale = buckets as f64 / span as f64;
        for position in self.position_at_time(from)..self.position_at_time(to) {
            let Some(row) = self.row(self.order.at(position)) else {
                continue;
            };
            let at = ((row.time - from) as f64 * scale) as usize;
            if let Some(count) = counts.get_mut(at) {
                count.0 += 1;
                count.1 += u32::from(row.level() >= Level::Error);
            }
        }
        counts
    }
}

/// A template looks at no more of a message than this.
const MAX_ERROR_TEXT: usize = 64 << 10;

#[cfg(test)]
mod tests;
