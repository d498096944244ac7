//! When a log line becomes visible: Lambda flushes each environment's lines in batches, and a few straggle.

use rand::Rng;

/// How late log lines become visible after they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// At once. Not how CloudWatch behaves, but handy where lag is not the point.
    None,
    /// Each stream flushes every 0.5 to 6 s; four lines in a thousand straggle by 3 to 12 s more.
    Realistic,
}

/// A stream's flushing rhythm, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    period: f64,
    phase: f64,
    /// What one batch takes from the flush to being readable.
    delay: f64,
}

impl Rhythm {
    pub fn draw(dice: &mut impl Rng) -> Self {
        let period = dice.gen_range(500.0..6000.0);
        Self {
            period,
            phase: dice.gen_range(0.0..period),
            delay: dice.gen_range(20.0..90.0),
        }
    }

    /// The ingestion time (ms since 1970) of a line written at `written`.
    pub fn delivery(
        self,
        written: i64,
        lag: Lag,
        late: bool,
        speed: f64,
        dice: &mut impl Rng,
    ) -> i64 {
        if lag == Lag::None && !late {
            return written;
        }
        let (period, phase) = (self.period / speed, self.phase / speed);
        let at = written as f64;
        let flush = phase + ((at - phase) / period).ceil() * period;
        // One flush is one PutLogEvents call: its lines share an ingestion time and keep their order.
        let mut delivered = flush + self.delay / speed;
        if dice.gen_bool(0.004) {
            delivered += dice.gen_range(3000.0..12_000.0) / speed;
        }
        if late && dice.gen_bool(1.0 / 6.0) {
            delivered += dice.gen_range(8000.0..45_000.0) / speed;
        }
        delivered.ceil() as i64
    }
}
