//! Text lines: REPORT and friends, the runtimes' tab-separated formats, and the conventions of loggers.

use memchr::memmem;

use super::{Facts, Kind, Level, failed_level};
use crate::domain::request_id::{RequestId, TEXT_LEN};
use crate::domain::timestamp;

/// Lines that start with `R`: REPORT, RESTORE_…, `RequestId: … Error: …`.
pub fn read_r(message: &[u8]) -> Facts {
    if let Some(rest) = message.strip_prefix(b"REPORT RequestId: ") {
        let facts = Facts::platform(Kind::Report, rest);
        return Facts {
            level: if facts.request.is_some() {
                failed_level(rest)
            } else {
                Level::Info
            },
            ..facts
        };
    }
    if message.starts_with(b"RESTORE_START") || message.starts_with(b"RESTORE_REPORT") {
        return Facts::of(Kind::Restore, failed_level(message));
    }
    if let Some(rest) = message.strip_prefix(b"RequestId: ")
        && let Some(id) = RequestId::at_start(rest)
    {
        let rest = rest[TEXT_LEN..].trim_ascii_start();
        if rest.starts_with(b"Error: ") || rest.starts_with(b"Process exited") {
            let killed = memmem::find(rest, b"signal: killed").is_some()
                || memmem::find(rest, b"OutOfMemory").is_some();
            let kind = if killed {
                Kind::OutOfMemory
            } else {
                Kind::Crash
            };
            return Facts {
                request: Some(id),
                ..Facts::of(kind, Level::Fatal)
            };
        }
        return Facts {
            request: Some(id),
            ..read(rest)
        };
    }
    read(message)
}

/// Every other text line.
pub fn read(message: &[u8]) -> Facts {
    match message.first() {
        Some(b'[') => bracketed(message),
        Some(b'0'..=b'9') => timed(message),
        Some(b'T') if message.starts_with(b"Task timed out after ") => {
            Facts::of(Kind::Timeout, Level::Error)
        }
        Some(b'E') if message.starts_with(b"EXTENSION\tName: ") => {
            Facts::of(Kind::Platform, Level::Info)
        }
        Some(b'L') if message.starts_with(b"LOGS\tName: ") => {
            Facts::of(Kind::Platform, Level::Info)
        }
        Some(_) => Facts::of(Kind::App, spoken_level(message)),
        None => Facts::default(),
    }
}

/// `[ERROR]\t<time>\t<request>\t…` of the Python runtime, `[ERROR] ValueError: …` of an unhandled exception.
fn bracketed(message: &[u8]) -> Facts {
    let window = &message[1..message.len().min(24)];
    let Some(level) =
        memchr::memchr(b']', window).and_then(|end| Level::from_bytes(window[..end].trim_ascii()))
    else {
        return Facts::of(Kind::App, spoken_level(message));
    };
    let rest = message[memchr::memchr(b']', message).unwrap_or(0) + 1..].trim_ascii_start();
    let mut facts = Facts::of(Kind::App, level);
    if let Some((time, len)) = timestamp::parse_prefix(rest) {
        facts.time = Some(time);
        facts.request = RequestId::at_start(rest[len..].trim_ascii_start());
    }
    facts
}

/// `<time>\t<request|undefined>\tLEVEL\t…` of the Node.js runtime, `<time> <request> Task timed out …`, `<time> LEVEL …`.
fn timed(message: &[u8]) -> Facts {
    let Some((time, len)) = timestamp::parse_prefix(message) else {
        return Facts::of(Kind::App, spoken_level(message));
    };
    let mut rest = message[len..].trim_ascii_start();
    let mut facts = Facts {
        time: Some(time),
        request: RequestId::at_start(rest),
        ..Facts::default()
    };
    if facts.request.is_some() {
        rest = rest[TEXT_LEN..].trim_ascii_start();
    } else if let Some(after) = rest.strip_prefix(b"undefined\t") {
        rest = after;
    }
    if rest.starts_with(b"Task timed out after ") {
        (facts.kind, facts.level) = (Kind::Timeout, Level::Error);
    } else {
        facts.level = spoken_level(rest);
    }
    facts
}

/// The level that a free text shows: a level word in front, `level=…`, an exception's name, the marks ❌ and ⚠.
fn spoken_level(message: &[u8]) -> Level {
    let head = &message[..message.len().min(160)];
    let word_len = head
        .iter()
        .position(|b| !b.is_ascii_alphanumeric())
        .unwrap_or(head.len());
    if (3..=11).contains(&word_len)
        && let Some(level) = Level::from_bytes(&head[..word_len])
        && (is_shouted(&head[..word_len])
            || matches!(head.get(word_len), Some(b':' | b'\t' | b'=')))
    {
        return level;
    }
    if head.starts_with("❌".as_bytes()) || head.starts_with("✗".as_bytes()) {
        return Level::Error;
    }
    if head.starts_with("⚠".as_bytes()) {
        return Level::Warn;
    }
    if let Some(level) = named_level(head) {
        return level;
    }
    if is_exception(head) {
        Level::Error
    } else {
        Level::Info
    }
}

fn is_shouted(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_uppercase)
}

/// logfmt: `level=warn`, `lvl="error"`.
fn named_level(head: &[u8]) -> Option<Level> {
    let at = memmem::find(head, b"level=")
        .map(|at| at + 6)
        .or_else(|| Some(memmem::find(head, b"lvl=")? + 4))?;
    let value = head[at..].strip_prefix(b"\"").unwrap_or(&head[at..]);
    let len = value
        .iter()
        .position(|b| !b.is_ascii_alphabetic())
        .unwrap_or(value.len());
    Level::from_bytes(&value[..len])
}

/// `Traceback (most recent call last)`, `ValueError: …`, `java.lang.RuntimeException: …`, `thread 'main' panicked at`.
fn is_exception(head: &[u8]) -> bool {
    if head.starts_with(b"Traceback (most recent call last)") || head.starts_with(b"Unhandled") {
        return true;
    }
    let word = &head[..head
        .iter()
        .position(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
        .unwrap_or(head.len())];
    let named = word.strip_suffix(b":").unwrap_or(word);
    (word.len() != named.len() && (named.ends_with(b"Error") || named.ends_with(b"Exception")))
        || (head.starts_with(b"thread '") && memmem::find(head, b"panicked at").is_some())
}
