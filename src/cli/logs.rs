//! `vintner logs`: read, follow, join and query logs from CloudWatch, a file or a recording.

mod output;
mod source;
mod tables;
mod when;

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;

use super::{Context, Failure, Run};
use crate::client::errors::AwsError;
use crate::domain::line::Level;
use crate::domain::query::Term;
use output::{Desk, View};

/// Arguments of `vintner logs`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Args {
    /// Go on as new lines come; Ctrl-C ends it
    #[arg(long, short, conflicts_with = "until")]
    pub follow: bool,
    /// From when on: 90s, 10m, 1h30m, 2d, 1w, or a date such as 2026-10-08T14:03 (UTC) [default: 10m, a file from its start]
    #[arg(long, short, value_name = "WHEN")]
    pub since: Option<String>,
    /// Until when; the same forms
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Filter on the service's side, in CloudWatch's syntax: ERROR, `{ $.level = "ERROR" }`
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "RE", conflicts_with_all = ["requests", "errors"])]
    pub grep: Option<String>,
    /// Only lines of this level or above: debug, info, warn, error
    #[arg(long, value_name = "LEVEL", conflicts_with_all = ["requests", "errors"])]
    pub level: Option<String>,
    /// One row per request instead of lines
    #[arg(long, conflicts_with = "errors")]
    pub requests: bool,
    /// One row per kind of error instead of lines
    #[arg(long, conflicts_with = "follow")]
    pub errors: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Accelerate with Live Tail (billed by the minute); nothing is lost when it skips lines
    #[arg(long, requires = "follow")]
    pub live: bool,
    /// Run a Logs Insights query over the time range instead
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["follow", "requests", "errors", "filter", "grep", "level"])]
    pub insights: Option<String>,
    /// Read a file instead (plain, gzip, `aws logs tail` output, JSON lines); - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["live", "insights", "filter", "replay"])]
    pub file: Option<PathBuf>,
    /// Print how long each stage takes on the file
    #[arg(long, requires = "file")]
    pub stats: bool,
    /// Also write every event to this new file, to be replayed
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Play a recording at its own pace, or at --speed 10x
    #[arg(long, value_name = "FILE", conflicts_with_all = ["live", "insights", "filter", "follow"])]
    pub replay: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  vintner logs --since 1h                    what check_lambda_logs.sh showed
  vintner logs -f --level warn               follow warnings and errors
  vintner logs --since 1d --requests --json  one JSON object per request
  vintner logs --insights 'stats count(*) by bin(5m)' --since 1d
  vintner logs --file incident.log --errors";

/// Runs the command.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if let (true, Some(file)) = (args.stats, &args.file) {
        return tables::stats(file, args, out);
    }
    if let Some(query) = &args.insights {
        return source::insights(query, args, context, out).await;
    }
    let mut desk = desk(args, context, out)?;
    if let Some(file) = &args.file {
        source::file(file, args, context, &mut desk).await?;
    } else if let Some(recording) = &args.replay {
        source::replay(recording, context.settings.sandbox.speed, args, &mut desk).await?;
    } else {
        source::tail(args, context, &mut desk).await?;
    }
    desk.finish()
}

fn desk<'a, W: Write>(
    args: &Args,
    context: &Context,
    out: &'a mut W,
) -> Result<Desk<'a, W>, Failure> {
    let view = match (args.requests, args.errors) {
        (true, _) => View::Requests,
        (_, true) => View::Errors,
        _ => View::Lines,
    };
    let mut desk = Desk::new(view, args.json, out);
    desk.follow = args.follow;
    desk.spool = context.settings.dirs.state.join("spool");
    desk.grep = args
        .grep
        .as_deref()
        .map(Term::regex)
        .transpose()
        .map_err(Failure::usage)?;
    desk.level = args.level.as_deref().map(level).transpose()?;
    if let Some(path) = &args.record {
        desk.record(path)?;
    }
    Ok(desk)
}

fn level(word: &str) -> Result<Level, Failure> {
    let unknown =
        || anyhow!("--level {word}: not a level; there are trace, debug, info, warn, error, fatal");
    Level::parse(word).ok_or_else(|| Failure::usage(unknown()))
}

/// What the caller can mend in the command is usage; everything else was out of reach.
impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Invalid { .. }
            | AwsError::NoRegion
            | AwsError::WrongRegion { .. }
            | AwsError::Configuration { .. } => Self::usage(error),
            error => Self::unreachable(error),
        }
    }
}
