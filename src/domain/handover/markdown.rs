//! The report as Markdown, a section each.

use std::fmt::Write as _;

use super::{DriftLine, Drifting, Errors, Handover};
use crate::domain::cost::{Prices, dollars};
use crate::domain::doctor::{Status, is_hidden, one_line};
use crate::domain::drift::{Drift, FEWEST, PREDICTION};
use crate::domain::latency::histogram::Bin;
use crate::domain::latency::{Estimate, millis};
use crate::domain::vitals::Light;

impl Handover {
    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let source = &self.source;
        writeln!(
            out,
            "# {} · {} · last {}\n",
            cell(&source.function),
            cell(&source.region),
            self.vitals.window
        )?;
        let kind = if source.sandbox {
            " (embedded sandbox, not AWS)"
        } else {
            ""
        };
        let account = source.account.as_deref().unwrap_or("unknown");
        writeln!(
            out,
            "Written {} by vintner for target `{}`{kind}, account {}, endpoint <{}>.\n",
            self.written,
            cell(&source.target),
            cell(account),
            cell(&source.endpoint)
        )?;
        self.verdict(out)?;
        self.health(out)?;
        self.function(out)?;
        self.latency(out)?;
        self.failures(out)?;
        self.charts(out)?;
        self.cold_starts(out)?;
        self.errors(out)?;
        self.money(out)?;
        self.objective(out)?;
        self.drift(out)?;
        self.findings(out)
    }

    fn verdict(&self, out: &mut String) -> std::fmt::Result {
        let verdict = &self.diagnosis.verdict;
        writeln!(
            out,
            "**{}**: {}\n",
            cell(&verdict.code),
            cell(&verdict.text)
        )?;
        if !verdict.fix.is_empty() {
            writeln!(out, "```sh\n{}\n```\n", code_block(&verdict.fix))?;
        }
        Ok(())
    }

    fn health(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Health\n\n| | | | |\n|---|---|---|---|")?;
        for vital in &self.vitals.strip {
            let lamp = match vital.light {
                Light::Green => "ok",
                Light::Amber => "look",
                Light::Red => "**bad**",
                Light::Grey => "unknown",
            };
            writeln!(
                out,
                "| {} | {} | {lamp} | {} |",
                vital.label,
                cell(&vital.value),
                cell(&vital.why)
            )?;
        }
        writeln!(out)
    }

    fn function(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Function\n")?;
        let Some(config) = &self.config else {
            return writeln!(out, "Could not be read.\n");
        };
        writeln!(out, "| | |\n|---|---|")?;
        for (field, value) in config.rows() {
            writeln!(out, "| {field} | {} |", cell(&value))?;
        }
        for (what, text) in &self.surroundings {
            writeln!(out, "| {what} | {} |", cell(text))?;
        }
        writeln!(out)
    }

    fn latency(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "## Latency\n\n| measured at | n | p50 | p99 | max | window | source |\n|---|---:|---:|---:|---:|---|---|"
        )?;
        for row in &self.vitals.latency {
            let show = |e: Option<Estimate>| e.map_or("–".to_owned(), Estimate::text);
            let max = row.max_ms.map_or("–".to_owned(), millis);
            let absent = row.absent.as_ref();
            let absent = absent.map_or_else(String::new, |why| format!(": {}", cell(why)));
            writeln!(
                out,
                "| {} | {} | {} | {} | {max} | {} | {}{absent} |",
                row.what,
                row.n,
                show(row.p50),
                show(row.p99),
                row.window,
                row.source
            )?;
        }
        writeln!(
            out,
            "\n{}. Percentiles are nearest-rank; p99 needs n ≥ 100, and below 299 only a lower bound is stated. CloudWatch lags 1 to 3 minutes.\n",
            cell(&self.note)
        )
    }

    fn failures(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "## Failures\n\n| counted at | failed | n | window | source |\n|---|---:|---:|---|---|"
        )?;
        for row in &self.vitals.failures {
            writeln!(
                out,
                "| {} | {:.0} | {:.0} | {} | {} |",
                row.what, row.failed, row.n, row.window, row.source
            )?;
        }
        writeln!(out)
    }

    fn charts(&self, out: &mut String) -> std::fmt::Result {
        if !self.series.iter().any(|b| b.n > 0) {
            return Ok(());
        }
        let volume: Vec<f64> = self.series.iter().map(|b| b.n as f64).collect();
        let p50: Vec<f64> = self.series.iter().map(|b| b.p50.unwrap_or(0.0)).collect();
        let p99: Vec<f64> = self.series.iter().map(|b| b.p99.unwrap_or(0.0)).collect();
        let top = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        writeln!(
            out,
            "```text\ncalls  {}  max {:.0} a bucket",
            spark(&volume),
            top(&volume)
        )?;
        let failed: Vec<f64> = self.series.iter().map(|b| b.failed as f64).collect();
        if top(&failed) > 0.0 {
            let most = top(&failed);
            writeln!(out, "failed {}  max {most:.0} a bucket", spark(&failed))?;
        }
        writeln!(out, "p50    {}  max {}", spark(&p50), millis(top(&p50)))?;
        writeln!(out, "p99    {}  max {}\n", spark(&p99), millis(top(&p99)))?;
        let most = self
            .histogram
            .iter()
            .map(Bin::count)
            .max()
            .unwrap_or(0)
            .max(1);
        for bin in &self.histogram {
            let bar = "#".repeat((bin.warm * 40).div_ceil(most))
                + &"*".repeat((bin.cold * 40).div_ceil(most));
            writeln!(
                out,
                "{:>8} – {:<8} {:>6} {bar}",
                millis(bin.low_ms),
                millis(bin.high_ms),
                bin.count()
            )?;
        }
        writeln!(out, "{:27}# warm  * cold\n```\n", "")
    }

    fn cold_starts(&self, out: &mut String) -> std::fmt::Result {
        let cold = &self.vitals.cold;
        let Some(rate) = cold.rate() else {
            return Ok(());
        };
        let init = cold.init.map_or("no Init Duration".to_owned(), |l| {
            format!("Init p50 {}, max {}", l.p50.text(), millis(l.max))
        });
        let idle = cold.longest_idle_s.map_or(String::new(), |s| {
            format!("; longest pause before one {s:.0} s")
        });
        writeln!(
            out,
            "## Cold starts\n\n{} of {} calls ({:.1} %); {init}{idle}; {} inits timed out.\n",
            cold.cold,
            cold.n,
            rate * 100.0,
            cold.init_timeouts
        )
    }

    fn errors(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Errors\n")?;
        match &self.errors {
            Errors::Unread(why) => writeln!(out, "Could not be read: {}\n", cell(why)),
            Errors::Groups(groups) if groups.is_empty() => writeln!(out, "None in the log.\n"),
            Errors::Groups(groups) => {
                writeln!(out, "| n | what | example request |\n|---:|---|---|")?;
                for group in groups {
                    writeln!(
                        out,
                        "| {} | {} | {} |",
                        group.count,
                        cell(&group.template),
                        group.request_id.as_deref().unwrap_or("–")
                    )?;
                }
                writeln!(out)
            }
        }
    }

    fn money(&self, out: &mut String) -> std::fmt::Result {
        let Some(cost) = &self.vitals.cost else {
            return Ok(());
        };
        let million = &cost.million;
        writeln!(out, "## Cost\n")?;
        writeln!(
            out,
            "{} per million calls: compute {}, requests {}, gateway {} ({}, billed {:.0} ms on average, n = {}, list prices of {}). At this rate {:.2} M calls a month: {}, {} with the free tier; {}.\n",
            dollars(million.total()),
            dollars(million.compute),
            dollars(million.requests),
            dollars(million.gateway),
            cost.priced_on(),
            cost.usage.billed_ms,
            cost.usage.n,
            cost.prices_as_of,
            cost.month_calls / 1e6,
            dollars(cost.month.total()),
            dollars(cost.month_free_tier.total()),
            Prices::NOT_INCLUDED
        )
    }

    fn objective(&self, out: &mut String) -> std::fmt::Result {
        let Some(budget) = &self.vitals.budget else {
            return Ok(());
        };
        let [burn_1h, burn_6h] = budget.burns();
        let left = budget.left();
        writeln!(
            out,
            "## Objective\n\nAvailability 99.9 % over 30 days at the gateway: error budget {left} ({:.0} of {:.0} requests failed), burn {} over 1 h, {} over 6 h{}.{}\n",
            budget.bad,
            budget.valid,
            burn_1h,
            burn_6h,
            budget
                .gone()
                .map(|gone| format!(": at that rate {gone}"))
                .unwrap_or_default(),
            budget
                .low_n
                .as_ref()
                .map(|n| format!(" Mind the small n: {n}."))
                .unwrap_or_default()
        )
    }

    fn drift(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Drift\n")?;
        let DriftLine { against, report } = match &self.drift {
            Drifting::Compared(line) => line,
            Drifting::Unread(why) => {
                return writeln!(out, "Could not be compared: {}\n", cell(why));
            }
        };
        let verdict = match report.drift {
            Drift::Collecting => {
                return writeln!(
                    out,
                    "Collecting: {} of {FEWEST} requests of our own history.\n",
                    report.rows
                );
            }
            Drift::Steady => "steady".to_owned(),
            Drift::Warn => report.moved().unwrap_or_default(),
            Drift::Alert => format!(
                "**retrain suggested**: {}",
                report.moved().unwrap_or_default()
            ),
        };
        let scored = report
            .columns
            .iter()
            .any(|column| column.name == PREDICTION);
        let scores = if scored {
            ", predictions against its answers for rows it had not learned"
        } else {
            ""
        };
        let worst = report.worst().map_or_else(String::new, |column| {
            format!(
                "; farthest {} with PSI {:.2} (limit {:.2})",
                cell(&column.name),
                column.psi,
                column.alert_at
            )
        });
        writeln!(
            out,
            "{verdict}; inputs against the training rows of {}{scores}{worst}; n = {}, our own requests.\n",
            cell(against),
            report.rows
        )
    }

    fn findings(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Doctor\n\n| check | | evidence |\n|---|---|---|")?;
        for finding in &self.diagnosis.findings {
            let status = if finding.status == Status::Fail {
                "**FAIL**"
            } else {
                finding.status.word()
            };
            writeln!(
                out,
                "| {} | {status} | {} |",
                finding.check,
                cell(&finding.evidence)
            )?;
        }
        Ok(())
    }
}

/// Remote text as a table cell: one line, and neither a pipe nor markup of its own.
fn cell(text: &str) -> String {
    one_line(text, 300)
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('`', "'")
}

/// Remote text within a block of code: its lines, without what hides, and no end of the block.
fn code_block(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.chars().filter(|c| !is_hidden(*c)).collect::<String>());
    lines.collect::<Vec<_>>().join("\n").replace("```", "'''")
}

/// Eight levels from the lowest to the highest value; zero stays empty.
pub fn spark(values: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = values.iter().copied().fold(0.0, f64::max);
    let level = |v: f64| match v {
        v if v <= 0.0 || top <= 0.0 => ' ',
        v => LEVELS[((v / top * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    values.iter().map(|v| level(*v)).collect()
}
