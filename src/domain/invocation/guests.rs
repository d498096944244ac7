//! Lines that name no request, and whose they are: by their stream and time, in whatever order lines arrive.

use std::collections::VecDeque;

use super::{Invocation, NONE};
use crate::domain::blocks::Blocks;
use crate::domain::line::{Facts, Kind, Level};

/// So many lines of all streams together may still change hands, the newest of each stream: over half a minute at a
/// thousand lines a second.
const MAX_HELD: usize = 1 << 16;

/// A line without an id, and the invocation it is counted with ([`NONE`]: it waits for a START).
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    pub line: u32,
    pub time: i64,
    pub kind: Kind,
    pub level: Level,
    pub home: u32,
}

impl Guest {
    /// A line that has no home yet.
    pub fn new(line: u32, time: i64, facts: &Facts) -> Self {
        Self {
            line,
            time,
            kind: facts.kind,
            level: facts.level,
            home: NONE,
        }
    }

    fn is_init(&self) -> bool {
        matches!(
            self.kind,
            Kind::InitStart | Kind::Restore | Kind::InitReport
        )
    }
}

/// A line at ERROR or above.
#[derive(Debug, Clone, Copy)]
pub struct Clue {
    pub line: u32,
    time: i64,
    /// Not Lambda's closing line.
    own_words: bool,
    /// Written by the function: it makes the request a failed one.
    pub is_logged: bool,
}

impl Clue {
    /// What a line of this kind tells.
    pub fn new(line: u32, time: i64, kind: Kind) -> Self {
        Self {
            line,
            time,
            own_words: !matches!(kind, Kind::Report | Kind::End),
            is_logged: kind == Kind::App,
        }
    }

    /// The lightest tells best why a request failed: the first own words.
    pub fn weight(&self) -> (bool, i64, u32) {
        (!self.own_words, self.time, self.line)
    }
}

/// One stream: an environment that serves one request at a time.
#[derive(Debug, Clone, Default)]
struct Stream {
    /// (start time, invocation), ascending by time, then id. History comes page by page upwards: both ends are cheap.
    starts: VecDeque<(i64, u32)>,
    /// Ascending by time.
    guests: VecDeque<Guest>,
}

/// All streams, by number.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    streams: Vec<Stream>,
    held: usize,
}

impl Streams {
    fn get_mut(&mut self, stream: u16) -> &mut Stream {
        let at = usize::from(stream);
        if self.streams.len() <= at {
            self.streams.resize_with(at + 1, Stream::default);
        }
        &mut self.streams[at]
    }

    /// Notes a START and says which span of time it may have changed hands in.
    pub fn begin(
        &mut self,
        stream: u16,
        start: (i64, u32),
        rows: &Blocks<Invocation>,
    ) -> (i64, i64) {
        let starts = &mut self.get_mut(stream).starts;
        let key = |(time, at): (i64, u32)| (time, rows[at as usize].id);
        let place = starts.partition_point(|other| key(*other) <= key(start));
        if place.checked_sub(1).map(|at| starts[at]) == Some(start) {
            // Observed anew.
            starts.remove(place - 1);
            return self.begin(stream, start, rows);
        }
        starts.insert(place, start);
        let before = place.checked_sub(1).map(|at| starts[at]);
        let from = before.map_or(i64::MIN, |(began, at)| {
            rows[at as usize].ended().unwrap_or(began)
        });
        let to = starts.get(place + 1).map_or(i64::MAX, |(next, _)| *next);
        (from.min(start.0), to)
    }

    /// The span from an instant to the next START.
    pub fn after(&self, stream: u16, from: i64) -> (i64, i64) {
        let next = self.streams.get(usize::from(stream)).and_then(|stream| {
            let next = stream.starts.partition_point(|(start, _)| *start <= from);
            stream.starts.get(next)
        });
        (from, next.map_or(i64::MAX, |(next, _)| *next))
    }

    /// The invocation a line belongs to: the one that runs at its time, else the one that begins next (its init's output).
    pub fn home(&self, stream: u16, guest: &Guest, rows: &Blocks<Invocation>) -> u32 {
        let Some(stream) = self.streams.get(usize::from(stream)) else {
            return NONE;
        };
        let starts = &stream.starts;
        let next = match starts.back() {
            Some(last) if last.0 <= guest.time => starts.len(),
            _ => starts.partition_point(|(start, _)| *start <= guest.time),
        };
        let running = next
            .checked_sub(1)
            .map(|at| starts[at].1)
            .filter(|_| !guest.is_init())
            .filter(|at| {
                rows[*at as usize]
                    .ended()
                    .is_none_or(|ended| guest.time <= ended)
            });
        running
            .or_else(|| starts.get(next).map(|(_, at)| *at))
            .unwrap_or(NONE)
    }

    /// Remembers a line while it may change hands.
    pub fn hold(&mut self, stream: u16, guest: Guest) {
        let guests = &mut self.get_mut(stream).guests;
        if guests.back().is_none_or(|last| last.time <= guest.time) {
            guests.push_back(guest);
        } else {
            let place = guests.partition_point(|other| other.time <= guest.time);
            guests.insert(place, guest);
        }
        self.held += 1;
        if self.held > MAX_HELD {
            for stream in &mut self.streams {
                stream.guests.drain(..stream.guests.len().div_ceil(2));
            }
            self.held = self.streams.iter().map(|s| s.guests.len()).sum();
        }
    }

    /// Forgets a line; returns it as it was.
    pub fn withdraw(&mut self, stream: u16, line: u32) -> Option<Guest> {
        let guests = &mut self.get_mut(stream).guests;
        let place = guests.iter().rposition(|guest| guest.line == line)?;
        let guest = guests.remove(place)?;
        self.held -= 1;
        Some(guest)
    }

    /// (place, home) of the lines in a span that are not where they belong.
    pub fn misplaced(
        &self,
        stream: u16,
        (from, to): (i64, i64),
        rows: &Blocks<Invocation>,
    ) -> Vec<(usize, u32)> {
        let Some(guests) = self.streams.get(usize::from(stream)).map(|s| &s.guests) else {
            return Vec::new();
        };
        let first = match guests.back() {
            Some(last) if last.time < from => return Vec::new(),
            _ => guests.partition_point(|guest| guest.time < from),
        };
        (first..guests.len())
            .take_while(|place| guests[*place].time < to)
            .map(|place| (place, self.home(stream, &guests[place], rows)))
            .filter(|(place, home)| guests[*place].home != *home)
            .collect()
    }

    /// Gives a line to another invocation; returns it as it was.
    pub fn move_to(&mut self, stream: u16, place: usize, home: u32) -> Option<Guest> {
        let guest = self.get_mut(stream).guests.get_mut(place)?;
        let before = *guest;
        guest.home = home;
        Some(before)
    }

    /// Whether an invocation has a line of this kind here.
    pub fn has(&self, stream: u16, home: u32, kind: Kind) -> bool {
        let guests = self.streams.get(usize::from(stream)).map(|s| &s.guests);
        guests.is_some_and(|guests| guests.iter().any(|g| g.home == home && g.kind == kind))
    }
}
