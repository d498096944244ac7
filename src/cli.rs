//! The command line: clap types, global flags, exit codes. Each headless command is one file in `cli/`.

pub mod bench;
pub mod config;
pub mod doctor;
pub mod keys;
pub mod lambda;
pub mod logs;
pub mod models;
pub mod predict;
pub mod report;
pub mod sandbox;
mod signal;
pub mod sweep;
pub mod train;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::client::link::Link;
use crate::config::{Colour, Flags, LogFile, SANDBOX, Settings};
use crate::domain::schema::Schema;
use crate::sandbox::Incident;
use crate::ui::theme::ThemeName;

/// A terminal cockpit for one model in production: predict, watch, diagnose, retrain.
///
/// Without a command it opens the screen; without a configured target it opens it on an embedded
/// sandbox that needs neither network nor AWS account.
#[derive(Debug, Parser)]
#[command(name = "vintner", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do; nothing opens the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Open the screen on a log file instead of a tail (plain, gzip, `aws logs tail` output, JSON lines)
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    pub file: Option<PathBuf>,
    /// Open the screen on a recording and play it, at --speed
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
}

impl Cli {
    /// All that the command line says about the configuration.
    pub fn flags(&self) -> Result<Flags, Failure> {
        let mut flags: Flags = self.global.clone().into();
        let speed = self.replay.as_ref().map(|_| flags.speed.unwrap_or(1.0));
        let path = self.file.clone().or_else(|| self.replay.clone());
        if path.is_some() && self.command.is_some() {
            return Err(Failure::usage(anyhow::anyhow!(
                "--file and --replay before a command open the screen: write them behind `logs`, or leave the command out"
            )));
        }
        flags.log_file = path.map(|path| LogFile { path, speed });
        // Whatever the default target is: its own exports name another.
        if matches!(self.command, Some(Command::Sandbox(_))) {
            flags.target = Some(SANDBOX.to_owned());
        }
        Ok(flags)
    }
}

const EXIT_CODES: &str =
    "Exit codes: 0 fine · 1 the check failed · 2 usage or configuration · 3 could not reach";

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Target from the configuration: sandbox, local, aws or your own
    #[arg(long, global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// Prediction endpoint to POST to; reached directly, never through a proxy
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Lambda function, name or ARN
    #[arg(long, global = true, value_name = "NAME")]
    pub function: Option<String>,
    /// CloudWatch log group, name or ARN; may be repeated
    #[arg(long = "log-group", global = true, value_name = "GROUP")]
    pub log_groups: Vec<String>,
    /// AWS profile, as in the AWS CLI
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region, as in the AWS CLI
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint for every AWS service, as in the AWS CLI
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "Configuration file [default: $XDG_CONFIG_HOME/vintner/config.toml]"
    )]
    pub config: Option<PathBuf>,
    /// Schema of another tabular model
    #[arg(long, global = true, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Registry of model versions
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Registry of model versions [default: $XDG_DATA_HOME/vintner/registry]"
    )]
    pub registry: Option<PathBuf>,
    /// Theme
    #[arg(long, global = true)]
    pub theme: Option<ThemeName>,
    /// When to use colour; `NO_COLOR` and `TERM=dumb` are honoured
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Colour>,
    /// Only ASCII glyphs on the screen (what commands print keeps – and µ)
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Sandbox: seed of everything random
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Sandbox: background predictions a second
    #[arg(long, global = true, value_name = "R")]
    pub rate: Option<f64>,
    /// Time scale of the sandbox's latencies and of a replay, 2 or 2x is twice as fast
    #[arg(long, global = true, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
    /// Sandbox: start with something broken; `vintner sandbox --incidents` lists what
    #[arg(long, global = true, value_name = "NAME")]
    pub incident: Option<Incident>,
}

/// Reads `10` and `10x`.
fn speed(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('x').parse() {
        Ok(speed) if f64::is_finite(speed) && speed > 0.0 => Ok(speed),
        _ => Err("it looks like 10 or 10x".to_owned()),
    }
}

impl From<Global> for Flags {
    fn from(global: Global) -> Self {
        Self {
            config: global.config,
            target: global.target,
            endpoint: global.endpoint,
            function: global.function,
            log_groups: global.log_groups,
            profile: global.profile,
            region: global.region,
            endpoint_url: global.endpoint_url,
            model: global.model,
            registry: global.registry,
            theme: global.theme,
            color: global.color,
            ascii: global.ascii,
            no_mouse: global.no_mouse,
            seed: global.seed,
            rate: global.rate,
            speed: global.speed,
            incident: global.incident,
            log_file: None,
        }
    }
}

/// Every tab has a headless twin.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Predict: one request, or a CSV file of them
    Predict(predict::Args),
    /// Sweep one feature and print the score at each value
    Sweep(sweep::Args),
    /// Measure the endpoint's latency at a steady rate
    Bench(bench::Args),
    /// Say what is wrong, why, and how to mend it
    Doctor(doctor::Args),
    /// Print the function, its health, latency, cost and error budget
    Lambda(lambda::Args),
    /// Model versions: list, promote, roll back, verify, export, fingerprint
    Models(models::Args),
    /// Write the report for a hand-over
    Report(report::Args),
    /// Read, follow, join and query logs
    Logs(logs::Args),
    /// Print the effective configuration and where each value came from
    Config(config::Args),
    /// Print the key table
    Keys(keys::Args),
    /// Run the sandbox alone and print how to reach it
    Sandbox(sandbox::Args),
    /// Train a model, judge it, and keep it as a version
    Train(train::Args),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// How a command ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: fine.
    Fine,
    /// 1: the check failed, the answer is not what it should be.
    Failed,
    /// 2: usage or configuration.
    Usage,
    /// 3: could not reach the endpoint or AWS.
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that could not do its work: the sentence for stderr, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, for which thing, and the remedy.
    pub error: anyhow::Error,
}

impl Failure {
    /// Usage or configuration is wrong.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
        }
    }

    /// Something could not be reached.
    pub fn unreachable(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Unreachable,
            error: error.into(),
        }
    }

    /// The work itself failed.
    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Failed,
            error: error.into(),
        }
    }
}

/// A closed pipe on stdout is not an error: whoever read has read enough.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::BrokenPipe {
            Exit::Fine
        } else {
            Exit::Failed
        };
        Self {
            exit,
            error: error.into(),
        }
    }
}

/// What every command returns.
pub type Run = Result<Exit, Failure>;

/// What a command works with.
pub struct Context {
    /// Everything the user configured.
    pub settings: Arc<Settings>,
    /// The model's features, bands and presets.
    pub schema: Arc<Schema>,
}

impl Context {
    /// Connects to the configured target.
    pub async fn connect(&self) -> Result<Link, Failure> {
        Link::connect(&self.settings, &self.schema, self.settings.target.as_str())
            .await
            .map_err(Failure::usage)
    }
}

/// Runs a headless command, writing its data to `out`.
pub async fn run(command: Command, context: &Context, out: &mut impl Write) -> Run {
    match command {
        Command::Predict(args) => predict::run(&args, context, out).await,
        Command::Sweep(args) => sweep::run(&args, context, out).await,
        Command::Bench(args) => bench::run(&args, context, out).await,
        Command::Doctor(args) => doctor::run(&args, context, out).await,
        Command::Lambda(args) => lambda::run(&args, context, out).await,
        Command::Models(args) => models::run(&args, context, out).await,
        Command::Report(args) => report::run(&args, context, out).await,
        Command::Logs(args) => logs::run(&args, context, out).await,
        Command::Config(args) => config::run(&args, context, out).await,
        Command::Keys(args) => keys::run(&args, context, out),
        Command::Sandbox(args) => sandbox::run(&args, context, out).await,
        Command::Train(args) => train::run(&args, context, out).await,
        Command::Completions { shell } => {
            // Through a buffer: clap_complete panics when the pipe is closed.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "vintner", &mut script);
            out.write_all(&script)?;
            Ok(Exit::Fine)
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(out)?;
            Ok(Exit::Fine)
        }
    }
}

/// Trains on a thread of its own. Ctrl-C or SIGTERM sets `cancelled`, and what the training then makes of it is waited for.
async fn training<T: Send + 'static>(
    cancelled: &AtomicBool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let mut running = tokio::task::spawn_blocking(work);
    let finished = tokio::select! {
        finished = &mut running => finished,
        () = signal::interrupted() => {
            cancelled.store(true, Ordering::Relaxed);
            running.await
        }
    };
    finished.context("training failed").map_err(Failure::failed)
}

/// So many of something, its digits as a script reads them: `1 row`, `8787 rows`.
fn counted(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}

/// Writes one JSON document, indented, with a newline.
pub fn print_json(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
