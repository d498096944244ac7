//! Inputs out of a table: its first row, by its header or in the schema's order.

use super::{PasteError, Pasted, Shape};
use crate::domain::schema::Schema;

/// The first row after a header, or the first row; the delimiter is what stands in it.
pub fn inputs(schema: &Schema, text: &str) -> Result<Pasted, PasteError> {
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b';', b'\t', b',']
        .into_iter()
        .find(|&d| first.as_bytes().contains(&d))
        .ok_or(PasteError::Unknown)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = reader
        .records()
        .flatten()
        .map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>());
    let head = rows.next().ok_or(PasteError::Unknown)?;
    let is_header = head
        .iter()
        .filter(|name| schema.position(name).is_some())
        .count()
        * 2
        > head.len();
    if !is_header {
        if !looks_numeric(&head) {
            return Err(PasteError::Unknown);
        }
        return Pasted::from_row(schema, &head, Shape::Csv);
    }
    let row = rows.next().ok_or(PasteError::Unknown)?;
    let mut pasted = Pasted::new(schema, Shape::Csv);
    for (name, value) in head.iter().zip(&row) {
        pasted.put(schema, name, value);
    }
    pasted.or_unknown()
}

fn looks_numeric(row: &[String]) -> bool {
    row.iter()
        .filter(|cell| cell.parse::<f64>().is_ok())
        .count()
        * 2
        > row.len()
}
