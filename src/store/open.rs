//! Opening local logs: any file, compressed or not, and standard input, in any of the forms in which Lambda logs are found.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::domain::line::LogEvent;

use super::{Arrival, DEFAULT_CAP_BYTES, Store};
use format::{Format, Piece};

mod format;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// Events of a recording are appended in batches of so many.
const BATCH: usize = 8192;

/// Why a local log cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what}: {error}")]
pub struct OpenError {
    /// The file.
    what: String,
    /// The system's words.
    error: io::Error,
}

impl OpenError {
    fn new(path: &Path, error: io::Error) -> Self {
        Self {
            what: path.display().to_string(),
            error,
        }
    }
}

/// What happened to a followed file since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// So many new lines (0: nothing).
    Lines(usize),
    /// Another file took its name; its first lines were read as well.
    Rotated(usize),
    /// It became shorter: what was indexed no longer is there. Open it again.
    Truncated,
}

/// A log file, indexed, and where to read on.
#[derive(Debug)]
pub struct Opened {
    /// Its lines.
    pub store: Store,
    path: PathBuf,
    file: Option<File>,
    /// Where the file's text lies among all text; `None` before its first line, and for a recording, whose events are spooled.
    base: Option<u64>,
    position: u64,
    /// The first bytes of the file and the last ones read: other bytes there mean that it was written anew.
    marks: [Vec<u8>; 2],
    feed: Feed,
}

/// So many bytes at each end of what was read tell whether a file is still the same.
const MARK_BYTES: u64 = 64;

/// Opens and indexes a file. Plain text is read in place; recordings and gzip go through a spool in `spool_dir`.
/// A last line without newline counts.
pub fn open(path: &Path, spool_dir: &Path) -> Result<Opened, OpenError> {
    let mut opened = start(path, spool_dir)?;
    opened.read_on(true)?;
    Ok(opened)
}

/// Like [`open`], but a last line without newline waits until it is complete: for [`Opened::poll`].
pub fn follow(path: &Path, spool_dir: &Path) -> Result<Opened, OpenError> {
    let mut opened = start(path, spool_dir)?;
    opened.read_on(false)?;
    Ok(opened)
}

fn start(path: &Path, spool_dir: &Path) -> Result<Opened, OpenError> {
    let fail = |error| OpenError::new(path, error);
    let mut file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(fail(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory: name a file in it",
        )));
    }
    let mut store = Store::new(spool_dir, DEFAULT_CAP_BYTES);
    let mut head = [0; 2];
    let is_gzip =
        metadata.is_file() && file.read(&mut head).map_err(fail)? == 2 && head == [0x1f, 0x8b];
    if is_gzip {
        let whole = File::open(path).map_err(fail)?;
        read_all(flate2::read::MultiGzDecoder::new(whole), &mut store).map_err(fail)?;
    } else if !metadata.is_file() {
        // A pipe or a device: it can be read only once.
        read_all(&file, &mut store).map_err(fail)?;
    }
    let is_plain = metadata.is_file() && !is_gzip;
    Ok(Opened {
        store,
        path: path.to_owned(),
        file: is_plain.then_some(file),
        base: None,
        position: 0,
        marks: [Vec::new(), Vec::new()],
        feed: Feed::default(),
    })
}

impl Opened {
    /// Lines of a recording that were no events.
    pub const fn skipped(&self) -> usize {
        self.feed.skipped
    }

    /// What was indexed has been shown: a line that goes on with it stands for itself.
    pub fn close_event(&mut self) {
        self.feed.is_closed = true;
    }

    /// Reads what was added to the file since the last time.
    pub fn poll(&mut self) -> Result<Growth, OpenError> {
        let Some(file) = &self.file else {
            return Ok(Growth::Lines(0));
        };
        let fail = |error| OpenError::new(&self.path, error);
        let known = file.metadata().map_err(fail)?;
        if known.len() < self.position || self.read_marks(file).map_err(fail)? != self.marks {
            return Ok(Growth::Truncated);
        }
        let grown = self.read_on(false)?;
        let Ok(now) = std::fs::metadata(&self.path) else {
            // Renamed away and not yet made anew.
            return Ok(Growth::Lines(grown));
        };
        if is_same_file(&known, &now) {
            return Ok(Growth::Lines(grown));
        }
        let rest = self.read_on(true)?;
        let file = File::open(&self.path).map_err(|error| OpenError::new(&self.path, error))?;
        (self.file, self.base, self.position) = (Some(file), None, 0);
        self.marks = [Vec::new(), Vec::new()];
        Ok(Growth::Rotated(grown + rest + self.read_on(false)?))
    }

    /// The bytes at both ends of what was read.
    fn read_marks(&self, file: &File) -> io::Result<[Vec<u8>; 2]> {
        let len = self.position.min(MARK_BYTES);
        let read = |at| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; len as usize];
            let filled = read_at_most(file, at, &mut bytes)?;
            bytes.truncate(filled);
            Ok(bytes)
        };
        Ok([read(0)?, read(self.position - len)?])
    }

    /// Indexes complete lines up to the end of the file; with `to_the_end` also a last line without newline.
    fn read_on(&mut self, to_the_end: bool) -> Result<usize, OpenError> {
        let before = self.store.len();
        let Some(file) = &self.file else { return Ok(0) };
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let filled = read_at_most(file, self.position, &mut buffer)
                .map_err(|e| OpenError::new(&self.path, e))?;
            if filled == 0 {
                break;
            }
            let is_last = filled < buffer.len();
            let Some(len) = complete(&buffer[..filled], is_last && to_the_end, &mut self.feed)
            else {
                if is_last {
                    break;
                }
                // A line longer than the buffer.
                let longer = buffer.len() * 2;
                buffer.resize(longer, 0);
                continue;
            };
            if self.feed.format != Some(Format::Recording) {
                let base = if let Some(base) = self.base {
                    base
                } else {
                    let text = file
                        .try_clone()
                        .map_err(|e| OpenError::new(&self.path, e))?;
                    self.store.spool.add_file(text, 0)
                };
                self.base = Some(base);
                self.store.spool.grow_file(self.position + len as u64);
            }
            let at = self.base.map(|base| base + self.position);
            self.feed.take(&mut self.store, &buffer[..len], at);
            self.position += len as u64;
        }
        self.feed.flush(&mut self.store);
        self.marks = self
            .read_marks(file)
            .map_err(|e| OpenError::new(&self.path, e))?;
        Ok(self.store.len() - before)
    }
}

/// How much of `text` can be indexed now: up to the last newline, or all of it when nothing more comes or a line gets too long.
fn complete(text: &[u8], is_end: bool, feed: &mut Feed) -> Option<usize> {
    let len = if is_end || text.len() >= super::rows::MAX_LEN {
        text.len()
    } else {
        memchr::memrchr(b'\n', text)? + 1
    };
    feed.detect(&text[..len]);
    Some(len)
}

fn read_at_most(mut file: &File, at: u64, into: &mut [u8]) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    let mut filled = 0;
    while filled < into.len() {
        match file.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn is_same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    a.created().ok() == b.created().ok()
}

/// Reads a stream (standard input, a decompressor) to its end into the store's spool.
pub fn read_all(mut from: impl Read, store: &mut Store) -> io::Result<()> {
    let mut inflow = Inflow::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => inflow.push(&buffer[..read], store),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    inflow.end(store);
    Ok(())
}

/// A text that comes in pieces, such as standard input.
#[derive(Debug, Default)]
pub struct Inflow {
    feed: Feed,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl Inflow {
    /// Takes a piece; whole lines are indexed.
    pub fn push(&mut self, bytes: &[u8], store: &mut Store) {
        self.rest.extend_from_slice(bytes);
        if memchr::memchr(b'\n', bytes).is_none() && self.rest.len() < super::rows::MAX_LEN {
            return;
        }
        if let Some(len) = complete(&self.rest, false, &mut self.feed) {
            self.feed.take(store, &self.rest[..len], None);
            self.rest.drain(..len);
            self.feed.flush(store);
        }
    }

    /// What was indexed has been shown: a line that goes on with it stands for itself.
    pub fn close_event(&mut self) {
        self.feed.is_closed = true;
    }

    /// Nothing more comes: the last line may lack its newline.
    pub fn end(&mut self, store: &mut Store) {
        let rest = std::mem::take(&mut self.rest);
        self.feed.detect(&rest);
        self.feed.take(store, &rest, None);
        self.feed.flush(store);
    }

    /// Lines of a recording that are no events.
    pub const fn skipped(&self) -> usize {
        self.feed.skipped
    }
}

/// Turns a growing text into lines of a store.
#[derive(Debug, Default)]
pub struct Feed {
    format: Option<Format>,
    last_time: i64,
    stream: u16,
    batch: Vec<LogEvent>,
    /// The last line has been shown and cannot grow any more.
    is_closed: bool,
    /// Lines of a recording that are no events.
    skipped: usize,
}

impl Feed {
    /// Looks at the beginning of the text once: which form it is, and the first time in it.
    fn detect(&mut self, text: &[u8]) {
        if self.format.is_none() && !text.is_empty() {
            let (format, first_time) = format::detect(text);
            (self.format, self.last_time) = (Some(format), first_time);
        }
    }

    /// Indexes whole lines. `at` is where the text lies already; `None` puts it into the spool.
    fn take(&mut self, store: &mut Store, text: &[u8], at: Option<u64>) {
        let format = self.format.unwrap_or(Format::Raw);
        if format == Format::Recording {
            return self.take_events(store, text);
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
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_closed = std::mem::take(&mut self.is_closed);
        let last = store.rows.len().checked_sub(1).filter(|_| !is_closed);
        match format.read(line) {
            Piece::Continuation if let Some(last) = last => {
                if let Some(row) = store.rows.get_mut(last as u32) {
                    row.extend_to(at + line.len() as u64);
                }
            }
            Piece::Continuation => self.push(store, line, at, &super::Facts::default()),
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

    fn push(&self, store: &mut Store, message: &[u8], at: u64, facts: &super::Facts) {
        let mut rest = message;
        let mut at = at;
        // Longer than an index entry can say: cut.
        while rest.len() > super::rows::MAX_LEN {
            let (piece, after) = rest.split_at(super::rows::MAX_LEN);
            store.push_line(self.last_time, at, self.stream, piece, facts);
            (rest, at) = (after, at + piece.len() as u64);
            store.order.push(store.rows.len() as u32 - 1);
        }
        store.push_line(self.last_time, at, self.stream, rest, facts);
        store.order.push(store.rows.len() as u32 - 1);
    }

    fn take_events(&mut self, store: &mut Store, text: &[u8]) {
        for line in text
            .split(|b| *b == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
        {
            match serde_json::from_slice(line) {
                Ok(event) => self.batch.push(event),
                Err(_) => self.skipped += 1,
            }
            if self.batch.len() >= BATCH {
                self.flush(store);
            }
        }
    }

    fn flush(&mut self, store: &mut Store) {
        if !self.batch.is_empty() {
            store.append(&std::mem::take(&mut self.batch), Arrival::Backfill);
        }
    }
}

#[cfg(test)]
mod tests;
