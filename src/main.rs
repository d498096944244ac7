//! The binary: parse, configure, then the screen or one headless command.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use tracing_subscriber::EnvFilter;
use vintner::cli::{self, Cli, Context, Exit, Failure, Run};
use vintner::config::Settings;
use vintner::domain::schema::Schema;

/// Bytes of output that are written at once: a system call for each few lines costs more than the lines.
const STDOUT_BUFFER: usize = 64 << 10;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = configure(&cli).and_then(|context| with_runtime(cli, context));
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) if failure.exit == Exit::Fine => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "vintner: {:#}", failure.error);
            failure.exit.into()
        }
    }
}

fn configure(cli: &Cli) -> Result<Context, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let settings = Settings::load(cli.flags()?, &env).map_err(Failure::usage)?;
    let schema = match &settings.model {
        None => Schema::wine_quality().clone(),
        Some(path) => read_schema(path)?,
    };
    Ok(Context {
        settings: Arc::new(settings),
        schema: Arc::new(schema),
    })
}

fn read_schema(path: &Path) -> Result<Schema, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the model schema {name}"));
    Schema::parse(&text.map_err(Failure::usage)?, &name).map_err(Failure::usage)
}

/// Not `#[tokio::main]`: dropping a runtime waits for ever for a stubborn blocking task.
fn with_runtime(cli: Cli, context: Context) -> Run {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // They wait for networks; each one more would keep a page of log events in memory it has freed.
        .worker_threads(2)
        // Futures that ask many services at once are large; 2 MB is too near.
        .thread_stack_size(8 << 20)
        .build()
        .context("cannot start the async runtime")
        .map_err(Failure::failed)?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Some(command) => {
                warn_on_stderr();
                let mut out = io::BufWriter::with_capacity(STDOUT_BUFFER, io::stdout());
                let exit = cli::run(command, &context, &mut out).await;
                out.flush()?;
                exit
            }
            None => screen(context).await,
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// What went wrong beside a command's work is said on stderr (`VINTNER_LOG` says how much); stdout stays pure data.
fn warn_on_stderr() {
    let filter =
        EnvFilter::try_from_env("VINTNER_LOG").unwrap_or_else(|_| EnvFilter::new("vintner=warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .try_init();
}

async fn screen(context: Context) -> Run {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::usage(anyhow!(
            "the screen needs a terminal on stdin and stdout; for scripts there are commands (vintner --help), such as `vintner predict --json`"
        )));
    }
    vintner::screen::open(context.settings, context.schema)
        .await
        .map_err(Failure::failed)?;
    Ok(Exit::Fine)
}
