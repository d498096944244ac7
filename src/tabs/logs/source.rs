//! Where the lines come from: a tail, a file, a recording that is played.

use std::path::{Path, PathBuf};

use super::clock::Clock;
use super::{Logs, View};
use crate::config::LogFile;
use crate::effects::logs::Effect;
use crate::effects::logs::open::{Growth, Read};
use crate::tabs::Cx;
use crate::ui::text::{clean, plural};
use crate::ui::theme::Tone;

/// Where the lines come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Source {
    /// The target's log groups.
    #[default]
    Tail,
    /// A local file, and how far it has been read.
    File { path: PathBuf, reading: Reading },
    /// A recording, played at so many times its own pace, and whether it has ended.
    Replay {
        path: PathBuf,
        speed: f64,
        is_over: bool,
    },
}

/// How far a file has been read.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Reading {
    /// For the first time.
    #[default]
    Begun,
    /// To its end; nothing can be added to it (compressed, a pipe).
    Whole,
    /// To its end, and on as it grows; what last happened to it, and when (milliseconds since the epoch).
    Followed(Option<(Change, i64)>),
}

/// What can happen to a file that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Another file took its name.
    Rotated,
    /// It was cut, or written anew.
    Cut,
}

impl Source {
    /// What was asked for on the command line.
    pub fn of(file: Option<&LogFile>) -> Self {
        match file.cloned() {
            None => Self::Tail,
            Some(LogFile { path, speed: None }) => Self::File {
                path,
                reading: Reading::Begun,
            },
            Some(LogFile {
                path,
                speed: Some(speed),
            }) => Self::Replay {
                path,
                speed,
                is_over: false,
            },
        }
    }

    /// Reads `incident.log` or `session.jsonl 10x`; nothing means the tail.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Tail;
        }
        let played = text
            .rsplit_once(char::is_whitespace)
            .and_then(|(path, speed)| {
                let speed: f64 = speed.strip_suffix('x')?.parse().ok()?;
                (speed.is_finite() && speed > 0.0).then(|| (path.trim_end(), speed))
            });
        Self::of(Some(&LogFile {
            path: at_home(played.map_or(text, |(path, _)| path)),
            speed: played.map(|(_, speed)| speed),
        }))
    }

    /// Whether CloudWatch is read.
    pub const fn is_tail(&self) -> bool {
        matches!(self, Self::Tail)
    }

    /// What the pill says; nothing for a tail, which speaks for itself.
    pub fn pill(&self, clock: Clock, now: jiff::Timestamp) -> Option<String> {
        let name = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            clean(&name.to_string_lossy())
        };
        match self {
            Self::Tail => None,
            Self::File { path, reading } => {
                let name = name(path);
                Some(match reading {
                    Reading::Begun => format!("FILE reading {name}"),
                    Reading::Whole => format!("FILE {name}"),
                    Reading::Followed(None) => format!("FILE {name} · followed"),
                    Reading::Followed(Some((change, at))) => {
                        let at = clock.print(*at, now);
                        let what = match change {
                            Change::Rotated => "rotated",
                            Change::Cut => "written anew",
                        };
                        format!("FILE {name} · followed · {what} {}", at.trim())
                    }
                })
            }
            Self::Replay {
                path,
                speed,
                is_over,
            } => {
                let state = if *is_over { " · ended" } else { "" };
                Some(format!("REPLAY {speed}x {}{state}", name(path)))
            }
        }
    }
}

/// A leading `~/` is the home folder.
fn at_home(path: &str) -> PathBuf {
    let home = path.strip_prefix("~/").zip(std::env::home_dir());
    home.map_or_else(|| path.into(), |(rest, home)| home.join(rest))
}

impl Logs {
    /// Shows lines from somewhere else.
    pub(super) fn read_from(&mut self, source: Source, cx: &mut Cx) {
        if !self.source.is_tail() {
            cx.effect(Effect::Close);
        }
        self.source = source;
        self.view = View::Lines;
        self.restart(cx);
    }

    /// Reads the file, or plays the recording, from its start.
    pub(super) fn start_file(&mut self, cx: &mut Cx) {
        cx.effect(Effect::StopTail);
        match &mut self.source {
            Source::Tail => {}
            Source::File { path, reading } => {
                *reading = Reading::Begun;
                cx.effect(Effect::Open(self.tail, path.clone()));
            }
            Source::Replay {
                path,
                speed,
                is_over,
            } => {
                *is_over = false;
                cx.effect(Effect::Replay(self.tail, path.clone(), *speed));
            }
        }
    }

    /// A file was read, or cannot be.
    pub(super) fn on_opened(&mut self, result: &Result<Read, String>, cx: &mut Cx) {
        match result {
            Err(error) => self.ended = Some(error.clone()),
            Ok(read) => {
                let Some((store, indexer)) = read.take() else {
                    return;
                };
                self.empty(cx);
                (self.store, self.indexer) = (store, indexer);
                if let Source::File { reading, .. } = &mut self.source {
                    let change = (Change::Cut, cx.now.wall.as_millisecond());
                    *reading = if read.is_followed {
                        Reading::Followed(read.is_anew.then_some(change))
                    } else {
                        Reading::Whole
                    };
                }
                if read.is_anew {
                    cx.toast(
                        Tone::Warn,
                        "the file was cut or written anew: read again from its start",
                    );
                }
                self.resift(cx);
                self.count(cx.now, true);
                if let Some(damage) = &read.damage {
                    cx.toast(Tone::Warn, damage.clone());
                }
                if read.skipped > 0 {
                    let skipped = plural(read.skipped, "line");
                    cx.toast(Tone::Warn, format!("{skipped} skipped: no log events"));
                }
            }
        }
    }
}

impl Logs {
    /// A followed file has more, or became another.
    pub(super) fn on_grown(&mut self, growth: &Growth, cx: &mut Cx) {
        match growth {
            Growth::Failed(error) => self.ended = Some(error.clone()),
            Growth::Rotated => {
                self.indexer.begin_file();
                if let Source::File { reading, .. } = &mut self.source {
                    let now = cx.now.wall.as_millisecond();
                    *reading = Reading::Followed(Some((Change::Rotated, now)));
                }
                let text = "the file was rotated: reading on in the new one of its name";
                cx.toast(Tone::Info, text);
            }
            Growth::Text(piece, _) => {
                let first = self.indexer.take_piece(piece, &mut self.store);
                if self.sieve.changed_from(first, &self.store) {
                    self.resift(cx);
                }
                self.count(cx.now, false);
            }
        }
    }

    /// Nothing can come behind the last line.
    pub(super) const fn is_whole_file(&self) -> bool {
        matches!(
            self.source,
            Source::File {
                reading: Reading::Begun | Reading::Whole,
                ..
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_behind_the_name_plays_it() {
        assert_eq!(Source::parse("  "), Source::Tail);
        let file = |path: &str| Source::File {
            path: path.into(),
            reading: Reading::Begun,
        };
        assert_eq!(Source::parse("my log.txt"), file("my log.txt"));
        assert_eq!(Source::parse("log 0x"), file("log 0x"));
        let played = Source::parse("/x/a b.jsonl 10x");
        let pill = played.pill(Clock::default(), jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(pill.as_deref(), Some("REPLAY 10x a b.jsonl"));
    }
}
