//! The Logs Insights query that was asked last, kept across restarts: its text, never its results.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::private;

/// Longer than any query that the service takes (10 000 characters).
const LONGEST: u64 = 64 << 10;

fn file(dir: &Path) -> PathBuf {
    dir.join("insights-query")
}

/// The kept query, as it was typed; `None` when there is none, or nothing that can be one.
pub fn recall(dir: &Path) -> io::Result<Option<String>> {
    let opened = match fs::File::open(file(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    opened.take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let text: String = text.trim().replace(char::is_control, " ");
    Ok((!text.is_empty()).then_some(text))
}

/// Keeps a query instead of the one before it.
pub fn keep(dir: &Path, text: &str) -> io::Result<()> {
    private::replace(&file(dir), text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_last_query_survives_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("not/yet");
        assert_eq!(recall(&state).unwrap(), None);
        keep(&state, "-1h fields @message").unwrap();
        keep(&state, "-2h stats count(*)").unwrap();
        let kept = recall(&state).unwrap();
        assert_eq!(kept.as_deref(), Some("-2h stats count(*)"));
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(file(&state)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_query_is_none() {
        let dir = tempfile::tempdir().unwrap();
        for bytes in [&b"\xff\xfe"[..], b" \n ", b""] {
            fs::write(file(dir.path()), bytes).unwrap();
            assert_eq!(recall(dir.path()).unwrap(), None, "{bytes:?}");
        }
        fs::write(file(dir.path()), "fields\u{1b}[31m x").unwrap();
        let kept = recall(dir.path()).unwrap();
        assert_eq!(kept.as_deref(), Some("fields [31m x"));
    }
}
