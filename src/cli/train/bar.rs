//! Progress on stderr: one redrawn line on a terminal, a plain line per tenth otherwise.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::train::Progress;
use crate::train::retrain::Stage;
use crate::train::tune::SearchProgress;

const WIDTH: usize = 24;
const EVERY: Duration = Duration::from_millis(50);

/// Draws progress; a stderr that cannot be written to is no reason to stop training.
pub struct Bar {
    terminal: bool,
    drawn: Option<Instant>,
    /// Stage and tenth of the last plain line.
    told: Option<(Stage, usize)>,
}

impl Bar {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            drawn: None,
            told: None,
        }
    }

    pub fn draw(&mut self, stage: Stage, progress: &Progress) {
        if self.terminal {
            self.redraw(&line(stage, progress), progress.done == progress.total);
            return;
        }
        let tenth = progress.done * 10 / progress.total.max(1);
        if progress.tree.is_some() && tenth > 0 && self.told != Some((stage, tenth)) {
            self.told = Some((stage, tenth));
            let _ = writeln!(io::stderr(), "{}", text(stage, progress));
        }
    }

    pub fn draw_trial(&mut self, progress: &SearchProgress<'_>) {
        let best = crate::train::tune::best(progress.history)
            .map_or(String::new(), |b| format!(", best MSE {:.4}", b.mse));
        let line = format!("trial {} of {}{best}", progress.trial + 1, progress.trials);
        match (self.terminal, progress.fit) {
            (true, _) => self.redraw(&line, false),
            (false, None) => drop(writeln!(io::stderr(), "{line}")),
            (false, Some(_)) => {}
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

fn line(stage: Stage, progress: &Progress) -> String {
    let filled = progress.done * WIDTH / progress.total.max(1);
    format!(
        "[{}{}] {}",
        "#".repeat(filled),
        "-".repeat(WIDTH - filled),
        text(stage, progress)
    )
}

fn text(stage: Stage, progress: &Progress) -> String {
    let stage = match stage {
        Stage::Fit => "fit".to_owned(),
        Stage::Fold(fold) => format!("fold {}", fold + 1),
    };
    let mut text = format!("{stage} {}/{} trees", progress.done, progress.total);
    if let Some((_, scores)) = progress.scores {
        text.push_str(&format!(", R2 {:.3}", scores.r2));
    }
    if let Some(eta) = progress.eta {
        text.push_str(&format!(", {:.1} s left", eta.as_secs_f64()));
    }
    text
}
