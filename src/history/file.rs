//! The history's file: one JSON object a line, appended to, rewritten atomically when it must shrink or change.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Entry, History, KEPT};
use crate::private::{self, private};

/// Lines beyond those kept before the file is rewritten, so that most requests cost one append.
const SLACK: usize = 200;
/// Larger files are not ours.
const LARGEST: u64 = 64 << 20;

/// `history.jsonl` in the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFile {
    path: PathBuf,
}

/// The history cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error(
    "history is not kept: {path}: {cause}; it stays in memory until you quit (make the directory writable, or set XDG_STATE_HOME to one that is)"
)]
pub struct HistoryError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl HistoryFile {
    /// The file in this directory, which is made when the first entry is written.
    pub fn in_dir(dir: &Path) -> Self {
        Self {
            path: dir.join("history.jsonl"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the file; no file is an empty history. Lines that are not entries are passed over.
    pub fn load(&self) -> Result<History, HistoryError> {
        Ok(History::new(self.read()?))
    }

    /// Adds an entry at the end; now and then rewrites the file without the oldest.
    pub fn append(&self, entry: &Entry) -> Result<(), HistoryError> {
        let text = self.text()?;
        if memchr::memchr_iter(b'\n', &text).count() >= KEPT + SLACK {
            return self.rewrite(std::slice::from_ref(entry));
        }
        // A line torn by a crash ends here, so that it costs only itself.
        let torn = text.last().is_some_and(|&byte| byte != b'\n');
        self.write_line(entry, torn)
            .map_err(|source| self.error(source))
    }

    /// Writes changed entries (by id) over what is in the file, through a temporary file and a rename: another
    /// vintner's entries stay, and a crash leaves either the old or the new file.
    pub fn rewrite(&self, changed: &[Entry]) -> Result<(), HistoryError> {
        let mut entries = self.read()?;
        entries.retain(|entry| changed.iter().all(|new| new.id != entry.id));
        entries.extend_from_slice(changed);
        let history = History::new(entries);
        self.replace(&history).map_err(|source| self.error(source))
    }

    fn read(&self) -> Result<Vec<Entry>, HistoryError> {
        let text = self.text()?;
        Ok(text
            .split(|&byte| byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }

    /// What is in the file; empty if there is none.
    fn text(&self) -> Result<Vec<u8>, HistoryError> {
        let read = match fs::metadata(&self.path) {
            Ok(meta) if meta.len() > LARGEST => Err(io::Error::other(
                "the file is larger than 64 MiB: move it away",
            )),
            Ok(_) => fs::read(&self.path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        read.map_err(|source| self.error(source))
    }

    fn write_line(&self, entry: &Entry, torn: bool) -> io::Result<()> {
        self.make_dir()?;
        let mut line = serde_json::to_vec(entry)?;
        if torn {
            line.insert(0, b'\n');
        }
        line.push(b'\n');
        // One write of a short line in append mode: two programs do not mix their lines.
        private(OpenOptions::new().create(true).append(true))
            .open(&self.path)?
            .write_all(&line)
    }

    fn replace(&self, history: &History) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in history.entries().iter().rev() {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        private::replace(&self.path, &text)
    }

    fn make_dir(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), fs::create_dir_all)
    }

    fn error(&self, cause: io::Error) -> HistoryError {
        HistoryError {
            path: self.path.clone(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn entries_survive_a_restart_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let file = HistoryFile::in_dir(&dir.path().join("not/yet"));
        assert_eq!(file.load().unwrap(), History::default());
        for n in 0..3 {
            file.append(&entry(n)).unwrap();
        }
        let history = file.load().unwrap();
        assert_eq!(history.entries(), [entry(2), entry(1), entry(0)]);
    }

    #[test]
    fn garbage_lines_are_passed_over_and_a_torn_line_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let file = HistoryFile::in_dir(dir.path());
        file.append(&entry(1)).unwrap();
        let mut text = fs::read(file.path()).unwrap();
        text.extend_from_slice(b"\xff\xfe garbage\n{\"id\":\"x\"}\n{\"id\":\"000");
        fs::write(file.path(), text).unwrap();
        file.append(&entry(2)).unwrap();
        assert_eq!(file.load().unwrap().entries(), [entry(2), entry(1)]);
    }

    #[test]
    fn the_file_is_capped_and_pins_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = HistoryFile::in_dir(dir.path());
        let first = Entry {
            pinned: true,
            ..entry(0)
        };
        file.append(&first).unwrap();
        let lines: Vec<u8> = (1..KEPT + SLACK)
            .flat_map(|n| [serde_json::to_vec(&entry(n)).unwrap(), b"\n".to_vec()].concat())
            .collect();
        OpenOptions::new()
            .append(true)
            .open(file.path())
            .unwrap()
            .write_all(&lines)
            .unwrap();
        file.append(&entry(9000)).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert_eq!(text.lines().count(), KEPT + 1);
        let history = file.load().unwrap();
        assert_eq!(
            (
                history.entries()[0].clone(),
                history.entries().last().unwrap().clone()
            ),
            (entry(9000), first)
        );
        let names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(names, ["history.jsonl"], "no temporary file is left");
    }

    #[test]
    fn a_pin_is_written_over_its_entry_and_leaves_others_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = HistoryFile::in_dir(dir.path());
        file.append(&entry(1)).unwrap();
        file.append(&entry(2)).unwrap();
        let pinned = Entry {
            pinned: true,
            ..entry(1)
        };
        file.rewrite(std::slice::from_ref(&pinned)).unwrap();
        assert_eq!(file.load().unwrap().entries(), [entry(2), pinned]);
    }

    #[test]
    fn a_place_that_cannot_be_written_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        fs::write(&blocked, "").unwrap();
        let error = HistoryFile::in_dir(&blocked)
            .append(&entry(1))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("history is not kept: ") && error.contains("set XDG_STATE_HOME"),
            "{error}"
        );
    }
}
