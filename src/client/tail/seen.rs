//! Which events have been shown: by event id, or as a multiset where there is no id (Live Tail, some servers).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::RangeInclusive;

use crate::domain::line::LogEvent;

/// The memory of a tail. Events are kept in buckets of one second, so that forgetting old ones is cheap and two ids can
/// only be confused if their 64-bit hashes collide within the same second.
#[derive(Debug, Default)]
pub struct Seen {
    buckets: BTreeMap<i64, Bucket>,
    hasher: RandomState,
    /// Live Tail is or was on: polled events are also counted by their text.
    pub counts_text: bool,
}

#[derive(Debug, Default)]
struct Bucket {
    ids: HashSet<u64>,
    texts: HashMap<u64, Copies>,
}

/// How many copies of one (stream, timestamp, message) each source has delivered. What was shown is the larger number.
#[derive(Debug, Default, Clone, Copy)]
struct Copies {
    polled: u32,
    live: u32,
}

/// How often each text without id has come in one reading of a range: reading the range again counts from one again.
#[derive(Debug, Default)]
pub struct Reading {
    copies: HashMap<(i64, u64), u32>,
}

impl Seen {
    /// Records a polled event; true if it has not been shown yet.
    pub fn polled(&mut self, event: &LogEvent, reading: &mut Reading) -> bool {
        let text = (event.event_id.is_none() || self.counts_text).then(|| self.text_hash(event));
        let id = event.event_id.as_deref().map(|id| self.hasher.hash_one(id));
        let bucket = self.buckets.entry(second(event.timestamp)).or_default();
        if let Some(id) = id
            && !bucket.ids.insert(id)
        {
            return false;
        }
        let Some(text) = text else { return true };
        let copies = bucket.texts.entry(text).or_default();
        let shown = copies.polled.max(copies.live);
        copies.polled = if id.is_some() {
            copies.polled + 1
        } else {
            let nth = reading.copies.entry((event.timestamp, text)).or_default();
            *nth += 1;
            copies.polled.max(*nth)
        };
        copies.polled > shown
    }

    /// Records a Live Tail event; true if it has not been shown yet.
    pub fn live(&mut self, event: &LogEvent) -> bool {
        let text = self.text_hash(event);
        let bucket = self.buckets.entry(second(event.timestamp)).or_default();
        let copies = bucket.texts.entry(text).or_default();
        let shown = copies.polled.max(copies.live);
        copies.live += 1;
        copies.live > shown
    }

    /// Forgets what lies before `floor` (milliseconds), except what the history still needs.
    pub fn forget_before(&mut self, floor: i64, kept: &[RangeInclusive<i64>]) {
        let is_kept = |at: i64| {
            kept.iter()
                .any(|range| (second(*range.start())..=second(*range.end())).contains(&at))
        };
        let old: Vec<i64> = self
            .buckets
            .range(..second(floor))
            .map(|(&at, _)| at)
            .filter(|&at| !is_kept(at))
            .collect();
        for at in old {
            self.buckets.remove(&at);
        }
    }

    /// How many events are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.buckets
            .values()
            .map(|bucket| bucket.ids.len() + bucket.texts.len())
            .sum()
    }

    /// Ingestion time stays out: the sources may disagree on it, and counting copies makes it unnecessary.
    fn text_hash(&self, event: &LogEvent) -> u64 {
        self.hasher
            .hash_one((&*event.stream, event.timestamp, &*event.message))
    }
}

fn second(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn event(timestamp: i64, id: Option<&str>, message: &str) -> LogEvent {
        LogEvent {
            event_id: id.map(Box::from),
            ..testing::event("s", timestamp, message)
        }
    }

    #[test]
    fn an_id_is_shown_once_and_equal_texts_with_ids_stay_two() {
        let mut seen = Seen::default();
        let mut reading = Reading::default();
        assert!(seen.polled(&event(5, Some("1"), "x"), &mut reading));
        assert!(!seen.polled(&event(5, Some("1"), "x"), &mut reading));
        assert!(seen.polled(&event(5, Some("2"), "x"), &mut reading));
    }

    #[test]
    fn equal_lines_without_id_are_counted_per_reading() {
        let mut seen = Seen::default();
        let mut first = Reading::default();
        assert!(seen.polled(&event(5, None, "x"), &mut first));
        assert!(seen.polled(&event(5, None, "x"), &mut first));
        let mut second = Reading::default();
        assert!(!seen.polled(&event(5, None, "x"), &mut second));
        assert!(!seen.polled(&event(5, None, "x"), &mut second));
        assert!(
            seen.polled(&event(5, None, "x"), &mut second),
            "a third copy arrived"
        );
    }

    #[test]
    fn live_and_polled_copies_merge_whichever_comes_first() {
        let mut seen = Seen {
            counts_text: true,
            ..Seen::default()
        };
        let mut reading = Reading::default();
        assert!(seen.live(&event(5, None, "x")));
        assert!(!seen.polled(&event(5, Some("1"), "x"), &mut reading));
        assert!(
            seen.polled(&event(5, Some("2"), "x"), &mut reading),
            "the second of two equal lines"
        );
        assert!(!seen.live(&event(5, None, "x")));
        assert!(seen.live(&event(5, None, "x")), "the third");
    }

    #[test]
    fn forgetting_spares_the_place_of_the_history() {
        let mut seen = Seen::default();
        let mut reading = Reading::default();
        for at in [1_000, 50_000, 99_000] {
            seen.polled(&event(at, Some(&at.to_string()), "x"), &mut reading);
        }
        seen.forget_before(90_000, &[500..=1_500]);
        assert_eq!(seen.len(), 2);
    }
}
