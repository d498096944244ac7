//! The indexing half of an open file: its text becomes lines of a store, which reads them in place.

use std::fs::File;
use std::sync::Arc;

use super::feed::Feed;
use super::format::Format;
use super::growing::Piece;
use crate::store::{Row, Store};

/// Turns pieces of a file into lines.
#[derive(Debug, Default)]
pub struct Indexer {
    /// How the text is read.
    pub(super) feed: Feed,
    /// Where the file's text lies among all text; `None` before its first line, and for a recording, whose events are spooled.
    base: Option<u64>,
    /// What an unfinished last line did to the store.
    unfinished: Option<Draft>,
}

/// A line that was read before its end had come.
#[derive(Debug)]
struct Draft {
    feed: Feed,
    /// Lines before it.
    len: usize,
    /// Where the line before it ended: it may have gone on with that.
    end_before: Option<u64>,
}

impl Indexer {
    /// Lines of a recording that were no events.
    pub const fn skipped(&self) -> usize {
        self.feed.skipped()
    }

    /// Another file begins.
    pub fn begin_file(&mut self) {
        (self.base, self.unfinished) = (None, None);
        // What went before cannot go on in another file.
        self.feed.is_closed = true;
    }

    /// Indexes a piece. Gives back the first line that is new or says something else than before.
    pub fn take_piece(&mut self, piece: &Piece, store: &mut Store) -> u32 {
        self.take(
            &piece.text,
            piece.at,
            &piece.file,
            piece.is_unfinished,
            store,
        )
    }

    /// Indexes text that lies `at` a place in `file`.
    pub(super) fn take(
        &mut self,
        text: &[u8],
        at: u64,
        file: &Arc<File>,
        is_unfinished: bool,
        store: &mut Store,
    ) -> u32 {
        let withdrawn = self.withdraw(store);
        // Also the form is only guessed from a piece of a line.
        let before = is_unfinished.then(|| self.feed.clone());
        self.feed.detect(text);
        let len = store.len();
        if self.feed.format == Some(Format::Recording) {
            self.feed.take_events(store, text, is_unfinished);
            return len as u32;
        }
        let end_before = last_end(store);
        self.unfinished = before.map(|feed| Draft {
            feed,
            len,
            end_before,
        });
        let base = *self
            .base
            .get_or_insert_with(|| store.spool.add_file(Arc::clone(file)));
        store.spool.grow_file(at + text.len() as u64);
        self.feed.take(store, text, Some(base + at));
        let grew = len > 0 && store.row(len as u32 - 1).map(Row::end) != end_before;
        let first = (len - usize::from(grew)) as u32;
        withdrawn.map_or(first, |withdrawn| withdrawn.min(first))
    }

    /// Takes an unfinished line back, to be read anew with more text. Gives back the first line that this touched.
    fn withdraw(&mut self, store: &mut Store) -> Option<u32> {
        let draft = self.unfinished.take()?;
        store.withdraw_last(draft.len);
        self.feed = draft.feed;
        let last = draft.len.checked_sub(1)? as u32;
        let (row, end) = (store.rows.get_mut(last)?, draft.end_before?);
        let grew = row.end() != end;
        row.extend_to(end);
        Some(if grew { last } else { last + 1 })
    }
}

/// Where the text of the last line ends.
fn last_end(store: &Store) -> Option<u64> {
    let last = store.len().checked_sub(1)?;
    store.row(last as u32).map(Row::end)
}
