//! Notices when the champion is moved, by whichever process.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Registry, pointer};

/// How often the pointer is looked at: one `stat` a second.
const BEAT: Duration = Duration::from_secs(1);

/// A look at the champion pointer that remembers the last one.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl Registry {
    /// A watch over the champion pointer that has seen nothing yet.
    pub fn watch(&self) -> Watch {
        Watch {
            path: self.root.join(pointer::FILE),
            seen: None,
        }
    }
}

impl Watch {
    /// Waits until there is a champion pointer that was not seen before. Cancel-safe.
    pub async fn moved(&mut self) {
        while !self.look() {
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Whether the pointer is another file than at the last look. A move replaces the file, so its time tells.
    fn look(&mut self) -> bool {
        let stamp = std::fs::metadata(&self.path)
            .and_then(|file| Ok((file.modified()?, file.len())))
            .ok();
        let before = std::mem::replace(&mut self.seen, stamp);
        stamp.is_some() && stamp != before
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Move, Registry, tests::draft};

    #[test]
    fn a_move_is_seen_once() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let mut watch = registry.watch();
        let versions: Vec<_> = (1..=2)
            .map(|seed| registry.commit(draft(seed)).unwrap().version)
            .collect();
        assert!(!watch.look());
        let first = registry
            .promote(versions[0], Move::seen(None, "first"))
            .unwrap();
        assert!(watch.look() && !watch.look());
        registry
            .promote(versions[1], Move::seen(Some(&first), "second"))
            .unwrap();
        assert!(watch.look() && !watch.look());
    }
}
