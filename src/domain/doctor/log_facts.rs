//! What a stretch of log says, condensed to what Doctor looks at.

use super::facts::{Fact, Logs};
use super::one_line;
use crate::domain::latency::{Sample, nearest_rank};
use crate::domain::report::{InitReport, Outcome, Report};

/// Condenses log events (time in milliseconds since the epoch, text), in any order; `now_ms` gives ages.
pub fn condense<'a>(
    events: impl IntoIterator<Item = (i64, &'a str)>,
    retention: Fact<Option<i32>>,
    now_ms: i64,
) -> Logs {
    let mut logs = Logs {
        retention,
        ..Logs::default()
    };
    let (mut warm, mut all) = (Vec::new(), Vec::new());
    let (mut newest, mut newest_error) = (None, None);
    let (mut oom_reports, mut killed) = (0, 0);
    for (at, message) in events {
        newest = newest.max(Some(at));
        if let Some(report) = Report::parse(message) {
            let sample = Sample::from_report(&report, at);
            logs.reports += 1;
            logs.cold += usize::from(sample.is_cold());
            oom_reports += usize::from(report.is_out_of_memory());
            logs.max_memory_mb = logs.max_memory_mb.max(Some(report.max_memory_mb));
            all.push(report.duration_ms);
            if !sample.is_cold() {
                warm.push(report.duration_ms);
            }
            continue;
        }
        if let Some(init) = InitReport::parse(message) {
            // Its environment starts cold all the same, within the call that follows.
            let timed_out = usize::from(init.status == Outcome::Timeout);
            logs.init_timeouts += timed_out;
            logs.cold += timed_out;
            continue;
        }
        if is_error(message, &mut logs, &mut killed)
            && newest_error.is_none_or(|(seen, _)| at >= seen)
        {
            newest_error = Some((at, message));
        }
    }
    // The same death is told by the runtime and, in newer formats, by REPORT.
    logs.out_of_memory = oom_reports.max(killed);
    logs.warm_p50_ms = rank(&mut warm, 0.50);
    logs.p99_ms = rank(&mut all, 0.99);
    logs.last_event_age_s = newest.map(|at: i64| (now_ms - at).max(0) as f64 / 1000.0);
    logs.last_error = newest_error.map(|(_, message)| one_line(message, 240));
    logs
}

fn rank(values: &mut [f64], q: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    nearest_rank(values, q)
}

/// Counts an error line under what it is.
fn is_error(message: &str, logs: &mut Logs, killed: &mut usize) -> bool {
    if message.contains("Task timed out after") {
        logs.timeouts += 1;
    } else if message.contains("signal: killed") || message.contains("Runtime.OutOfMemory") {
        *killed += 1;
    } else if message.starts_with("[ERROR]")
        || message.contains("Runtime exited")
        || message.contains("Runtime.ImportModuleError")
    {
        logs.crashes += 1;
    } else {
        return message.contains("❌");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_condensed_to_counts_and_ranks() {
        let id = "d602a1ed-0000-4000-8000-00000000000";
        let warm = |n: u32, ms: f64| {
            format!(
                "REPORT RequestId: {id}{n}\tDuration: {ms} ms\tBilled Duration: {ms} ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n"
            )
        };
        let cold = format!(
            "REPORT RequestId: {id}9\tDuration: 200.00 ms\tBilled Duration: 1601 ms\tMemory Size: 1024 MB\tMax Memory Used: 240 MB\tInit Duration: 1400.20 ms\t\n"
        );
        let lines = [
            (1000, warm(1, 150.0)),
            (2000, warm(2, 170.0)),
            (3000, cold),
            (
                4000,
                "2026-01-01T00:00:00Z d602a1ed Task timed out after 3.00 seconds".to_owned(),
            ),
            (
                5000,
                "RequestId: d602a1ed Error: Runtime exited with error: signal: killed".to_owned(),
            ),
            (6000, "[ERROR] KeyError: 'alcohol'\rTraceback".to_owned()),
            (
                5500,
                "INIT_REPORT Init Duration: 10009.13 ms\tPhase: init\tStatus: timeout".to_owned(),
            ),
        ];
        let logs = condense(
            lines.iter().map(|(at, m)| (*at, m.as_str())),
            Fact::Known(Some(30)),
            8000,
        );
        assert_eq!(
            (logs.reports, logs.cold, logs.max_memory_mb),
            (3, 2, Some(240))
        );
        assert_eq!((logs.warm_p50_ms, logs.p99_ms), (Some(150.0), Some(200.0)));
        assert_eq!(
            (
                logs.timeouts,
                logs.out_of_memory,
                logs.crashes,
                logs.init_timeouts
            ),
            (1, 1, 1, 1)
        );
        assert_eq!(logs.last_event_age_s, Some(2.0));
        assert_eq!(
            logs.last_error.as_deref(),
            Some("[ERROR] KeyError: 'alcohol' Traceback")
        );
    }
}
