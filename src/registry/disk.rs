//! Durable file operations: what has returned is on the disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{RegistryError, deadline};

/// The disk refused: which operation, on which path, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}: {cause}{}", path.display(), remedy(cause))]
pub struct DiskError {
    verb: &'static str,
    path: PathBuf,
    // Not `source`: the sentence holds it, and a chain of errors would print it twice.
    cause: io::Error,
}

impl DiskError {
    pub(super) fn new(verb: &'static str, path: &Path, cause: io::Error) -> Self {
        Self {
            verb,
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether the place cannot be written at all.
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
        matches!(
            self.cause.kind(),
            NotADirectory | PermissionDenied | ReadOnlyFilesystem
        )
    }

    /// Whether the file was not there.
    pub fn is_missing(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotFound
    }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; nothing was lost: free some space and try again"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make the directory writable or choose another with --registry DIR"
        }
        _ => "",
    }
}

type Result<T, E = DiskError> = std::result::Result<T, E>;

/// Makes a directory and those above it, durably.
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|error| DiskError::new("create", path, error))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes a new file and waits until it is on the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| DiskError::new("write", path, error))
}

/// Replaces a file as a whole: readers see the old or the new content, never a mixture. `stage` must be on the same
/// file system.
pub(crate) fn replace(path: &Path, bytes: &[u8], stage: &Path) -> Result<()> {
    let staged = stage.join(ulid::Ulid::new().to_string());
    let replaced = write_synced(&staged, bytes)
        .and_then(|()| rename(&staged, path))
        .and_then(|()| path.parent().map_or(Ok(()), sync_dir));
    if replaced.is_err() {
        let _ = fs::remove_file(&staged);
    }
    replaced
}

/// Appends one line and waits until it is on the disk. A torn last line of a killed writer is closed first.
pub(crate) fn append_line(path: &Path, line: &str) -> Result<()> {
    let append = || {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let torn = ends_torn(&file)?;
        let text = if torn {
            format!("\n{line}\n")
        } else {
            format!("{line}\n")
        };
        file.write_all(text.as_bytes())?;
        file.sync_data()
    };
    append().map_err(|error| DiskError::new("append to", path, error))
}

fn ends_torn(mut file: &File) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Renames without replacing a directory that has content.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| DiskError::new("move into place", to, error))
}

/// Waits until a directory's entries are on the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| DiskError::new("sync", path, error))
}

/// Removes a file or a directory with its content; gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DiskError::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Reads a regular file of at most `most` bytes; links and devices are refused.
pub(crate) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let wrong = |error| DiskError::new("read", path, error);
    let about = fs::symlink_metadata(path).map_err(wrong)?;
    if !about.is_file() {
        return Err(wrong(io::Error::other("not a regular file")));
    }
    if about.len() > most {
        return Err(wrong(io::Error::other(format!("larger than {most} bytes"))));
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(wrong(io::Error::other(format!("larger than {most} bytes"))));
    }
    Ok(bytes)
}

/// Takes an exclusive lock, waiting at most `patience`.
pub(crate) fn lock(path: &Path, patience: Duration) -> Result<File, RegistryError> {
    let wrong = |error| DiskError::new("lock", path, error);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(wrong)?;
    let in_time = deadline(patience);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(wrong(error).into()),
            Err(TryLockError::WouldBlock) if in_time() => {
                // Another process lets go when it is done; std has no lock that waits for so long and no longer.
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => {
                let lock = path.display().to_string();
                return Err(RegistryError::Busy {
                    lock,
                    seconds: patience.as_secs(),
                });
            }
        }
    }
}
