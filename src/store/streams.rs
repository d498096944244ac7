//! Names of log groups and streams, each pair kept once and numbered.

use std::collections::HashMap;
use std::sync::Arc;

/// Numbered (group, stream) names.
#[derive(Debug)]
pub struct Streams {
    names: Vec<(Arc<str>, Arc<str>)>,
    numbers: HashMap<(Arc<str>, Arc<str>), u16>,
    latest: u16,
    empty: (Arc<str>, Arc<str>),
}

impl Default for Streams {
    fn default() -> Self {
        let empty = (Arc::from(""), Arc::from(""));
        Self {
            names: Vec::new(),
            numbers: HashMap::new(),
            latest: 0,
            empty,
        }
    }
}

impl Streams {
    /// The number of a pair, given on first sight. After 65 535 pairs the last number stands for all others.
    pub fn number(&mut self, group: &Arc<str>, stream: &Arc<str>) -> u16 {
        if self
            .names
            .get(usize::from(self.latest))
            .is_some_and(|(g, s)| s == stream && g == group)
        {
            return self.latest;
        }
        let key = (group.clone(), stream.clone());
        let next = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.latest = match self.numbers.get(&key) {
            Some(number) => *number,
            None if next == u16::MAX => u16::MAX - 1,
            None => {
                self.names.push(key.clone());
                self.numbers.insert(key, next);
                next
            }
        };
        self.latest
    }

    /// The names behind a number.
    pub fn names(&self, number: u16) -> (&Arc<str>, &Arc<str>) {
        let (group, stream) = self.names.get(usize::from(number)).unwrap_or(&self.empty);
        (group, stream)
    }

    /// All pairs, by number.
    pub fn all(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.names.clone()
    }

    /// How many pairs.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// For each number, whether the stream's name contains `part`.
    pub fn containing(&self, part: &str) -> Vec<bool> {
        self.names
            .iter()
            .map(|(_, stream)| stream.contains(part))
            .collect()
    }
}
