//! Opens the screen on the real terminal and runs the loop on it.

use std::fs::{self, OpenOptions};
use std::io;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::Settings;
use crate::domain::schema::Schema;
use crate::effects::{INBOX, Outbox, Runner, retrain};
use crate::keys::Keymap;
use crate::private::private;
use crate::runtime::{self, Clock};
use crate::terminal::Tty;
#[cfg(unix)]
use crate::terminal::hang_up;
use crate::ui::theme::Tone;

/// Runs the cockpit until the user quits, a signal asks it to, or the terminal goes away.
pub async fn open(settings: Arc<Settings>, schema: Arc<Schema>) -> anyhow::Result<()> {
    let keymap = Keymap::load(&settings.dirs.config.join("keys.toml"))?;
    let logged = log_to_file(&settings.dirs.state);
    let mut tty = Tty::enter(settings.mouse).context("cannot take the terminal")?;
    let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))
        .context("cannot draw on the terminal")?;
    // `Tty` shows the cursor again. Terminal's own drop would print to stderr when the terminal is gone, and panic.
    let mut terminal = ManuallyDrop::new(terminal);
    let size = terminal.size().context("cannot read the terminal's size")?;
    let quit = CancellationToken::new();
    quit_on_signals(&quit)?;
    #[cfg(unix)]
    hang_up::quit_on_hang_up(&quit).context("cannot watch the terminal")?;
    let (sender, inbox) = mpsc::channel(INBOX);
    let mut runner = Runner::new(
        Arc::clone(&settings),
        Arc::clone(&schema),
        Outbox::new(sender),
        quit.clone(),
    );
    runner.run(retrain::Effect::SendQueued.into());
    let state = settings.dirs.state.clone();
    let mut app = App::new(settings, schema, keymap, Rect::from(((0, 0).into(), size)));
    if let Err(error) = logged {
        let home = state.display();
        let text = format!(
            "{home} cannot be written ({error}): nothing is remembered, and there is no log file"
        );
        app.say(Tone::Bad, text, Clock::System.now());
    }
    runtime::run(
        &mut app,
        &mut *terminal,
        &mut tty,
        runner,
        inbox,
        quit,
        Clock::System,
    )
    .await
}

/// How long after a signal the process ends at the latest; tasks get less.
#[cfg(unix)]
const LAST_RESORT: Duration = Duration::from_secs(5);

/// TERM, HUP and INT mean the same as the quit key.
#[cfg(unix)]
fn quit_on_signals(quit: &CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
    ] {
        let (mut signals, quit) = (
            signal(kind).context("cannot listen for signals")?,
            quit.clone(),
        );
        tokio::spawn(async move {
            signals.recv().await;
            quit.cancel();
            // A terminal that takes no more output holds the loop in its draw: it cannot end itself then.
            tokio::time::sleep(LAST_RESORT).await;
            tracing::error!("the loop did not end in {LAST_RESORT:?} after a signal");
            std::process::exit(1);
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn quit_on_signals(quit: &CancellationToken) -> anyhow::Result<()> {
    let quit = quit.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        quit.cancel();
    });
    Ok(())
}

/// Our own log goes to a private file (`VINTNER_LOG` filters it); without a writable home there is none.
fn log_to_file(state: &Path) -> io::Result<()> {
    fs::create_dir_all(state)?;
    let mut options = OpenOptions::new();
    let file = private(options.create(true).append(true)).open(state.join("vintner.log"))?;
    let filter = EnvFilter::try_from_env("VINTNER_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,vintner=info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .try_init();
    Ok(())
}
