//! Files for their owner only: what this program keeps may be somebody's data.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file that these options create can be read and written by its owner only (mode 0600).
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Writes a whole file through a temporary one and a rename: a crash leaves either the old or the new file.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = private(options.create(true).write(true).truncate(true)).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nobody_else_may_read_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        let file = private(OpenOptions::new().create(true).append(true)).open(path);
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
