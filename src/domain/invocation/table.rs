//! The table of all invocations, and whose each line is.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::guests::{Clue, Guest, Streams};
use super::{COLD, INIT_FAILED, Invocation, LOGGED_ERROR, NONE};
use crate::domain::blocks::Blocks;
use crate::domain::line::{Facts, Kind, Level};
use crate::domain::request_id::RequestId;

/// All invocations, in the order their first line came. Feed it every line once; it never looks back at a text.
#[derive(Debug, Clone, Default)]
pub struct Invocations {
    rows: Blocks<Invocation>,
    /// Positions in `rows`, found by the id that stands there: a map would hold each id twice.
    by_id: HashTable<u32>,
    hasher: RandomState,
    /// All attempts at the requests that were retried.
    retried: HashMap<RequestId, Vec<u32>>,
    streams: Streams,
    /// Error lines per invocation, the most telling first.
    clues: HashMap<u32, Vec<Clue>>,
    latest: Option<(RequestId, u32)>,
    adopted: Vec<(u32, u32)>,
}

impl Invocations {
    /// The invocations so far.
    pub fn rows(&self) -> &Blocks<Invocation> {
        &self.rows
    }

    /// The position of a request in [`Invocations::rows`]; of its first known attempt, if it was retried.
    pub fn position(&self, id: RequestId) -> Option<u32> {
        let is_its = |at: &u32| self.rows[*at as usize].id == id;
        self.by_id.find(self.hasher.hash_one(id), is_its).copied()
    }

    /// The positions of all attempts at a request, ascending.
    pub fn attempts(&self, id: RequestId) -> Vec<u32> {
        match self.retried.get(&id) {
            Some(attempts) => attempts.clone(),
            None => self.position(id).into_iter().collect(),
        }
    }

    /// Requests whose printed id starts with `prefix` (hyphens included, any case).
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = u32> + 'a {
        (0_u32..)
            .zip(&self.rows)
            .filter(|(_, row)| starts_with(row.id, prefix))
            .map(|(at, _)| at)
    }

    /// Whether the printed id of the request at a position starts with `prefix`.
    pub fn has_prefix(&self, at: u32, prefix: &str) -> bool {
        let row = self.rows.get(at as usize);
        row.is_some_and(|row| starts_with(row.id, prefix))
    }

    /// Joins one line (`line` is its number, `stream` its stream's number, `time` its event time) and says to which
    /// invocation it belongs. A line without an id goes to the request that runs in its stream at its time; when a late START
    /// or END shows that this was another one, the line is given over and left in [`Invocations::take_adopted`].
    pub fn observe(
        &mut self,
        line: u32,
        stream: u16,
        time: i64,
        facts: &Facts,
        message: &[u8],
    ) -> Option<u32> {
        let Some(id) = facts.request else {
            return self.observe_guest(Guest::new(line, time, facts), stream);
        };
        let at = self.row_of(id, stream, line, time, facts.kind);
        let row = &mut self.rows[at as usize];
        let ended_before = row.ended();
        row.read_line(time, facts, message);
        let ended = row.ended();
        if facts.level >= Level::Error {
            self.note(at, Clue::new(line, time, facts.kind));
        }
        if facts.kind == Kind::Start {
            let span = self.streams.begin(stream, (time, at), &self.rows);
            self.rehome(stream, span);
        } else if ended != ended_before
            && let Some(ended) = ended
        {
            let from = ended_before.map_or(ended, |before| before.min(ended));
            let span = self.streams.after(stream, from);
            self.rehome(stream, span);
        }
        Some(at)
    }

    /// A line that names no request.
    fn observe_guest(&mut self, guest: Guest, stream: u16) -> Option<u32> {
        let home = self.streams.home(stream, &guest, &self.rows);
        self.join(home, &guest);
        self.streams.hold(stream, Guest { home, ..guest });
        (home != NONE).then_some(home)
    }

    /// Takes the newest line back, with what it said, to be observed anew with more text.
    pub fn withdraw(&mut self, line: u32, stream: u16, facts: &Facts) {
        let Some(id) = facts.request else {
            if let Some(guest) = self.streams.withdraw(stream, line) {
                self.leave(stream, &guest);
            }
            return;
        };
        let latest = self.latest.filter(|(latest, _)| *latest == id);
        let Some(at) = latest.map(|(_, at)| at).or_else(|| self.position(id)) else {
            return;
        };
        self.rows[at as usize].take_back(facts.kind);
        if let Some(clues) = self.clues.get_mut(&at) {
            clues.retain(|clue| clue.line != line);
            self.weigh(at);
        }
    }

    /// (line, invocation) pairs that were joined after the fact since the last call; `u32::MAX` is no invocation.
    pub fn take_adopted(&mut self) -> Vec<(u32, u32)> {
        std::mem::take(&mut self.adopted)
    }

    /// The invocation of a line that names its request, begun where there is none.
    fn row_of(&mut self, id: RequestId, stream: u16, line: u32, time: i64, kind: Kind) -> u32 {
        let known = match self.latest {
            Some((latest, at)) if latest == id => Some(at),
            _ => self.position(id),
        };
        let known = known.map(|at| self.attempt(id, time).unwrap_or(at));
        let at = match known {
            Some(at) if !self.rows[at as usize].is_over_for(kind) => at,
            Some(first) => {
                let at = self.begin(Invocation::new(id, stream, line, time), false);
                self.retried
                    .entry(id)
                    .or_insert_with(|| vec![first])
                    .push(at);
                at
            }
            None => self.begin(Invocation::new(id, stream, line, time), true),
        };
        self.latest = Some((id, at));
        at
    }

    /// Of a request's attempts the one that ran at `time`; `None` where there was one only.
    fn attempt(&self, id: RequestId, time: i64) -> Option<u32> {
        let attempts = self.retried.get(&id)?.iter().copied();
        let started = |at: &u32| self.rows[*at as usize].started;
        let running = attempts.clone().filter(|at| started(at) <= time);
        running
            .max_by_key(started)
            .or_else(|| attempts.min_by_key(started))
    }

    fn begin(&mut self, row: Invocation, is_first: bool) -> u32 {
        // There are fewer requests than lines, and those are numbered in 32 bits.
        let at = self.rows.len() as u32;
        let Self { rows, hasher, .. } = self;
        let hash = hasher.hash_one(row.id);
        rows.push(row);
        if is_first {
            let hash_of = |at: &u32| hasher.hash_one(rows[*at as usize].id);
            self.by_id.insert_unique(hash, at, hash_of);
        }
        at
    }

    /// Gives the lines without id in `span` (from, up to) to whom they belong by what is known now.
    fn rehome(&mut self, stream: u16, span: (i64, i64)) {
        for (place, home) in self.streams.misplaced(stream, span, &self.rows) {
            let Some(guest) = self.streams.move_to(stream, place, home) else {
                continue;
            };
            self.leave(stream, &guest);
            self.join(home, &guest);
            self.adopted.push((guest.line, home));
        }
    }

    fn join(&mut self, home: u32, guest: &Guest) {
        let Some(row) = self.rows.get_mut(home as usize) else {
            return;
        };
        row.lines += 1;
        match guest.kind {
            Kind::InitStart => row.flags |= COLD,
            Kind::InitReport if guest.level >= Level::Error => row.flags |= INIT_FAILED,
            _ => {}
        }
        if guest.level >= Level::Error {
            self.note(home, Clue::new(guest.line, guest.time, guest.kind));
        }
    }

    fn leave(&mut self, stream: u16, guest: &Guest) {
        let Some(row) = self.rows.get_mut(guest.home as usize) else {
            return;
        };
        row.lines -= 1;
        match guest.kind {
            Kind::InitStart => row.set(COLD, self.streams.has(stream, guest.home, guest.kind)),
            Kind::InitReport if guest.level >= Level::Error => {
                row.set(
                    INIT_FAILED,
                    self.streams.has(stream, guest.home, guest.kind),
                );
            }
            _ => {}
        }
        if guest.level >= Level::Error
            && let Some(clues) = self.clues.get_mut(&guest.home)
        {
            clues.retain(|clue| clue.line != guest.line);
            self.weigh(guest.home);
        }
    }

    /// An error line of an invocation.
    fn note(&mut self, at: u32, clue: Clue) {
        let clues = self.clues.entry(at).or_default();
        let place = clues.partition_point(|other| other.weight() <= clue.weight());
        if place < MAX_CLUES {
            clues.insert(place, clue);
            clues.truncate(MAX_CLUES);
        }
        self.weigh(at);
    }

    /// What the error lines say together.
    fn weigh(&mut self, at: u32) {
        let (Some(row), Some(clues)) = (self.rows.get_mut(at as usize), self.clues.get(&at)) else {
            return;
        };
        row.error_line = clues.first().map_or(NONE, |clue| clue.line);
        row.set(LOGGED_ERROR, clues.iter().any(|clue| clue.is_logged));
    }
}

/// So many error lines of one invocation are weighed.
const MAX_CLUES: usize = 16;

fn starts_with(id: RequestId, prefix: &str) -> bool {
    id.to_string()
        .get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}
