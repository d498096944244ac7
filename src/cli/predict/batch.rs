//! `vintner predict --csv IN --out OUT`: every row of a table, with progress on stderr; resumable.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::json;

use super::{Args, Route, champion, endpoint, wants_json};
use crate::batch::{BatchError, Model, Table, Tally};
use crate::cli::{Context, Exit, Failure, Run, counted, print_json};
use crate::client::link::Link;
use crate::client::predict::PredictClient;
use crate::client::wire::Limits;
use crate::domain::agreement::Agreement;
use crate::domain::schema::Schema;

/// Cells of the bar on a terminal.
const WIDTH: usize = 24;

/// Scores a file.
pub async fn run(
    from: &Path,
    to: &Path,
    args: &Args,
    context: &Context,
    out: &mut impl Write,
) -> Run {
    let schema = &context.schema;
    let table = Table::read(from, schema).map_err(Failure::usage)?;
    let (model, _link) = model(args, context).await?;
    let mut bar = Bar::new();
    let jobs = usize::from(args.jobs);
    let scored = table
        .score(to, &model, schema, jobs, |tally| {
            bar.hear(tally);
            ControlFlow::Continue(())
        })
        .await;
    bar.clear();
    let tally = scored.map_err(|error| match error {
        BatchError::Unwritable { .. } if !to.exists() => Failure::usage(error),
        BatchError::Unwritable { .. } => Failure::failed(error),
        error => Failure::usage(error),
    })?;
    finish(&tally, to, args, schema, out)
}

/// Who scores, and the connection, which keeps an embedded sandbox alive.
async fn model(args: &Args, context: &Context) -> Result<(Model, Option<Link>), Failure> {
    match args.via {
        Route::Gateway => {
            let link = context.connect().await?;
            let client = PredictClient::new(endpoint(&link)?, Limits::default());
            Ok((Model::Endpoint(Box::new(client)), Some(link)))
        }
        Route::Local => Ok((Model::Local(champion(context).await?), None)),
        Route::Invoke | Route::All => Err(Failure::usage(anyhow!(
            "a table goes --via gateway or --via local"
        ))),
    }
}

/// Progress on stderr: a redrawn line on a terminal, a plain line every ten seconds otherwise.
struct Bar {
    terminal: bool,
    told: Instant,
    drawn: bool,
}

impl Bar {
    fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            told: Instant::now(),
            drawn: false,
        }
    }

    fn hear(&mut self, tally: &Tally) {
        let every = Duration::from_millis(if self.terminal { 100 } else { 10_000 });
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let mut screen = io::stderr().lock();
        let text = text(tally);
        // A stderr that cannot be written to is no reason to stop scoring.
        let _ = if self.terminal {
            self.drawn = true;
            let filled = tally.done * WIDTH / tally.rows.max(1);
            let (full, rest) = ("#".repeat(filled), "-".repeat(WIDTH - filled));
            write!(screen, "\r\x1b[K[{full}{rest}] {text}").and_then(|()| screen.flush())
        } else {
            writeln!(screen, "{text}")
        };
    }

    fn clear(&self) {
        if self.drawn {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(tally: &Tally) -> String {
    let left = tally.left().map_or_else(String::new, |left| {
        format!(", {:.0} s left", left.as_secs_f64())
    });
    format!(
        "{} of {}, {} failed{left}",
        tally.done,
        counted(tally.rows, "row"),
        tally.failed
    )
}

fn finish(tally: &Tally, to: &Path, args: &Args, schema: &Schema, out: &mut impl Write) -> Run {
    let seconds = tally.took.as_secs_f64();
    let agreement = Agreement::of(&tally.pairs, schema);
    if wants_json(args) {
        let of = |pick: fn(&Agreement) -> Option<f64>| agreement.as_ref().and_then(pick);
        print_json(
            out,
            &json!({
                "rows": tally.rows,
                "resumed_after": tally.resumed,
                "sent": tally.sent,
                "failed": tally.failed,
                "seconds": seconds,
                "mae": of(|agreement| Some(agreement.mae)),
                "rmse": of(|agreement| Some(agreement.rmse)),
                "r2": of(|agreement| agreement.r2),
                "n": tally.pairs.len(),
                "confusion": agreement.as_ref().map(|agreement| json!({"bands": agreement.bands, "rows": agreement.confusion})),
            }),
        )?;
    } else {
        let resumed = if tally.resumed > 0 {
            format!(" ({} were there already)", tally.resumed)
        } else {
            String::new()
        };
        writeln!(
            out,
            "{} to {} in {seconds:.1} s, {} failed{resumed}",
            counted(tally.sent, "row"),
            to.display(),
            tally.failed
        )?;
        if let Some(agreement) = &agreement {
            print_agreement(agreement, out)?;
        }
    }
    Ok(if tally.failed == 0 {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

fn print_agreement(agreement: &Agreement, out: &mut impl Write) -> io::Result<()> {
    let r2 = agreement
        .r2
        .map_or_else(String::new, |r2| format!("  R² {r2:.3}"));
    writeln!(
        out,
        "against the table's own scores (n = {}): MAE {:.3}  RMSE {:.3}{r2}",
        agreement.n, agreement.mae, agreement.rmse
    )?;
    writeln!(
        out,
        "{} of {} in the same band; rows: the table's band, columns: the predicted one",
        agreement.same_band(),
        agreement.n
    )?;
    write!(out, "{:<12}", "")?;
    for band in &agreement.bands {
        write!(out, "{band:>11}")?;
    }
    writeln!(out)?;
    for (band, row) in agreement.bands.iter().zip(&agreement.confusion) {
        write!(out, "{band:<12}")?;
        for n in row {
            write!(out, "{n:>11}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
