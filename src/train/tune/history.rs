//! A search's `trials.jsonl`: one trial a line, in order.

use super::Trial;

/// What such a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The trials, numbered from 0 without a gap.
    pub trials: Vec<Trial>,
    /// Lines that are none of them: cut short by a kill, or out of order.
    pub dropped: usize,
}

impl History {
    /// Reads the lines. One that is cut short is left out, and with it whatever does not follow on the trials before.
    pub fn read(text: &str) -> Self {
        let mut history = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str::<Trial>(line) {
                Ok(trial) if trial.number == history.trials.len() => history.trials.push(trial),
                _ => history.dropped += 1,
            }
        }
        history
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

/// A trial as a line of the file, without its end.
pub fn line(trial: &Trial) -> String {
    // Finite numbers and strings always serialize.
    serde_json::to_string(trial).unwrap_or_default()
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
        let lines: Vec<String> = trials.iter().map(line).collect();
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
        let lines = [0, 1, 1, 3].map(|number| line(&trial(number))).join("\n");
        let read = History::read(&lines);
        assert_eq!((read.trials.len(), read.dropped), (2, 2));
        assert_eq!(History::read("").loss(), None);
    }
}
