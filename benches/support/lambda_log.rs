//! A Lambda log of any length with known contents: the same seed gives the same bytes and the same truth.

use std::io::{self, Write};

/// What is in a generated log.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Lines.
    pub lines: usize,
    /// Requests.
    pub requests: usize,
    /// Requests that failed: error, timeout or out of memory.
    pub errors: usize,
    /// Of these, timeouts.
    pub timeouts: usize,
    /// Of these, out of memory.
    pub out_of_memory: usize,
    /// Cold starts.
    pub cold: usize,
    /// Lines with the word `needle-in-haystack`.
    pub needles: usize,
    /// Lines at WARN or above.
    pub warnings: usize,
    /// Duration of each request, ms, ascending.
    pub durations: Vec<f64>,
}

impl Truth {
    /// Nearest-rank percentile.
    #[allow(dead_code, reason = "not every bench asks")]
    pub fn percentile(&self, percent: usize) -> f64 {
        self.durations[(self.durations.len() * percent).div_ceil(100) - 1]
    }
}

/// The literal and the regular expression that the benches look for: both find exactly the needles.
pub const NEEDLE: &str = "needle-in-haystack";
/// See [`NEEDLE`].
pub const NEEDLE_REGEX: &str = "needle-[a-z]+-hay(stack|fork)";

struct Random(u64);

impl Random {
    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// One request in flight: its lines, last first.
struct Request(Vec<String>);

/// Writes at least `lines` lines (the last requests are finished): START, two to six JSON lines, END, REPORT, four requests
/// interleaved, now and then a cold start, an error, a timeout, an out-of-memory kill.
pub fn write(to: &mut impl Write, lines: usize, seed: u64) -> io::Result<Truth> {
    let mut random = Random(seed);
    let mut truth = Truth::default();
    let mut millis = 0_u64;
    let mut running: Vec<Request> = Vec::new();
    loop {
        let wants_more = truth.lines + running.iter().map(|r| r.0.len()).sum::<usize>() < lines;
        if wants_more && running.len() < 4 {
            let mut request = request(&mut random, &mut truth, &mut millis);
            // INIT_START and START stand together: a file names no stream.
            let heads = if request
                .0
                .last()
                .is_some_and(|line| line.starts_with("INIT_START"))
            {
                2
            } else {
                1
            };
            for _ in 0..heads {
                if let Some(line) = request.0.pop() {
                    writeln!(to, "{line}")?;
                    truth.lines += 1;
                }
            }
            running.push(request);
            continue;
        }
        if running.is_empty() {
            break;
        }
        let at = random.below(running.len() as u64) as usize;
        if let Some(line) = running[at].0.pop() {
            writeln!(to, "{line}")?;
            truth.lines += 1;
        }
        if running[at].0.is_empty() {
            running.swap_remove(at);
        }
    }
    truth.durations.sort_by(f64::total_cmp);
    Ok(truth)
}

fn request(random: &mut Random, truth: &mut Truth, millis: &mut u64) -> Request {
    let id = random.uuid();
    let fate = random.below(1000);
    let is_cold = random.below(40) == 0;
    let duration = match fate {
        0 => 3_000_000,
        _ => {
            2_000
                + random.below(18_000)
                + if random.below(50) == 0 {
                    random.below(200_000)
                } else {
                    0
                }
        }
    } as f64
        / 100.0;
    let mut lines = Vec::new();
    if is_cold {
        lines.push("INIT_START Runtime Version: python:3.12.v30\tRuntime Version ARN: arn:aws:lambda:us-east-2::runtime:0cdcfbdefbc5e7d3343f73c2e2dd3cba17d61dea0686b404502a0c9ce83931b9".to_owned());
    }
    lines.push(format!("START RequestId: {id} Version: $LATEST"));
    for n in 0..2 + random.below(5) {
        *millis += random.below(7);
        lines.push(app_line(random, truth, &id, *millis, n));
    }
    let status = match fate {
        0 => {
            truth.timeouts += 1;
            truth.warnings += 1;
            lines.push(format!(
                "{} {id} Task timed out after 30.00 seconds",
                time(*millis)
            ));
            "Status: timeout"
        }
        1 => {
            truth.out_of_memory += 1;
            truth.warnings += 1;
            lines.push(format!(
                "RequestId: {id} Error: Runtime exited with error: signal: killed"
            ));
            "Status: error\tError Type: Runtime.OutOfMemory"
        }
        2..10 => {
            truth.warnings += 1;
            lines.push(format!(
                r#"{{"timestamp":"{}","level":"ERROR","requestId":"{id}","message":"could not convert string to float: 'x{}'","errorType":"ValueError"}}"#,
                time(*millis),
                random.below(100)
            ));
            ""
        }
        _ => "",
    };
    truth.errors += usize::from(fate < 10);
    truth.warnings += usize::from(!status.is_empty());
    truth.cold += usize::from(is_cold);
    truth.requests += 1;
    truth.durations.push(duration);
    lines.push(format!("END RequestId: {id}"));
    let init = if is_cold {
        format!(
            "Init Duration: {}.{:02} ms\t",
            900 + random.below(900),
            random.below(100)
        )
    } else {
        String::new()
    };
    lines.push(format!(
        "REPORT RequestId: {id}\tDuration: {duration:.2} ms\tBilled Duration: {} ms\tMemory Size: 1024 MB\tMax Memory Used: {} MB\t{init}{status}",
        duration.ceil(),
        180 + random.below(80)
    ));
    lines.reverse();
    Request(lines)
}

fn app_line(random: &mut Random, truth: &mut Truth, id: &str, millis: u64, n: u64) -> String {
    let level = match random.below(50) {
        0 => "WARN",
        1..10 => "DEBUG",
        _ => "INFO",
    };
    truth.warnings += usize::from(level == "WARN");
    let word = if random.below(2000) == 0 {
        truth.needles += 1;
        NEEDLE
    } else {
        [
            "features validated",
            "model scored",
            "cache hit",
            "response written",
        ][(n % 4) as usize]
    };
    format!(
        r#"{{"timestamp":"{}","level":"{level}","requestId":"{id}","message":"{word}","step":{n},"alcohol":{}.{},"prediction":{}.{:04},"model_version":"v1.0","elapsed_ms":{},"note":"fixed_acidity and friends are within range"}}"#,
        time(millis),
        8 + random.below(6),
        random.below(10),
        3 + random.below(5),
        random.below(10_000),
        random.below(200)
    )
}

/// A time on 8 October 2026 and the days after.
fn time(millis: u64) -> String {
    let (seconds, ms) = (millis / 1000, millis % 1000);
    let (day, rest) = (8 + seconds / 86_400, seconds % 86_400);
    format!(
        "2026-10-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}
