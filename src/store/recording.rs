//! Sessions kept on disk as JSON lines, and played back at their own or another speed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::line::LogEvent;

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
    /// Opens a recording to append to; a new file is readable by its owner only.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| RecordingError::Io {
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
        serde_json::to_writer(&mut *to, event)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Plays a recording: an iterator of (pause since the start of the replay, event), in the file's order. The caller waits:
/// an event is due when `pause` has passed.
#[derive(Debug)]
pub struct Replay {
    lines: io::Lines<BufReader<File>>,
    path: PathBuf,
    line: usize,
    speed: f64,
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
            first_arrival: None,
        })
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

    fn event(at: i64, message: &str) -> LogEvent {
        LogEvent {
            timestamp: at,
            ingestion_time: at + 5,
            group: "g".into(),
            stream: "s".into(),
            event_id: None,
            message: message.to_owned(),
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
        let played: Vec<_> = Replay::open(&path, 10.0)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(played[0], (Duration::ZERO, events[0].clone()));
        assert_eq!(played[1], (Duration::from_millis(200), events[1].clone()));
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
