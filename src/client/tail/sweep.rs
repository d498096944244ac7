//! A repeated look far back, for events that the overlap of the polls misses.

/// One kind of sweep. Milliseconds.
#[derive(Debug)]
pub struct Sweep {
    every: i64,
    back: i64,
    last: i64,
}

impl Sweep {
    /// The narrow one (every 15 s, two minutes back) and the wide one (every 5 min, a quarter of an hour back), for a tail
    /// that begins at `now`.
    pub fn both(now: i64) -> [Self; 2] {
        [(15_000, 120_000), (300_000, 900_000)].map(|(every, back)| Self {
            every,
            back,
            last: now,
        })
    }

    /// When the next one is due.
    pub fn due(&self) -> i64 {
        self.last + self.every
    }

    /// How far back it looks.
    pub fn back(&self) -> i64 {
        self.back
    }

    /// Where a sweep at `now` begins. After a pause it begins earlier, as if no sweep had been missed.
    pub fn start(&self, now: i64) -> i64 {
        (now - self.back).min(self.last - self.back + self.every)
    }

    /// The next one is due at `now`.
    pub fn look_now(&mut self, now: i64) {
        self.last = self.last.min(now - self.every);
    }

    /// The clock was set back to `now`.
    pub fn set_clock(&mut self, now: i64) {
        self.last = self.last.min(now);
    }

    /// A sweep that was begun at `started` is complete.
    pub fn done(&mut self, started: i64) {
        self.last = started;
    }
}
