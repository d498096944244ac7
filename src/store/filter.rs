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

/// A filter ready to run over a picture of the store.
pub struct Scan {
    blocks: Vec<Arc<Vec<Row>>>,
    reader: Reader,
    stages: Vec<Stage>,
    len: usize,
}

impl Scan {
    pub(super) fn new(store: &Store, filter: &Filter) -> Self {
        Self {
            blocks: store.rows.share(),
            reader: store.spool.reader(),
            stages: filter
                .layers
                .iter()
                .map(|layer| prepare(store, layer))
                .collect(),
            len: store.len(),
        }
    }

    /// How many lines it covers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it covers none.
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
                found(block, &self.block(block, &mut buffer));
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

    /// One block: what the index can decide first, the text only of what is left.
    fn block(&self, block: usize, buffer: &mut Vec<u8>) -> BlockBits {
        let rows = &self.blocks[block];
        let first_line = (block * BLOCK) as u32;
        let mut left = BlockBits::first(rows.len());
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

fn prepare(store: &Store, layer: &Layer) -> Stage {
    let one = |test| {
        vec![Condition {
            negated: false,
            test,
        }]
    };
    let conditions = match &layer.want {
        Want::Request(id) => one(Test::Requests(
            store.invocations.position(*id).into_iter().collect(),
        )),
        Want::Template(text) => one(Test::Lines(
            store
                .templates
                .find(text)
                .map(|template| template.lines.clone())
                .unwrap_or_default(),
        )),
        Want::Query(query) => query
            .conditions
            .iter()
            .map(|condition| Condition {
                negated: condition.negated,
                test: prepare_term(store, &condition.term),
            })
            .collect(),
    };
    Stage {
        exclude: layer.exclude,
        conditions,
    }
}

fn prepare_term(store: &Store, term: &Term) -> Test {
    match term {
        Term::Level(compare, level) => Test::Level(*compare, *level),
        Term::Request(prefix) => Test::Requests(store.invocations.with_prefix(prefix).collect()),
        Term::Stream(part) => Test::Streams(store.streams.containing(part)),
        Term::Literal(_) | Term::Regex(_) | Term::Field { .. } => Test::Text(TextTerm::new(term)),
    }
}

/// One line against a filter, without preparing anything.
pub(super) fn passes(store: &Store, line: u32, filter: &Filter) -> bool {
    let Some(row) = store.row(line) else {
        return false;
    };
    let mut message = None;
    filter.layers.iter().all(|layer| {
        let matched = match &layer.want {
            Want::Request(id) => store.invocations.position(*id) == Some(row.request),
            Want::Template(text) => store
                .templates
                .find(text)
                .is_some_and(|template| template.lines.binary_search(&line).is_ok()),
            Want::Query(query) => query.conditions.iter().all(|condition| {
                let holds = match &condition.term {
                    Term::Level(compare, level) => level_matches(row.level(), *compare, *level),
                    Term::Request(prefix) => store
                        .invocations
                        .rows()
                        .get(row.request as usize)
                        .is_some_and(|r| {
                            r.id.to_string().starts_with(&prefix.to_ascii_lowercase())
                        }),
                    Term::Stream(part) => store.stream(line).1.contains(part.as_str()),
                    term => term.matches_text(message.get_or_insert_with(|| store.message(line))),
                };
                holds != condition.negated
            }),
        };
        matched != layer.exclude
    })
}
