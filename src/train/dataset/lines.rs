//! A file that is no text with lines must not be taken into memory as one.

use std::io::{self, Read};

/// Bytes that no line of a table has.
const LONGEST: usize = 1 << 20;

/// Reads on until a line is longer than any line of a table.
pub(super) struct Lined<R> {
    bytes: R,
    /// Bytes since the last line's end.
    since: usize,
}

impl<R> Lined<R> {
    pub(super) const fn new(bytes: R) -> Self {
        Self { bytes, since: 0 }
    }
}

impl<R: Read> Read for Lined<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.since = match buffer[..read].iter().rposition(|byte| *byte == b'\n') {
            Some(end) => read - end - 1,
            None => self.since + read,
        };
        if self.since > LONGEST {
            let why = format!("a line is longer than {LONGEST} bytes; this is not a CSV");
            return Err(io::Error::other(why));
        }
        Ok(read)
    }
}
