//! The file of scored rows: what an earlier run left in it, and how rows get there.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{BatchError, unreadable, unwritable};

/// Columns appended to every row.
const ADDED: [&str; 4] = ["prediction", "rating", "status", "error"];

/// The status of a row that got through to nobody.
pub(super) const NO_ANSWER: &str = "no answer";

/// The status of a row whose cells cannot be sent.
pub(super) const NOT_SENT: &str = "not sent";

/// The rows that an earlier, interrupted run has written, in the table's order; a torn last one is cut off.
pub(super) fn earlier(
    to: &Path,
    header: &csv::StringRecord,
    rows: &[csv::StringRecord],
) -> Result<Vec<csv::StringRecord>, BatchError> {
    if fs::metadata(to).is_ok_and(|found| !found.is_file()) {
        let what = "rows are read back from it, so it must be a plain file";
        return Err(unwritable(
            to,
            io::Error::new(io::ErrorKind::InvalidInput, what),
        ));
    }
    let bytes = match fs::read(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|cause| unreadable(to, cause))?,
    };
    let foreign = || BatchError::Foreign(to.to_owned());
    // Only a torn end can be invalid UTF-8, and it is cut off.
    let text = String::from_utf8_lossy(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let there = reader.headers().map_err(BatchError::NotCsv)?;
    let same = there.iter().eq(header.iter().chain(ADDED));
    if !text.contains('\n') && (same || torn_header(&text, header)) {
        cut(to, 0)?;
        return Ok(Vec::new());
    }
    if !same {
        return Err(foreign());
    }
    let found = reader
        .records()
        .collect::<Result<Vec<_>, _>>()
        .map_err(BatchError::NotCsv)?;
    let mut sound = Vec::new();
    for (n, record) in found.iter().enumerate() {
        let last = n + 1 == found.len();
        let fits = rows.get(n).is_some_and(|row| made_from(record, row));
        if fits && (!last || text.ends_with('\n')) {
            sound.push(record.clone());
        } else if last && rows.len() > n {
            cut(to, record.position().map_or(0, csv::Position::byte))?;
        } else {
            return Err(foreign());
        }
    }
    Ok(sound)
}

/// Whether the text is the beginning of the header line that a run writes first.
fn torn_header(text: &str, header: &csv::StringRecord) -> bool {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(header.iter().chain(ADDED)).is_ok()
        && line
            .into_inner()
            .is_ok_and(|line| line.starts_with(text.as_bytes()))
}

fn made_from(record: &csv::StringRecord, row: &csv::StringRecord) -> bool {
    record.len() == row.len() + ADDED.len() && row.iter().eq(record.iter().take(row.len()))
}

fn cut(file: &Path, length: u64) -> Result<(), BatchError> {
    let opened = OpenOptions::new().write(true).open(file);
    let cut = opened.and_then(|file| file.set_len(length));
    cut.map_err(|cause| unwritable(file, cause))
}

/// Rows that got through to nobody or were answered without a score are sent again; those with a score, or with cells
/// that cannot be sent, are done.
pub(super) fn failed(record: &csv::StringRecord) -> bool {
    score_of(record).is_none() && record.get(record.len() - 2) != Some(NOT_SENT)
}

pub(super) fn score_of(record: &csv::StringRecord) -> Option<f64> {
    record.get(record.len() - ADDED.len())?.parse().ok()
}

/// Writes the whole file anew, through a temporary one: a crash leaves either the old or the new.
pub(super) fn replace(
    to: &Path,
    header: &csv::StringRecord,
    records: &[csv::StringRecord],
) -> Result<(), BatchError> {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(name);
    let written = writer(&temporary, header).and_then(|mut writer| {
        for record in records {
            let written = writer.write_record(record);
            written.map_err(|cause| unwritable(&temporary, cause))?;
        }
        let flushed = writer.flush().and_then(|()| fs::rename(&temporary, to));
        flushed.map_err(|cause| unwritable(to, cause))
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Appends to the file; a new one begins with the header.
pub(super) fn writer(
    to: &Path,
    header: &csv::StringRecord,
) -> Result<csv::Writer<File>, BatchError> {
    let file = OpenOptions::new().create(true).append(true).open(to);
    let file = file.map_err(|cause| unwritable(to, cause))?;
    let empty = file.metadata().is_ok_and(|meta| meta.len() == 0);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
    if empty {
        let written = writer.write_record(header.iter().chain(ADDED));
        written.map_err(|cause| unwritable(to, cause))?;
        writer.flush().map_err(|cause| unwritable(to, cause))?;
    }
    Ok(writer)
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A device has no rows to read back: `/dev/full` would be read for ever.
    #[test]
    fn a_device_is_no_place_for_rows() {
        for device in ["/dev/full", "/dev/null"] {
            let header = csv::StringRecord::from(vec!["alcohol"]);
            let error = earlier(Path::new(device), &header, &[])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(device) && error.contains("must be a plain file"),
                "{error}"
            );
        }
    }
}
