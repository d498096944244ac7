//! The loop: quit > frame > input > event > wake. It owns nothing but the order of things.

use std::time::Duration;

use anyhow::anyhow;
use crossterm::event::Event as TermEvent;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Msg};
use crate::effects::{Effect, Event, Runner};
use crate::pacer::Pacer;
use crate::tabs::Now;
use crate::ui;

/// How long tasks may take to end after quitting.
const WIND_DOWN: Duration = Duration::from_secs(2);

/// What the loop needs from the terminal besides cells: input, and the few things only a terminal can do.
pub trait Host {
    /// The next terminal event; `None` when the terminal is gone. Must be cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<TermEvent>>;
    /// Called before and after a draw, so that the terminal shows it in one go.
    fn begin_draw(&mut self) {}
    /// See [`begin_draw`](Self::begin_draw).
    fn end_draw(&mut self) {}
    /// Hands the terminal to the shell until the process is continued.
    fn suspend(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    /// Puts text on the clipboard.
    fn copy(&mut self, _text: &str) {}
    /// Rings the bell and notifies.
    fn notify(&mut self, _text: &str) {}
}

/// Where the loop reads the time.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clocks. The wall clock is read anew each turn: it goes on while a laptop sleeps, the monotonic one does not.
    System,
    /// A wall clock that follows the runtime's, so that a paused test clock stops both.
    Following {
        /// The runtime's time when `wall` was true.
        mono: Instant,
        /// The wall clock then.
        wall: Timestamp,
    },
}

impl Clock {
    /// A clock for tests that says `wall` now.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self::Following {
            mono: Instant::now(),
            wall,
        }
    }

    /// The time.
    pub fn now(&self) -> Now {
        let mono = Instant::now();
        let wall = match *self {
            Self::System => Timestamp::now(),
            Self::Following { mono: from, wall } => wall.checked_add(mono - from).unwrap_or(wall),
        };
        Now { mono, wall }
    }
}

/// Runs the app until it quits, `quit` is cancelled, or the terminal is gone; then stops every task.
pub async fn run<B: Backend>(
    app: &mut App,
    terminal: &mut Terminal<B>,
    host: &mut impl Host,
    mut runner: Runner,
    mut inbox: mpsc::Receiver<Event>,
    quit: CancellationToken,
    clock: Clock,
) -> anyhow::Result<()> {
    let ended = turn(app, terminal, host, &mut runner, &mut inbox, &quit, clock).await;
    quit.cancel();
    inbox.close();
    runner.wind_down(WIND_DOWN).await;
    ended
}

/// Turn after turn until something ends it.
async fn turn<B: Backend>(
    app: &mut App,
    terminal: &mut Terminal<B>,
    host: &mut impl Host,
    runner: &mut Runner,
    inbox: &mut mpsc::Receiver<Event>,
    quit: &CancellationToken,
    clock: Clock,
) -> anyhow::Result<()> {
    let mut pacer = Pacer::default();
    draw(app, terminal, host, clock.now())?;
    pacer.drawn(Instant::now());
    for effect in app.start(clock.now()) {
        runner.run(effect);
    }
    pacer.invalidate();
    loop {
        let now = clock.now();
        let (due, wake) = (pacer.due(now.mono), app.wake_at(now));
        let msg = tokio::select! {
            biased;
            () = quit.cancelled() => return Ok(()),
            () = sleep_until(due.unwrap_or(now.mono)), if due.is_some() => {
                draw(app, terminal, host, clock.now())?;
                pacer.drawn(Instant::now());
                continue;
            }
            term = host.next() => match term {
                Some(event) => Msg::Term(event),
                None => return Ok(()),
            },
            Some(event) = inbox.recv() => Msg::Event(event),
            () = sleep_until(wake.unwrap_or(now.mono)), if wake.is_some() => Msg::Tick,
        };
        if let Msg::Event(Event::Connected(link)) = &msg {
            runner.attach(link.clone());
        }
        for effect in app.update(msg, clock.now()) {
            perform(effect, terminal, host, runner, quit)?;
        }
        pacer.invalidate();
    }
}

/// The terminal's effects are done here, all others by the runner.
fn perform<B: Backend>(
    effect: Effect,
    terminal: &mut Terminal<B>,
    host: &mut impl Host,
    runner: &mut Runner,
    quit: &CancellationToken,
) -> anyhow::Result<()> {
    match effect {
        Effect::Quit => quit.cancel(),
        Effect::Redraw => clear(terminal)?,
        Effect::Suspend => {
            host.suspend()?;
            clear(terminal)?;
        }
        Effect::Copy(text) => host.copy(&text),
        Effect::Notify(text) => host.notify(&text),
        effect => runner.run(effect),
    }
    Ok(())
}

fn draw<B: Backend>(
    app: &App,
    terminal: &mut Terminal<B>,
    host: &mut impl Host,
    now: Now,
) -> anyhow::Result<()> {
    host.begin_draw();
    let drawn = terminal.draw(|frame| {
        let area = frame.area();
        if let Some(cursor) = ui::render(app, now, area, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
    });
    let drawn = drawn
        .map(drop)
        .map_err(|error| anyhow!("cannot draw on the terminal: {error}"));
    host.end_draw();
    drawn
}

/// Draws everything anew. Not `Terminal::clear`: it asks the terminal where the cursor is and waits for the answer.
fn clear<B: Backend>(terminal: &mut Terminal<B>) -> anyhow::Result<()> {
    let redrawn = terminal
        .size()
        .and_then(|size| terminal.resize(Rect::from((Position::ORIGIN, size))));
    redrawn.map_err(|error| anyhow!("cannot clear the terminal: {error}"))
}
