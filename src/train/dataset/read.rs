//! CSV in, [`Dataset`] out, with errors that name file, line and column.

use std::io::{BufRead, BufReader, Cursor, Read};

use ndarray::{Array1, Array2};

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
    let mut bytes = BufReader::new(bytes.take(MAX_BYTES + 1));
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "fixed acidity;Volatile_Acidity;citric acid;residual sugar;chlorides;free sulfur dioxide;\
                          total sulfur dioxide;density;PH;sulphates;alcohol;quality";
    const ROW: &str = "7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5";

    fn fails(text: &str) -> String {
        csv(text.as_bytes(), "w.csv", None, Target::Needed)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn names_are_matched_loosely_and_the_type_may_be_text() {
        let text = format!("{HEADER};Type;Id\n{ROW};White;9\n{ROW};0;10\n");
        let data = csv(text.as_bytes(), "w.csv", None, Target::Needed).unwrap();
        assert_eq!(data.features.column(11).to_vec(), [1.0, 0.0]);
        assert_eq!(data.features[[0, 8]], 3.51);
        assert_eq!(data.notes, ["w.csv: columns not used: Id"]);
    }

    #[test]
    fn commas_bom_and_crlf_are_fine() {
        let text = format!("\u{feff}{HEADER}\r\n{ROW}\r\n").replace(';', ",");
        let data = csv(text.as_bytes(), "w.csv", None, Target::Needed).unwrap();
        assert_eq!((data.len(), data.target[0]), (1, 5.0));
        assert!(data.notes[0].contains("0 (red) assumed"));
    }

    #[test]
    fn errors_name_file_line_and_column() {
        assert_eq!(
            fails(""),
            "w.csv: the file is empty; expected a header line and rows"
        );
        assert_eq!(
            fails(&format!("{HEADER}\n")),
            "w.csv: the file has a header but no rows"
        );
        let text = format!("{HEADER}\n{ROW}\n{}\n", ROW.replace("0.7;", "abc;"));
        assert_eq!(
            fails(&text),
            "w.csv, line 3, column volatile_acidity: \"abc\" is not a finite number"
        );
        for bad in ["NaN", "inf", "", "1e99"] {
            let text = format!("{HEADER}\n{}\n", ROW.replace("9.4", bad));
            assert!(fails(&text).contains("line 2, column alcohol"), "{bad}");
        }
        assert_eq!(
            fails(&format!("{HEADER}\n1;2\n")),
            "w.csv, line 2: 2 values where the header has 12"
        );
        assert_eq!(
            fails(&format!("{HEADER};ALCOHOL\n{ROW};1\n")),
            "w.csv, line 1: columns 11 and 13 are both alcohol; keep one"
        );
        assert!(
            fails("alcohol,quality\n1,2\n")
                .starts_with("w.csv, line 1: missing columns fixed_acidity, volatile")
        );
        assert!(
            fails(&format!("{HEADER};type\n{ROW};pink\n"))
                .contains("\"pink\" is not red (0) or white (1)")
        );
    }

    #[test]
    fn too_many_rows_are_refused_while_reading() {
        let endless =
            Cursor::new(format!("{HEADER}\n")).chain(Repeat(format!("{ROW}\n").into_bytes(), 0));
        let error = csv(endless, "big.csv", None, Target::Needed).unwrap_err();
        assert_eq!(
            error.to_string(),
            "big.csv: more than 1000000 rows; train on a sample of at most that many"
        );
    }

    struct Repeat(Vec<u8>, usize);

    impl Read for Repeat {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            for byte in buffer.iter_mut() {
                *byte = self.0[self.1];
                self.1 = (self.1 + 1) % self.0.len();
            }
            Ok(buffer.len())
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_table_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = csv(bytes.as_slice(), "w.csv", None, Target::Needed);
        }

        #[test]
        fn any_cells_give_a_table_or_an_error(cells in proptest::collection::vec("[ -~]{0,6}", 0..30)) {
            let text = format!("{HEADER}\n{}", cells.chunks(12).map(|row| row.join(";")).collect::<Vec<_>>().join("\n"));
            if let Ok(data) = csv(text.as_bytes(), "w.csv", None, Target::Needed) {
                prop_assert!(data.features.iter().all(|value| value.is_finite()));
            }
        }
    }
}
