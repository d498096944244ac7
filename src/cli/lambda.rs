//! `vintner lambda`: the function, its health, latency, cold starts, cost and error budget.

mod replay;

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use super::{Context, Exit, Failure, Run, print_json};
use crate::client::survey::{self, Gathered};
use crate::domain::cost::dollars;
use crate::domain::doctor::Fact;
use crate::domain::function::{lints, surroundings};
use crate::domain::latency::{Estimate, Window, millis};
use crate::domain::vitals::{BudgetLine, CostLines, Failures, LatencyRow, Light, Vitals};
use crate::ui::text::{age, clean, count, percent};

/// Arguments of `vintner lambda`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How far back: 1m 5m 15m 1h 6h 24h 7d
    #[arg(long, default_value = "1h")]
    pub window: Window,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Play a recording (`vintner logs --record`) to the alert rules instead of asking AWS
    #[arg(long, value_name = "FILE", conflicts_with = "window")]
    pub replay: Option<PathBuf>,
}

/// Prints what is known; 1 when a lamp is red, 3 when nothing could be read.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if let Some(recording) = &args.replay {
        return replay::run(recording, args.json, context, out);
    }
    let link = context.connect().await?;
    let now = Timestamp::now();
    let gathered = survey::gather(&link, args.window, now.as_millisecond())
        .await
        .map_err(Failure::usage)?;
    let vitals = gathered.vitals(&context.settings, now.as_millisecond());
    if args.json {
        print_json(
            out,
            &json!({
                "session": {"target": link.session.target, "account": link.session.account, "region": link.session.region, "function": link.session.function},
                "function": gathered.overview,
                "lints": lints(&gathered.overview, vitals.max_memory),
                "vitals": vitals,
                "metrics": gathered.snapshot,
                "budget": gathered.budget,
                "reports": gathered.reports_note(),
            }),
        )?;
    } else {
        print(&gathered, &vitals, now, out)?;
    }
    match &gathered.overview.config {
        Fact::Failed(why) | Fact::NoCredentials(why) | Fact::Missing(why) => {
            Err(Failure::unreachable(anyhow::anyhow!("{}", clean(why))))
        }
        absent if vitals.strip.iter().all(|v| v.light == Light::Grey) => {
            let why = absent.absence().unwrap_or_default();
            Err(Failure::unreachable(anyhow::anyhow!(
                "nothing could be read: {}",
                clean(&why)
            )))
        }
        _ if vitals.worst() == Light::Red => Ok(Exit::Failed),
        _ => Ok(Exit::Fine),
    }
}

fn print(
    gathered: &Gathered,
    vitals: &Vitals,
    now: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    for vital in &vitals.strip {
        let lamp = match vital.light {
            Light::Green => "ok",
            Light::Amber => "!",
            Light::Red => "BAD",
            Light::Grey => "-",
        };
        writeln!(
            out,
            "{lamp:<4}{:<13} {:<22} {}",
            vital.label,
            clean(&vital.value),
            clean(&vital.why)
        )?;
    }
    if let Some(config) = gathered.overview.config.known() {
        writeln!(out)?;
        for (field, value) in config.rows() {
            writeln!(out, "{field:<18} {}", clean(&value))?;
        }
    }
    for (what, text) in surroundings(&gathered.overview) {
        writeln!(out, "{what:<18} {}", clean(&text))?;
    }
    for lint in lints(&gathered.overview, vitals.max_memory) {
        writeln!(out, "!   {}: {}", lint.field, clean(&lint.text))?;
    }
    latency(&vitals.latency, now, out)?;
    failures(&vitals.failures, out)?;
    cold(vitals, out)?;
    if let Some(cost) = &vitals.cost {
        print_cost(cost, out)?;
    }
    if let Some(budget) = &vitals.budget {
        print_budget(budget, out)?;
    }
    writeln!(out, "\n{}", clean(&gathered.reports_note()))
}

fn latency(rows: &[LatencyRow], now: Timestamp, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<20} {:>7} {:>9} {:>11} {:>9}  {:<6} {:<12} newest",
        "latency", "n", "p50", "p99", "max", "window", "source"
    )?;
    for row in rows {
        if let Some(why) = &row.absent {
            writeln!(out, "{:<20} {:>7} {}", row.what, "–", clean(why))?;
            continue;
        }
        let newest = row
            .newest_ms
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map_or("–".to_owned(), |at| age(at, now));
        writeln!(
            out,
            "{:<20} {:>7} {:>9} {:>11} {:>9}  {:<6} {:<12} {newest}",
            row.what,
            count(row.n),
            row.p50.map_or("–".to_owned(), Estimate::text),
            row.p99.map_or("–".to_owned(), Estimate::text),
            row.max_ms.map_or("–".to_owned(), millis),
            row.window,
            row.source
        )?;
    }
    Ok(())
}

fn failures(rows: &[Failures], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<20} {:>7} {:>9}  {:<6} source",
        "failures", "n", "failed", "window"
    )?;
    for row in rows {
        writeln!(
            out,
            "{:<20} {:>7} {:>9}  {:<6} {}",
            row.what,
            count(row.n as usize),
            count(row.failed as usize),
            row.window,
            row.source
        )?;
    }
    Ok(())
}

fn cold(vitals: &Vitals, out: &mut impl Write) -> io::Result<()> {
    let cold = &vitals.cold;
    let Some(rate) = cold.rate() else {
        return Ok(());
    };
    let init = cold.init.map_or("–".to_owned(), |l| {
        format!("init p50 {} max {}", l.p50.text(), millis(l.max))
    });
    let share = cold
        .share_of_p99
        .map_or("–".to_owned(), |s| format!("{:.0} %", s * 100.0));
    writeln!(
        out,
        "\ncold starts {} of {} ({}), {init}, {share} of the calls at or above p99",
        cold.cold,
        cold.n,
        percent(rate)
    )
}

fn print_cost(cost: &CostLines, out: &mut impl Write) -> io::Result<()> {
    let million = &cost.million;
    writeln!(
        out,
        "cost per 1M calls {} = compute {} + requests {} + gateway {} ({}, billed {:.0} ms on average, n = {}, list prices of {})",
        dollars(million.total()),
        dollars(million.compute),
        dollars(million.requests),
        dollars(million.gateway),
        cost.priced_on(),
        cost.usage.billed_ms,
        cost.usage.n,
        cost.prices_as_of
    )?;
    let calls = |even: Option<f64>| {
        even.map_or("never".to_owned(), |calls| {
            format!("{:.2} M calls a month", calls / 1e6)
        })
    };
    let even = format!(
        "{} ({} with the free tier)",
        calls(cost.break_even),
        calls(cost.break_even_free_tier)
    );
    writeln!(
        out,
        "a month at this rate: {:.2} M calls, {} ({} with the free tier); {} is reached at {even}",
        cost.month_calls / 1e6,
        dollars(cost.month.total()),
        dollars(cost.month_free_tier.total()),
        dollars(cost.fixed_monthly)
    )
}

fn print_budget(budget: &BudgetLine, out: &mut impl Write) -> io::Result<()> {
    let [burn_1h, burn_6h] = budget.burns();
    let left = budget.left();
    writeln!(
        out,
        "error budget (99.9 % in 30 days) {left}: {:.0} of {:.0} failed; burn 1 h {}, 6 h {}{}{}",
        budget.bad,
        budget.valid,
        burn_1h,
        burn_6h,
        budget
            .gone()
            .map(|gone| format!("; {gone} at the 6 h rate"))
            .unwrap_or_default(),
        budget
            .low_n
            .as_ref()
            .map(|n| format!(" ({n})"))
            .unwrap_or_default()
    )
}
