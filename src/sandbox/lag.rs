//! When a log line becomes visible: Lambda flushes each environment's lines in batches, and a few straggle.

use rand::Rng;

/// How late log lines become visible after they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// At once. Not how CloudWatch behaves, but handy where lag is not the point.
    None,
    /// Each stream flushes once a second.
    Mild,
    /// Each stream flushes every 0.5 to 6 s; four lines in a thousand straggle by 3 to 12 s more.
    Realistic,
    /// The same, and one line in ten straggles by 3 to 12 s.
    Stragglers,
    /// The same as realistic, and one line in six comes 8 to 45 s later still.
    LateArrivals,
}

impl Lag {
    /// Chance and length (ms) of a line's own delay, beyond its stream's flush.
    fn straggling(self) -> Option<(f64, std::ops::Range<f64>)> {
        match self {
            Self::None | Self::Mild => None,
            Self::Realistic | Self::LateArrivals => Some((0.004, 3000.0..12_000.0)),
            Self::Stragglers => Some((0.1, 3000.0..12_000.0)),
        }
    }
}

/// Every stream's flush period where lag is mild, ms.
const MILD_PERIOD: f64 = 1000.0;

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
    pub fn delivery(self, written: i64, lag: Lag, speed: f64, dice: &mut impl Rng) -> i64 {
        let (period, phase) = match lag {
            Lag::None => return written,
            Lag::Mild => (MILD_PERIOD, self.phase % MILD_PERIOD),
            _ => (self.period, self.phase),
        };
        let (period, phase) = (period / speed, phase / speed);
        let at = written as f64;
        let flush = phase + ((at - phase) / period).ceil() * period;
        // One flush is one PutLogEvents call: its lines share an ingestion time and keep their order.
        let mut delivered = flush + self.delay / speed;
        if let Some((chance, length)) = lag.straggling()
            && dice.gen_bool(chance)
        {
            delivered += dice.gen_range(length) / speed;
        }
        if lag == Lag::LateArrivals && dice.gen_bool(1.0 / 6.0) {
            delivered += dice.gen_range(8000.0..45_000.0) / speed;
        }
        delivered.ceil() as i64
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// Delays in ms of lines written every 100 ms for ten minutes on eight streams, sorted.
    fn delays(lag: Lag) -> Vec<i64> {
        let mut dice = StdRng::seed_from_u64(7);
        let mut delays = Vec::new();
        for _ in 0..8 {
            let rhythm = Rhythm::draw(&mut dice);
            for written in (0..600_000).step_by(100) {
                delays.push(rhythm.delivery(written, lag, 1.0, &mut dice) - written);
            }
        }
        delays.sort_unstable();
        delays
    }

    fn share_over(delays: &[i64], ms: i64) -> f64 {
        let slower = delays.iter().filter(|delay| **delay > ms).count();
        slower as f64 / delays.len() as f64
    }

    #[test]
    fn each_model_delays_as_it_says() {
        assert!(delays(Lag::None).iter().all(|delay| *delay == 0));
        let mild = delays(Lag::Mild);
        assert!(
            mild[0] > 0 && mild[mild.len() - 1] <= 1_091,
            "{:?}",
            mild.last()
        );
        let over = |lag, ms| share_over(&delays(lag), ms);
        // A flush takes at most 6.09 s: what is slower straggles.
        let realistic = over(Lag::Realistic, 6_100);
        assert!((0.002..0.005).contains(&realistic), "{realistic}");
        let stragglers = over(Lag::Stragglers, 6_100);
        assert!((0.05..0.11).contains(&stragglers), "{stragglers}");
        let late = over(Lag::LateArrivals, 18_100);
        assert!((0.1..0.17).contains(&late), "{late}");
    }

    #[test]
    fn the_same_seed_delays_alike() {
        assert_eq!(delays(Lag::Stragglers), delays(Lag::Stragglers));
    }
}
