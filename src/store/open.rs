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
    base: u64,
    position: u64,
    feed: Feed,
}

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
        read_all(file, &mut store).map_err(fail)?;
    } else {
        let base = store.spool.add_file(file.try_clone().map_err(fail)?, 0);
        return Ok(Opened {
            store,
            path: path.to_owned(),
            file: Some(file),
            base,
            position: 0,
            feed: Feed::default(),
        });
    }
    Ok(Opened {
        store,
        path: path.to_owned(),
        file: None,
        base: 0,
        position: 0,
        feed: Feed::default(),
    })
}

impl Opened {
    /// Reads what was added to the file since the last time.
    pub fn poll(&mut self) -> Result<Growth, OpenError> {
        let Some(file) = &self.file else {
            return Ok(Growth::Lines(0));
        };
        let fail = |error| OpenError::new(&self.path, error);
        let known = file.metadata().map_err(fail)?;
        if known.len() < self.position {
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
        let for_text = file
            .try_clone()
            .map_err(|error| OpenError::new(&self.path, error))?;
        self.base = self.store.spool.add_file(for_text, 0);
        (self.file, self.position) = (Some(file), 0);
        Ok(Growth::Rotated(grown + rest + self.read_on(false)?))
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
            self.store.spool.grow_file(self.position + len as u64);
            self.feed.take(
                &mut self.store,
                &buffer[..len],
                Some(self.base + self.position),
            );
            self.position += len as u64;
        }
        self.feed.flush(&mut self.store);
        Ok(self.store.len() - before)
    }
}

/// How much of `text` can be indexed now: up to the last newline, or all of it when nothing more comes or a line gets too long.
fn complete(text: &[u8], is_end: bool, feed: &mut Feed) -> Option<usize> {
    feed.detect(text);
    if is_end || text.len() >= super::rows::MAX_LEN {
        return Some(text.len());
    }
    memchr::memrchr(b'\n', text).map(|at| at + 1)
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
    let mut feed = Feed::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut filled = 0;
    loop {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if let Some(len) = complete(&buffer[..filled], false, &mut feed) {
            feed.take(store, &buffer[..len], None);
            buffer.copy_within(len..filled, 0);
            filled -= len;
        } else if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
    }
    feed.detect(&buffer[..filled]);
    feed.take(store, &buffer[..filled], None);
    feed.flush(store);
    Ok(())
}

/// Turns a growing text into lines of a store.
#[derive(Debug, Default)]
pub struct Feed {
    format: Option<Format>,
    last_time: i64,
    stream: u16,
    batch: Vec<LogEvent>,
    /// Lines of a recording that are no events.
    pub skipped: usize,
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
        let last = store.rows.len().checked_sub(1);
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
