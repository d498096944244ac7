//! `vintner doctor`: why is it broken? One verdict first, then the evidence, then the exact fix.

use std::io::Write;

use super::{Context, Exit, Run, print_json};
use crate::client::collect::{self, Examination};
use crate::domain::doctor::{Diagnosis, Status, diagnose};
use crate::ui::text::clean;

/// Arguments of `vintner doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON: verdict and findings
    #[arg(long)]
    pub json: bool,
}

/// Examines the target; 1 when something is wrong.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let link = context.connect().await?;
    let payload = collect::sample_payload(&context.schema);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let examination = Examination::of(&link, &context.schema, payload, now_ms);
    let examination = examination.by(&context.settings.rules);
    let diagnosis = diagnose(&collect::facts(&examination).await);
    if args.json {
        print_json(out, &diagnosis)?;
    } else {
        print(&diagnosis, out)?;
    }
    Ok(if diagnosis.is_healthy() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn print(diagnosis: &Diagnosis, out: &mut impl Write) -> std::io::Result<()> {
    let verdict = &diagnosis.verdict;
    writeln!(out, "{}: {}", verdict.code, clean(&verdict.text))?;
    if !verdict.fix.is_empty() {
        writeln!(out)?;
        for line in verdict.fix.lines() {
            writeln!(out, "  {}", clean(line))?;
        }
    }
    writeln!(out)?;
    for finding in &diagnosis.findings {
        writeln!(
            out,
            "{:<7} {:<17} {}",
            finding.status.word(),
            finding.check,
            clean(&finding.evidence)
        )?;
        if finding.status == Status::Fail && !finding.fix.is_empty() && finding.fix != verdict.fix {
            for line in finding.fix.lines() {
                writeln!(out, "{:26}{}", "", clean(line))?;
            }
        }
    }
    Ok(())
}
