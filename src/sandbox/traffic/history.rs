//! The traffic of the hours before the start, as the logs and metrics would still hold it.

use rand::Rng;

use super::super::function::{self, Environment, Fate, Fleet, Refusal};
use super::super::gateway;
use super::super::incident::Incident;
use super::super::job;
use super::super::latency;
use super::super::ledger::{FunctionCall, GatewayCall};
use super::super::lines;
use super::super::streams::Delivery;
use super::super::world::{World, dice, lock};
use super::{MISTAKES, exponential};

/// Mean calls per second; more by day, fewer by night.
const MEAN_RATE: f64 = 0.1;
const DAY_MS: f64 = 86_400_000.0;
/// How long before the start the incident that a sandbox starts with began, in ms: what reads logs and metrics sees it.
const INCIDENT_MS: i64 = 900_000;

/// Write it all. Takes a moment: run it off the async threads.
pub(super) fn record(world: &World) {
    let mut dice = dice(world.options.seed, 3);
    let mut fleet = Fleet::new(super::dice(world.options.seed, 8));
    let mut jobs = super::dice(world.options.seed, 7);
    let mut busy: Vec<(i64, Environment, bool)> = Vec::new();
    let span = world.options.history.as_millis() as i64;
    let mut at = (world.started_ms - span) as f64;
    let mut next_job = next_quarter(world.started_ms - span);
    loop {
        let by_day = 1.0 + 0.6 * (std::f64::consts::TAU * (at / DAY_MS - 0.25)).sin();
        at += exponential(&mut dice, MEAN_RATE * by_day) * 1000.0;
        let now = at as i64;
        while next_job < now.min(world.started_ms) {
            job::run(world, next_job, &mut jobs);
            next_job += job::EVERY_MS;
        }
        if now >= world.started_ms || world.stop.is_cancelled() {
            break;
        }
        for (end, environment, dies) in std::mem::take(&mut busy) {
            if end <= now {
                fleet.release(environment, end, dies);
            } else {
                busy.push((end, environment, dies));
            }
        }
        let incident = world
            .options
            .incident
            .filter(|_| now >= world.started_ms - INCIDENT_MS);
        if let Some(status) = gateway::refused(incident) {
            refuse(world, now, incident, status, &mut dice);
            continue;
        }
        let (environment, cold) = fleet.acquire(now, incident == Some(Incident::ColdStartStorm));
        let call = Call {
            at: now,
            init_ms: cold.then(|| latency::init(&mut dice)),
            duration_ms: function::duration_ms(incident, cold, &mut dice),
            mistake: dice.gen_bool(MISTAKES),
            incident,
        };
        if incident != Some(Incident::RoleCannotLog) {
            write(world, &mut fleet, &environment, &call);
        }
        count(world, &call, fleet.busy, &mut dice);
        busy.push((call.end(), environment, call.fate().kills()));
    }
    for (end, environment, dies) in busy {
        fleet.release(environment, end, dies);
    }
    lock(&world.function).adopt(fleet);
}

fn next_quarter(at: i64) -> i64 {
    at - at.rem_euclid(job::EVERY_MS) + job::EVERY_MS
}

struct Call {
    at: i64,
    init_ms: Option<f64>,
    duration_ms: f64,
    mistake: bool,
    incident: Option<Incident>,
}

impl Call {
    fn fate(&self) -> Fate {
        Fate::during(self.incident)
    }

    fn begin(&self) -> i64 {
        self.at + self.init_ms.unwrap_or(0.0) as i64
    }

    fn end(&self) -> i64 {
        self.begin() + self.duration_ms.ceil() as i64
    }
}

fn write(world: &World, fleet: &mut Fleet, environment: &Environment, call: &Call) {
    let request_id = fleet.request_id();
    let group = world.log_group();
    let mut logs = lock(&world.logs);
    let mut say = |at: i64, line: &str| {
        logs.write(&group, &environment.stream, at, line, Delivery::default());
    };
    if call.init_ms.is_some() {
        say(call.at, &lines::init_start(&world.options.region));
        for line in lines::model_loaded(&world.options.bucket) {
            say(call.begin(), &line);
        }
    }
    say(call.begin(), &lines::start(request_id));
    let mistake = "❌ Error: could not convert string to float: 'N/A'\n";
    let printed = call.mistake.then(|| mistake.to_owned());
    let fate = call.fate();
    if let Some(line) = fate.line(printed, request_id, call.end(), call.duration_ms) {
        say(call.end(), &line);
    }
    say(call.end(), &lines::end(request_id));
    let report = fate.report(request_id, environment, call.duration_ms, call.init_ms);
    say(call.end(), &report.to_string());
}

/// A call that the gateway or Lambda turned away.
fn refuse(world: &World, at: i64, incident: Option<Incident>, status: u16, dice: &mut impl Rng) {
    let own_ms = latency::gateway(dice);
    // Only what passed the gateway's own checks reached its integration.
    let integration_ms = (status >= 500).then(|| latency::integration(dice));
    let mut ledger = lock(&world.ledger);
    ledger.gateway.push(GatewayCall {
        at,
        status,
        own_ms,
        integration_ms,
    });
    if let Some(Refusal::Throttled(_)) = function::refusal(incident) {
        ledger.throttles.push(at);
    }
}

fn count(world: &World, call: &Call, concurrent: u32, dice: &mut impl Rng) {
    let own_ms = latency::gateway(dice);
    let total_ms = call.duration_ms + call.init_ms.unwrap_or(0.0);
    let limit = f64::from(gateway::integration_timeout(call.incident));
    let (status, integration_ms) = match call.fate() {
        _ if total_ms >= limit => (503, limit),
        fate => (
            gateway::status_of(fate, call.mistake),
            latency::integration(dice) + total_ms,
        ),
    };
    let mut ledger = lock(&world.ledger);
    ledger.gateway.push(GatewayCall {
        at: call.at,
        status,
        own_ms,
        integration_ms: Some(integration_ms),
    });
    ledger.function.push(FunctionCall {
        at: call.end(),
        duration_ms: call.duration_ms,
        failed: call.fate().unhandled(),
        concurrent,
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::super::Options;
    use super::super::super::tests::half_the_alcohol;
    use super::*;
    use crate::domain::report::Report;

    #[test]
    fn no_request_id_of_the_history_comes_again() {
        let options = Options {
            history: std::time::Duration::from_hours(1),
            ..Options::quiet()
        };
        let world = World::new(options, half_the_alcohol(), ([127, 0, 0, 1], 0).into());
        record(&world);
        let logs = lock(&world.logs);
        let events = logs.groups.values().flat_map(|group| group.events.values());
        let reports: Vec<_> = events
            .filter_map(|event| Report::parse(&event.message))
            .map(|report| report.request_id)
            .collect();
        let mut ids: HashSet<_> = reports.iter().copied().collect();
        assert!(reports.len() > 100 && ids.len() == reports.len());
        let mut fleet = lock(&world.function);
        assert!((0..1000).all(|_| ids.insert(fleet.request_id())));
    }
}
