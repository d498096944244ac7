//! The terminal is ours to give back: entering, leaving, suspending, and the panic hook.

#[cfg(unix)]
pub mod hang_up;
mod input;

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event as TermEvent};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor, execute, queue};

use self::input::Input;
use crate::runtime::Host;

/// Whether the screen is ours at this moment; leaving twice must not happen twice.
static OURS: AtomicBool = AtomicBool::new(false);

/// Mouse presses and the wheel only (`?1000`, `?1006`): motion would wake the program for nothing,
/// and Shift still selects text in the terminal.
struct EnableMouse;
struct DisableMouse;

impl Command for EnableMouse {
    fn write_ansi(&self, f: &mut impl std::fmt::Write) -> std::fmt::Result {
        f.write_str("\x1b[?1000h\x1b[?1006h")
    }

    #[cfg(windows)]
    fn execute_winapi(&self) -> io::Result<()> {
        crossterm::event::EnableMouseCapture.execute_winapi()
    }
}

impl Command for DisableMouse {
    fn write_ansi(&self, f: &mut impl std::fmt::Write) -> std::fmt::Result {
        f.write_str("\x1b[?1006l\x1b[?1000l")
    }

    #[cfg(windows)]
    fn execute_winapi(&self) -> io::Result<()> {
        crossterm::event::DisableMouseCapture.execute_winapi()
    }
}

/// The real terminal: its input, and what only it can do. Dropping it gives the terminal back.
pub struct Tty {
    input: Option<Input>,
    mouse: bool,
}

impl Tty {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste, mouse if wanted.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        // Our mono theme does NO_COLOR; crossterm's own way would erase reverse and bold with it.
        crossterm::style::force_color_output(true);
        install_panic_hook(thread::current().id());
        take(mouse)?;
        let mut tty = Self { input: None, mouse };
        tty.input = Some(Input::open()?);
        Ok(tty)
    }

    /// The reader must be gone before the shell reads, or it eats the shell's input.
    fn stop_reading(&mut self) {
        if let Some(input) = self.input.take() {
            input.close();
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.stop_reading();
        give_back();
    }
}

impl Host for Tty {
    async fn next(&mut self) -> Option<TermEvent> {
        self.input.as_mut()?.next().await
    }

    fn begin_draw(&mut self) {
        let _ = queue!(stdout(), BeginSynchronizedUpdate);
    }

    fn end_draw(&mut self) {
        let _ = execute!(stdout(), EndSynchronizedUpdate);
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.stop_reading();
        give_back();
        stop_until_continued()?;
        take(self.mouse)?;
        self.input = Some(Input::open()?);
        Ok(())
    }

    fn copy(&mut self, text: &str) {
        let _ = execute!(stdout(), CopyToClipboard::to_clipboard_from(text));
    }

    fn notify(&mut self, text: &str) {
        let plain = crate::ui::text::clean(text);
        let mut out = stdout();
        let _ = write!(out, "\x07\x1b]9;{plain}\x1b\\").and_then(|()| out.flush());
    }
}

#[cfg(unix)]
fn stop_until_continued() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
}

#[cfg(not(unix))]
fn stop_until_continued() -> io::Result<()> {
    Ok(())
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    let entered = execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        SetTitle("vintner"),
        cursor::Hide
    );
    let entered = entered.and_then(|()| {
        if mouse {
            execute!(stdout(), EnableMouse)
        } else {
            Ok(())
        }
    });
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Leaves the screen as it was; every step is tried though another fails.
fn give_back() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = stdout();
    let _ = execute!(out, DisableMouse);
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        LeaveAlternateScreen,
        SetTitle(""),
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// A panic on the UI thread gives the terminal back before its message is printed; a panic on any other
/// thread only goes to our log, because the screen is still in use.
fn install_panic_hook(ui: ThreadId) {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tracing::error!(
            "panic on {:?}: {info}",
            thread::current().name().unwrap_or("a thread")
        );
        if thread::current().id() == ui {
            give_back();
            previous(info);
        }
    }));
}
