//! Sessions kept on disk as JSON lines, and played back at their own or another speed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::domain::line::LogEvent;
use crate::domain::text::plain_len;
use crate::private::private;

/// Trouble with a recording, with its file's name.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The system refused.
    #[error("recording {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// There is something in the file already.
    #[error("recording {path}: the file is there already; give another name, or remove it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A line is no event.
    #[error(
        "recording {path}, line {line}: not a log event ({reason}); expected the output of `vintner logs --json`"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// Why.
        reason: String,
    },
}

/// Writes events to a private file, one JSON object a line.
#[derive(Debug)]
pub struct Recorder {
    to: BufWriter<File>,
    path: PathBuf,
}

impl Recorder {
    /// Begins a recording, readable by its owner only; never on top of another one, whose replay would show lines twice.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        if std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0) {
            return Err(RecordingError::Exists {
                path: path.to_owned(),
            });
        }
        let mut options = OpenOptions::new();
        let opened = private(options.create(true).append(true)).open(path);
        let file = opened.map_err(|error| RecordingError::Io {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self {
            to: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Adds events and hands them to the system at once: a crash loses nothing that was seen.
    pub fn write(&mut self, events: &[LogEvent]) -> Result<(), RecordingError> {
        write_events(&mut self.to, events)
            .and_then(|()| self.to.flush())
            .map_err(|error| RecordingError::Io {
                path: self.path.clone(),
                error,
            })
    }
}

/// Writes events as JSON lines.
pub fn write_events<'a>(
    to: &mut impl Write,
    events: impl IntoIterator<Item = &'a LogEvent>,
) -> io::Result<()> {
    for event in events {
        write_json(to, event)?;
    }
    Ok(())
}

/// Writes one value as one line of JSON that a terminal can be shown: what would steer it is escaped.
pub fn write_json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut writer = Serializer::with_formatter(&mut *to, Harmless);
    value.serialize(&mut writer)?;
    to.write_all(b"\n")
}

/// JSON whose strings hold no control characters (C1 and DEL too) and no marks that reorder text.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = steering(rest) {
            let (harmless, after) = rest.split_at(at);
            to.write_all(harmless.as_bytes())?;
            let mut chars = after.chars();
            if let Some(c) = chars.next() {
                write!(to, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        to.write_all(rest.as_bytes())
    }
}

/// Where the first character is that could steer a terminal. Most lines are plain ASCII to their end.
fn steering(text: &str) -> Option<usize> {
    let plain = plain_len(text);
    text[plain..].find(steers).map(|at| plain + at)
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Plays a recording: an iterator of (pause since the start of the replay, event), in the file's order. The caller waits:
/// an event is due when `pause` has passed.
#[derive(Debug)]
pub struct Replay {
    lines: io::Lines<BufReader<File>>,
    path: PathBuf,
    line: usize,
    speed: f64,
    wanted: RangeInclusive<i64>,
    first_arrival: Option<i64>,
}

impl Replay {
    /// Opens a recording to play at `speed` times its own pace.
    pub fn open(path: &Path, speed: f64) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(|error| RecordingError::Io {
            path: path.to_owned(),
            error,
        })?;
        let speed = if speed.is_finite() && speed > 0.0 {
            speed
        } else {
            1.0
        };
        Ok(Self {
            lines: BufReader::new(file).lines(),
            path: path.to_owned(),
            line: 0,
            speed,
            wanted: i64::MIN..=i64::MAX,
            first_arrival: None,
        })
    }

    /// Plays these event times alone (milliseconds since the epoch), without a wait for what lies before them.
    #[must_use]
    pub fn within(self, wanted: RangeInclusive<i64>) -> Self {
        Self { wanted, ..self }
    }

    /// When an event arrived in the recorded session, as far as it is known.
    fn pause(&mut self, event: &LogEvent) -> Duration {
        let arrival = event.ingestion_time.max(event.timestamp);
        let first = *self.first_arrival.get_or_insert(arrival);
        let millis = arrival.saturating_sub(first).max(0) as f64 / self.speed;
        Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX)
    }
}

impl Iterator for Replay {
    type Item = Result<(Duration, LogEvent), RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.lines.next()? {
                Ok(line) => line,
                Err(error) => {
                    return Some(Err(RecordingError::Io {
                        path: self.path.clone(),
                        error,
                    }));
                }
            };
            self.line += 1;
            if line.trim().is_empty() {
                continue;
            }
            return Some(match serde_json::from_str::<LogEvent>(&line) {
                Ok(event) if !self.wanted.contains(&event.timestamp) => continue,
                Ok(event) => Ok((self.pause(&event), event)),
                Err(error) => Err(RecordingError::Line {
                    path: self.path.clone(),
                    line: self.line,
                    reason: error.to_string(),
                }),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing;

    fn event(at: i64, message: &str) -> LogEvent {
        LogEvent {
            ingestion_time: at + 5,
            ..testing::event("s", at, message)
        }
    }

    #[test]
    fn plays_back_what_was_recorded_at_a_speed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("incident.jsonl");
        let events = [event(1000, "a"), event(3000, "b\nc")];
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.write(&events[..1]).unwrap();
        recorder.write(&events[1..]).unwrap();
        assert!(matches!(
            Recorder::create(&path),
            Err(RecordingError::Exists { .. })
        ));
        let played: Vec<_> = Replay::open(&path, 10.0)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(played[0], (Duration::ZERO, events[0].clone()));
        assert_eq!(played[1], (Duration::from_millis(200), events[1].clone()));
        let after = Replay::open(&path, 10.0).unwrap().within(2000..=i64::MAX);
        let after: Vec<_> = after.map(Result::unwrap).collect();
        assert_eq!(after, [(Duration::ZERO, events[1].clone())], "at once");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn nothing_in_json_steers_a_terminal() {
        let hostile = event(1, "\u{9b}31m\u{7f}\u{202e}\u{1b}[0m é \u{200e}");
        let mut out = Vec::new();
        write_json(&mut out, &hostile).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains(r"\u009b31m\u007f\u202e\u001b[0m é \u200e"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<LogEvent>(&text).unwrap(), hostile);
    }

    #[test]
    fn names_the_line_that_is_no_event() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.jsonl");
        std::fs::write(&path, "\n{\"timestamp\":1,\"message\":\"ok\"}\nnonsense\n").unwrap();
        let played: Vec<_> = Replay::open(&path, 1.0).unwrap().collect();
        assert!(played[0].is_ok());
        assert!(
            played[1]
                .as_ref()
                .unwrap_err()
                .to_string()
                .contains("line 3")
        );
    }
}
