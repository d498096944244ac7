//! A file that grows: where it has been read to, and what it has become since.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{OpenError, READ_BYTES};
use crate::store::rows::MAX_LEN;

/// So many bytes at each end of what was read tell whether a file is still the same.
const MARK_BYTES: u64 = 64;

/// The reading half of an open file. It knows no store, so it can look at the file on any thread.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    file: Arc<File>,
    /// Up to here whole lines were told.
    position: u64,
    /// Up to here an unfinished last line was told.
    told: u64,
    /// Where the file ended at the last look that found no whole line.
    quiet_at: u64,
    /// The first bytes of the file and the last ones told: other bytes there mean that it was written anew.
    marks: [Vec<u8>; 2],
    buffer: Vec<u8>,
}

/// Text of a file, from where it lies there.
#[derive(Debug)]
pub struct Piece {
    /// Whole lines, or one unfinished one.
    pub text: Vec<u8>,
    /// Where it starts in the file.
    pub at: u64,
    /// The file.
    pub file: Arc<File>,
    /// A last line without its newline: when the line goes on, it is told again from its start.
    pub is_unfinished: bool,
}

/// What a look at a file found.
#[derive(Debug)]
pub enum Found {
    /// Nothing new.
    Nothing,
    /// More text.
    Text(Piece),
    /// Another file took its name; what comes from now on is from that.
    Rotated,
    /// It became shorter, or was written anew: what was told is no longer there. Open it again.
    Cut,
}

/// When a last line without newline is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// At once.
    Now,
    /// When it has not grown between two looks.
    WhenQuiet,
    /// Never.
    Never,
}

impl Growing {
    /// Reads a file from its start.
    pub fn new(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file: Arc::new(file),
            position: 0,
            told: 0,
            quiet_at: 0,
            marks: [Vec::new(), Vec::new()],
            buffer: Vec::new(),
        }
    }

    /// The file that is read now.
    pub const fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Looks once; ask again until there is [`Found::Nothing`].
    pub fn look(&mut self, unfinished: Unfinished) -> Result<Found, OpenError> {
        self.try_look(unfinished)
            .map_err(|error| OpenError::new(&self.path, error))
    }

    fn try_look(&mut self, unfinished: Unfinished) -> io::Result<Found> {
        let known = self.file.metadata()?;
        if known.len() < self.position.max(self.told) || self.read_marks()? != self.marks {
            return Ok(Found::Cut);
        }
        // Asked before reading: what was written up to the rotation is then read to its end.
        let next = self.successor(&known);
        if let Some(piece) = self.read(if next.is_some() {
            Unfinished::Now
        } else {
            unfinished
        })? {
            return Ok(Found::Text(piece));
        }
        self.buffer = Vec::new();
        if next.is_none() {
            return Ok(Found::Nothing);
        }
        *self = Self::new(&self.path, File::open(&self.path)?);
        Ok(Found::Rotated)
    }

    /// The file that has the name now, if it is another one. Renamed away and not yet made anew is none.
    fn successor(&self, known: &Metadata) -> Option<Metadata> {
        let now = std::fs::metadata(&self.path).ok()?;
        (now.is_file() && !is_same_file(known, &now)).then_some(now)
    }

    /// The next text, as far as the file goes now.
    pub fn read(&mut self, unfinished: Unfinished) -> io::Result<Option<Piece>> {
        let Some((len, is_unfinished)) = self.fill(unfinished)? else {
            return Ok(None);
        };
        let piece = Piece {
            text: self.buffer[..len].to_vec(),
            at: self.position,
            file: Arc::clone(&self.file),
            is_unfinished,
        };
        self.advance(len, is_unfinished)?;
        Ok(Some(piece))
    }

    /// Hands all text up to the end of the file to `take` (text, its place, whether it is unfinished), without copying it.
    pub fn read_whole(
        &mut self,
        unfinished: Unfinished,
        mut take: impl FnMut(&[u8], u64, bool),
    ) -> Result<(), OpenError> {
        let mut read = || -> io::Result<()> {
            while let Some((len, is_unfinished)) = self.fill(unfinished)? {
                take(&self.buffer[..len], self.position, is_unfinished);
                self.advance(len, is_unfinished)?;
            }
            self.buffer = Vec::new();
            Ok(())
        };
        read().map_err(|error| OpenError::new(&self.path, error))
    }

    fn advance(&mut self, len: usize, is_unfinished: bool) -> io::Result<()> {
        if is_unfinished {
            self.told = self.position + len as u64;
        } else {
            self.position += len as u64;
        }
        self.marks = self.read_marks()?;
        Ok(())
    }

    /// Reads into the buffer; how much of it can be told now, and whether that is an unfinished line.
    fn fill(&mut self, unfinished: Unfinished) -> io::Result<Option<(usize, bool)>> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; READ_BYTES];
        }
        loop {
            let filled = read_at_most(&self.file, self.position, &mut self.buffer)?;
            let text = &self.buffer[..filled];
            if filled >= MAX_LEN {
                // A line gets too long: it is cut.
                return Ok(Some((filled, false)));
            }
            if let Some(newline) = memchr::memrchr(b'\n', text) {
                return Ok(Some((newline + 1, false)));
            }
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
                continue;
            }
            let end = self.position + filled as u64;
            let is_quiet = std::mem::replace(&mut self.quiet_at, end) == end;
            let is_due = match unfinished {
                Unfinished::Now => true,
                Unfinished::WhenQuiet => is_quiet,
                Unfinished::Never => false,
            };
            let is_new = filled > 0 && end > self.told;
            return Ok((is_new && is_due).then_some((filled, true)));
        }
    }

    /// The bytes at both ends of what was told as whole lines.
    fn read_marks(&self) -> io::Result<[Vec<u8>; 2]> {
        let len = self.position.min(MARK_BYTES);
        let read = |at| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; len as usize];
            let filled = read_at_most(&self.file, at, &mut bytes)?;
            bytes.truncate(filled);
            Ok(bytes)
        };
        Ok([read(0)?, read(self.position - len)?])
    }
}

/// Fills the buffer as far as the file goes. By position: others read the same file.
fn read_at_most(file: &File, at: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        let (rest, at) = (&mut into[filled..], at + filled as u64);
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, rest, at);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, rest, at);
        match read {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
