//! A screen without a terminal: the real app, keys and events by hand, a buffer to look at.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as TermEvent, KeyEvent};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tempfile::TempDir;
use tokio::time::Instant;
use vintner::app::{App, Msg};
use vintner::client::link::{Link, Session};
use vintner::config::Flags;
use vintner::domain::reckoning::{Books, Figures};
use vintner::domain::schema::Schema;
use vintner::effects::{Effect, Event, lambda};
use vintner::keys::Keymap;
use vintner::tabs::Now;
use vintner::ui;
use vintner::ui::theme::ThemeName;

/// The sizes every screen is looked at in.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// The app on a stage.
pub struct Stage {
    /// The app itself.
    pub app: App,
    now: Now,
    size: Rect,
    home: TempDir,
    /// What the Lambda tab's figures are worked out from.
    books: Books,
}

impl Stage {
    /// The app on a stage of this size, in this theme, with a home of its own, on 2026-11-23 at noon.
    pub fn new(size: (u16, u16), theme: ThemeName) -> Self {
        let flags = Flags {
            theme: Some(theme),
            ..Flags::default()
        };
        Self::with(size, flags)
    }

    /// The app on a stage of this size with these flags.
    pub fn with(size: (u16, u16), flags: Flags) -> Self {
        let schema = Arc::new(Schema::wine_quality().clone());
        Self::of(size, flags, schema, Keymap::default())
    }

    /// The app on a stage for another model, or with other keys.
    pub fn of(
        (width, height): (u16, u16),
        flags: Flags,
        schema: Arc<Schema>,
        keymap: Keymap,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let settings = super::settings(home.path(), flags);
        let size = Rect::new(0, 0, width, height);
        let app = App::new(settings, schema, keymap, size);
        let now = Now {
            mono: Instant::now(),
            wall: "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap(),
        };
        Self {
            app,
            now,
            size,
            home,
            books: Books::default(),
        }
    }

    /// Starts the app, as the runtime does.
    pub fn start(&mut self) -> Vec<Effect> {
        let effects = self.app.start(self.now);
        self.reckon(effects)
    }

    /// Is connected to the sandbox, as far as a screen can tell.
    pub fn connect(&mut self) -> Vec<Effect> {
        self.connect_to(Session {
            target: "sandbox".into(),
            account: Some("123456789012".into()),
            region: "us-east-2".into(),
            function: "wine-quality-predictor".into(),
            endpoint: "http://127.0.0.1:4711/".into(),
            sandbox: true,
            champion: Some("v0001".into()),
            ..Session::default()
        })
    }

    /// Is connected there, as far as a screen can tell.
    pub fn connect_to(&mut self, session: Session) -> Vec<Effect> {
        let mut link = Link::default();
        link.session = session;
        self.event(Event::Connected(link))
    }

    /// Puts a file where the state folder wants to be: nothing can be spooled.
    pub fn block_state(&self) {
        std::fs::write(self.home.path().join(".local"), "").unwrap();
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.now = Now {
            mono: self.now.mono + time,
            wall: self.now.wall + time,
        };
    }

    /// Presses keys, each as crokey writes them: `enter`, `ctrl-c`, `shift-left`, `?`.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split_whitespace()
            .flat_map(|key| self.term(TermEvent::Key(key_event(key))))
            .collect()
    }

    /// Pastes text.
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.term(TermEvent::Paste(text.to_owned()))
    }

    /// Any terminal event.
    pub fn term(&mut self, event: TermEvent) -> Vec<Effect> {
        if let TermEvent::Resize(width, height) = event {
            self.size = Rect::new(0, 0, width, height);
        }
        let effects = self.app.update(Msg::Term(event), self.now);
        self.reckon(effects)
    }

    /// Something comes from outside.
    pub fn event(&mut self, event: impl Into<Event>) -> Vec<Effect> {
        let effects = self.app.update(Msg::Event(event.into()), self.now);
        self.reckon(effects)
    }

    /// Something comes from outside; what the Lambda tab asks of the books stays unanswered.
    pub fn unanswered(&mut self, event: impl Into<Event>) -> Vec<Effect> {
        self.app.update(Msg::Event(event.into()), self.now)
    }

    /// The figures that such effects come to.
    pub fn figures(&mut self, effects: Vec<Effect>) -> Figures {
        let work = effects.into_iter().filter_map(|effect| match effect {
            Effect::Lambda(lambda::Effect::Reckon(work)) => Some(work),
            _ => None,
        });
        self.books.work(work.collect()).unwrap()
    }

    /// Answers what was left unanswered.
    pub fn answer(&mut self, effects: Vec<Effect>) {
        self.reckon(effects);
    }

    /// Works out at once what the Lambda tab asks for; the other effects are left to the test.
    fn reckon(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let (mut work, mut others) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Lambda(lambda::Effect::Reckon(task)) => work.push(task),
                other => others.push(other),
            }
        }
        if let Some(figures) = self.books.work(work) {
            others.extend(self.event(lambda::Event::Reckoned(figures.into())));
        }
        others
    }

    /// The time on stage.
    pub const fn now(&self) -> Now {
        self.now
    }

    /// What the screen shows, with styles.
    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(self.size);
        ui::render(&self.app, self.now, self.size, &mut buffer);
        buffer
    }

    /// What the screen says.
    pub fn text(&self) -> String {
        let buffer = self.buffer();
        let rows = (0..self.size.height).map(|y| {
            (0..self.size.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
        });
        rows.map(|row| row.trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// A key press from crokey's notation.
pub fn key_event(key: &str) -> KeyEvent {
    let combination = crokey::parse(key).unwrap_or_else(|error| panic!("{key}: {error}"));
    KeyEvent::new(*combination.codes.first(), combination.modifiers)
}

/// Looks at a screen in every size on a terminal that speaks ASCII only: nothing else may be there.
pub fn assert_ascii(set: &dyn Fn(&mut Stage)) {
    for size in SIZES {
        let flags = Flags {
            ascii: true,
            ..Flags::default()
        };
        let mut stage = Stage::with(size, flags);
        set(&mut stage);
        let text = stage.text();
        assert!(text.is_ascii(), "{size:?}:\n{text}");
    }
}

/// Looks at a screen in every size, dark, and in the smallest also mono: text and styles go into the snapshot.
#[macro_export]
macro_rules! assert_screens {
    ($name:literal, $set:expr) => {{
        use vintner::ui::theme::ThemeName;
        let set: &dyn Fn(&mut $crate::support::stage::Stage) = &$set;
        for size in $crate::support::stage::SIZES {
            let mut stage = $crate::support::stage::Stage::new(size, ThemeName::Dark);
            set(&mut stage);
            insta::assert_debug_snapshot!(
                format!("{}-{}x{}", $name, size.0, size.1),
                stage.buffer()
            );
        }
        let mut stage =
            $crate::support::stage::Stage::new($crate::support::stage::SIZES[0], ThemeName::Mono);
        set(&mut stage);
        insta::assert_debug_snapshot!(format!("{}-80x24-mono", $name), stage.buffer());
        $crate::support::stage::assert_ascii(set);
    }};
}
