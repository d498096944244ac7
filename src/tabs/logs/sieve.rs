//! What may be seen and what is looked for: the filter stack, the level, the search, and the lines that come out of them.

mod places;

use std::sync::Arc;

use crate::domain::line::Level;
use crate::domain::query::{Query, QueryError};
use crate::effects::logs::Effect;
use crate::effects::logs::sift::{Sift, Sifted};
use crate::store::{Appended, Filter, Layer, Matches, Store, Want};

use places::first_at;

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
    query: Query,
    filter: Filter,
    matches: Option<Matches>,
}

impl Search {
    /// Where it shows in a text, as byte ranges.
    pub fn ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.query.ranges(text)
    }
}

/// Filters, search and the visible lines.
#[derive(Debug, Default)]
pub struct Sieve {
    entries: Vec<Entry>,
    /// A layer that is still being typed.
    preview: Option<Layer>,
    level: Option<Level>,
    search: Option<Search>,
    /// Lines around each match.
    pub context: usize,
    filter: Filter,
    matches: Option<Matches>,
    /// What no layer hides and may stand around a match; `None`: nothing is hidden.
    unhidden: Option<Matches>,
    /// Lines to show, in screen order; `None` shows all.
    visible: Option<Vec<u32>>,
    /// The visible lines that were looked for, in screen order; `None` until the search has begun to answer.
    found: Option<Vec<u32>>,
    id: u64,
    /// How many lines the filter was last run over.
    scanned: usize,
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

    /// Shows what a query would do while it is typed; an empty one does nothing.
    pub fn preview(&mut self, text: &str, exclude: bool) -> Result<(), QueryError> {
        let query = Query::parse(text)?;
        self.preview = (!query.is_empty()).then_some(Layer {
            exclude,
            want: Want::Query(query),
        });
        self.rebuild_filter();
        Ok(())
    }

    /// Forgets what was being typed; false when there was nothing.
    pub fn drop_preview(&mut self) -> bool {
        let dropped = self.preview.take().is_some();
        self.rebuild_filter();
        dropped
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

    /// Takes off the layer at a place in the stack.
    pub fn remove(&mut self, at: usize) {
        if at < self.entries.len() {
            self.entries.remove(at);
            self.rebuild_filter();
        }
    }

    /// Sets the lowest level shown.
    pub fn set_level(&mut self, level: Option<Level>) {
        self.level = level;
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
            query: query.clone(),
            filter: Filter::query(query),
            matches: None,
        });
        self.found = None;
        Ok(())
    }

    fn rebuild_filter(&mut self) {
        let mut filter = self.level.map(Filter::at_least).unwrap_or_default();
        filter
            .layers
            .extend(self.entries.iter().map(|entry| entry.layer.clone()));
        filter.layers.extend(self.preview.clone());
        self.filter = filter;
    }

    /// Only what hides lines: context may not bring them back.
    fn hiding(&self) -> Option<Filter> {
        let layers = self.filter.layers.iter().filter(|layer| layer.exclude);
        let layers: Vec<Layer> = layers.cloned().collect();
        (self.context > 0 && !layers.is_empty()).then_some(Filter { layers })
    }

    /// The effect that brings filter and search up to date.
    pub fn sift(&mut self, store: &Store) -> Effect {
        self.id += 1;
        self.scanned = store.len();
        if self.filter.is_empty() {
            (self.matches, self.visible) = (None, None);
        }
        let hiding = self.hiding();
        if hiding.is_none() {
            self.unhidden = None;
        }
        let scan = |filter: &Filter| Arc::new(store.scan(filter));
        let filter = self.is_filtering().then(|| scan(&self.filter));
        let search = self.search.as_ref().map(|search| scan(&search.filter));
        self.is_busy = filter.is_some() || search.is_some();
        if self.is_busy {
            Effect::Sift(Sift {
                id: self.id,
                unhidden: hiding.as_ref().map(scan),
                filter,
                search,
            })
        } else {
            self.rebuild_found(0, store);
            Effect::StopSifting
        }
    }

    /// The store was emptied: no line passes or is found until new ones come.
    pub fn forget_lines(&mut self) {
        self.matches = self.is_filtering().then(Matches::default);
        self.visible = self.is_filtering().then(Vec::new);
        self.unhidden = None;
        self.found = None;
        if let Some(search) = &mut self.search {
            search.matches = Some(Matches::default());
            self.found = Some(Vec::new());
        }
    }

    /// Takes an answer in; false when it is an old one.
    pub fn sifted(&mut self, sifted: &Sifted, store: &Store) -> bool {
        if sifted.id != self.id {
            return false;
        }
        self.is_busy = !sifted.done;
        if let (Some(unhidden), Some(hiding)) = (&sifted.unhidden, self.hiding()) {
            self.unhidden = Some(catch_up(unhidden, store, &hiding));
        }
        if let Some(matches) = &sifted.filter {
            self.matches = Some(catch_up(matches, store, &self.filter));
        }
        if let (Some(search), Some(matches)) = (&mut self.search, &sifted.search) {
            search.matches = Some(catch_up(matches, store, &search.filter));
        }
        self.rebuild_visible(store);
        true
    }

    /// Takes new lines in.
    pub fn appended(&mut self, appended: &Appended, store: &Store) {
        self.extend_all(store);
        if !appended.lines.is_empty() {
            // The new lines are sorted: none stands before the first of them.
            self.rebuild(store.position(appended.lines.start), store);
        }
    }

    fn extend_all(&mut self, store: &Store) {
        if let Some(search) = &mut self.search
            && let Some(matches) = &mut search.matches
        {
            extend(matches, store, &search.filter);
        }
        let hiding = self.hiding();
        if let (Some(unhidden), Some(hiding)) = (&mut self.unhidden, hiding) {
            extend(unhidden, store, &hiding);
        }
        if let Some(matches) = &mut self.matches {
            extend(matches, store, &self.filter);
        }
    }

    /// The last lines of a file are new or say something else than before, from this one on. True when a filter that is
    /// running sees them as they were and must run again.
    pub fn changed_from(&mut self, first: u32, store: &Store) -> bool {
        let len = first as usize;
        let search = self.search.as_mut().and_then(|s| s.matches.as_mut());
        let matches = [search, self.unhidden.as_mut(), self.matches.as_mut()];
        for matches in matches.into_iter().flatten() {
            matches.truncate(len);
        }
        self.extend_all(store);
        self.rebuild(store.position(first), store);
        self.is_busy && len < self.scanned
    }

    /// Makes the lists of visible and found lines anew.
    pub fn rebuild_visible(&mut self, store: &Store) {
        self.rebuild(0, store);
    }

    /// Makes the lists anew from a position on; what stands before it has not changed.
    fn rebuild(&mut self, position: usize, store: &Store) {
        let Some(matches) = &self.matches else {
            self.visible = None;
            return self.rebuild_found(position, store);
        };
        let start = position.saturating_sub(self.context);
        let mut visible = self.visible.take().unwrap_or_default();
        visible.truncate(first_at(&visible, start, store));
        if self.context == 0 {
            let rest = (start..store.len()).filter_map(|at| store.at(at));
            visible.extend(rest.filter(|line| matches.contains(*line)));
        } else {
            let may_surround = |line: &u32| {
                let unhidden = self.unhidden.as_ref();
                unhidden.is_none_or(|lines| lines.contains(*line))
            };
            let mut next = start;
            for at in start.saturating_sub(self.context)..store.len() {
                if store.at(at).is_some_and(|line| matches.contains(line)) {
                    let end = (at + self.context + 1).min(store.len());
                    let around = at.saturating_sub(self.context).max(next)..end;
                    visible.extend(around.filter_map(|at| store.at(at)).filter(may_surround));
                    next = next.max(end);
                }
            }
        }
        self.visible = Some(visible);
        self.rebuild_found(start, store);
    }

    fn rebuild_found(&mut self, position: usize, store: &Store) {
        let matches = self.search.as_ref().and_then(|s| s.matches.as_ref());
        let Some(matches) = matches else {
            self.found = None;
            return;
        };
        let mut found = self.found.take().unwrap_or_default();
        found.truncate(first_at(&found, position, store));
        if let Some(visible) = &self.visible {
            let rest = &visible[first_at(visible, position, store)..];
            found.extend(rest.iter().copied().filter(|line| matches.contains(*line)));
        } else {
            let rest = (position..store.len()).filter_map(|at| store.at(at));
            found.extend(rest.filter(|line| matches.contains(*line)));
        }
        self.found = Some(found);
    }

    /// How many lines pass the filter; context is not counted.
    pub fn match_count(&self, store: &Store) -> usize {
        self.matches.as_ref().map_or(store.len(), Matches::count)
    }

    /// Whether a join of lines to requests after the fact changes what passes.
    pub fn depends_on_requests(&self) -> bool {
        let search = self.search.as_ref().map(|search| &search.filter);
        self.filter.depends_on_requests() || search.is_some_and(Filter::depends_on_requests)
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
}

/// A scan's matches, carried on over the lines that came after it began.
fn catch_up(matches: &Matches, store: &Store, filter: &Filter) -> Matches {
    let mut matches = matches.clone();
    extend(&mut matches, store, filter);
    matches
}

fn extend(matches: &mut Matches, store: &Store, filter: &Filter) {
    if matches.len() < store.len() {
        let scan = store.scan_from(matches.len(), filter);
        scan.decide(|passes| matches.push(passes));
    }
}
