//! The figures of the Lambda tab, of `vintner lambda` and of the report: one reading of everything that was collected.

use serde::Serialize;

use crate::domain::cost::{Architecture, Cost, Prices, Usage, dollars};
use crate::domain::doctor::facts::{Fact, Facts, Function, Subject};
use crate::domain::doctor::policy::Answer;
use crate::domain::doctor::{may_gateway_invoke, one_line};
use crate::domain::function::Overview;
use crate::domain::latency::cold::ColdStarts;
use crate::domain::latency::{Estimate, Ladder, Sample, Samples, Window, millis};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::slo::{BURN_ALERTS, Slo};

/// What the figures are made of. Absent parts leave their figures out.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// The function, as far as it could be read.
    pub overview: Option<&'a Overview>,
    /// CloudWatch's figures.
    pub snapshot: Option<&'a Snapshot>,
    /// Requests and errors over the SLO's windows.
    pub budget: Option<&'a Budget>,
    /// REPORT lines.
    pub samples: &'a Samples,
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
    /// The window looked at.
    pub window: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// When its newest value was made, milliseconds since the epoch.
    pub newest_ms: Option<i64>,
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
    /// The fixed price.
    pub fixed_monthly: f64,
    /// Million calls on arm64.
    pub million_arm: Cost,
    /// Date of the prices.
    pub prices_as_of: String,
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vitals {
    /// Window of the figures.
    pub window: &'static str,
    /// The health strip.
    pub strip: Vec<Vital>,
    /// Latency, from the outside in.
    pub latency: Vec<LatencyRow>,
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
        let budget = readings.budget.map(|b| budget(b, readings.slo));
        let mut vitals = Vitals {
            window: readings.window.label(),
            strip: Vec::new(),
            latency: latency(readings, &samples),
            warm,
            all,
            cold,
            max_memory,
            cost,
            budget,
        };
        vitals.strip = strip(readings, &vitals);
        vitals
    }

    /// The worst lamp.
    pub fn worst(&self) -> Light {
        let any = |light| self.strip.iter().any(|v| v.light == light);
        match () {
            () if any(Light::Red) => Light::Red,
            () if any(Light::Amber) => Light::Amber,
            () if any(Light::Green) => Light::Green,
            () => Light::Grey,
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
    let measured = |what, source, values: Vec<f64>, newest_ms| {
        let ladder = Ladder::of(values);
        LatencyRow {
            what,
            n: ladder.map_or(0, |l| l.n),
            p50: ladder.map(|l| l.p50),
            p99: ladder.map(|l| l.p99),
            max_ms: ladder.map(|l| l.max),
            window,
            source,
            newest_ms,
        }
    };
    let totals = readings.snapshot.map(|s| &s.totals);
    let newest_point = readings
        .snapshot
        .and_then(|s| s.points.last())
        .map(|p| p.at_ms);
    let cloudwatch = |what, source, n: Option<f64>, p50: Option<f64>, p99: Option<f64>| {
        let n = n.unwrap_or(0.0) as usize;
        LatencyRow {
            what,
            n,
            p50: p50.map(Estimate::Measured),
            p99: p99.map(|v| qualified(v, n)),
            max_ms: None,
            window,
            source,
            newest_ms: newest_point,
        }
    };
    let newest_report = samples.last().map(|s| s.at_ms);
    vec![
        measured(
            "client total",
            "our calls",
            own.iter().map(|(_, ms)| *ms).collect(),
            own.iter().map(|(at, _)| *at).max(),
        ),
        cloudwatch(
            "gateway Latency",
            "CloudWatch",
            totals.and_then(|t| t.latency_n),
            totals.and_then(|t| t.latency_p50),
            totals.and_then(|t| t.latency_p99),
        ),
        cloudwatch(
            "IntegrationLatency",
            "CloudWatch",
            totals.and_then(|t| t.integration_n),
            totals.and_then(|t| t.integration_p50),
            totals.and_then(|t| t.integration_p99),
        ),
        cloudwatch(
            "Lambda Duration",
            "CloudWatch",
            totals.and_then(|t| t.duration_n),
            totals.and_then(|t| t.duration_p50),
            totals.and_then(|t| t.duration_p99),
        ),
        measured(
            "Duration",
            "REPORT lines",
            samples.iter().map(|s| s.duration_ms).collect(),
            newest_report,
        ),
        measured(
            "Init Duration",
            "REPORT lines",
            samples.iter().filter_map(|s| s.init_ms).collect(),
            samples.iter().rev().find(|s| s.is_cold()).map(|s| s.at_ms),
        ),
    ]
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
        call: prices.call(&usage, architecture),
        million: prices.million(&usage, architecture),
        month_calls,
        month: prices.month(&usage, architecture, month_calls, false),
        month_free_tier: prices.month(&usage, architecture, month_calls, true),
        break_even: prices.break_even(&usage, architecture, false),
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

fn vital(
    label: &'static str,
    value: impl Into<String>,
    light: Light,
    why: impl Into<String>,
) -> Vital {
    Vital {
        label,
        value: value.into(),
        light,
        why: why.into(),
    }
}

fn strip(readings: &Readings<'_>, vitals: &Vitals) -> Vec<Vital> {
    let mut strip = Vec::with_capacity(9);
    strip.extend(function_lamps(readings));
    strip.push(policy_lamp(readings));
    strip.push(throttle_lamp(readings));
    strip.push(warm_lamp(vitals));
    strip.push(cold_lamp(vitals));
    strip.push(budget_lamp(vitals));
    strip.push(cost_lamp(vitals));
    strip
}

/// Why a fact is not there, for a grey lamp.
fn absence<T>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Denied { action } => format!("the identity lacks {action}"),
        Fact::Missing(text) | Fact::Failed(text) | Fact::NoCredentials(text) => one_line(text, 160),
        Fact::Known(_) | Fact::NotAsked => "not read yet".to_owned(),
    }
}

fn function_lamps(readings: &Readings<'_>) -> [Vital; 3] {
    let fact = readings.overview.map(|o| &o.config);
    let Some(config) = fact.and_then(Fact::known) else {
        let why = fact.map_or_else(|| "not read yet".to_owned(), absence);
        let light = if fact.is_some_and(Fact::is_missing) {
            Light::Red
        } else {
            Light::Grey
        };
        return ["state", "last update", "image"]
            .map(|label| vital(label, "–", light, why.clone()));
    };
    let state = match config.state.as_str() {
        "Active" => Light::Green,
        "Failed" => Light::Red,
        _ => Light::Amber,
    };
    let update = match config.last_update_status.as_str() {
        "Successful" => Light::Green,
        "Failed" => Light::Red,
        _ => Light::Amber,
    };
    let state_why = config
        .state_reason
        .clone()
        .unwrap_or_else(|| "lambda:GetFunction".to_owned());
    let update_why = match (&config.last_update_code, &config.last_update_reason) {
        (Some(code), reason) => format!("{code}: {}", reason.as_deref().unwrap_or_default()),
        (None, _) => format!("deployed {}", config.last_modified),
    };
    let image = match (config.digest(), config.package_type.as_str()) {
        (Some(digest), _) => vital(
            "image",
            digest
                .trim_start_matches("sha256:")
                .chars()
                .take(10)
                .collect::<String>(),
            Light::Green,
            config.image_uri.clone().unwrap_or_default(),
        ),
        (None, "Zip") => vital(
            "package",
            "zip",
            Light::Green,
            config.runtime.clone().unwrap_or_default(),
        ),
        _ => vital("image", "–", Light::Grey, "no digest"),
    };
    [
        vital(
            "state",
            one_line(&config.state, 20),
            state,
            one_line(&state_why, 160),
        ),
        vital(
            "last update",
            one_line(&config.last_update_status, 20),
            update,
            one_line(&update_why, 160),
        ),
        image,
    ]
}

fn policy_lamp(readings: &Readings<'_>) -> Vital {
    const LABEL: &str = "policy";
    let Some(overview) = readings.overview else {
        return vital(LABEL, "–", Light::Grey, "not read yet");
    };
    let Some(api_id) = overview.api_id.known() else {
        return vital(
            LABEL,
            "–",
            Light::Grey,
            "no API Gateway known in front of the function",
        );
    };
    let arn = overview
        .config
        .known()
        .map(|c| c.arn.clone())
        .unwrap_or_default();
    let region = arn.split(':').nth(3).unwrap_or_default().to_owned();
    let facts = Facts {
        subject: Subject {
            api_id: Some(api_id.clone()),
            region,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            ..Subject::default()
        },
        function: Fact::Known(Function {
            arn,
            ..Function::default()
        }),
        policy: overview.policy.clone(),
        ..Facts::default()
    };
    match may_gateway_invoke(&facts) {
        Some(Answer::Allowed(sid)) => vital(
            LABEL,
            "allows",
            Light::Green,
            format!("statement {} lets API {api_id} invoke", one_line(&sid, 40)),
        ),
        Some(Answer::NotAllowed { near_misses, .. }) => {
            let why = near_misses
                .first()
                .map_or("no statement for apigateway.amazonaws.com", String::as_str);
            vital(LABEL, "MISSING", Light::Red, one_line(why, 200))
        }
        Some(Answer::Denied(sid)) => vital(
            LABEL,
            "DENIES",
            Light::Red,
            format!("statement {}", one_line(&sid, 40)),
        ),
        Some(Answer::Unreadable(why)) => vital(LABEL, "?", Light::Amber, one_line(&why, 160)),
        None => vital(LABEL, "–", Light::Grey, absence(&overview.policy)),
    }
}

fn throttle_lamp(readings: &Readings<'_>) -> Vital {
    const LABEL: &str = "throttles";
    let Some(totals) = readings.snapshot.map(|s| &s.totals) else {
        return vital(LABEL, "–", Light::Grey, "no metrics yet");
    };
    let n = totals.throttles.unwrap_or(0.0);
    let light = if n > 0.0 { Light::Red } else { Light::Green };
    vital(
        LABEL,
        format!("{n:.0}"),
        light,
        format!(
            "of {:.0} invocations in {}, CloudWatch",
            totals.invocations.unwrap_or(0.0),
            readings.window.label()
        ),
    )
}

fn warm_lamp(vitals: &Vitals) -> Vital {
    const LABEL: &str = "warm p99";
    let Some(ladder) = &vitals.warm else {
        return vital(LABEL, "–", Light::Grey, "no REPORT lines in the window");
    };
    let source = format!("n = {}, REPORT lines, {}", ladder.n, vitals.window);
    match ladder.p99.value() {
        Some(p99) => {
            let light = if p99 > 500.0 {
                Light::Red
            } else {
                Light::Green
            };
            vital(
                LABEL,
                ladder.p99.text(),
                light,
                format!("objective 500 ms; {source}"),
            )
        }
        None => vital(
            LABEL,
            "–",
            Light::Grey,
            format!("n too small: max {} ({source})", millis(ladder.max)),
        ),
    }
}

fn cold_lamp(vitals: &Vitals) -> Vital {
    const LABEL: &str = "cold rate";
    let cold = &vitals.cold;
    let Some(rate) = cold.rate() else {
        return vital(LABEL, "–", Light::Grey, "no REPORT lines in the window");
    };
    let light = match rate {
        r if r >= 0.3 && cold.n >= 20 => Light::Red,
        r if r >= 0.05 && cold.n >= 20 => Light::Amber,
        _ => Light::Green,
    };
    vital(
        LABEL,
        format!("{:.1} %", rate * 100.0),
        light,
        format!(
            "{} of {} calls, REPORT lines, {}",
            cold.cold, cold.n, vitals.window
        ),
    )
}

fn budget_lamp(vitals: &Vitals) -> Vital {
    const LABEL: &str = "error budget";
    let Some(budget) = &vitals.budget else {
        return vital(LABEL, "–", Light::Grey, "no gateway metrics");
    };
    let Some(remaining) = budget.remaining else {
        return vital(LABEL, "–", Light::Grey, "no requests in 30 days");
    };
    let light = match (budget.paging, remaining) {
        (Some(_), _) => Light::Red,
        (None, r) if r <= 0.0 => Light::Red,
        (None, r) if r < 0.5 => Light::Amber,
        _ => Light::Green,
    };
    let why = format!(
        "{:.0} of {:.0} requests failed in 30 days, gateway 5xx",
        budget.bad, budget.valid
    );
    vital(LABEL, format!("{:.0} %", remaining * 100.0), light, why)
}

fn cost_lamp(vitals: &Vitals) -> Vital {
    const LABEL: &str = "$/1M";
    match &vitals.cost {
        Some(cost) => vital(
            LABEL,
            dollars(cost.million.total()),
            Light::Green,
            format!(
                "billed {:.0} ms on average, n = {}, prices of {}",
                cost.usage.billed_ms, cost.usage.n, cost.prices_as_of
            ),
        ),
        None => vital(LABEL, "–", Light::Grey, "no REPORT lines in the window"),
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
            own_calls: &[],
            window: Window::H1,
            now_ms: 302_000,
            prices,
            slo: Slo::default(),
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
        };
        let vitals = Vitals::of(&Readings {
            budget: Some(&budget),
            ..readings(&samples, &prices)
        });
        let line = vitals.budget.as_ref().unwrap();
        assert_eq!(line.paging, Some(14.4));
        assert_eq!(vitals.worst(), Light::Red);
    }
}
