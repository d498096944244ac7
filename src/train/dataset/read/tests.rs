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

/// Endless bytes without an end of line, as `/dev/zero` gives them, and a table that turns into that.
#[test]
fn what_has_no_lines_is_refused_before_it_fills_the_memory() {
    let endless = || std::io::repeat(b'0');
    let why = |bytes: &mut dyn std::io::Read| {
        let error = csv(bytes, "w.csv", None, Target::Needed).unwrap_err();
        error.to_string()
    };
    let zeros = why(&mut endless());
    assert!(zeros.contains("longer than 1048576 bytes"), "{zeros}");
    let text = format!("{HEADER}\n{ROW}\n");
    let table = why(&mut text.as_bytes().chain(endless()));
    assert!(table.contains("longer than 1048576 bytes"), "{table}");
}
