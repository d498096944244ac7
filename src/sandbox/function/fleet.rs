//! The execution environments: which one takes the next call, and when it is gone.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::super::model::Served;
use crate::domain::request_id::RequestId;

/// An environment survives this long without work, in ms (drawn per environment).
const IDLE_MS: std::ops::Range<i64> = 420_000..900_000;
/// Lambda recycles even a busy environment after this long, in ms.
const LIFE_MS: std::ops::Range<i64> = 5_400_000..8_100_000;

/// One execution environment; it writes to a log stream of its own.
#[derive(Debug)]
pub(in super::super) struct Environment {
    pub stream: String,
    pub memory_mb: u32,
    /// The model it loaded when it started.
    pub model: Option<Served>,
    idle_since: i64,
    idle_for: i64,
    dies_at: i64,
    generation: u64,
}

/// All environments that are not busy, the most recently used last.
#[derive(Debug)]
pub(in super::super) struct Fleet {
    idle: Vec<Environment>,
    /// Environments at work.
    pub busy: u32,
    generation: u64,
    dice: ChaCha8Rng,
}

impl Fleet {
    /// A fleet with dice of its own: two fleets with the same ones would give the same request ids.
    pub fn new(dice: ChaCha8Rng) -> Self {
        Self {
            idle: Vec::new(),
            busy: 0,
            generation: 0,
            dice,
        }
    }

    /// The environment for a call at `now`, and whether it is a fresh one. In a storm none survives its call.
    pub fn acquire(&mut self, now: i64, storm: bool) -> (Environment, bool) {
        self.idle.retain(|environment| {
            environment.idle_since + environment.idle_for > now && environment.dies_at > now
        });
        if storm {
            self.idle.clear();
        }
        self.busy += 1;
        match self.idle.pop() {
            Some(environment) => (environment, false),
            None => (self.start(now), true),
        }
    }

    /// Give an environment back after a call, unless it died of it or was retired meanwhile.
    pub fn release(&mut self, mut environment: Environment, now: i64, dies: bool) {
        self.busy = self.busy.saturating_sub(1);
        if dies || environment.generation != self.generation {
            return;
        }
        environment.idle_since = now;
        environment.memory_mb =
            (environment.memory_mb + u32::from(self.dice.gen_bool(0.01))).min(243);
        self.idle.push(environment);
    }

    /// Take over another fleet's environments, as warm as they are, unless there was a deploy meanwhile.
    pub fn adopt(&mut self, other: Self) {
        if self.generation == 0 {
            self.idle.splice(0..0, other.idle);
        }
    }

    /// A deploy: no environment of before takes another call.
    pub fn retire_all(&mut self) {
        self.idle.clear();
        self.generation += 1;
    }

    /// A fresh UUID, version 4.
    pub fn request_id(&mut self) -> RequestId {
        let bits = self.dice.r#gen::<u128>();
        RequestId(bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62)
    }

    fn start(&mut self, now: i64) -> Environment {
        let day = jiff::Timestamp::from_millisecond(now)
            .unwrap_or_default()
            .strftime("%Y/%m/%d")
            .to_string();
        Environment {
            stream: format!("{day}/[$LATEST]{}", self.hex()),
            memory_mb: self.dice.gen_range(233..240),
            model: None,
            idle_since: now,
            idle_for: self.dice.gen_range(IDLE_MS),
            dies_at: now + self.dice.gen_range(LIFE_MS),
            generation: self.generation,
        }
    }

    fn hex(&mut self) -> String {
        format!("{:032x}", self.dice.r#gen::<u128>())
    }
}
