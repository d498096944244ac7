//! CSV in, [`Dataset`] out, with errors that name file, line and column.

use std::io::{BufRead, BufReader, Cursor, Read};

use ndarray::{Array1, Array2};

use super::lines::Lined;
use super::{Dataset, FEATURES, TARGET, WINE_TYPE};

/// Most rows a training run accepts (memory stays under ~100 MB).
pub const MAX_ROWS: usize = 1_000_000;

/// Most bytes read from one file.
pub const MAX_BYTES: u64 = 512 << 20;

const MAX_HEADER: u64 = 64 << 10;

/// Why a file cannot be trained on.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Nothing to read.
    #[error("{file}: the file is empty; expected a header line and rows")]
    Empty {
        /// The file.
        file: String,
    },
    /// A header without rows.
    #[error("{file}: the file has a header but no rows")]
    NoRows {
        /// The file.
        file: String,
    },
    /// Required columns are not there.
    #[error("{file}, line 1: missing column{} {}; found: {found}", if missing.len() == 1 { "" } else { "s" }, missing.join(", "))]
    MissingColumns {
        /// The file.
        file: String,
        /// The schema's names that no column has.
        missing: Vec<String>,
        /// What the header has instead.
        found: String,
    },
    /// One feature named twice.
    #[error("{file}, line 1: columns {first} and {second} are both {name}; keep one")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The schema's name.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A cell that is not a finite number.
    #[error("{file}, line {line}, column {column}: {text:?} is not {expected}")]
    Cell {
        /// The file.
        file: String,
        /// Line in the file, from 1.
        line: u64,
        /// The schema's name of the column.
        column: String,
        /// What stands there (control characters escaped when printed).
        text: String,
        /// What should.
        expected: &'static str,
    },
    /// A row of another length than the header, or text that is not UTF-8.
    #[error("{file}, line {line}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// Line in the file, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// More rows than training accepts.
    #[error("{file}: more than {limit} rows; train on a sample of at most that many")]
    TooManyRows {
        /// The file.
        file: String,
        /// [`MAX_ROWS`].
        limit: usize,
    },
    /// More bytes than training accepts.
    #[error("{file}: larger than {limit} bytes; train on a sample")]
    TooLarge {
        /// The file.
        file: String,
        /// [`MAX_BYTES`].
        limit: u64,
    },
    /// The reader failed.
    #[error("{file}: cannot be read: {problem}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        problem: String,
    },
    /// All rows have the same target.
    #[error("every row has {TARGET} {value}; a model needs at least two different values")]
    OneClass {
        /// The only value.
        value: f32,
    },
    /// Not enough rows to split and learn.
    #[error("{rows} rows {}are too few; at least {needed} are needed", after_dropping(*.dropped))]
    TooFewRows {
        /// Rows there are.
        rows: usize,
        /// Duplicates that were dropped before.
        dropped: usize,
        /// Rows there must be.
        needed: usize,
    },
    /// Features and target do not fit together.
    #[error("the table has the wrong shape: {0}")]
    Shape(String),
}

/// Whether the rows must say how good the wines were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Rows to learn from.
    Needed,
    /// Requests: where there is no target it is NaN.
    Optional,
}

fn after_dropping(duplicates: usize) -> String {
    match duplicates {
        0 => String::new(),
        1 => "left after dropping 1 duplicate ".to_owned(),
        many => format!("left after dropping {many} duplicates "),
    }
}

/// Reads a CSV; `wine_type` fills the type column of a file that has none.
pub(super) fn csv(
    bytes: impl Read,
    file: &str,
    wine_type: Option<f32>,
    target: Target,
) -> Result<Dataset, DataError> {
    let mut bytes = BufReader::new(Lined::new(bytes.take(MAX_BYTES + 1)));
    let header = header_line(&mut bytes, file)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&header))
        .trim(csv::Trim::All)
        .from_reader(Cursor::new(header).chain(bytes));
    let columns = Columns::find(
        reader.headers().map_err(|error| bad_row(file, &error))?,
        file,
        target,
    )?;
    let table = rows(&mut reader, &columns, file, wine_type.unwrap_or(0.0))?;
    let mut notes = columns.notes;
    if columns.wine_type.is_none() && wine_type.is_none() {
        notes.push(format!(
            "{file} has no {WINE_TYPE} column: 0 (red) assumed for every row, as the service does"
        ));
    }
    let shape = |error: ndarray::ShapeError| DataError::Shape(error.to_string());
    Ok(Dataset {
        features: Array2::from_shape_vec((table.target.len(), FEATURES.len()), table.features)
            .map_err(shape)?,
        target: Array1::from_vec(table.target),
        names: FEATURES.map(str::to_owned).to_vec(),
        notes,
    })
}

fn header_line(bytes: &mut impl BufRead, file: &str) -> Result<Vec<u8>, DataError> {
    let mut line = Vec::new();
    bytes
        .take(MAX_HEADER)
        .read_until(b'\n', &mut line)
        .map_err(|error| DataError::Io {
            file: file.to_owned(),
            problem: error.to_string(),
        })?;
    if line.starts_with(b"\xEF\xBB\xBF") {
        line.drain(..3);
    }
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(DataError::Empty {
            file: file.to_owned(),
        });
    }
    Ok(line)
}

fn delimiter(header: &[u8]) -> u8 {
    let count = |byte: u8| header.iter().filter(|&&b| b == byte).count();
    [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|&byte| count(byte))
        .unwrap_or(b',')
}

struct Table {
    features: Vec<f32>,
    target: Vec<f32>,
}

fn rows<R: Read>(
    reader: &mut csv::Reader<R>,
    columns: &Columns,
    file: &str,
    default_type: f32,
) -> Result<Table, DataError> {
    let mut table = Table {
        features: Vec::new(),
        target: Vec::new(),
    };
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| bad_row(file, &error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        if table.target.len() == MAX_ROWS {
            return Err(DataError::TooManyRows {
                file: file.to_owned(),
                limit: MAX_ROWS,
            });
        }
        let cell = |position: usize, column: &'static str| Cell {
            file,
            line,
            column,
            text: record.get(position).unwrap_or(""),
        };
        for (name, &position) in FEATURES.iter().zip(&columns.numbers) {
            table.features.push(cell(position, name).number()?);
        }
        table.features.push(match columns.wine_type {
            Some(position) => cell(position, WINE_TYPE).wine_type()?,
            None => default_type,
        });
        table.target.push(match columns.target {
            Some(position) => cell(position, TARGET).number()?,
            None => f32::NAN,
        });
    }
    if reader.position().byte() > MAX_BYTES {
        return Err(DataError::TooLarge {
            file: file.to_owned(),
            limit: MAX_BYTES,
        });
    }
    if table.target.is_empty() {
        return Err(DataError::NoRows {
            file: file.to_owned(),
        });
    }
    Ok(table)
}

/// Where the schema's columns stand in the file.
struct Columns {
    /// The eleven measured features, in schema order.
    numbers: Vec<usize>,
    wine_type: Option<usize>,
    target: Option<usize>,
    notes: Vec<String>,
}

impl Columns {
    fn find(header: &csv::StringRecord, file: &str, need: Target) -> Result<Self, DataError> {
        let mut places: Vec<Option<usize>> = vec![None; FEATURES.len() + 1];
        let mut ignored = Vec::new();
        for (position, column) in header.iter().enumerate() {
            let Some(slot) = slot(column) else {
                ignored.push(printable(column));
                continue;
            };
            if let Some(first) = places[slot].replace(position) {
                let name = FEATURES.get(slot).copied().unwrap_or(TARGET).to_owned();
                return Err(DataError::DuplicateColumn {
                    file: file.to_owned(),
                    name,
                    first: first + 1,
                    second: position + 1,
                });
            }
        }
        let target = places.pop().flatten();
        let wine_type = places.pop().flatten();
        let numbers: Vec<usize> = places.iter().copied().flatten().collect();
        let lacks_target = need == Target::Needed && target.is_none();
        if numbers.len() == places.len() && !lacks_target {
            let notes = if ignored.is_empty() {
                Vec::new()
            } else {
                vec![format!("{file}: columns not used: {}", ignored.join(", "))]
            };
            return Ok(Self {
                numbers,
                wine_type,
                target,
                notes,
            });
        }
        let absent = FEATURES
            .iter()
            .zip(&places)
            .filter(|(_, place)| place.is_none())
            .map(|(name, _)| *name);
        let missing = absent
            .chain(lacks_target.then_some(TARGET))
            .map(str::to_owned)
            .collect();
        let found = header
            .iter()
            .take(40)
            .map(printable)
            .collect::<Vec<_>>()
            .join(", ");
        Err(DataError::MissingColumns {
            file: file.to_owned(),
            missing,
            found,
        })
    }
}

/// Index into `FEATURES`, or its length for the target.
fn slot(column: &str) -> Option<usize> {
    let plain = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect::<String>()
    };
    let column = plain(column);
    if column == plain(TARGET) {
        return Some(FEATURES.len());
    }
    if matches!(column.as_str(), "winetype" | "type" | "color" | "colour") {
        return FEATURES.iter().position(|name| *name == WINE_TYPE);
    }
    FEATURES.iter().position(|name| plain(name) == column)
}

struct Cell<'a> {
    file: &'a str,
    line: u64,
    column: &'a str,
    text: &'a str,
}

impl Cell<'_> {
    fn number(&self) -> Result<f32, DataError> {
        // -0 and 0 are one value: they must hash and compare as such.
        match self.text.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(value + 0.0),
            _ => Err(self.wrong("a finite number")),
        }
    }

    fn wine_type(&self) -> Result<f32, DataError> {
        match self.text.to_ascii_lowercase().as_str() {
            "red" | "0" | "0.0" => Ok(0.0),
            "white" | "1" | "1.0" => Ok(1.0),
            _ => Err(self.wrong("red (0) or white (1)")),
        }
    }

    fn wrong(&self, expected: &'static str) -> DataError {
        DataError::Cell {
            file: self.file.to_owned(),
            line: self.line,
            column: self.column.to_owned(),
            text: self.text.chars().take(60).collect(),
            expected,
        }
    }
}

fn bad_row(file: &str, error: &csv::Error) -> DataError {
    let line = error.position().map_or(1, csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} values where the header has {expected_len}")
        }
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    DataError::Row {
        file: file.to_owned(),
        line,
        problem,
    }
}

fn printable(text: &str) -> String {
    crate::domain::text::one_line(text, 60)
}

#[cfg(test)]
mod tests;
