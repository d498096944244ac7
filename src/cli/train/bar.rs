//! Progress on stderr: one redrawn line on a terminal, at most a plain line a second otherwise.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::challenger::{News, SearchNews};
use crate::train::Progress;
use crate::train::progress::Judged;
use crate::train::retrain::Phase;
use crate::train::tune::SearchProgress;

const WIDTH: usize = 24;
const EVERY: Duration = Duration::from_millis(50);
const EVERY_PLAIN: Duration = Duration::from_secs(1);

/// Draws progress; a stderr that cannot be written to is no reason to stop training.
pub struct Bar {
    terminal: bool,
    drawn: Option<Instant>,
    /// When the last plain line was written, or the first could have been.
    told: Instant,
}

impl Bar {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            drawn: None,
            told: Instant::now(),
        }
    }

    pub fn hear(&mut self, news: &News<'_>) {
        match news {
            News::Progress(phase, progress) => self.draw(*phase, progress),
            News::Unwritable(why) => {
                self.note(&format!(
                    "the model will not be registered unless this is mended before the end: {why}"
                ));
            }
            News::Judging | News::Judged(_) => {}
        }
    }

    fn draw(&mut self, phase: Phase, progress: &Progress) {
        if self.terminal {
            self.redraw(&line(phase, progress), progress.done == progress.total);
        } else if progress.tree.is_some() {
            self.tell(&text(phase, progress));
        }
    }

    pub fn hear_search(&mut self, news: &SearchNews<'_>) {
        match news {
            SearchNews::Progress(progress) => self.draw_trial(progress),
            SearchNews::Unwritable(why) => {
                self.note(&format!("the search is not written down: {why}"));
            }
            SearchNews::Begun { .. } => {}
        }
    }

    /// A line of its own.
    pub fn note(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(io::stderr(), "{text}");
    }

    fn draw_trial(&mut self, progress: &SearchProgress<'_>) {
        let best = crate::train::tune::best(progress.history)
            .map_or(String::new(), |b| format!(", best MSE {:.4}", b.mse));
        let line = format!("trial {} of {}{best}", progress.trial + 1, progress.trials);
        match (self.terminal, progress.fit) {
            (true, _) => self.redraw(&line, false),
            (false, None) => self.tell(&line),
            (false, Some(_)) => {}
        }
    }

    fn tell(&mut self, line: &str) {
        if self.told.elapsed() >= EVERY_PLAIN {
            self.told = Instant::now();
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    fn redraw(&mut self, line: &str, at_once: bool) {
        if at_once || self.drawn.is_none_or(|at| at.elapsed() >= EVERY) {
            self.drawn = Some(Instant::now());
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[K{line}").and_then(|()| err.flush());
        }
    }

    /// Leaves the line empty for what is printed next.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(phase: Phase, progress: &Progress) -> String {
    let filled = progress.done * WIDTH / progress.total.max(1);
    format!(
        "[{}{}] {}",
        "#".repeat(filled),
        "-".repeat(WIDTH - filled),
        text(phase, progress)
    )
}

fn text(phase: Phase, progress: &Progress) -> String {
    let phase = match phase {
        Phase::Validate => "validation".to_owned(),
        Phase::Fit | Phase::Judge => "fit".to_owned(),
        Phase::Fold { index, of } => format!("fold {}/{of}", index + 1),
    };
    let mut text = format!("{phase} {}/{} trees", progress.done, progress.total);
    if let Some((judged, scores)) = progress.scores {
        let rows = match judged {
            Judged::OutOfBag => "out-of-bag",
            Judged::Watched => "validation",
        };
        text.push_str(&format!(", {rows} R2 {:.3}", scores.r2));
    }
    if let Some(eta) = progress.eta {
        text.push_str(&format!(", {:.1} s left", eta.as_secs_f64()));
    }
    text
}
