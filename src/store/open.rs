//! Opening local logs: any file, compressed or not, and standard input, in any of the forms in which Lambda logs are found.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{DEFAULT_CAP_BYTES, Store};
use feed::Feed;

mod feed;
mod format;
mod growing;
mod indexer;

pub use growing::{Found, Growing, Piece, Unfinished};
pub use indexer::Indexer;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;

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

/// A log file, indexed, and how to read on.
#[derive(Debug)]
pub struct Opened {
    /// Its lines.
    pub store: Store,
    /// Makes lines of what is added.
    pub indexer: Indexer,
    /// Reads what is added; `None` for what cannot grow: compressed files, pipes.
    pub growing: Option<Growing>,
    /// Why the rest of a compressed file could not be read, in words for the reader: what came before is here.
    pub damage: Option<String>,
}

/// Opens and indexes a file. Plain text is read in place; recordings and gzip go through a spool in `spool_dir`.
/// A last line without newline counts.
pub fn open(path: &Path, spool_dir: &Path) -> Result<Opened, OpenError> {
    let mut opened = start(path, spool_dir)?;
    opened.read_whole(Unfinished::Now)?;
    Ok(opened)
}

/// Like [`open`], but a last line without newline waits until it is complete: for [`Opened::poll`].
pub fn follow(path: &Path, spool_dir: &Path) -> Result<Opened, OpenError> {
    let mut opened = start(path, spool_dir)?;
    opened.read_whole(Unfinished::Never)?;
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
    let mut indexer = Indexer::default();
    let mut damage = None;
    let mut head = [0; 2];
    let is_gzip =
        metadata.is_file() && file.read(&mut head).map_err(fail)? == 2 && head == [0x1f, 0x8b];
    if is_gzip {
        let whole = File::open(path).map_err(fail)?;
        let text = flate2::read::MultiGzDecoder::new(whole);
        let (feed, broken) = read_to_end(text, &mut store);
        damage = broken.map(|error| {
            let (path, lines) = (path.display(), store.len());
            format!("{path} is damaged after {lines} lines: {error}")
        });
        indexer.feed = feed;
    } else if !metadata.is_file() {
        // A pipe or a device: it can be read only once.
        let (feed, broken) = read_to_end(&file, &mut store);
        broken.map_or(Ok(()), |error| Err(fail(error)))?;
        indexer.feed = feed;
    }
    let is_plain = metadata.is_file() && !is_gzip;
    Ok(Opened {
        store,
        indexer,
        growing: is_plain.then(|| Growing::new(path, file)),
        damage,
    })
}

impl Opened {
    /// Lines of a recording that were no events.
    pub const fn skipped(&self) -> usize {
        self.indexer.skipped()
    }

    /// What was indexed has been shown: a line that goes on with it stands for itself.
    pub fn close_event(&mut self) {
        self.indexer.feed.is_closed = true;
    }

    fn read_whole(&mut self, unfinished: Unfinished) -> Result<(), OpenError> {
        let Some(growing) = &mut self.growing else {
            return Ok(());
        };
        let file = growing.file().clone();
        growing.read_whole(unfinished, |text, at, is_unfinished| {
            self.indexer
                .take(text, at, &file, is_unfinished, &mut self.store);
        })
    }

    /// Reads what was added to the file since the last time; a last line without newline waits.
    pub fn poll(&mut self) -> Result<Growth, OpenError> {
        let before = self.store.len();
        let mut is_rotated = false;
        while let Some(growing) = &mut self.growing {
            match growing.look(Unfinished::Never)? {
                Found::Nothing => break,
                Found::Cut => return Ok(Growth::Truncated),
                Found::Rotated => {
                    self.indexer.begin_file();
                    is_rotated = true;
                }
                Found::Text(piece) => {
                    self.indexer.take_piece(&piece, &mut self.store);
                }
            }
        }
        let grown = self.store.len() - before;
        Ok(if is_rotated {
            Growth::Rotated(grown)
        } else {
            Growth::Lines(grown)
        })
    }

    /// Nothing more is awaited: a last line without newline counts.
    pub fn finish(&mut self) -> Result<(), OpenError> {
        self.read_whole(Unfinished::Now)
    }
}

/// Reads to the end, or as far as it goes: then with the reason.
fn read_to_end(mut from: impl Read, store: &mut Store) -> (Feed, Option<io::Error>) {
    let mut inflow = Inflow::default();
    let mut buffer = vec![0; READ_BYTES];
    let broken = loop {
        match from.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) => inflow.push(&buffer[..read], store),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    inflow.end(store);
    (inflow.feed, broken)
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
        let is_too_long = self.rest.len() >= super::rows::MAX_LEN;
        if memchr::memchr(b'\n', bytes).is_none() && !is_too_long {
            return;
        }
        let len = match memchr::memrchr(b'\n', &self.rest) {
            _ if is_too_long => self.rest.len(),
            Some(newline) => newline + 1,
            None => return,
        };
        self.feed.detect(&self.rest[..len]);
        self.feed.take(store, &self.rest[..len], None);
        self.rest.drain(..len);
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
    }

    /// Lines of a recording that are no events.
    pub const fn skipped(&self) -> usize {
        self.feed.skipped()
    }
}

#[cfg(test)]
mod tests;
