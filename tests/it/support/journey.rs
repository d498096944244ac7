//! The real loop and the real sandbox without a terminal: keys go in, the screen is waited for.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as TermEvent;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell as Sign;
use ratatui::layout::{Position, Rect, Size};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vintner::app::App;
use vintner::config::Flags;
use vintner::domain::schema::Schema;
use vintner::effects::{INBOX, Outbox, Runner};
use vintner::keys::Keymap;
use vintner::runtime::{self, Clock, Host};

use super::stage::key_event;

/// How long a screen may take to say what it should.
/// A journey trains a real forest, beside all other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A person at the keyboard.
pub struct Hand {
    keys: mpsc::UnboundedSender<TermEvent>,
    screen: Rc<RefCell<TestBackend>>,
    copied: Rc<RefCell<Vec<String>>>,
    drawn: Rc<Cell<usize>>,
}

impl Hand {
    /// Presses keys, in crokey's notation.
    pub fn press(&self, keys: &str) {
        for key in keys.split_whitespace() {
            let _ = self.keys.send(TermEvent::Key(key_event(key)));
        }
    }

    /// Sends any terminal event.
    pub fn send(&self, event: TermEvent) {
        let _ = self.keys.send(event);
    }

    /// What the screen says now.
    pub fn text(&self) -> String {
        self.screen.borrow().to_string()
    }

    /// What was copied so far.
    pub fn copied(&self) -> Vec<String> {
        self.copied.borrow().clone()
    }

    /// How often the screen was drawn so far.
    pub fn drawn(&self) -> usize {
        self.drawn.get()
    }

    /// Waits until the screen says `text`.
    pub async fn see(&self, text: &str) {
        self.wait(text, |screen| screen.contains(text)).await;
    }

    async fn wait(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !seen(&self.text()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(
            waited.await.is_ok(),
            "never saw {what:?} come or go:\n{}",
            self.text()
        );
    }
}

/// Runs the real loop on a screen of this size while `person` presses keys and looks; quits when they are done.
pub fn journey<F: Future<Output = ()>>(
    size: (u16, u16),
    flags: Flags,
    person: impl FnOnce(Hand) -> F,
) {
    let home = tempfile::tempdir().unwrap();
    journey_in(&home, size, flags, person);
}

/// A journey in a home that other journeys share. Its clock is the machine's: a paused one jumps ahead whenever every
/// task waits, for the sandbox's sockets too, and then every timeout is over before the answer can be there.
pub fn journey_in<F: Future<Output = ()>>(
    home: &TempDir,
    size: (u16, u16),
    flags: Flags,
    person: impl FnOnce(Hand) -> F,
) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2);
    travel(&mut runtime, home, size, flags, person);
}

/// A journey on which nothing is asked of any server, so that its clock can be paused: an hour is over at once.
pub fn journey_without_a_server<F: Future<Output = ()>>(
    home: &TempDir,
    size: (u16, u16),
    person: impl FnOnce(Hand) -> F,
) {
    let flags = Flags {
        target: Some("local".to_owned()),
        ..Flags::default()
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.start_paused(true);
    travel(&mut runtime, home, size, flags, person);
}

fn travel<F: Future<Output = ()>>(
    runtime: &mut tokio::runtime::Builder,
    home: &TempDir,
    (width, height): (u16, u16),
    flags: Flags,
    person: impl FnOnce(Hand) -> F,
) {
    let runtime = runtime.enable_all().build().unwrap();
    let settings = super::settings(home.path(), flags);
    runtime.block_on(async {
        let screen = Rc::new(RefCell::new(TestBackend::new(width, height)));
        let copied = Rc::new(RefCell::new(Vec::new()));
        let drawn = Rc::new(Cell::new(0));
        let (keys, typed) = mpsc::unbounded_channel();
        let hand = Hand {
            keys,
            screen: Rc::clone(&screen),
            copied: Rc::clone(&copied),
            drawn: Rc::clone(&drawn),
        };
        let mut terminal = Terminal::new(Shared(screen, drawn)).unwrap();
        let mut host = Script { typed, copied };
        let quit = CancellationToken::new();
        let (sender, inbox) = mpsc::channel(INBOX);
        let schema = Arc::new(Schema::wine_quality().clone());
        let runner = Runner::new(
            Arc::clone(&settings),
            Arc::clone(&schema),
            Outbox::new(sender),
            quit.clone(),
        );
        let mut app = App::new(
            settings,
            schema,
            Keymap::default(),
            Rect::new(0, 0, width, height),
        );
        let clock = Clock::starting_at(Timestamp::now());
        let run = runtime::run(
            &mut app,
            &mut terminal,
            &mut host,
            runner,
            inbox,
            quit.clone(),
            clock,
        );
        let person = async {
            person(hand).await;
            quit.cancel();
        };
        let (ran, ()) = tokio::join!(run, person);
        ran.unwrap();
    });
    runtime.shutdown_timeout(Duration::from_millis(500));
}

struct Script {
    typed: mpsc::UnboundedReceiver<TermEvent>,
    copied: Rc<RefCell<Vec<String>>>,
}

impl Host for Script {
    async fn next(&mut self) -> Option<TermEvent> {
        match self.typed.recv().await {
            Some(event) => Some(event),
            // The person is done pressing keys, but may still look.
            None => std::future::pending().await,
        }
    }

    fn copy(&mut self, text: &str) {
        self.copied.borrow_mut().push(text.to_owned());
    }
}

/// A test backend that can be looked at while the terminal owns it.
struct Shared(Rc<RefCell<TestBackend>>, Rc<Cell<usize>>);

impl Backend for Shared {
    type Error = Infallible;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Sign)>>(
        &mut self,
        content: I,
    ) -> Result<(), Infallible> {
        self.1.set(self.1.get() + 1);
        self.0.borrow_mut().draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.0.borrow_mut().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.0.borrow_mut().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.0.borrow_mut().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.0.borrow().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.0.borrow_mut().window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().flush()
    }
}
