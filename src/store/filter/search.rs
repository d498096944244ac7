//! Searching the text of one block: one big read, then the searcher over all of it at once where that is sound.

use memchr::memmem;
use regex::bytes::Regex;

use crate::domain::query::Term;

use super::BlockBits;
use crate::store::rows::Row;
use crate::store::text::Reader;

/// At most so much text is read at once (one longer line is still read whole).
const SPAN_BYTES: u64 = 4 << 20;
/// Fewer candidates than this in a block are read one by one.
const FEW: usize = 48;

/// A term that looks at text, with the way to search for it.
pub struct TextTerm {
    term: Term,
    is_block_safe: bool,
}

impl TextTerm {
    /// Decides how to search.
    pub fn new(term: &Term) -> Self {
        let is_block_safe = match term {
            Term::Literal(finder) => !finder.needle().is_empty(),
            Term::Regex(regex) => is_block_safe(regex.as_str()),
            _ => false,
        };
        Self {
            term: term.clone(),
            is_block_safe,
        }
    }

    /// Which of the lines in `among` contain the term.
    pub fn search(
        &self,
        rows: &[Row],
        reader: &Reader,
        among: &BlockBits,
        buffer: &mut Vec<u8>,
    ) -> BlockBits {
        let mut hits = BlockBits::none();
        if among.count() < FEW {
            for at in among.iter() {
                let row = &rows[at];
                buffer.clear();
                reader.read(row.at(), row.len(), buffer);
                if self.term.matches_text(buffer) {
                    hits.set(at);
                }
            }
            return hits;
        }
        let mut first = 0;
        while first < rows.len() {
            let start = rows[first].at();
            let more = rows[first..].iter().take_while(|row| {
                row.end().saturating_sub(start) <= SPAN_BYTES && row.at() >= start
            });
            let end = first + more.count().max(1);
            buffer.clear();
            reader.read(
                start,
                rows[end - 1].end().saturating_sub(start) as usize,
                buffer,
            );
            let span = Span {
                rows: &rows[first..end],
                first,
                start,
                text: buffer,
            };
            self.search_span(&span, among, &mut hits);
            first = end;
        }
        hits
    }

    fn search_span(&self, span: &Span<'_>, among: &BlockBits, hits: &mut BlockBits) {
        match &self.term {
            Term::Literal(finder) if self.is_block_safe => span.literal(finder, hits),
            Term::Regex(regex) if self.is_block_safe => span.regex(regex, hits),
            term => {
                for (at, row) in (span.first..).zip(span.rows) {
                    if among.contains(at) && term.matches_text(span.message(row)) {
                        hits.set(at);
                    }
                }
            }
        }
    }
}

/// Rows whose texts lie one behind the other, and that stretch of text.
struct Span<'a> {
    rows: &'a [Row],
    /// Place of the first row in its block.
    first: usize,
    /// Place of the text in the spool.
    start: u64,
    text: &'a [u8],
}

impl Span<'_> {
    fn message(&self, row: &Row) -> &[u8] {
        let from = (row.at() - self.start) as usize;
        self.text.get(from..from + row.len()).unwrap_or_default()
    }

    /// The row that holds the byte `at`, looking from row `from` on; the next row when `at` lies between two.
    fn row_at(&self, from: usize, at: usize) -> Option<usize> {
        let place = self.start + at as u64;
        // Hits are mostly close together or far apart: gallop before bisecting.
        let mut step = 1;
        let mut high = from;
        while high < self.rows.len() && self.rows[high].end() <= place {
            high += step;
            step *= 2;
        }
        let low = from.max(high.saturating_sub(step));
        let high = high.min(self.rows.len());
        let row = low + self.rows[low..high].partition_point(|row| row.end() <= place);
        (row < self.rows.len()).then_some(row)
    }

    fn literal(&self, finder: &memmem::Finder<'_>, hits: &mut BlockBits) {
        let (mut at, mut row) = (0, 0);
        while let Some(found) = self.text.get(at..).and_then(|rest| finder.find(rest)) {
            let found = at + found;
            let Some(hit) = self.row_at(row, found) else {
                return;
            };
            row = hit;
            let place = self.start + found as u64;
            let is_inside = place >= self.rows[row].at()
                && place + finder.needle().len() as u64 <= self.rows[row].end();
            at = if is_inside {
                hits.set(self.first + row);
                (self.rows[row].end() - self.start) as usize
            } else {
                found + 1
            };
        }
    }

    fn regex(&self, regex: &Regex, hits: &mut BlockBits) {
        let (mut at, mut row) = (0, 0);
        while at <= self.text.len()
            && let Some(found) = regex.find_at(self.text, at)
        {
            let Some(hit) = self.row_at(row, found.start()) else {
                return;
            };
            row = hit;
            let (from, to) = (
                (self.rows[row].at() - self.start) as usize,
                (self.rows[row].end() - self.start) as usize,
            );
            if found.start() < from {
                // Between two messages: what begins there is not ours.
                at = from.max(found.start() + 1);
                continue;
            }
            if found.end() <= to || regex.is_match(&self.text[from..to]) {
                hits.set(self.first + row);
            }
            at = to.max(found.start() + 1);
        }
    }
}

/// Whether a match inside a longer text is also a match inside the message alone: no anchors, no word boundaries, no flags,
/// nothing that matches the empty text is told apart by what stands around it.
fn is_block_safe(pattern: &str) -> bool {
    let has_context = pattern.contains(['^', '$'])
        || ["\\A", "\\z", "\\b", "\\B", "(?"]
            .iter()
            .any(|s| pattern.contains(s));
    !has_context && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(b""))
}
