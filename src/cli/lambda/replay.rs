//! `vintner lambda --replay`: the alerts that a recorded session would have raised.

use std::io::Write;
use std::path::Path;

use crate::cli::{Context, Exit, Failure, Run, print_json};
use crate::domain::alerts::replay::{Replayed, replay};
use crate::domain::alerts::{Past, Standing};
use crate::domain::timestamp;
use crate::store::recording::Replay;
use crate::ui::text::{count, plural};

/// Plays the file to the configured rules. 1 when one of them fired.
pub fn run(path: &Path, as_json: bool, context: &Context, out: &mut impl Write) -> Run {
    let recording = Replay::open(path, 1.0).map_err(Failure::usage)?;
    let mut events = Vec::new();
    for event in recording {
        let (_, event) = event.map_err(Failure::usage)?;
        events.push(event);
    }
    let replayed = replay(context.settings.rules.clone(), events);
    if as_json {
        print_json(out, &replayed)?;
    } else {
        print(&replayed, context, out)?;
    }
    Ok(if replayed.alerts.history.is_empty() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn print(replayed: &Replayed, context: &Context, out: &mut impl Write) -> std::io::Result<()> {
    let span = replayed.span_ms.map_or_else(String::new, |(from, to)| {
        let (from, to) = (timestamp::format(from), timestamp::format(to));
        format!(", {from} to {to}")
    });
    writeln!(
        out,
        "{}{span}: {}, {} failed",
        plural(replayed.events, "event"),
        plural(replayed.calls, "call"),
        count(replayed.failed)
    )?;
    for past in replayed.alerts.history.iter().rev() {
        fired(past, context, out)?;
    }
    writeln!(out)?;
    for alert in &replayed.alerts.list {
        let (rule, signal) = (&alert.rule, alert.rule.signal);
        let stands = match alert.standing {
            Standing::NoData => "too few values".to_owned(),
            Standing::Ok { reading } => {
                format!("{} n = {}", signal.show(reading.value), reading.n)
            }
            Standing::Firing { reading, .. } => {
                format!("FIRES: {} n = {}", signal.show(reading.value), reading.n)
            }
        };
        let above = signal.show(rule.above);
        writeln!(out, "{:<18} > {above:<8} {stands}", signal.title())?;
    }
    Ok(())
}

/// `2026-11-25T12:00:00Z error rate 100.0 % > 1.00 % (n = 14 in 5 min, log lines); over after 3 min, at worst 100.0 %`.
fn fired(past: &Past, context: &Context, out: &mut impl Write) -> std::io::Result<()> {
    let rules = &context.settings.rules;
    let rule = rules.iter().find(|rule| rule.signal == past.signal);
    let text = rule.map_or_else(String::new, |rule| rule.sentence(&past.reading));
    let end = past
        .cleared_ms
        .map_or("still so at the end".to_owned(), |ms| {
            format!("over after {} min", ((ms - past.fired_ms) / 60_000).max(1))
        });
    let worst = past.signal.show(past.worst);
    let at = timestamp::format(past.fired_ms);
    writeln!(out, "{at}  {text}; {end}, at worst {worst}")
}
