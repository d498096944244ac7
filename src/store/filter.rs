//! Filters over the store: layers that include or exclude, decided block by block, newest block first, on several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::domain::line::Level;
use crate::domain::query::{Compare, Query, Term, level_matches};
use crate::domain::request_id::RequestId;

use super::rows::{BLOCK, Row};
use super::text::Reader;
use super::{Store, filter::search::TextTerm};

mod bits;
mod search;

pub use bits::{BlockBits, Matches};

/// What one layer looks for.
#[derive(Debug, Clone)]
pub enum Want {
    /// A query as typed.
    Query(Query),
    /// The lines of one invocation.
    Request(RequestId),
    /// The lines of the error template that has, or has taken in, this text.
    Template(String),
}

/// One entry of the filter stack.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Hide what matches instead of showing only that.
    pub exclude: bool,
    /// What to look for.
    pub want: Want,
}

/// A stack of layers; a line must pass all. Empty: every line passes.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The layers, oldest first.
    pub layers: Vec<Layer>,
}

impl Filter {
    /// A filter of one query.
    pub fn query(query: Query) -> Self {
        Self {
            layers: vec![Layer {
                exclude: false,
                want: Want::Query(query),
            }],
        }
    }

    /// Only lines at `level` or above.
    pub fn at_least(level: Level) -> Self {
        let mut query = Query::default();
        let term = Term::Level(Compare::AtLeast, level);
        query.conditions.push(crate::domain::query::Condition {
            negated: false,
            term,
        });
        Self::query(query)
    }

    /// Whether it asks to which request a line belongs.
    pub fn depends_on_requests(&self) -> bool {
        self.layers.iter().any(|layer| match &layer.want {
            Want::Request(_) => true,
            Want::Template(_) => false,
            Want::Query(query) => {
                let mut terms = query.conditions.iter().map(|condition| &condition.term);
                terms.any(|term| matches!(term, Term::Request(_)))
            }
        })
    }

    /// Whether it lets every line pass.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

/// A condition with everything looked up that the store knows.
enum Test {
    Level(Compare, Level),
    Requests(Vec<u32>),
    Streams(Vec<bool>),
    Lines(Vec<u32>),
    Text(TextTerm),
}

struct Condition {
    negated: bool,
    test: Test,
}

struct Stage {
    exclude: bool,
    conditions: Vec<Condition>,
}

/// A filter ready to run over a picture of the store, from a line on.
pub struct Scan {
    /// The first line it decides.
    from: usize,
    /// The blocks that lie there, and the place of the first of them among all.
    blocks: Vec<Arc<Vec<Row>>>,
    first_block: usize,
    reader: Reader,
    stages: Vec<Stage>,
    len: usize,
}

impl Scan {
    pub(super) fn new(store: &Store, filter: &Filter, from: usize) -> Self {
        let from = from.min(store.len());
        let first_block = from / BLOCK;
        let layers = filter.layers.iter();
        Self {
            from,
            blocks: store.rows.share(first_block),
            first_block,
            reader: store.spool.reader(),
            stages: layers.map(|layer| prepare(store, layer, from)).collect(),
            len: store.len(),
        }
    }

    /// How many lines there were.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks it has.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Runs on all processors, newest block first, until done or `cancel` is set; hands each block's number and matches to
    /// `found`, from any thread. Returns whether it got to the end.
    pub fn run(&self, cancel: &AtomicBool, found: &(dyn Fn(usize, &BlockBits) + Sync)) -> bool {
        let needs_text = self
            .stages
            .iter()
            .flat_map(|s| &s.conditions)
            .any(|c| matches!(c.test, Test::Text(_)));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if needs_text {
            threads.min(8).min(self.blocks.len())
        } else {
            1
        };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut buffer = Vec::new();
            while !cancel.load(Ordering::Relaxed) {
                let taken = next.fetch_add(1, Ordering::Relaxed);
                let Some(block) = self.blocks.len().checked_sub(taken + 1) else {
                    return;
                };
                found(self.first_block + block, &self.block(block, &mut buffer));
            }
        };
        if threads <= 1 {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 1..threads {
                    scope.spawn(work);
                }
                work();
            });
        }
        !cancel.load(Ordering::Relaxed)
    }

    /// Runs to the end on this thread and its helpers of [`Scan::run`], and gathers all matches.
    pub fn matches(&self) -> Matches {
        let gathered = std::sync::Mutex::new(Matches::new(self.len));
        self.run(&AtomicBool::new(false), &|block, bits| {
            gathered
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .set_block(block, bits);
        });
        gathered
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Decides the lines from its first one on, one by one in order: for the few that came after another scan.
    pub fn decide(&self, mut each: impl FnMut(bool)) {
        let mut buffer = Vec::new();
        for block in 0..self.blocks.len() {
            let bits = self.block(block, &mut buffer);
            let start = (self.first_block + block) * BLOCK;
            let skip = self.from.saturating_sub(start);
            (skip..self.blocks[block].len()).for_each(|at| each(bits.contains(at)));
        }
    }

    /// One block: what the index can decide first, the text only of what is left.
    fn block(&self, block: usize, buffer: &mut Vec<u8>) -> BlockBits {
        let rows = &self.blocks[block];
        let start = (self.first_block + block) * BLOCK;
        let first_line = start as u32;
        let mut left = BlockBits::first(rows.len());
        left.remove(&BlockBits::first(self.from.saturating_sub(start)));
        let is_text = |stage: &&Stage| {
            stage
                .conditions
                .iter()
                .any(|c| matches!(c.test, Test::Text(_)))
        };
        let cheap = self.stages.iter().filter(|stage| !is_text(stage));
        for stage in cheap.chain(self.stages.iter().filter(is_text)) {
            if left.is_empty() {
                break;
            }
            let matched = self.stage(stage, rows, first_line, &left, buffer);
            if stage.exclude {
                left.remove(&matched);
            } else {
                left.keep(&matched);
            }
        }
        left
    }

    /// The lines among `left` that satisfy all conditions of a stage.
    fn stage(
        &self,
        stage: &Stage,
        rows: &[Row],
        first_line: u32,
        left: &BlockBits,
        buffer: &mut Vec<u8>,
    ) -> BlockBits {
        let mut matched = left.clone();
        let is_text = |c: &&Condition| matches!(c.test, Test::Text(_));
        let cheap = stage.conditions.iter().filter(|c| !is_text(c));
        for condition in cheap.chain(stage.conditions.iter().filter(is_text)) {
            if matched.is_empty() {
                break;
            }
            let hits = match &condition.test {
                Test::Text(term) => term.search(rows, &self.reader, &matched, buffer),
                test => BlockBits::of(
                    rows.iter()
                        .enumerate()
                        .map(|(at, row)| test.holds(first_line + at as u32, row)),
                ),
            };
            if condition.negated {
                matched.remove(&hits);
            } else {
                matched.keep(&hits);
            }
        }
        matched
    }
}

impl Test {
    /// Decides by the index alone.
    fn holds(&self, line: u32, row: &Row) -> bool {
        match self {
            Self::Level(compare, level) => level_matches(row.level(), *compare, *level),
            Self::Requests(requests) => requests.binary_search(&row.request).is_ok(),
            Self::Streams(streams) => streams
                .get(usize::from(row.stream()))
                .is_some_and(|wanted| *wanted),
            Self::Lines(lines) => lines.binary_search(&line).is_ok(),
            Self::Text(_) => true,
        }
    }
}

/// A layer with everything looked up that the lines from `from` on can ask for.
fn prepare(store: &Store, layer: &Layer, from: usize) -> Stage {
    let one = |test| {
        vec![Condition {
            negated: false,
            test,
        }]
    };
    let conditions = match &layer.want {
        Want::Request(id) => one(Test::Requests(store.invocations.attempts(*id))),
        Want::Template(text) => {
            let lines = store.templates.find(text).map_or(&[][..], |t| &t.lines);
            let first = lines.partition_point(|line| (*line as usize) < from);
            one(Test::Lines(lines[first..].to_vec()))
        }
        Want::Query(query) => query
            .conditions
            .iter()
            .map(|condition| Condition {
                negated: condition.negated,
                test: prepare_term(store, &condition.term, from),
            })
            .collect(),
    };
    Stage {
        exclude: layer.exclude,
        conditions,
    }
}

fn prepare_term(store: &Store, term: &Term, from: usize) -> Test {
    match term {
        Term::Level(compare, level) => Test::Level(*compare, *level),
        Term::Request(prefix) if from == 0 => {
            Test::Requests(store.invocations.with_prefix(prefix).collect())
        }
        // Only the requests that occur there: there may be very many others.
        Term::Request(prefix) => {
            let rows = (from..store.len()).filter_map(|line| store.row(line as u32));
            let mut requests: Vec<u32> = rows.map(|row| row.request).collect();
            requests.sort_unstable();
            requests.dedup();
            requests.retain(|at| store.invocations.has_prefix(*at, prefix));
            Test::Requests(requests)
        }
        Term::Stream(part) => Test::Streams(store.streams.containing(part)),
        Term::Literal(_) | Term::Regex(_) | Term::Field { .. } => Test::Text(TextTerm::new(term)),
    }
}
