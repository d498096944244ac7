//! Where the lines come from: a tail, a file, a recording that is played.

use std::path::{Path, PathBuf};

use super::{Logs, View};
use crate::config::LogFile;
use crate::effects::logs::Effect;
use crate::effects::logs::open::Read;
use crate::tabs::Cx;
use crate::ui::text::{clean, plural};
use crate::ui::theme::Tone;

/// Where the lines come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Source {
    /// The target's log groups.
    #[default]
    Tail,
    /// A local file, and whether it has been read.
    File { path: PathBuf, is_read: bool },
    /// A recording, played at so many times its own pace, and whether it has ended.
    Replay {
        path: PathBuf,
        speed: f64,
        is_over: bool,
    },
}

impl Source {
    /// What was asked for on the command line.
    pub fn of(file: Option<&LogFile>) -> Self {
        match file.cloned() {
            None => Self::Tail,
            Some(LogFile { path, speed: None }) => Self::File {
                path,
                is_read: false,
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
    pub fn pill(&self) -> Option<String> {
        let name = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            clean(&name.to_string_lossy())
        };
        match self {
            Self::Tail => None,
            Self::File { path, is_read } => {
                let state = if *is_read { "" } else { "reading " };
                Some(format!("FILE {state}{}", name(path)))
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
            Source::File { path, is_read } => {
                *is_read = false;
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
                let Some(store) = read.take() else {
                    return;
                };
                self.empty(cx);
                self.store = store;
                if let Source::File { is_read, .. } = &mut self.source {
                    *is_read = true;
                }
                self.resift(cx);
                self.count(cx.now, true);
                if read.skipped > 0 {
                    let skipped = plural(read.skipped, "line");
                    cx.toast(Tone::Warn, format!("{skipped} skipped: no log events"));
                }
            }
        }
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
            is_read: false,
        };
        assert_eq!(Source::parse("my log.txt"), file("my log.txt"));
        assert_eq!(Source::parse("log 0x"), file("log 0x"));
        let played = Source::parse("/x/a b.jsonl 10x");
        assert_eq!(played.pill().as_deref(), Some("REPLAY 10x a b.jsonl"));
    }
}
