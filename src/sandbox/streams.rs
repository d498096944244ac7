//! CloudWatch Logs' memory: groups, streams and events, each visible only from its ingestion time on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::Options;
use super::lag::{Lag, Rhythm};
use super::world::dice;

/// Most events a group keeps; the oldest go first.
const MOST_EVENTS: usize = 500_000;

/// CloudWatch's sort order: event time, ingestion time, then the order of arrival.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(super) struct Key {
    pub timestamp: i64,
    pub ingestion: i64,
    pub sequence: u64,
}

impl Key {
    /// The first key an event at this time could have.
    pub fn at(timestamp: i64) -> Self {
        Self {
            timestamp,
            ingestion: i64::MIN,
            sequence: 0,
        }
    }

    /// A 56-digit event id, as CloudWatch writes them: unique, and sorted by time.
    pub fn event_id(self) -> String {
        format!("39{:018}{:036}", self.timestamp, self.sequence)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub stream: Arc<str>,
    pub message: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub name: Arc<str>,
    pub created: i64,
    pub first_event: Option<i64>,
    pub last_event: Option<i64>,
    pub last_ingestion: Option<i64>,
    pub stored_bytes: u64,
    rhythm: Rhythm,
}

#[derive(Debug)]
pub(super) struct Group {
    pub created: i64,
    pub retention_days: Option<u32>,
    pub stored_bytes: u64,
    pub streams: BTreeMap<Arc<str>, Stream>,
    pub events: BTreeMap<Key, Event>,
    /// The same events by arrival, for Live Tail.
    pub arrivals: BTreeSet<(i64, u64, i64)>,
}

/// How the lines of the sandbox's own functions are delivered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delivery {
    /// Another lag than the sandbox's own.
    pub lag: Option<Lag>,
    /// The lines are lost: the role may not write them.
    pub dropped: bool,
}

#[derive(Debug)]
pub(super) struct LogStore {
    pub groups: BTreeMap<String, Group>,
    sequence: u64,
    lag: Lag,
    speed: f64,
    dice: ChaCha8Rng,
}

impl LogStore {
    pub fn new(options: &Options) -> Self {
        Self {
            groups: BTreeMap::new(),
            sequence: 0,
            lag: options.lag,
            speed: options.speed.max(1e-3),
            dice: dice(options.seed, 1),
        }
    }

    /// Create a group; `false` when it was there already.
    pub fn create_group(&mut self, name: &str, now: i64) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let group = Group {
            created: now,
            retention_days: None,
            stored_bytes: 0,
            streams: BTreeMap::new(),
            events: BTreeMap::new(),
            arrivals: BTreeSet::new(),
        };
        self.groups.insert(name.into(), group);
        true
    }

    /// Create a stream; `None` without the group, `Some(false)` when it was there already.
    pub fn create_stream(&mut self, group: &str, name: &str, now: i64) -> Option<bool> {
        let rhythm = Rhythm::draw(&mut self.dice);
        let group = self.groups.get_mut(group)?;
        if group.streams.contains_key(name) {
            return Some(false);
        }
        let name: Arc<str> = name.into();
        let stream = Stream {
            name: Arc::clone(&name),
            created: now,
            first_event: None,
            last_event: None,
            last_ingestion: None,
            stored_bytes: 0,
            rhythm,
        };
        group.streams.insert(name, stream);
        Some(true)
    }

    /// A line written by one of the sandbox's functions, delivered as CloudWatch would. Group and stream are made when missing.
    pub fn write(
        &mut self,
        group: &str,
        stream: &str,
        timestamp: i64,
        message: &str,
        delivery: Delivery,
    ) {
        if delivery.dropped {
            return;
        }
        if !self
            .groups
            .get(group)
            .is_some_and(|group| group.streams.contains_key(stream))
        {
            self.create_group(group, timestamp);
            self.create_stream(group, stream, timestamp);
        }
        let Some(rhythm) = self
            .groups
            .get(group)
            .and_then(|group| group.streams.get(stream))
            .map(|stream| stream.rhythm)
        else {
            return;
        };
        let ingestion = rhythm.delivery(
            timestamp,
            delivery.lag.unwrap_or(self.lag),
            self.speed,
            &mut self.dice,
        );
        self.put(group, stream, timestamp, ingestion, message);
    }

    /// Store one event with a known ingestion time. The group and the stream must exist.
    pub fn put(
        &mut self,
        group: &str,
        stream: &str,
        timestamp: i64,
        ingestion: i64,
        message: &str,
    ) {
        let Some(group) = self.groups.get_mut(group) else {
            return;
        };
        let Some(stream) = group.streams.get_mut(stream) else {
            return;
        };
        self.sequence += 1;
        // CloudWatch counts 26 bytes beside each event's text.
        let bytes = message.len() as u64 + 26;
        stream.stored_bytes += bytes;
        stream.first_event = Some(
            stream
                .first_event
                .map_or(timestamp, |first| first.min(timestamp)),
        );
        stream.last_event = Some(
            stream
                .last_event
                .map_or(timestamp, |last| last.max(timestamp)),
        );
        stream.last_ingestion = Some(
            stream
                .last_ingestion
                .map_or(ingestion, |last| last.max(ingestion)),
        );
        group.stored_bytes += bytes;
        let key = Key {
            timestamp,
            ingestion,
            sequence: self.sequence,
        };
        group.events.insert(
            key,
            Event {
                stream: Arc::clone(&stream.name),
                message: message.into(),
            },
        );
        group.arrivals.insert((ingestion, self.sequence, timestamp));
        while group.events.len() > MOST_EVENTS
            && let Some((oldest, _)) = group.events.pop_first()
        {
            group
                .arrivals
                .remove(&(oldest.ingestion, oldest.sequence, oldest.timestamp));
        }
    }
}

impl Group {
    /// Events whose own time lies in `start..=end` (ms since 1970), visible or not.
    pub fn between(&self, start: i64, end: i64) -> impl Iterator<Item = (Key, &Event)> {
        self.events
            .range(Key::at(start)..Key::at(end.saturating_add(1)).max(Key::at(start)))
            .map(|(key, event)| (*key, event))
    }

    /// Events that became visible after `after` and up to `until` (ms since 1970), in order of arrival.
    pub fn arrived(&self, after: i64, until: i64) -> impl Iterator<Item = (Key, &Event)> {
        self.arrivals
            .range((after + 1, 0, i64::MIN)..(until + 1, 0, i64::MIN))
            .filter_map(|&(ingestion, sequence, timestamp)| {
                let key = Key {
                    timestamp,
                    ingestion,
                    sequence,
                };
                self.events.get(&key).map(|event| (key, event))
            })
    }
}
