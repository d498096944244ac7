//! What training costs the machine: processor and memory of this process.

use std::time::Instant;

/// Processor and memory of this process.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Host {
    /// Busy cores: 1.0 is one core fully used. `None` where the system does not tell.
    pub cores: Option<f64>,
    /// Resident memory in bytes.
    pub rss: Option<u64>,
}

/// Measures [`Host`] between two looks.
#[derive(Debug)]
pub struct Meter {
    at: Instant,
    ticks: Option<u64>,
    last: Host,
}

/// Clock ticks per second in `/proc/self/stat`; 100 on every Linux (`USER_HZ`).
const USER_HZ: f64 = 100.0;

impl Meter {
    /// Begins to measure.
    pub fn start() -> Self {
        Self {
            at: Instant::now(),
            ticks: cpu_ticks(),
            last: Host {
                cores: None,
                rss: rss(),
            },
        }
    }

    /// The figures of the last quarter of a second or more.
    pub fn read(&mut self) -> Host {
        let passed = self.at.elapsed().as_secs_f64();
        if passed < 0.25 {
            return self.last;
        }
        let ticks = cpu_ticks();
        let cores = ticks
            .zip(self.ticks)
            .map(|(now, before)| now.saturating_sub(before) as f64 / USER_HZ / passed);
        (self.at, self.ticks) = (Instant::now(), ticks);
        self.last = Host { cores, rss: rss() };
        self.last
    }
}

fn cpu_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name may hold spaces and parentheses; the fields begin after the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields
        .split_whitespace()
        .skip(11)
        .map_while(|field| field.parse::<u64>().ok());
    Some(fields.next()? + fields.next()?)
}

fn rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_busy_core_is_seen() {
        let mut meter = Meter::start();
        let begin = Instant::now();
        let mut sum = 0u64;
        while begin.elapsed().as_millis() < 400 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let host = meter.read();
        assert!(host.cores.unwrap() > 0.02, "{host:?}");
        assert!(host.rss.unwrap() > 1 << 20, "{host:?}");
    }
}
