//! Where the text of the lines lies: files on disk, read by position; memory only when the disk is full.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::private::private;

/// Size of one spool file; the oldest whole file goes when the spool reaches its cap.
const SEGMENT_BYTES: u64 = 256 << 20;
/// Size of one block of memory once the disk is full, and how many are kept.
const MEMORY_BLOCK_BYTES: u64 = 4 << 20;
const MEMORY_BLOCKS: usize = 8;
/// Default cap of the whole spool.
pub const DEFAULT_CAP_BYTES: u64 = 8 << 30;

/// A run of text that starts at `base` in the store's address space.
#[derive(Debug)]
struct Segment {
    base: u64,
    len: AtomicU64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Somebody else's file: never written to.
    Input(Arc<File>),
    Disk(File),
    Memory(RwLock<Vec<u8>>),
}

impl Segment {
    fn end(&self) -> u64 {
        self.base + self.len.load(Ordering::Acquire)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match &self.body {
            Body::Input(file) => read_at(file, at - self.base, into),
            Body::Disk(file) => read_at(file, at - self.base, into),
            Body::Memory(bytes) => {
                let bytes = bytes.read().unwrap_or_else(PoisonError::into_inner);
                let from = (at - self.base) as usize;
                let found = bytes
                    .get(from..from + into.len())
                    .ok_or(io::ErrorKind::UnexpectedEof)?;
                into.copy_from_slice(found);
                Ok(())
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let at = self.len.load(Ordering::Acquire);
        match &self.body {
            Body::Input(_) => return Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            Body::Disk(file) => write_at(file, at, bytes)?,
            Body::Memory(kept) => kept
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes),
        }
        self.len.store(at + bytes.len() as u64, Ordering::Release);
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, at: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, at)
}

#[cfg(unix)]
fn write_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, into, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (at, into) = (at + read as u64, &mut into[read..]);
    }
    Ok(())
}

#[cfg(windows)]
fn write_at(file: &File, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        (at, bytes) = (at + written as u64, &bytes[written..]);
    }
    Ok(())
}

/// Reads text by its place; cheap to clone and to send to another thread.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    segments: Vec<Arc<Segment>>,
}

impl Reader {
    /// Reads `len` bytes at `at` to the end of `into`. What is gone (cap reached, file cut) becomes zeros; says whether all was there.
    pub fn read(&self, at: u64, len: usize, into: &mut Vec<u8>) -> bool {
        let start = into.len();
        into.resize(start + len, 0);
        let end = at + len as u64;
        let first = self.segments.partition_point(|s| s.end() <= at);
        let mut found = 0;
        for segment in self.segments[first..].iter().take_while(|s| s.base < end) {
            let (from, to) = (at.max(segment.base), end.min(segment.end()));
            let part = start + (from - at) as usize..start + (to - at) as usize;
            if segment.read(from, &mut into[part.clone()]).is_ok() {
                found += part.len();
            } else {
                into[part].fill(0);
            }
        }
        found == len
    }
}

/// The spool: text is only ever added.
#[derive(Debug)]
pub struct Spool {
    segments: VecDeque<Arc<Segment>>,
    dir: PathBuf,
    cap: u64,
    trouble: Option<String>,
}

impl Spool {
    /// An empty spool whose files will lie in `dir`, at most `cap` bytes in all.
    pub fn new(dir: &Path, cap: u64) -> Self {
        Self {
            segments: VecDeque::new(),
            dir: dir.to_owned(),
            cap,
            trouble: None,
        }
    }

    /// A file that is already there: its text is read in place, as far as it has been said to reach ([`Spool::grow_file`]).
    pub fn add_file(&mut self, file: Arc<File>) -> u64 {
        let base = self.end();
        self.segments.push_back(Arc::new(Segment {
            base,
            len: AtomicU64::new(0),
            body: Body::Input(file),
        }));
        base
    }

    /// The last file added has grown to `len` bytes.
    pub fn grow_file(&mut self, len: u64) {
        if let Some(last) = self.segments.back()
            && matches!(last.body, Body::Input(_))
        {
            last.len.store(len, Ordering::Release);
        }
    }

    /// Where the next text will lie.
    pub fn end(&self) -> u64 {
        self.segments.back().map_or(0, |last| last.end())
    }

    /// What went wrong with the disk, in words for the reader; `None` while all is well.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// A reader of all text so far.
    pub fn reader(&self) -> Reader {
        Reader {
            segments: self.segments.iter().cloned().collect(),
        }
    }

    /// Reads one piece of text (see [`Reader::read`]).
    pub fn read(&self, at: u64, len: usize, into: &mut Vec<u8>) -> bool {
        let last = self.segments.iter().rposition(|segment| segment.base <= at);
        let segments = last
            .map(|at| vec![self.segments[at].clone()])
            .unwrap_or_default();
        Reader { segments }.read(at, len, into)
    }

    /// Adds `bytes` as one piece and returns its place. Never fails: without a disk the newest text is kept in memory.
    pub fn push(&mut self, bytes: &[u8]) -> u64 {
        let at = self.room_for(bytes.len() as u64);
        let Some(last) = self.segments.back() else {
            return at;
        };
        if let Err(error) = last.write(bytes) {
            self.trouble = Some(format!(
                "cannot spool: {error}; the newest {} MB of text are kept in memory, older text is lost: free some space in {}",
                (MEMORY_BLOCK_BYTES * MEMORY_BLOCKS as u64) >> 20,
                self.dir.display()
            ));
            return self.push_to_memory(bytes);
        }
        at
    }

    /// Makes sure that the last segment can take `len` more bytes and returns its end.
    fn room_for(&mut self, len: u64) -> u64 {
        let limit = |segment: &Segment| match segment.body {
            Body::Input(_) => 0,
            Body::Disk(_) => SEGMENT_BYTES.min(self.cap / 2).max(1),
            Body::Memory(_) => MEMORY_BLOCK_BYTES,
        };
        let is_full = self.segments.back().is_none_or(|last| {
            let used = last.len.load(Ordering::Acquire);
            matches!(last.body, Body::Input(_)) || used > 0 && used + len > limit(last)
        });
        if is_full {
            self.roll();
        }
        self.end()
    }

    /// Starts a new file, or a block of memory if no file can be made.
    fn roll(&mut self) {
        let base = self.end();
        let body = match create_private(&self.dir) {
            Ok(file) => {
                self.trouble = None;
                Body::Disk(file)
            }
            Err(error) => {
                let dir = self.dir.display();
                self.trouble = Some(format!(
                    "cannot spool: {error}; only the newest text is kept, in memory: see to {dir}"
                ));
                Body::Memory(RwLock::default())
            }
        };
        self.segments.push_back(Arc::new(Segment {
            base,
            len: AtomicU64::new(0),
            body,
        }));
        self.drop_oldest();
    }

    fn push_to_memory(&mut self, bytes: &[u8]) -> u64 {
        let base = self.end();
        let block = Segment {
            base,
            len: AtomicU64::new(0),
            body: Body::Memory(RwLock::default()),
        };
        // Memory takes every write.
        let _ = block.write(bytes);
        self.segments.push_back(Arc::new(block));
        self.drop_oldest();
        base
    }

    fn drop_oldest(&mut self) {
        let size = |segment: &Arc<Segment>| segment.len.load(Ordering::Acquire);
        while self.segments.len() > 1 && self.segments.iter().map(size).sum::<u64>() > self.cap {
            self.segments.pop_front();
        }
        let in_memory = |segment: &Arc<Segment>| matches!(segment.body, Body::Memory(_));
        while self.segments.iter().filter(|s| in_memory(s)).count() > MEMORY_BLOCKS {
            let Some(oldest) = self.segments.iter().position(in_memory) else {
                return;
            };
            self.segments.remove(oldest);
        }
    }
}

/// A file that only this user can read and that has no name any more: it vanishes with the process, however that ends.
fn create_private(dir: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    std::fs::create_dir_all(dir)?;
    let name = format!(
        "spool-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let path = dir.join(name);
    let mut options = OpenOptions::new();
    private(options.read(true).write(true).create_new(true));
    let file = match options.open(&path) {
        // Left behind by a process of the same number that was killed between two instructions.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(&path)?;
            options.open(&path)?
        }
        opened => opened?,
    };
    #[cfg(unix)]
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(spool: &Spool, at: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        spool.read(at, len, &mut bytes).then_some(bytes)
    }

    #[test]
    fn keeps_text_in_a_nameless_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path(), DEFAULT_CAP_BYTES);
        let (a, b) = (spool.push(b"hello"), spool.push(b"world"));
        assert_eq!(read(&spool, a, 5).unwrap(), b"hello");
        assert_eq!(read(&spool, b, 5).unwrap(), b"world");
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            0,
            "nothing to leave behind"
        );
        assert!(spool.trouble().is_none());
    }

    #[test]
    fn drops_the_oldest_text_at_the_cap() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path(), 1000);
        let places: Vec<u64> = (0..40)
            .map(|n| spool.push(format!("{n:0>100}").as_bytes()))
            .collect();
        assert_eq!(read(&spool, places[0], 100), None);
        assert!(read(&spool, places[39], 100).unwrap().ends_with(b"39"));
        let mut span = Vec::new();
        assert!(
            !spool.reader().read(places[0], 4000, &mut span),
            "says that a part is gone"
        );
        assert!(span.ends_with(b"39"));
    }

    #[test]
    fn goes_on_in_bounded_memory_without_a_disk() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // A directory below a file cannot be made.
        let mut spool = Spool::new(&file.path().join("spool"), DEFAULT_CAP_BYTES);
        let piece = vec![b'x'; 1 << 20];
        let places: Vec<u64> = (0..64).map(|_| spool.push(&piece)).collect();
        assert!(spool.trouble().unwrap().contains("cannot spool: "));
        assert_eq!(read(&spool, places[0], 4), None);
        assert_eq!(read(&spool, places[63], 4).unwrap(), b"xxxx");
        let kept: u64 = spool
            .segments
            .iter()
            .map(|s| s.len.load(Ordering::Acquire))
            .sum();
        assert!(kept <= MEMORY_BLOCK_BYTES * MEMORY_BLOCKS as u64);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn goes_on_in_memory_when_the_disk_fills_up() {
        let mut spool = Spool::new(Path::new("unused"), DEFAULT_CAP_BYTES);
        // Every write to this device fails with "no space left on device".
        let full = OpenOptions::new().read(true).write(true).open("/dev/full");
        spool.segments.push_back(Arc::new(Segment {
            base: 0,
            len: AtomicU64::new(0),
            body: Body::Disk(full.unwrap()),
        }));
        let at = spool.push(b"still here");
        assert!(
            spool.trouble().unwrap().contains("free some space"),
            "{:?}",
            spool.trouble()
        );
        assert_eq!(read(&spool, at, 10).unwrap(), b"still here");
    }
}
