//! From text to lines of a store, in whichever form the text is.

use super::format::{self, Format, Piece};
use crate::domain::line::{Facts, LogEvent};
use crate::store::rows::MAX_LEN;
use crate::store::{Arrival, Store};

/// Events of a recording are appended in batches of so many.
const BATCH: usize = 8192;

/// Turns a growing text into lines of a store.
#[derive(Debug, Default, Clone)]
pub struct Feed {
    pub format: Option<Format>,
    last_time: i64,
    stream: u16,
    batch: Vec<LogEvent>,
    /// The last line has been shown and cannot grow any more.
    pub is_closed: bool,
    /// Lines of a recording that are no events.
    skipped: usize,
    /// The last line of a recording has no newline yet: and is no event, or has been taken already.
    is_torn: bool,
    is_ahead: bool,
}

impl Feed {
    /// Lines of a recording that were no events.
    pub const fn skipped(&self) -> usize {
        self.skipped + self.is_torn as usize
    }

    /// Looks at the beginning of the text once: which form it is, and the first time in it.
    pub fn detect(&mut self, text: &[u8]) {
        if self.format.is_none() && !text.is_empty() {
            let (format, first_time) = format::detect(text);
            (self.format, self.last_time) = (Some(format), first_time);
        }
    }

    /// Indexes whole lines. `at` is where the text lies already; `None` puts it into the spool.
    pub fn take(&mut self, store: &mut Store, text: &[u8], at: Option<u64>) {
        let format = self.format.unwrap_or(Format::Raw);
        if format == Format::Recording {
            return self.take_events(store, text, false);
        }
        store.is_framed = false;
        if text.is_empty() {
            return;
        }
        let base = at.unwrap_or_else(|| store.spool.push(text));
        let mut start = 0;
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |len| start + len);
            self.take_line(store, format, &text[start..end], base + start as u64);
            start = end + 1;
        }
        store.adopt();
    }

    fn take_line(&mut self, store: &mut Store, format: Format, line: &[u8], at: u64) {
        let text = format::without_bom(line);
        let at = at + (line.len() - text.len()) as u64;
        let line = text.strip_suffix(b"\r").unwrap_or(text);
        let is_closed = std::mem::take(&mut self.is_closed);
        let last = store.rows.len().checked_sub(1).filter(|_| !is_closed);
        match format.read(line) {
            Piece::Continuation if let Some(last) = last => {
                if let Some(row) = store.rows.get_mut(last as u32) {
                    row.extend_to(at + line.len() as u64);
                }
            }
            Piece::Continuation => self.push(store, line, at, &Facts::default()),
            Piece::Message {
                facts,
                skip,
                stream,
            } => {
                if let Some(stream) = stream {
                    let name = String::from_utf8_lossy(stream);
                    self.stream = store.streams.number(&"".into(), &name.as_ref().into());
                }
                if let Some(time) = facts.time {
                    self.last_time = time;
                }
                self.push(store, &line[skip..], at + skip as u64, &facts);
            }
        }
    }

    fn push(&self, store: &mut Store, message: &[u8], at: u64, facts: &Facts) {
        let mut rest = message;
        let mut at = at;
        // Longer than an index entry can say: cut.
        while rest.len() > MAX_LEN {
            let (piece, after) = rest.split_at(MAX_LEN);
            store.push_line(self.last_time, at, self.stream, piece, facts);
            (rest, at) = (after, at + piece.len() as u64);
            store.order.push(store.rows.len() as u32 - 1);
        }
        store.push_line(self.last_time, at, self.stream, rest, facts);
        store.order.push(store.rows.len() as u32 - 1);
    }

    /// Takes the events of a recording. An unfinished last line counts if it is whole, and is not taken again later.
    pub fn take_events(&mut self, store: &mut Store, text: &[u8], is_unfinished: bool) {
        let mut lines = text.split(|b| *b == b'\n');
        self.is_torn = false;
        if std::mem::take(&mut self.is_ahead) {
            lines.next();
        }
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(format::without_bom(line)) {
                Ok(event) => {
                    self.batch.push(event);
                    self.is_ahead = is_unfinished;
                }
                Err(_) if is_unfinished => self.is_torn = true,
                Err(_) => self.skipped += 1,
            }
            if self.batch.len() >= BATCH {
                self.flush(store);
            }
        }
        self.flush(store);
    }

    fn flush(&mut self, store: &mut Store) {
        if !self.batch.is_empty() {
            store.append(&std::mem::take(&mut self.batch), Arrival::Backfill);
        }
    }
}
