//! Inputs out of what people have at hand: a curl line, a JSON object, a CSV row with or without header, key=value pairs.

mod csv;
mod curl;
mod json;
mod pairs;

use std::fmt::Write as _;

use super::schema::{Schema, same};
use super::text::is_hidden;

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 1 << 20;

/// Field texts found in a pasted text, and what was made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pasted {
    /// What the text was taken for.
    pub shape: Shape,
    /// One entry per feature of the schema: the text for its field, `None` where the paste does not mention it.
    pub fields: Vec<Option<String>>,
    /// Names and values in the paste that belong to no feature.
    pub ignored: Vec<String>,
}

/// What a pasted text was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A `curl` command line with a JSON body.
    Curl,
    /// A JSON object (or a gateway event around one), or an array in the schema's order.
    Json,
    /// One row of a table.
    Csv,
    /// `key=value` or `key: value`.
    Pairs,
}

/// A pasted text that holds no inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    /// Nothing but white space.
    #[error("there is nothing in the paste")]
    Empty,
    /// More than a request can be.
    #[error(
        "the paste has {0} bytes; one request is pasted at a time (for files: vintner predict --csv FILE)"
    )]
    TooLong(usize),
    /// A curl line without a body, or with one in a file.
    #[error("the curl line {0}")]
    Curl(String),
    /// Begins like JSON but is none.
    #[error("the paste begins like JSON but is not: {0}")]
    Json(String),
    /// Numbers, but not as many as the model has features.
    #[error(
        "a row of {found} values, but the model takes {expected}: paste the header line with it"
    )]
    Columns {
        /// Values in the row.
        found: usize,
        /// Features of the model.
        expected: usize,
    },
    /// None of the known shapes.
    #[error("not understood: paste a curl line, a JSON object, a CSV row or key=value pairs")]
    Unknown,
}

impl Pasted {
    /// Reads a pasted text; at least one feature is found, or it is an error.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, PasteError> {
        let text = text.trim().trim_start_matches('\u{feff}');
        match text {
            "" => return Err(PasteError::Empty),
            _ if text.len() > LONGEST => return Err(PasteError::TooLong(text.len())),
            _ => {}
        }
        let line = text.strip_prefix("$ ").unwrap_or(text);
        if line.starts_with("curl") && line[4..].starts_with(char::is_whitespace) {
            let body = curl::body(line)?;
            return Ok(Self {
                shape: Shape::Curl,
                ..json::inputs(schema, &body)?
            });
        }
        if text.starts_with(['{', '[']) {
            return json::inputs(schema, text);
        }
        csv::inputs(schema, text).or_else(|error| pairs::inputs(schema, text).ok_or(error))
    }

    /// Whether this was meant as a whole request, so that what it does not mention is missing.
    pub fn whole(&self) -> bool {
        matches!(self.shape, Shape::Curl | Shape::Json)
    }

    /// How many features got a value.
    pub fn found(&self) -> usize {
        self.fields.iter().flatten().count()
    }

    /// The names of the required features that the paste does not mention.
    pub fn missing<'a>(&self, schema: &'a Schema) -> Vec<&'a str> {
        (schema.features.iter().zip(&self.fields))
            .filter(|(feature, field)| field.is_none() && feature.default.is_none())
            .map(|(feature, _)| feature.name.as_str())
            .collect()
    }

    /// The report in one line: "curl line: 11 of 12 fields, missing alcohol, ignored quality".
    pub fn summary(&self, schema: &Schema) -> String {
        let shape = match self.shape {
            Shape::Curl => "curl line",
            Shape::Json => "JSON",
            Shape::Csv => "CSV row",
            Shape::Pairs => "pairs",
        };
        let mut said = format!(
            "{shape}: {} of {} fields",
            self.found(),
            schema.features.len()
        );
        let missing = self.missing(schema);
        if !missing.is_empty() && !self.whole() {
            said.push_str(", the others stay as they are");
        } else if !missing.is_empty() {
            let _ = write!(said, ", missing {}", missing.join(", "));
        }
        if !self.ignored.is_empty() {
            let _ = write!(said, ", ignored {}", self.ignored.join(", "));
        }
        said
    }

    fn new(schema: &Schema, shape: Shape) -> Self {
        Self {
            shape,
            fields: vec![None; schema.features.len()],
            ignored: Vec::new(),
        }
    }

    fn put(&mut self, schema: &Schema, name: &str, value: &str) {
        match schema.position(name) {
            Some(position) => self.fields[position] = Some(one_line(value)),
            None => self.ignored.push(one_line(name)),
        }
    }

    /// Values without names, in the schema's order; optional features at the end may be missing, a trailing target
    /// column (the data set's `quality`) may follow.
    fn from_row(schema: &Schema, row: &[String], shape: Shape) -> Result<Self, PasteError> {
        let expected = schema.features.len();
        let required = expected
            - schema
                .features
                .iter()
                .rev()
                .take_while(|feature| feature.default.is_some())
                .count();
        let takes = |position: usize| {
            let feature = &schema.features[position];
            let value = row[position].parse::<f64>().unwrap_or(f64::NAN);
            feature.choices().is_empty()
                || feature
                    .choices()
                    .iter()
                    .any(|choice| choice.label == row[position] || same(choice.value, value))
        };
        let used = match row.len() {
            n if n == required || n == expected && takes(n - 1) => n,
            n if n == required + 1 || n == expected + 1 => n - 1,
            found => return Err(PasteError::Columns { found, expected }),
        };
        let mut pasted = Self::new(schema, shape);
        for (field, value) in pasted.fields.iter_mut().zip(&row[..used]) {
            *field = Some(one_line(value));
        }
        pasted
            .ignored
            .extend(row[used..].iter().map(|value| one_line(value)));
        Ok(pasted)
    }

    fn or_unknown(self) -> Result<Self, PasteError> {
        if self.found() > 0 {
            Ok(self)
        } else {
            Err(PasteError::Unknown)
        }
    }
}

/// Field texts hold one short line without control characters.
fn one_line(text: &str) -> String {
    let shown = text.trim().chars().filter(|c| !is_hidden(*c));
    shown.take(60).collect()
}

#[cfg(test)]
mod tests;
