//! The health strip: one lamp each for what a person looks at first, with its reason in words.

use std::cmp::Ordering::Equal;

use super::{Failures, Light, Readings, Vital, Vitals};
use crate::domain::arn;
use crate::domain::cost::dollars;
use crate::domain::doctor::facts::{Fact, Facts, Function, Subject};
use crate::domain::doctor::policy::Answer;
use crate::domain::doctor::{may_gateway_invoke, one_line};
use crate::domain::function::FunctionConfig;
use crate::domain::latency::millis;

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

/// All lamps, from the function outwards to what it costs.
pub(super) fn strip(readings: &Readings<'_>, vitals: &Vitals) -> Vec<Vital> {
    let mut strip = Vec::with_capacity(10);
    strip.extend(function_lamps(readings));
    strip.push(policy_lamp(readings));
    strip.push(error_lamp(readings, vitals));
    strip.push(throttle_lamp(readings));
    strip.push(warm_lamp(readings, vitals));
    strip.push(cold_lamp(readings, vitals));
    strip.push(budget_lamp(readings, vitals));
    strip.push(cost_lamp(readings, vitals));
    strip
}

/// Why a fact is not there, for a grey lamp.
fn absence<T>(fact: Option<&Fact<T>>) -> String {
    fact.and_then(Fact::absence)
        .unwrap_or_else(|| "not read yet".to_owned())
}

fn function_lamps(readings: &Readings<'_>) -> [Vital; 3] {
    let fact = readings.overview.map(|o| &o.config);
    let Some(config) = fact.and_then(Fact::known) else {
        let why = absence(fact);
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
        (Some(digest), _) => image_lamp(readings, config, digest),
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

/// The image that runs: how old it is, and whether its tag still means it.
fn image_lamp(readings: &Readings<'_>, config: &FunctionConfig, digest: &str) -> Vital {
    let short = |digest: &str| {
        let hex = digest.trim_start_matches("sha256:");
        hex.chars().take(10).collect::<String>()
    };
    let uri = one_line(config.image_uri.as_deref().unwrap_or_default(), 120);
    let image = readings.overview.map(|o| &o.image);
    let Some(known) = image.and_then(Fact::known) else {
        let why = format!("{uri}; age and tag: {}", absence(image));
        let light = if image.is_some_and(Fact::is_missing) {
            Light::Red
        } else {
            Light::Green
        };
        return vital("image", short(digest), light, why);
    };
    let age = known.pushed_ms.map_or(String::new(), |pushed| {
        let days = (readings.now_ms - pushed).max(0) / 86_400_000;
        format!(", pushed {days} d ago")
    });
    let by_digest = uri.contains('@');
    let (light, tag) = match &known.tag_digest {
        _ if by_digest => (Light::Green, "deployed by digest".to_owned()),
        Some(tag) if tag == digest => (Light::Green, "its tag still means it".to_owned()),
        Some(tag) => (Light::Amber, format!("its tag has moved to {}", short(tag))),
        None => (Light::Amber, "its tag is gone".to_owned()),
    };
    vital("image", short(digest), light, format!("{uri}: {tag}{age}"))
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
    let region = arn::region(&arn).unwrap_or_default().to_owned();
    let facts = Facts {
        subject: Subject {
            api_id: Some(api_id.clone()),
            region,
            method: "POST".to_owned(),
            path: overview.path.clone(),
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
        None => vital(LABEL, "–", Light::Grey, absence(Some(&overview.policy))),
    }
}

/// Below this many calls one failure alone is more than the limit.
const FEW: f64 = 50.0;

/// The worst of what gateway, Lambda and log say.
fn error_lamp(readings: &Readings<'_>, vitals: &Vitals) -> Vital {
    const LABEL: &str = "errors";
    let counted = vitals.failures.iter().filter(|f| f.n > 0.0);
    let said: Vec<String> = counted.clone().map(Failures::sentence).collect();
    let unasked = gateway_unasked(readings);
    let worst = counted.max_by(|a, b| a.share().partial_cmp(&b.share()).unwrap_or(Equal));
    let Some((worst, share)) = worst.and_then(|w| Some((w, w.share()?))) else {
        let why = unasked.unwrap_or_else(|| format!("no call in {}", readings.window.label()));
        return vital(LABEL, "–", Light::Grey, why);
    };
    let mut why = format!("{}, {}", said.join(", "), readings.window.label());
    let light = match share {
        s if s > 0.5 || (s > readings.limits.errors && worst.n >= FEW) => Light::Red,
        s if s > 0.0 => Light::Amber,
        _ if unasked.is_some() => Light::Grey,
        _ => Light::Green,
    };
    if let Some(unasked) = unasked {
        why = format!("{why}; the gateway's answers: {unasked}");
    }
    let value = match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    };
    vital(LABEL, value, light, why)
}

/// Why the gateway in front could not be asked: without it, what callers see is not known.
fn gateway_unasked(readings: &Readings<'_>) -> Option<String> {
    let api_id = &readings.overview?.api_id;
    match (api_id, readings.snapshot) {
        (Fact::Known(_), Some(Fact::Known(_))) | (Fact::Missing(_) | Fact::NotAsked, _) => None,
        (Fact::Known(_), snapshot) => Some(absence(snapshot)),
        (refused, _) => Some(absence(Some(refused))),
    }
}

fn throttle_lamp(readings: &Readings<'_>) -> Vital {
    const LABEL: &str = "throttles";
    let Some(totals) = readings.snapshot.and_then(Fact::known).map(|s| &s.totals) else {
        return vital(LABEL, "–", Light::Grey, absence(readings.snapshot));
    };
    let window = readings.window.label();
    let Some(n) = totals.throttles else {
        let why = format!("CloudWatch has no data point in {window}: no call, or none yet");
        return vital(LABEL, "–", Light::Grey, why);
    };
    let light = if n > 0.0 { Light::Red } else { Light::Green };
    let invocations = totals
        .invocations
        .map_or("an unknown number of".to_owned(), |i| format!("{i:.0}"));
    let why = format!("of {invocations} invocations in {window}, CloudWatch");
    vital(LABEL, format!("{n:.0}"), light, why)
}

fn no_lines(readings: &Readings<'_>) -> String {
    let why = readings.reports.unwrap_or("no REPORT lines in the window");
    one_line(why, 160)
}

fn warm_lamp(readings: &Readings<'_>, vitals: &Vitals) -> Vital {
    const LABEL: &str = "warm p99";
    let Some(ladder) = &vitals.warm else {
        return vital(LABEL, "–", Light::Grey, no_lines(readings));
    };
    let source = format!("n = {}, REPORT lines, {}", ladder.n, vitals.window);
    let Some(p99) = ladder.p99.value() else {
        let why = format!("n too small: max {} ({source})", millis(ladder.max));
        return vital(LABEL, "–", Light::Grey, why);
    };
    let warm = readings.samples.within(readings.window, readings.now_ms);
    let failed = warm.filter(|s| !s.is_cold() && s.failed).count();
    let limit = readings.limits.warm_ms;
    let objective = format!("objective {}; {source}", millis(limit));
    let (light, why) = match failed as f64 / ladder.n as f64 {
        _ if p99 > limit => (Light::Red, objective),
        // A crash is quick: it must not pass for a quick answer.
        share if share > readings.limits.errors => (
            Light::Grey,
            format!(
                "{failed} of {} failed: no measure of answers ({source})",
                ladder.n
            ),
        ),
        _ => (Light::Green, objective),
    };
    vital(LABEL, ladder.p99.text(), light, why)
}

fn cold_lamp(readings: &Readings<'_>, vitals: &Vitals) -> Vital {
    const LABEL: &str = "cold rate";
    let cold = &vitals.cold;
    let Some(rate) = cold.rate() else {
        return vital(LABEL, "–", Light::Grey, no_lines(readings));
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

fn budget_lamp(readings: &Readings<'_>, vitals: &Vitals) -> Vital {
    const LABEL: &str = "error budget";
    let Some(budget) = &vitals.budget else {
        let why = match readings.overview.map(|o| &o.api_id) {
            Some(id) if id.known().is_none() => {
                format!("no gateway metrics: {}", absence(Some(id)))
            }
            _ => absence(readings.budget),
        };
        return vital(LABEL, "–", Light::Grey, why);
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
    let burning = budget
        .paging
        .map_or(String::new(), |rate| format!("; burns {rate}× and more"));
    let why = format!(
        "{:.0} of {:.0} requests failed in 30 days, gateway 5xx{burning}",
        budget.bad, budget.valid
    );
    let value = match remaining {
        left if left >= 0.0 => format!("{:.0} % left", left * 100.0),
        left => format!("{:.0} % used", (1.0 - left) * 100.0),
    };
    vital(LABEL, value, light, why)
}

fn cost_lamp(readings: &Readings<'_>, vitals: &Vitals) -> Vital {
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
        None => vital(LABEL, "–", Light::Grey, no_lines(readings)),
    }
}
