//! Inputs out of what people have at hand: a curl line, a JSON object, a CSV row with or without header, key=value pairs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schema::Schema;
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
            let body = curl_body(line)?;
            return Ok(Self {
                shape: Shape::Curl,
                ..from_json(schema, &body)?
            });
        }
        if text.starts_with(['{', '[']) {
            return from_json(schema, text);
        }
        from_table(schema, text).or_else(|error| from_pairs(schema, text).ok_or(error))
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

    fn or_unknown(self) -> Result<Self, PasteError> {
        if self.found() > 0 {
            Ok(self)
        } else {
            Err(PasteError::Unknown)
        }
    }
}

/// The data of a curl command line.
fn curl_body(line: &str) -> Result<String, PasteError> {
    // Line continuations of POSIX shells, cmd (^) and PowerShell (`).
    let line = line
        .replace("\\\r\n", " ")
        .replace("\\\n", " ")
        .replace("^\n", " ")
        .replace("`\n", " ");
    let words = shell_words::split(&line)
        .map_err(|_| PasteError::Curl("has a quote that is never closed".to_owned()))?;
    let mut words = words.iter().map(String::as_str);
    let mut data: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii" | "--json" => {
                data.push(
                    words
                        .next()
                        .ok_or_else(|| PasteError::Curl(format!("ends after {word}")))?,
                );
            }
            _ => data.extend(glued_data(word)),
        }
    }
    match data.as_slice() {
        [] => Err(PasteError::Curl(
            "has no body (-d, --data, --json)".to_owned(),
        )),
        [file] if file.starts_with('@') => Err(PasteError::Curl(format!(
            "takes its body from the file {}: paste the file's content",
            one_line(&file[1..])
        ))),
        // Bash's $'…' quoting leaves its dollar sign in front.
        _ => Ok(data.join("&").trim_start_matches('$').to_owned()),
    }
}

/// `-d{…}`, `--data={…}`: the value glued to its option.
fn glued_data(word: &str) -> Option<&str> {
    if let Some((option, value)) = word.split_once('=') {
        let options = [
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-ascii",
            "--json",
        ];
        return options.contains(&option).then_some(value);
    }
    word.strip_prefix("-d")
        .filter(|value| value.starts_with(['{', '[', '@']))
}

fn from_json(schema: &Schema, text: &str) -> Result<Pasted, PasteError> {
    let value: Value = serde_json::from_str(text)
        .or_else(|error| serde_json::from_str(&text.replace('\'', "\"")).map_err(|_| error))
        .map_err(|error| PasteError::Json(error.to_string()))?;
    match value {
        Value::Object(object) => from_object(schema, &object).or_unknown(),
        Value::Array(items) => match items.first() {
            Some(Value::Object(object)) => from_object(schema, object).or_unknown(),
            _ => from_row(
                schema,
                &items.iter().map(literal).collect::<Vec<_>>(),
                Shape::Json,
            ),
        },
        _ => Err(PasteError::Unknown),
    }
}

fn from_object(schema: &Schema, object: &Map<String, Value>) -> Pasted {
    // A gateway event or an Invoke payload carries the request as a string or an object under `body`.
    let inner = match object.get("body") {
        Some(Value::String(body)) => serde_json::from_str::<Map<String, Value>>(body).ok(),
        Some(Value::Object(body)) => Some(body.clone()),
        _ => None,
    };
    let mut pasted = Pasted::new(schema, Shape::Json);
    for (name, value) in inner.as_ref().unwrap_or(object) {
        pasted.put(schema, name, &literal(value));
    }
    pasted
}

/// A JSON value as a field's text: a string's content, anything else as written.
fn literal(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn from_table(schema: &Schema, text: &str) -> Result<Pasted, PasteError> {
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
        return from_row(schema, &head, Shape::Csv);
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

/// Values without names, in the schema's order; optional features at the end may be missing, a trailing target
/// column (the data set's `quality`) may follow.
fn from_row(schema: &Schema, row: &[String], shape: Shape) -> Result<Pasted, PasteError> {
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
            || feature.choices().iter().any(|choice| {
                choice.label == row[position] || super::schema::same(choice.value, value)
            })
    };
    let used = match row.len() {
        n if n == required || n == expected && takes(n - 1) => n,
        n if n == required + 1 || n == expected + 1 => n - 1,
        found => return Err(PasteError::Columns { found, expected }),
    };
    let mut pasted = Pasted::new(schema, shape);
    for (field, value) in pasted.fields.iter_mut().zip(&row[..used]) {
        *field = Some(one_line(value));
    }
    pasted
        .ignored
        .extend(row[used..].iter().map(|value| one_line(value)));
    Ok(pasted)
}

/// `alcohol=12 pH=3.2`, one per line or separated by spaces, commas or `&`; `key: value` one per line.
fn from_pairs(schema: &Schema, text: &str) -> Option<Pasted> {
    let mut pasted = Pasted::new(schema, Shape::Pairs);
    let words = text
        .split(|c: char| c.is_whitespace() || ",;&".contains(c))
        .filter(|word| !word.is_empty());
    if text.contains('=') {
        for word in words {
            match word.split_once('=') {
                Some((name, value)) => pasted.put(schema, name, unquoted(value)),
                None => pasted.ignored.push(one_line(word)),
            }
        }
    } else {
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            pasted.put(
                schema,
                unquoted(name),
                unquoted(value.trim().trim_end_matches(',')),
            );
        }
    }
    pasted.or_unknown().ok()
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

/// Field texts hold one short line without control characters.
fn one_line(text: &str) -> String {
    let shown = text.trim().chars().filter(|c| !is_hidden(*c));
    shown.take(60).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::super::features::Features;
    use super::*;

    const DEMO: &str = r#"{"fixed_acidity":7.4,"volatile_acidity":0.7,"citric_acid":0,"residual_sugar":1.9,"chlorides":0.076,"free_sulfur_dioxide":11,"total_sulfur_dioxide":34,"density":0.9978,"pH":3.51,"sulphates":0.56,"alcohol":9.4,"wine_type_encoded":0}"#;

    fn parse(text: &str) -> Result<Pasted, PasteError> {
        Pasted::parse(Schema::wine_quality(), text)
    }

    /// The body that the pasted fields would send.
    fn body(text: &str) -> String {
        let schema = Schema::wine_quality();
        let fields: Vec<String> = parse(text)
            .unwrap()
            .fields
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect();
        Features::parse(schema, &fields).unwrap().to_json(schema)
    }

    #[test]
    fn a_curl_line_gives_back_its_body() {
        let single = format!(
            "curl -X POST https://x.example/ -H 'Content-Type: application/json' -d '{DEMO}'"
        );
        let lines = format!("$ curl -s \\\n  --json '{DEMO}' \\\n  http://localhost:8000/predict");
        let double = format!("curl --data-raw \"{}\" http://x", DEMO.replace('"', "\\\""));
        let glued = format!("curl http://x --data='{DEMO}'");
        for line in [single, lines, double, glued] {
            assert_eq!(body(&line), DEMO, "{line}");
            assert_eq!(parse(&line).unwrap().shape, Shape::Curl);
        }
    }

    #[test]
    fn a_curl_line_without_a_body_says_so() {
        let message = |line| parse(line).unwrap_err().to_string();
        assert_eq!(
            message("curl http://x"),
            "the curl line has no body (-d, --data, --json)"
        );
        assert!(message("curl -d @body.json http://x").contains("from the file body.json"));
        assert!(message("curl -d '{").contains("quote that is never closed"));
    }

    #[test]
    fn json_may_be_pretty_python_or_wrapped_in_an_event() {
        let pretty =
            serde_json::to_string_pretty(&serde_json::from_str::<Value>(DEMO).unwrap()).unwrap();
        let event = serde_json::json!({ "version": "2.0", "body": DEMO }).to_string();
        let python = DEMO.replace('"', "'");
        for text in [DEMO.to_owned(), pretty, event, python] {
            assert_eq!(body(&text), DEMO);
        }
    }

    #[test]
    fn a_bad_payload_is_kept_as_it_is() {
        let pasted = parse(r#"{"alcohol":"high","pH":null,"quality":5}"#).unwrap();
        assert_eq!(pasted.fields[10].as_deref(), Some("high"));
        assert_eq!(pasted.fields[8].as_deref(), Some("null"));
        assert_eq!(pasted.ignored, ["quality"]);
        assert_eq!(pasted.missing(Schema::wine_quality()).len(), 9);
    }

    #[test]
    fn rows_of_the_data_set_are_understood() {
        let header = "\"fixed acidity\";\"volatile acidity\";\"citric acid\";\"residual sugar\";\"chlorides\";\"free sulfur dioxide\";\"total sulfur dioxide\";\"density\";\"pH\";\"sulphates\";\"alcohol\";\"quality\"";
        let row = "7.4;0.7;0;1.9;0.076;11;34;0.9978;3.51;0.56;9.4;5";
        let with_header = parse(&format!("{header}\n{row}\n")).unwrap();
        assert_eq!(
            (with_header.found(), with_header.ignored.as_slice()),
            (11, &["quality".to_owned()][..])
        );
        let bare = parse(row).unwrap();
        assert_eq!(
            (bare.found(), bare.ignored.as_slice()),
            (11, &["5".to_owned()][..]),
            "5 is no wine type"
        );
        assert_eq!(
            parse("7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,1")
                .unwrap()
                .found(),
            12
        );
        assert_eq!(
            parse("7.4,0.7,0,1.9").unwrap_err(),
            PasteError::Columns {
                found: 4,
                expected: 12
            }
        );
        let kaggle = parse("type,alcohol,pH\nwhite,12,3.2").unwrap();
        assert_eq!(kaggle.fields[11].as_deref(), Some("white"));
    }

    #[test]
    fn pairs_may_name_some_features() {
        for text in [
            "alcohol=12 pH=3.2",
            "vintner predict alcohol=12 pH=3.2",
            "alcohol: 12\npH: 3.2",
            "alcohol=12&ph=3.2",
        ] {
            let pasted = parse(text).unwrap();
            assert_eq!((pasted.shape, pasted.found()), (Shape::Pairs, 2), "{text}");
            assert_eq!(pasted.fields[10].as_deref(), Some("12"));
        }
        assert_eq!(parse("alcohol=12 pH=3.2").unwrap().fields[0], None);
    }

    #[test]
    fn anything_else_is_not_understood() {
        assert_eq!(parse(" \n").unwrap_err(), PasteError::Empty);
        assert_eq!(parse("hello world").unwrap_err(), PasteError::Unknown);
        assert_eq!(parse("{}").unwrap_err(), PasteError::Unknown);
        assert!(matches!(parse("{\"a\":").unwrap_err(), PasteError::Json(_)));
        assert!(matches!(
            parse(&"x".repeat(LONGEST + 1)).unwrap_err(),
            PasteError::TooLong(_)
        ));
    }

    #[test]
    fn the_summary_names_what_is_missing() {
        let pasted = parse(r#"{"alcohol":12,"vintage":1999}"#).unwrap();
        let summary = pasted.summary(Schema::wine_quality());
        assert!(
            summary.starts_with("JSON: 1 of 12 fields, missing fixed_acidity, ")
                && summary.ends_with(", ignored vintage")
        );
    }

    proptest! {
        #[test]
        fn no_paste_panics(text in "(curl )?[-a-zA-Z0-9=:;,{}\\[\\]'\"\\\\@ \\n\\t.]{0,120}") {
            if let Ok(pasted) = parse(&text) {
                prop_assert!(pasted.found() > 0);
                prop_assert!(pasted.fields.iter().flatten().all(|field| !field.chars().any(char::is_control)));
            }
        }

        #[test]
        fn what_is_copied_as_curl_pastes_back(values in prop::collection::vec(0.0..500.0_f64, 11)) {
            let schema = Schema::wine_quality();
            let mut row = values;
            row.push(1.0);
            let json = Features::from_values(schema, &row).unwrap().to_json(schema);
            prop_assert_eq!(body(&format!("curl -d '{json}' http://x")), json);
        }
    }
}
