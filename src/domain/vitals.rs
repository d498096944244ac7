//! The figures of the Lambda tab, of `vintner lambda` and of the report: one reading of everything that was collected.

mod failures;
mod strip;

use serde::Serialize;

use crate::domain::alerts::Limits;
use crate::domain::cost::{Architecture, Cost, Prices, Usage};
use crate::domain::doctor::Fact;
use crate::domain::doctor::facts::Metrics;
use crate::domain::function::Overview;
use crate::domain::latency::cold::ColdStarts;
use crate::domain::latency::{Estimate, Ladder, Sample, Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::slo::{BURN_ALERTS, Slo};

pub use failures::Failures;

/// What the figures are made of. Absent parts leave their figures out.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// The function, as far as it could be read.
    pub overview: Option<&'a Overview>,
    /// CloudWatch's figures, or why there are none.
    pub snapshot: Option<&'a Fact<Snapshot>>,
    /// Requests and errors over the SLO's windows, or why there are none.
    pub budget: Option<&'a Fact<Budget>>,
    /// REPORT lines.
    pub samples: &'a Samples,
    /// What is wrong with them, if anything.
    pub reports: Option<&'a str>,
    /// Our own calls through the gateway: (milliseconds since the epoch, total milliseconds).
    pub own_calls: &'a [(i64, f64)],
    /// How far back to look.
    pub window: Window,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Prices.
    pub prices: &'a Prices,
    /// The objective.
    pub slo: Slo,
    /// What is too many errors, and too slow.
    pub limits: Limits,
}

/// Green, amber, red, or nothing known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// As it should be.
    Green,
    /// Look at it.
    Amber,
    /// Wrong.
    Red,
    /// Not known.
    Grey,
}

/// One lamp of the health strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vital {
    /// What it is about.
    pub label: &'static str,
    /// The figure or word.
    pub value: String,
    /// The lamp.
    pub light: Light,
    /// The reason in words, with n and source.
    pub why: String,
}

/// One line of the latency table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyRow {
    /// What is measured.
    pub what: &'static str,
    /// How many calls.
    pub n: usize,
    /// Median.
    pub p50: Option<Estimate>,
    /// 99th percentile.
    pub p99: Option<Estimate>,
    /// Largest.
    pub max_ms: Option<f64>,
    /// The time looked at: the window, or what of it one of CloudWatch's periods covers.
    pub window: String,
    /// Where it comes from.
    pub source: &'static str,
    /// Until when it looks, or when its newest value was made, milliseconds since the epoch.
    pub newest_ms: Option<i64>,
    /// Above this the alert rule of such a figure fires; `None` where there is no rule for it.
    pub limit_ms: Option<f64>,
    /// Why there is no figure, where there is none.
    pub absent: Option<String>,
}

impl LatencyRow {
    /// Its p99 is above what the alert rule allows.
    pub fn is_slow(&self) -> bool {
        let p99 = self.p99.and_then(Estimate::value);
        p99.zip(self.limit_ms)
            .is_some_and(|(p99, limit)| p99 > limit)
    }
}

/// The error budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BudgetLine {
    /// Share of the budget left over the SLO's window; 1 untouched.
    pub remaining: Option<f64>,
    /// Burn rate over one hour.
    pub burn_1h: Option<f64>,
    /// Burn rate over six hours.
    pub burn_6h: Option<f64>,
    /// Hours until the rest is gone at the six-hour rate.
    pub hours_left: Option<f64>,
    /// The Workbook's alert that fires, by its burn rate.
    pub paging: Option<f64>,
    /// Valid requests over the SLO's window.
    pub valid: f64,
    /// Failed ones.
    pub bad: f64,
    /// What to think of a small n.
    pub low_n: Option<String>,
}

/// What a call costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostLines {
    /// The average call.
    pub usage: Usage,
    /// x86 or arm.
    pub architecture: Architecture,
    /// The function could not be read: x86 is assumed.
    pub architecture_assumed: bool,
    /// Per call.
    pub call: Cost,
    /// Per million calls.
    pub million: Cost,
    /// Calls in a month at the window's rate.
    pub month_calls: f64,
    /// That month at list price.
    pub month: Cost,
    /// That month with Lambda's free tier.
    pub month_free_tier: Cost,
    /// Calls a month at which the fixed price is reached.
    pub break_even: Option<f64>,
    /// The same with Lambda's free tier.
    pub break_even_free_tier: Option<f64>,
    /// The fixed price.
    pub fixed_monthly: f64,
    /// Million calls on arm64.
    pub million_arm: Cost,
    /// Date of the prices.
    pub prices_as_of: String,
}

impl CostLines {
    /// What the compute is priced on: `arm64`; `x86 assumed`.
    pub fn priced_on(&self) -> String {
        let assumed = if self.architecture_assumed {
            " assumed"
        } else {
            ""
        };
        format!("{}{assumed}", self.architecture.word())
    }
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vitals {
    /// Window of the figures.
    pub window: &'static str,
    /// What is too many errors, and too slow.
    pub limits: Limits,
    /// The health strip.
    pub strip: Vec<Vital>,
    /// Latency, from the outside in.
    pub latency: Vec<LatencyRow>,
    /// Failed calls, from the outside in.
    pub failures: Vec<Failures>,
    /// Handler time of warm calls.
    pub warm: Option<Ladder>,
    /// Handler plus init of all calls.
    pub all: Option<Ladder>,
    /// Cold starts.
    pub cold: ColdStarts,
    /// Highest memory used, MB, with its n.
    pub max_memory: Option<(u32, usize)>,
    /// Cost.
    pub cost: Option<CostLines>,
    /// Error budget.
    pub budget: Option<BudgetLine>,
}

impl Vitals {
    /// Reads everything at once.
    pub fn of(readings: &Readings<'_>) -> Vitals {
        let samples: Vec<&Sample> = readings
            .samples
            .within(readings.window, readings.now_ms)
            .collect();
        let warm = Ladder::of(
            samples
                .iter()
                .filter(|s| !s.is_cold())
                .map(|s| s.duration_ms),
        );
        let all = Ladder::of(samples.iter().map(|s| s.total_ms()));
        let cold = ColdStarts::of(samples.iter().copied());
        let max_memory = samples
            .iter()
            .map(|s| s.max_memory_mb)
            .max()
            .map(|mb| (mb, samples.len()));
        let cost = cost(readings, &samples);
        let budget = readings
            .budget
            .and_then(Fact::known)
            .map(|b| budget(b, readings.slo));
        let mut vitals = Vitals {
            window: readings.window.label(),
            limits: readings.limits,
            strip: Vec::new(),
            latency: latency(readings, &samples),
            failures: failures::failures(readings, &samples),
            warm,
            all,
            cold,
            max_memory,
            cost,
            budget,
        };
        vitals.strip = strip::strip(readings, &vitals);
        vitals
    }

    /// The worst lamp.
    pub fn worst(&self) -> Light {
        let any = |light| self.strip.iter().any(|v| v.light == light);
        match () {
            () if any(Light::Red) => Light::Red,
            () if any(Light::Amber) => Light::Amber,
            // What is not known is not well: all green takes every lamp.
            () if any(Light::Grey) || self.strip.is_empty() => Light::Grey,
            () => Light::Green,
        }
    }
}

fn latency(readings: &Readings<'_>, samples: &[&Sample]) -> Vec<LatencyRow> {
    let window = readings.window.label();
    let from = readings.now_ms - readings.window.seconds() * 1000;
    let own: Vec<(i64, f64)> = readings
        .own_calls
        .iter()
        .copied()
        .filter(|(at, _)| *at >= from)
        .collect();
    // What leaves init out is measured by the rule for warm calls.
    let Limits {
        warm_ms, all_ms, ..
    } = readings.limits;
    let measured = |what, source, limit_ms, values: Vec<f64>, newest_ms, none: &str| {
        let ladder = Ladder::of(values);
        LatencyRow {
            what,
            n: ladder.map_or(0, |l| l.n),
            p50: ladder.map(|l| l.p50),
            p99: ladder.map(|l| l.p99),
            max_ms: ladder.map(|l| l.max),
            window: window.to_owned(),
            source,
            newest_ms,
            limit_ms,
            absent: ladder.is_none().then(|| none.to_owned()),
        }
    };
    let totals = readings.snapshot.and_then(Fact::known).map(|s| &s.totals);
    let span = totals.and_then(|t| t.span_ms);
    let covered = span.map_or_else(
        || window.to_owned(),
        |(from, to)| covered(to - from, readings.window),
    );
    let cloudwatch = |what, limit_ms, ranks: fn(&Metrics) -> [Option<f64>; 3], gateway: bool| {
        let [n, p50, p99] = totals.map_or([None; 3], ranks);
        let n = n.unwrap_or(0.0) as usize;
        LatencyRow {
            what,
            n,
            p50: p50.map(Estimate::Measured),
            p99: p99.map(|v| qualified(v, n)),
            max_ms: None,
            window: covered.clone(),
            source: "CloudWatch",
            newest_ms: span.map(|(_, to)| to).filter(|_| n > 0),
            limit_ms: Some(limit_ms),
            absent: (n == 0).then(|| no_metric(readings, gateway)),
        }
    };
    let newest_report = samples.last().map(|s| s.at_ms);
    let none = readings.reports.unwrap_or("no REPORT line in the window");
    vec![
        measured(
            "client total",
            "our calls",
            Some(all_ms),
            own.iter().map(|(_, ms)| *ms).collect(),
            own.iter().map(|(at, _)| *at).max(),
            "no call of ours in the window",
        ),
        cloudwatch(
            "gateway Latency",
            all_ms,
            |t| [t.latency_n, t.latency_p50, t.latency_p99],
            true,
        ),
        cloudwatch(
            "IntegrationLatency",
            all_ms,
            |t| [t.integration_n, t.integration_p50, t.integration_p99],
            true,
        ),
        cloudwatch(
            "Lambda Duration",
            warm_ms,
            |t| [t.duration_n, t.duration_p50, t.duration_p99],
            false,
        ),
        measured(
            "Duration",
            "REPORT lines",
            Some(warm_ms),
            samples.iter().map(|s| s.duration_ms).collect(),
            newest_report,
            none,
        ),
        measured(
            "Init Duration",
            "REPORT lines",
            None,
            samples.iter().filter_map(|s| s.init_ms).collect(),
            samples.iter().rev().find(|s| s.is_cold()).map(|s| s.at_ms),
            if samples.is_empty() {
                none
            } else {
                "no cold start in the window"
            },
        ),
    ]
}

/// Why CloudWatch has no figure.
fn no_metric(readings: &Readings<'_>, gateway: bool) -> String {
    let api_id = readings.overview.map(|o| &o.api_id);
    match (api_id.and_then(Fact::absence), readings.snapshot) {
        (Some(why), _) if gateway => why,
        (_, None) => "not read yet".to_owned(),
        (_, Some(Fact::Known(_))) => format!("no data point in {}", readings.window.label()),
        (_, Some(absent)) => absent.absence().unwrap_or_default(),
    }
}

/// What of a window is covered: the window's own name when it is all of it, else minutes or hours.
fn covered(ms: i64, window: Window) -> String {
    let minutes = (ms + 30_000).div_euclid(60_000);
    match minutes {
        m if m >= window.seconds() / 60 => window.label().to_owned(),
        m if m >= 120 => format!("{}h", (m + 30) / 60),
        m => format!("{}m", m.max(1)),
    }
}

/// CloudWatch's percentile, qualified by its n as our own are.
fn qualified(value: f64, n: usize) -> Estimate {
    match n {
        0..100 => Estimate::TooFew,
        100..299 => Estimate::AtLeast(value),
        _ => Estimate::Measured(value),
    }
}

fn cost(readings: &Readings<'_>, samples: &[&Sample]) -> Option<CostLines> {
    let usage = Usage::of(samples.iter().map(|s| (s.billed_ms, s.memory_mb)))?;
    let config = readings.overview.and_then(|o| o.config.known());
    let architecture = config.map_or(Architecture::X86, |c| {
        Architecture::from_aws(&c.architecture)
    });
    let prices = readings.prices;
    // A window that reaches further back than the lines do must not thin the rate.
    let first = samples.first().map_or(readings.now_ms, |s| s.at_ms);
    let seen_s =
        ((readings.now_ms - first) as f64 / 1000.0).clamp(60.0, readings.window.seconds() as f64);
    let month_calls = samples.len() as f64 / seen_s * 30.0 * 86_400.0;
    Some(CostLines {
        usage,
        architecture,
        architecture_assumed: config.is_none(),
        call: prices.call(&usage, architecture),
        million: prices.million(&usage, architecture),
        month_calls,
        month: prices.month(&usage, architecture, month_calls, false),
        month_free_tier: prices.month(&usage, architecture, month_calls, true),
        break_even: prices.break_even(&usage, architecture, false),
        break_even_free_tier: prices.break_even(&usage, architecture, true),
        fixed_monthly: prices.fixed_monthly,
        million_arm: prices.million(&usage, Architecture::Arm),
        prices_as_of: prices.as_of.clone(),
    })
}

fn budget(budget: &Budget, slo: Slo) -> BudgetLine {
    let remaining = slo.remaining(&budget.month);
    let (burn_1h, burn_6h) = (slo.burn(&budget.hour), slo.burn(&budget.six_hours));
    let short = slo.burn(&budget.five_minutes);
    let half_hour = slo.burn(&budget.half_hour);
    let fires = [
        (&BURN_ALERTS[0], burn_1h, short),
        (&BURN_ALERTS[1], burn_6h, half_hour),
    ];
    BudgetLine {
        remaining,
        burn_1h,
        burn_6h,
        hours_left: burn_6h.and_then(|b| slo.hours_to_exhaustion(b, remaining.unwrap_or(1.0))),
        paging: fires
            .into_iter()
            .find(|(alert, long, short)| alert.fires(*long, *short))
            .map(|(alert, _, _)| alert.rate),
        valid: budget.month.valid,
        bad: budget.month.bad,
        low_n: budget.month.low_n_warning(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::latency::tests::{cold, warm};
    use crate::domain::slo::Counts;

    fn samples() -> Samples {
        let mut samples = Samples::default();
        for i in 0..300 {
            samples.push(warm(i * 1000, 180.0));
        }
        samples.push(cold(301_000, 200.0, 1400.0));
        samples
    }

    fn readings<'a>(samples: &'a Samples, prices: &'a Prices) -> Readings<'a> {
        Readings {
            overview: None,
            snapshot: None,
            budget: None,
            samples,
            reports: None,
            own_calls: &[],
            window: Window::H1,
            now_ms: 302_000,
            prices,
            slo: Slo::default(),
            limits: Limits::default(),
        }
    }

    #[test]
    fn every_figure_carries_its_n_and_source() {
        let (samples, prices) = (samples(), Prices::default());
        let vitals = Vitals::of(&readings(&samples, &prices));
        assert_eq!(vitals.warm.unwrap().n, 300);
        assert_eq!(vitals.cold.cold, 1);
        let lamp = |label: &str| vitals.strip.iter().find(|v| v.label == label).unwrap();
        assert_eq!(
            (lamp("warm p99").value.as_str(), lamp("warm p99").light),
            ("180 ms", Light::Green)
        );
        assert!(lamp("warm p99").why.contains("n = 300"));
        assert_eq!(lamp("state").light, Light::Grey);
        let row = vitals
            .latency
            .iter()
            .find(|r| r.what == "Duration")
            .unwrap();
        assert_eq!(
            (row.n, row.source, row.newest_ms),
            (301, "REPORT lines", Some(301_000))
        );
        assert!((vitals.cost.unwrap().million.total() - 4.3).abs() < 0.2);
    }

    #[test]
    fn nothing_collected_is_grey_and_not_zero() {
        let (samples, prices) = (Samples::default(), Prices::default());
        let vitals = Vitals::of(&readings(&samples, &prices));
        assert_eq!(vitals.worst(), Light::Grey);
        assert!(vitals.cost.is_none() && vitals.strip.iter().all(|v| v.value == "–"));
    }

    #[test]
    fn cloudwatch_rows_say_what_they_cover_and_until_when() {
        let (samples, prices) = (Samples::default(), Prices::default());
        let snapshot = Fact::Known(Snapshot {
            totals: Metrics {
                window_s: 3600,
                span_ms: Some((0, 43 * 60_000)),
                latency_n: Some(120.0),
                latency_p99: Some(400.0),
                ..Metrics::default()
            },
            ..Snapshot::default()
        });
        let vitals = Vitals::of(&Readings {
            snapshot: Some(&snapshot),
            ..readings(&samples, &prices)
        });
        let row = |what: &str| vitals.latency.iter().find(|r| r.what == what).unwrap();
        let gateway = row("gateway Latency");
        assert_eq!(
            (gateway.window.as_str(), gateway.n, gateway.newest_ms),
            ("43m", 120, Some(43 * 60_000))
        );
        assert_eq!(row("Duration").window, "1h");
        // No data point for throttles is no zero.
        let lamp = vitals
            .strip
            .iter()
            .find(|v| v.label == "throttles")
            .unwrap();
        assert_eq!((lamp.light, lamp.value.as_str()), (Light::Grey, "–"));
        assert_eq!(vitals.worst(), Light::Grey);
    }

    #[test]
    fn what_is_slow_is_said_by_the_rule_for_such_a_figure() {
        let (samples, prices) = (samples(), Prices::default());
        let slow = |warm_ms, all_ms| {
            let limits = Limits {
                warm_ms,
                all_ms,
                ..Limits::default()
            };
            let own_calls: Vec<(i64, f64)> = (0..300).map(|i| (i, 250.0)).collect();
            let vitals = Vitals::of(&Readings {
                own_calls: &own_calls,
                limits,
                ..readings(&samples, &prices)
            });
            let slow = vitals.latency.into_iter().filter(LatencyRow::is_slow);
            slow.map(|row| row.what).collect::<Vec<_>>()
        };
        assert_eq!(slow(500.0, 500.0), Vec::<&str>::new());
        assert_eq!(slow(100.0, 500.0), ["Duration"]);
        assert_eq!(slow(500.0, 200.0), ["client total"]);
    }

    #[test]
    fn an_architecture_that_nobody_could_read_is_called_assumed() {
        let (samples, prices) = (samples(), Prices::default());
        let priced = |overview: Option<&Overview>| {
            let vitals = Vitals::of(&Readings {
                overview,
                ..readings(&samples, &prices)
            });
            vitals.cost.unwrap().priced_on()
        };
        assert_eq!(priced(None), "x86 assumed");
        let arm = Overview {
            config: Fact::Known(crate::domain::function::FunctionConfig {
                architecture: "arm64".into(),
                ..Default::default()
            }),
            ..Overview::default()
        };
        assert_eq!(priced(Some(&arm)), "arm64");
    }

    #[test]
    fn a_refused_read_is_named_by_the_lamps_that_need_it() {
        let (samples, prices) = (Samples::default(), Prices::default());
        let refused = Fact::Denied {
            action: "cloudwatch:GetMetricData".to_owned(),
        };
        let vitals = Vitals::of(&Readings {
            snapshot: Some(&refused),
            budget: Some(&Fact::Denied {
                action: "cloudwatch:GetMetricData".to_owned(),
            }),
            ..readings(&samples, &prices)
        });
        for label in ["throttles", "error budget"] {
            let lamp = vitals.strip.iter().find(|v| v.label == label).unwrap();
            assert!(lamp.why.contains("cloudwatch:GetMetricData"), "{lamp:?}");
        }
    }

    fn lamp<'a>(vitals: &'a Vitals, label: &str) -> &'a Vital {
        vitals.strip.iter().find(|v| v.label == label).unwrap()
    }

    #[test]
    fn calls_that_crash_light_the_errors_lamp_whoever_counts_them() {
        let prices = Prices::default();
        let mut crashed = Samples::default();
        for i in 0..120 {
            crashed.push(Sample {
                failed: i % 2 == 0,
                ..warm(i * 1000, 5.0)
            });
        }
        let vitals = Vitals::of(&readings(&crashed, &prices));
        let errors = lamp(&vitals, "errors");
        assert_eq!((errors.light, errors.value.as_str()), (Light::Red, "50 %"));
        assert!(errors.why.contains("in the log 60 of 120"), "{errors:?}");
        // What failed says nothing about how long an answer takes.
        assert_eq!(lamp(&vitals, "warm p99").light, Light::Grey);

        // A missing permission reaches no function: only the gateway knows.
        let snapshot = Fact::Known(Snapshot {
            totals: Metrics {
                gateway_count: Some(40.0),
                gateway_5xx: Some(40.0),
                ..Metrics::default()
            },
            ..Snapshot::default()
        });
        let none = Samples::default();
        let vitals = Vitals::of(&Readings {
            snapshot: Some(&snapshot),
            ..readings(&none, &prices)
        });
        let errors = lamp(&vitals, "errors");
        assert_eq!((errors.light, errors.value.as_str()), (Light::Red, "100 %"));
        assert!(errors.why.contains("gateway 5xx 40 of 40"), "{errors:?}");
    }

    #[test]
    fn few_failures_are_worth_a_look_and_none_are_green_only_when_the_gateway_was_asked() {
        let prices = Prices::default();
        let mut one = samples();
        one.push(Sample {
            failed: true,
            ..warm(299_500, 180.0)
        });
        let vitals = Vitals::of(&readings(&one, &prices));
        assert_eq!(lamp(&vitals, "errors").light, Light::Amber);
        let fine = samples();
        let vitals = Vitals::of(&readings(&fine, &prices));
        assert_eq!(lamp(&vitals, "errors").light, Light::Green);
        let overview = Overview {
            api_id: Fact::Known("a".to_owned()),
            ..Overview::default()
        };
        let refused = Fact::Denied {
            action: "cloudwatch:GetMetricData".to_owned(),
        };
        let vitals = Vitals::of(&Readings {
            overview: Some(&overview),
            snapshot: Some(&refused),
            ..readings(&fine, &prices)
        });
        let errors = lamp(&vitals, "errors");
        assert_eq!(errors.light, Light::Grey);
        assert!(
            errors.why.contains("cloudwatch:GetMetricData")
                && errors.why.contains("in the log 0 of 301"),
            "{errors:?}"
        );
    }

    #[test]
    fn a_burning_budget_pages() {
        let (samples, prices) = (Samples::default(), Prices::default());
        let outage = Counts {
            valid: 100.0,
            bad: 50.0,
        };
        let budget = Budget {
            five_minutes: outage,
            half_hour: outage,
            hour: outage,
            six_hours: outage,
            month: Counts {
                valid: 1e6,
                bad: 50.0,
            },
            ..Budget::default()
        };
        let vitals = Vitals::of(&Readings {
            budget: Some(&Fact::Known(budget)),
            ..readings(&samples, &prices)
        });
        let line = vitals.budget.as_ref().unwrap();
        assert_eq!(line.paging, Some(14.4));
        assert_eq!(vitals.worst(), Light::Red);
    }
}
