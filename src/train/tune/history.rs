//! A search's `trials.jsonl`: one trial a line, in order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Basis, Trial};

/// What such a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The trials, numbered from 0 without a gap.
    pub trials: Vec<Trial>,
    /// Lines that are none of them: cut short by a kill, or out of order.
    pub dropped: usize,
    /// Trials that rest on something else, and on what.
    pub others: BTreeMap<String, usize>,
}

/// A line: a trial, and what it was scored on; lines of an earlier vintner do not say.
#[derive(Serialize, Deserialize)]
struct Line<T, B> {
    #[serde(flatten)]
    trial: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<B>,
}

impl History {
    /// Reads the lines of one search. One that is cut short is left out, and with it whatever does not follow on the
    /// trials before.
    pub fn read(text: &str) -> Self {
        Self::of(text, |_| None)
    }

    /// Reads those lines alone whose trials were scored on this.
    pub fn on(basis: &Basis, text: &str) -> Self {
        Self::of(text, |on| match on {
            Some(on) => basis.differs(on),
            None => Some("rows and parameters that an earlier vintner did not note".to_owned()),
        })
    }

    fn of(text: &str, differs: impl Fn(Option<&Basis>) -> Option<String>) -> Self {
        let mut history = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Ok(Line { trial, on }) = serde_json::from_str::<Line<Trial, Basis>>(line) else {
                history.dropped += 1;
                continue;
            };
            match differs(on.as_ref()) {
                Some(other) => *history.others.entry(other).or_default() += 1,
                None if trial.number == history.trials.len() => history.trials.push(trial),
                None => history.dropped += 1,
            }
        }
        history
    }

    /// Which trials of the file are of another search, a sentence for each.
    pub fn strangers(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(other, count)| {
            let (trials, are) = if *count == 1 {
                ("trial", "is")
            } else {
                ("trials", "are")
            };
            format!("{count} {trials} on {other} {are} left out")
        })
    }

    /// What was left out, in a sentence; nothing when nothing was.
    pub fn loss(&self) -> Option<String> {
        let lines = match self.dropped {
            0 => return None,
            1 => "a line that is no whole trial was".to_owned(),
            many => format!("{many} lines that are no whole trials were"),
        };
        Some(format!(
            "{lines} dropped: trial {} is made again",
            self.trials.len()
        ))
    }
}

/// A trial and what it was scored on as a line of the file, without its end.
pub fn line(trial: &Trial, on: Option<&Basis>) -> String {
    // Finite numbers and strings always serialize.
    serde_json::to_string(&Line { trial, on }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tune::State;

    fn trial(number: usize) -> Trial {
        Trial {
            number,
            params: serde_json::Map::new(),
            mse: 0.1 + number as f64 / 3.0,
            checkpoints: vec![(25, 0.4)],
            state: State::Complete,
        }
    }

    #[test]
    fn a_line_cut_short_anywhere_costs_that_trial_alone() {
        let trials: Vec<Trial> = (0..3).map(trial).collect();
        let lines: Vec<String> = trials.iter().map(|trial| line(trial, None)).collect();
        let whole = format!("{}\n{}\n", lines[0], lines[1]);
        for end in 0..lines[2].len() {
            let cut = format!("{whole}{}", &lines[2][..end]);
            let read = History::read(&cut);
            assert_eq!(read.trials, trials[..2]);
            assert_eq!(read.dropped, usize::from(end > 0), "{cut}");
            // The line was closed and the trial made again.
            let mended = History::read(&format!("{cut}\n{}\n", lines[2]));
            assert_eq!(mended.trials, trials, "{cut}");
        }
        let loss = History::read(&format!("{whole}{{\"num")).loss();
        assert_eq!(
            loss.as_deref(),
            Some("a line that is no whole trial was dropped: trial 2 is made again")
        );
    }

    #[test]
    fn trials_after_a_gap_and_repeated_ones_do_not_count() {
        let lines = [0, 1, 1, 3]
            .map(|number| line(&trial(number), None))
            .join("\n");
        let read = History::read(&lines);
        assert_eq!((read.trials.len(), read.dropped), (2, 2));
        assert_eq!(History::read("").loss(), None);
    }
}
