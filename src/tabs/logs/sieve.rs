//! What may be seen and what is looked for: the filter stack, the level, the search, and the lines that come out of them.

use std::sync::Arc;

use crate::domain::line::Level;
use crate::domain::query::{Query, QueryError};
use crate::effects::logs::Effect;
use crate::effects::logs::sift::Sift;
use crate::store::{Appended, Filter, Layer, Matches, Store, Want};

/// One entry of the stack, with its text for the screen.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it says in the chip.
    pub label: String,
    /// What it does.
    pub layer: Layer,
}

/// A text that is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// As typed.
    pub text: String,
    filter: Filter,
    matches: Option<Matches>,
}

/// Filters, search and the visible lines.
#[derive(Debug, Default)]
pub struct Sieve {
    entries: Vec<Entry>,
    level: Option<Level>,
    search: Option<Search>,
    /// Lines around each match.
    pub context: usize,
    filter: Filter,
    matches: Option<Matches>,
    /// Lines to show, in screen order; `None` shows all.
    visible: Option<Vec<u32>>,
    id: u64,
    /// Whether an answer is awaited.
    pub is_busy: bool,
}

/// Levels that the level keys step through.
const LEVELS: [Option<Level>; 4] = [
    None,
    Some(Level::Info),
    Some(Level::Warn),
    Some(Level::Error),
];

impl Sieve {
    /// The stack, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The lowest level shown.
    pub const fn level(&self) -> Option<Level> {
        self.level
    }

    /// What is looked for.
    pub const fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Whether anything hides lines.
    pub fn is_filtering(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Puts a query on the stack.
    pub fn push(&mut self, text: &str, exclude: bool) -> Result<(), QueryError> {
        let query = Query::parse(text)?;
        if !query.is_empty() {
            self.push_layer(
                text.to_owned(),
                Layer {
                    exclude,
                    want: Want::Query(query),
                },
            );
        }
        Ok(())
    }

    /// Puts a layer on the stack.
    pub fn push_layer(&mut self, label: String, layer: Layer) {
        self.entries.push(Entry { label, layer });
        self.rebuild_filter();
    }

    /// Takes the newest layer off, else the level; false when there was nothing.
    pub fn pop(&mut self) -> bool {
        let popped = self.entries.pop().is_some() || self.level.take().is_some();
        self.rebuild_filter();
        popped
    }

    /// Steps the lowest level shown up or down; false at the end.
    pub fn step_level(&mut self, up: bool) -> bool {
        let at = LEVELS
            .iter()
            .position(|level| *level == self.level)
            .unwrap_or(0);
        let next = if up { at + 1 } else { at.wrapping_sub(1) };
        let Some(level) = LEVELS.get(next) else {
            return false;
        };
        self.level = *level;
        self.rebuild_filter();
        true
    }

    /// Looks for a text; an empty one ends the search.
    pub fn look_for(&mut self, text: &str) -> Result<(), QueryError> {
        let query = Query::parse(text)?;
        self.search = (!query.is_empty()).then(|| Search {
            text: text.to_owned(),
            filter: Filter::query(query),
            matches: None,
        });
        Ok(())
    }

    fn rebuild_filter(&mut self) {
        let mut filter = self.level.map(Filter::at_least).unwrap_or_default();
        filter
            .layers
            .extend(self.entries.iter().map(|entry| entry.layer.clone()));
        self.filter = filter;
    }

    /// The effect that brings filter and search up to date.
    pub fn sift(&mut self, store: &Store) -> Effect {
        self.id += 1;
        if self.filter.is_empty() {
            (self.matches, self.visible) = (None, None);
        }
        let scan = |filter: &Filter| Arc::new(store.scan(filter));
        let filter = self.is_filtering().then(|| scan(&self.filter));
        let search = self.search.as_ref().map(|search| scan(&search.filter));
        self.is_busy = filter.is_some() || search.is_some();
        if self.is_busy {
            Effect::Sift(Sift {
                id: self.id,
                filter,
                search,
            })
        } else {
            Effect::StopSifting
        }
    }

    /// The store was emptied: no line passes or is found until new ones come.
    pub fn forget_lines(&mut self) {
        self.matches = self.is_filtering().then(Matches::default);
        self.visible = self.is_filtering().then(Vec::new);
        if let Some(search) = &mut self.search {
            search.matches = Some(Matches::default());
        }
    }

    /// Takes an answer in; false when it is an old one.
    pub fn sifted(
        &mut self,
        id: u64,
        filter: Option<&Matches>,
        search: Option<&Matches>,
        done: bool,
        store: &Store,
    ) -> bool {
        if id != self.id {
            return false;
        }
        self.is_busy = !done;
        if let Some(matches) = filter {
            self.matches = Some(catch_up(matches, store, &self.filter));
            self.rebuild_visible(store);
        }
        if let (Some(search), Some(matches)) = (&mut self.search, search) {
            search.matches = Some(catch_up(matches, store, &search.filter));
        }
        true
    }

    /// Takes new lines in and says how many of them can be seen.
    pub fn appended(&mut self, appended: &Appended, store: &Store) -> usize {
        if let Some(search) = &mut self.search
            && let Some(matches) = &mut search.matches
        {
            extend(matches, store, &search.filter);
        }
        let Some(matches) = &mut self.matches else {
            return if self.is_filtering() {
                0
            } else {
                appended.lines.len()
            };
        };
        extend(matches, store, &self.filter);
        let passing: Vec<u32> = appended
            .lines
            .clone()
            .filter(|line| matches.contains(*line))
            .collect();
        let seen = passing.len();
        match &mut self.visible {
            Some(visible) if !appended.reordered && self.context == 0 => visible.extend(passing),
            _ => self.rebuild_visible(store),
        }
        seen
    }

    /// Makes the list of visible lines anew.
    pub fn rebuild_visible(&mut self, store: &Store) {
        let Some(matches) = &self.matches else {
            self.visible = None;
            return;
        };
        if self.context == 0 {
            self.visible = Some(
                store
                    .lines()
                    .filter(|line| matches.contains(*line))
                    .collect(),
            );
            return;
        }
        let mut visible = Vec::new();
        let mut next = 0;
        for (position, line) in store.lines().enumerate() {
            if matches.contains(line) {
                let end = (position + self.context + 1).min(store.len());
                visible.extend(
                    (position.saturating_sub(self.context).max(next)..end)
                        .filter_map(|at| store.at(at)),
                );
                next = next.max(end);
            }
        }
        self.visible = Some(visible);
    }

    /// How many lines can be seen.
    pub fn len(&self, store: &Store) -> usize {
        self.visible.as_ref().map_or(store.len(), Vec::len)
    }

    /// The visible line at an index.
    pub fn at(&self, index: usize, store: &Store) -> Option<u32> {
        match &self.visible {
            Some(visible) => visible.get(index).copied(),
            None => store.at(index),
        }
    }

    /// The index of a line, or of the first visible one after it.
    pub fn index_of(&self, line: u32, store: &Store) -> usize {
        let position = store.position(line);
        match &self.visible {
            Some(visible) => visible.partition_point(|other| store.position(*other) < position),
            None => position,
        }
    }

    /// The first index at or after a time.
    pub fn index_at_time(&self, time: i64, store: &Store) -> usize {
        match &self.visible {
            Some(visible) => {
                visible.partition_point(|line| store.time(*line).is_some_and(|own| own < time))
            }
            None => store.position_at_time(time),
        }
    }

    /// All visible lines, in screen order.
    pub fn lines(&self, store: &Store) -> Vec<u32> {
        self.visible
            .clone()
            .unwrap_or_else(|| store.lines().collect())
    }

    /// Whether a visible line passes the filter itself, not only as context.
    pub fn is_match(&self, line: u32) -> bool {
        self.matches
            .as_ref()
            .is_none_or(|matches| matches.contains(line))
    }

    /// Whether a line was looked for.
    pub fn is_found(&self, line: u32) -> bool {
        let matches = self
            .search
            .as_ref()
            .and_then(|search| search.matches.as_ref());
        matches.is_some_and(|matches| matches.contains(line))
    }

    /// The nearest found line before or after an index, going round at the ends.
    pub fn next_found(&self, from: usize, forward: bool, store: &Store) -> Option<usize> {
        let len = self.len(store);
        let found = |index: &usize| {
            self.at(*index, store)
                .is_some_and(|line| self.is_found(line))
        };
        if forward {
            (from + 1..len)
                .chain(0..=from.min(len.saturating_sub(1)))
                .find(found)
        } else {
            (0..from.min(len))
                .rev()
                .chain((from..len).rev())
                .find(found)
        }
    }

    /// (which found line the index is at or before, how many are visible).
    pub fn found_count(&self, index: usize, store: &Store) -> Option<(usize, usize)> {
        let matches = self.search.as_ref()?.matches.as_ref()?;
        let Some(visible) = &self.visible else {
            // Counting by bits; the rank is asked for only on small results.
            let total = matches.count();
            let rank = if total <= FEW_FOUND {
                matches
                    .iter()
                    .filter(|line| store.position(*line) <= index)
                    .count()
            } else {
                0
            };
            return Some((rank, total));
        };
        let found = |lines: &[u32]| lines.iter().filter(|line| matches.contains(**line)).count();
        let split = (index + 1).min(visible.len());
        let before = found(&visible[..split]);
        Some((before, before + found(&visible[split..])))
    }
}

/// Beyond so many matches only their number is shown, not which one we are at.
const FEW_FOUND: usize = 10_000;

/// A scan's matches, carried on over the lines that came after it began.
fn catch_up(matches: &Matches, store: &Store, filter: &Filter) -> Matches {
    let mut matches = matches.clone();
    extend(&mut matches, store, filter);
    matches
}

fn extend(matches: &mut Matches, store: &Store, filter: &Filter) {
    for line in matches.len()..store.len() {
        matches.push(store.passes(line as u32, filter));
    }
}
