//! `vintner logs --file F --stats`: how long each stage takes on a file, and what it found.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::domain::invocation::{Figures, Status};
use crate::domain::line::Level;
use crate::domain::query::{Query, Term};

use super::open::{OpenError, open};
use super::{Filter, Layer, Want};

/// One timed stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What was done.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// How many lines (requests, for the figures) it found.
    pub found: usize,
}

/// What [`stats`] measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Size of the file.
    pub bytes: u64,
    /// Lines.
    pub lines: usize,
    /// Requests joined from them.
    pub requests: usize,
    /// Requests per status: in flight, ok, error, timeout, out of memory.
    pub statuses: [usize; 5],
    /// Latency, errors and cold starts of all reported requests.
    pub figures: Figures,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// Memory that is not backed by a file, in bytes, after indexing (Linux).
    pub anonymous_bytes: Option<u64>,
}

/// Opens a file and times indexing, the figures and one filter of each sort: the literal and the regular expression given,
/// `level>=warn`, and the lines of one request.
pub fn stats(path: &Path, literal: &str, regex: &str) -> Result<Stats, OpenError> {
    let spool_dir = std::env::temp_dir();
    let started = Instant::now();
    let opened = open(path, &spool_dir)?;
    let store = opened.store;
    let mut stages = vec![Stage {
        name: "index + requests",
        took: started.elapsed(),
        found: store.len(),
    }];
    let anonymous_bytes = anonymous_memory();

    let started = Instant::now();
    let figures = store.figures(0, None);
    stages.push(Stage {
        name: "figures",
        took: started.elapsed(),
        found: figures.n,
    });

    let query = |term| {
        let mut query = Query::default();
        query.conditions.push(crate::domain::query::Condition {
            negated: false,
            term,
        });
        Filter::query(query)
    };
    let requests = store.invocations().rows();
    let request = Filter {
        layers: requests
            .get(requests.len() / 2)
            .map(|row| Layer {
                exclude: false,
                want: Want::Request(row.id),
            })
            .into_iter()
            .collect(),
    };
    let mut filters = vec![
        ("literal", query(Term::exact_text(literal))),
        (
            "literal, any case",
            query(Term::text(&literal.to_lowercase())),
        ),
    ];
    if let Ok(term) = Term::regex(regex) {
        filters.push(("regex", query(term)));
    }
    filters.push(("level>=warn", Filter::at_least(Level::Warn)));
    filters.push(("one request", request));
    for (name, filter) in filters {
        let started = Instant::now();
        let matches = store.scan(&filter).matches();
        stages.push(Stage {
            name,
            took: started.elapsed(),
            found: matches.count(),
        });
    }

    let mut statuses = [0; 5];
    for row in store.invocations().rows() {
        statuses[match row.status() {
            Status::InFlight => 0,
            Status::Ok => 1,
            Status::Error => 2,
            Status::Timeout => 3,
            Status::OutOfMemory => 4,
        }] += 1;
    }
    Ok(Stats {
        bytes: std::fs::metadata(path).map_or(0, |m| m.len()),
        lines: store.len(),
        requests: store.invocations().rows().len(),
        statuses,
        figures,
        stages,
        anonymous_bytes,
    })
}

/// `RssAnon` of this process.
fn anonymous_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}
