//! The forms in which Lambda logs lie in files.

use crate::domain::fields;
use crate::domain::line::Facts;
use crate::domain::timestamp;

/// How each line of a text is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Messages as the function wrote them, text or JSON.
    Raw,
    /// `aws logs tail`: time, stream, message.
    AwsTail,
    /// `vintner logs`: time, the group's name where several are tailed, the last eight characters of the stream's, message.
    Printed,
    /// `aws logs tail --format short` and CloudWatch's exports to S3: time, message.
    Timed,
    /// One JSON object with `timestamp` and `message` a line: `vintner logs --json`, `--record`.
    Recording,
}

/// One line of a file.
pub enum Piece<'a> {
    /// Begins an event.
    Message {
        /// What it says.
        facts: Facts,
        /// Bytes of frame in front of the message.
        skip: usize,
        /// Its stream's name where the frame has one.
        stream: Option<&'a [u8]>,
    },
    /// Goes on with the event before it.
    Continuation,
}

/// Looks at the first lines; also returns the first time found in them (0: none).
pub fn detect(text: &[u8]) -> (Format, i64) {
    let text = without_bom(text);
    // Some tens of lines; the first one whole, however long it is.
    let first = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let sample: Vec<&[u8]> = text[..text.len().min(first.max(64 << 10))]
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .take(100)
        .collect();
    let lines = || sample.iter().copied();
    let format = if sample.first().is_some_and(|line| is_event(line)) {
        Format::Recording
    } else if lines().any(|line| tail_frame(line).is_some()) {
        Format::AwsTail
    } else if is_printed(lines()) {
        Format::Printed
    } else if lines().any(is_timed_platform_line) {
        Format::Timed
    } else {
        Format::Raw
    };
    let first_time = lines().find_map(|line| match format.read(line) {
        Piece::Message { facts, .. } => facts.time,
        Piece::Continuation => None,
    });
    (format, first_time.unwrap_or(0))
}

impl Format {
    /// Time, length of the frame and stream of a line, where the form has a stream.
    fn stream_frame(self, line: &[u8]) -> Option<(i64, usize, &[u8])> {
        match self {
            Self::Printed => printed_frame(line),
            _ => tail_frame(line),
        }
    }

    /// Reads one line.
    pub fn read(self, line: &[u8]) -> Piece<'_> {
        let (time, skip, stream) = match self {
            Self::Raw | Self::Recording => {
                if is_continuation(line) {
                    return Piece::Continuation;
                }
                return Piece::Message {
                    facts: Facts::read(line),
                    skip: 0,
                    stream: None,
                };
            }
            Self::AwsTail | Self::Printed => match self.stream_frame(line) {
                Some((time, skip, stream)) => (time, skip, Some(stream)),
                None => return Piece::Continuation,
            },
            Self::Timed => match timed_frame(line) {
                Some((time, skip)) => (time, skip, None),
                None => return Piece::Continuation,
            },
        };
        let facts = Facts {
            time: Some(time),
            ..Facts::read(&line[skip..])
        };
        Piece::Message {
            facts,
            skip,
            stream,
        }
    }
}

/// The mark that some programs put in front of a text.
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// An event object: `timestamp` is a number (or `null`: unknown) and there is a `message`.
fn is_event(line: &[u8]) -> bool {
    fields::member(line, b"timestamp")
        .is_some_and(|raw| raw == b"null" || raw.first().is_some_and(u8::is_ascii_digit))
        && fields::member(line, b"message").is_some()
        && (fields::member(line, b"logStreamName").is_some()
            || fields::member(line, b"ingestionTime").is_some())
}

/// Time, length of the frame and stream of `2026-10-08T07:30:29.470000+00:00 2026/10/08/[$LATEST]0a1b START …`.
fn tail_frame(line: &[u8]) -> Option<(i64, usize, &[u8])> {
    let (time, skip) = timed_frame(line)?;
    let len = memchr::memchr(b' ', &line[skip..]).unwrap_or(line.len() - skip);
    let stream = &line[skip..skip + len];
    let is_stream =
        memchr::memchr(b'/', stream).is_some() && memchr::memchr(b'[', stream).is_some();
    is_stream.then_some((time, (skip + len + 1).min(line.len()), stream))
}

/// The same of `2026-10-08T07:30:29.470Z c7d2e411 START …`, in which a group's name may stand before the stream's.
fn printed_frame(line: &[u8]) -> Option<(i64, usize, &[u8])> {
    let (time, skip) = timed_frame(line)?;
    let word = |from: usize| {
        let rest = line.get(from..)?;
        let len = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        Some((&rest[..len], (from + len + 1).min(line.len())))
    };
    let is_tag = |word: &[u8]| word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit);
    let (first, after_first) = word(skip)?;
    if is_tag(first) {
        return Some((time, after_first, first));
    }
    let (second, after_second) = word(after_first)?;
    is_tag(second).then_some((time, after_second, second))
}

/// Every line that has a time has a stream, too; the others go on with a line before.
fn is_printed<'a>(lines: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut timed = lines.filter(|line| timed_frame(line).is_some()).peekable();
    timed.peek().is_some() && timed.all(|line| printed_frame(line).is_some())
}

fn timed_frame(line: &[u8]) -> Option<(i64, usize)> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let (time, len) = timestamp::parse_prefix(line)?;
    (line.get(len) == Some(&b' ')).then_some((time, len + 1))
}

/// A time in front of a line that Lambda writes without one.
fn is_timed_platform_line(line: &[u8]) -> bool {
    timed_frame(line).is_some_and(|(_, skip)| {
        [
            "START RequestId: ",
            "END RequestId: ",
            "REPORT RequestId: ",
            "INIT_START ",
            "{\"time\":",
        ]
        .iter()
        .any(|head| line[skip..].starts_with(head.as_bytes()))
    })
}

/// Indented, empty, or one of the known second lines of an event.
fn is_continuation(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b' ' | b'\t') => true,
        Some(b'X') => line.starts_with(b"XRAY TraceId: "),
        Some(b'T') => line.starts_with(b"Traceback (most recent call last)"),
        Some(b'C') => line.starts_with(b"Caused by: "),
        Some(b'R') => line == b"Runtime.ExitError",
        _ => false,
    }
}
