//! Filters and searches over the store, and exports of it, off the screen's thread.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Event;
use crate::effects::Outbox;
use crate::private::private;
use crate::store::{Export, Matches, Scan, Written};

/// A filter and a search over one picture of the store; the number tells answers apart.
#[derive(Clone)]
pub struct Sift {
    /// Grows with every request.
    pub id: u64,
    /// What may stand around a match, when something hides lines.
    pub unhidden: Option<Arc<Scan>>,
    /// What may be seen.
    pub filter: Option<Arc<Scan>>,
    /// What is looked for.
    pub search: Option<Arc<Scan>>,
}

impl fmt::Debug for Sift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (filter, search) = (self.filter.is_some(), self.search.is_some());
        write!(f, "Sift {} (filter: {filter}, search: {search})", self.id)
    }
}

impl PartialEq for Sift {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Matches so far.
#[derive(Debug, Clone, Default)]
pub struct Sifted {
    /// The [`Sift`]'s number.
    pub id: u64,
    /// What may stand around a match.
    pub unhidden: Option<Matches>,
    /// What may be seen.
    pub filter: Option<Matches>,
    /// What was looked for.
    pub search: Option<Matches>,
    /// Nothing more comes.
    pub done: bool,
}

/// Lines and the file they go to.
#[derive(Debug, Clone)]
pub struct Save {
    /// A new file.
    pub path: PathBuf,
    /// The lines.
    pub export: Arc<Export>,
}

impl PartialEq for Save {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.export.len() == other.export.len()
    }
}

/// Between two partial answers.
const PARTIAL_EVERY: Duration = Duration::from_millis(60);

/// Where a scan's matches go.
type Field = fn(&mut Sifted) -> &mut Option<Matches>;

/// Runs filter and search, newest lines first, and tells what was found so far now and then.
pub fn run(sift: &Sift, outbox: &Outbox, token: &CancellationToken) {
    let found = Mutex::new(Found {
        sifted: Sifted {
            id: sift.id,
            ..Sifted::default()
        },
        told: Instant::now(),
    });
    // The token is looked at between blocks; the scan wants a flag.
    let cancel = AtomicBool::new(false);
    let tell = |found: &mut Found| {
        found.told = Instant::now();
        outbox.send_blocking(Event::Sifted(found.sifted.clone()));
    };
    let scans: [(&Option<Arc<Scan>>, Field); 3] = [
        (&sift.unhidden, |sifted| &mut sifted.unhidden),
        (&sift.filter, |sifted| &mut sifted.filter),
        (&sift.search, |sifted| &mut sifted.search),
    ];
    for (scan, field) in scans {
        let Some(scan) = scan else { continue };
        field(&mut lock(&found).sifted).get_or_insert_with(|| Matches::new(scan.len()));
        let finished = scan.run(&cancel, &|block, bits| {
            if token.is_cancelled() {
                cancel.store(true, Ordering::Relaxed);
                return;
            }
            let mut found = lock(&found);
            if let Some(matches) = field(&mut found.sifted) {
                matches.set_block(block, bits);
            }
            if found.told.elapsed() > PARTIAL_EVERY {
                tell(&mut found);
            }
        });
        if !finished {
            return;
        }
    }
    let mut found = lock(&found);
    found.sifted.done = true;
    tell(&mut found);
}

struct Found {
    sifted: Sifted,
    told: Instant,
}

fn lock(found: &Mutex<Found>) -> std::sync::MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes an export and tells how it went.
pub fn write(save: Save, outbox: &Outbox) {
    let path = save.path.display();
    let result = match write_to(&save) {
        Ok(Written { lines, gone: 0 }) => Ok(lines),
        Ok(Written { lines, gone }) => Err(format!(
            "{lines} lines in {path}; the text of {gone} more is gone from the spool"
        )),
        Err(error) => Err(format!("cannot write {path}: {error}")),
    };
    outbox.send_blocking(Event::Exported {
        path: save.path,
        result,
    });
}

/// Writes a text to a new file and tells how it went.
pub fn write_text(path: PathBuf, text: &str, outbox: &Outbox) {
    let result = create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map(|()| text.lines().count())
        .map_err(|error| format!("cannot write {}: {error}", path.display()));
    outbox.send_blocking(Event::Exported { path, result });
}

fn write_to(save: &Save) -> std::io::Result<Written> {
    let mut to = BufWriter::new(create(&save.path)?);
    let written = save.export.write(&mut to, &AtomicBool::new(false))?;
    to.flush()?;
    Ok(written)
}

/// A new file for its owner only; never over another one.
fn create(path: &Path) -> std::io::Result<std::fs::File> {
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}
