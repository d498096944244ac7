//! A picture of the store that does not change, and lines written from it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::FRAME;
use super::recording::write_events;
use super::rows::{BLOCK, Row};
use super::text::Reader;
use crate::domain::line::LogEvent;

/// Longest trailer that is looked at.
const MAX_TRAILER: usize = 256;

/// Rows, text and names at one moment.
#[derive(Debug)]
pub struct Picture {
    blocks: Vec<Arc<Vec<Row>>>,
    reader: Reader,
    streams: Vec<(Arc<str>, Arc<str>)>,
    is_framed: bool,
}

impl Picture {
    /// Puts the parts together.
    pub fn new(
        blocks: Vec<Arc<Vec<Row>>>,
        reader: Reader,
        streams: Vec<(Arc<str>, Arc<str>)>,
        is_framed: bool,
    ) -> Self {
        Self {
            blocks,
            reader,
            streams,
            is_framed,
        }
    }

    fn row(&self, line: u32) -> Option<&Row> {
        self.blocks
            .get(line as usize / BLOCK)?
            .get(line as usize % BLOCK)
    }

    /// The event that a row stands for; `None` when its text is gone (the file was cut, the spool is full).
    pub fn event(&self, row: &Row) -> Option<LogEvent> {
        let mut bytes = Vec::new();
        if !self.reader.read(row.at(), row.len(), &mut bytes) {
            return None;
        }
        let names = self.streams.get(usize::from(row.stream())).cloned();
        let (group, stream) = names.unwrap_or_else(|| (Arc::from(""), Arc::from("")));
        let trailer = self.is_framed.then(|| trailer(&self.reader, row)).flatten();
        let (ingestion_time, event_id) = trailer.unwrap_or((row.time, None));
        Some(LogEvent {
            timestamp: row.time,
            ingestion_time,
            group,
            stream,
            event_id,
            message: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

/// Ingestion time and event id, from behind the text of a row.
pub fn trailer(reader: &Reader, row: &Row) -> Option<(i64, Option<Box<str>>)> {
    let mut bytes = Vec::new();
    reader.read(row.end(), MAX_TRAILER, &mut bytes);
    let end = memchr::memchr(b'\n', &bytes)?;
    let text = std::str::from_utf8(bytes[..end].strip_prefix(&[FRAME])?).ok()?;
    let (ingestion, id) = text.split_once('\t')?;
    let ingestion = i64::from_str_radix(ingestion, 16).ok()?;
    Some((ingestion, (!id.is_empty()).then(|| Box::from(id))))
}

/// How an export went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Lines written.
    pub lines: usize,
    /// Lines left out because their text is gone.
    pub gone: usize,
}

/// Lines to be written as JSON lines, in their order.
#[derive(Debug)]
pub struct Export {
    picture: Picture,
    lines: Vec<u32>,
}

impl Export {
    pub(super) fn new(picture: Picture, lines: Vec<u32>) -> Self {
        Self { picture, lines }
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes them; stops when `cancel` is set.
    pub fn write(&self, to: &mut impl Write, cancel: &AtomicBool) -> io::Result<Written> {
        let mut written = Written::default();
        for row in self.lines.iter().filter_map(|line| self.picture.row(*line)) {
            if cancel.load(Ordering::Relaxed) {
                break;
            }
            match self.picture.event(row) {
                Some(event) => {
                    write_events(to, [&event])?;
                    written.lines += 1;
                }
                None => written.gone += 1,
            }
        }
        Ok(written)
    }
}
