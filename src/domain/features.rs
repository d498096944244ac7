//! One request's inputs. Parse, don't validate: a [`Features`] in hand can be sent, in the schema's order.

use std::fmt::Write;

use super::schema::{Domain, Feature, Schema, same};

/// Valid inputs of one request, in the schema's order. An optional feature may be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// What is sent; `None` where an optional feature was left empty.
    sent: Vec<Option<f64>>,
    /// What the model sees: `sent` with the defaults filled in.
    row: Vec<f64>,
}

/// How far a field is from what the model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Within p1..p99 of the training data.
    Usual,
    /// Within min..max, but outside 98 % of the training data.
    Unusual,
    /// Outside min..max, or against a rule: the model extrapolates. May be sent.
    Extrapolating,
    /// Cannot be sent as it is.
    Rejected,
}

/// What is to be said about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How serious it is.
    pub level: Level,
    /// Why, in words; empty for [`Level::Usual`].
    pub message: String,
}

/// A field that cannot be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct FieldError {
    /// The feature's name.
    pub name: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Features {
    /// The inputs typed into a form, one text per feature; every field that cannot be sent is in the error.
    pub fn parse<T: AsRef<str>>(schema: &Schema, fields: &[T]) -> Result<Self, Vec<FieldError>> {
        let text = |i: usize| fields.get(i).map_or("", |field| field.as_ref());
        let (mut sent, mut errors) = (Vec::new(), Vec::new());
        for (i, feature) in schema.features.iter().enumerate() {
            match parse_field(feature, text(i)) {
                Ok(value) => sent.push(value),
                Err(message) => errors.push(FieldError {
                    name: feature.name.clone(),
                    message,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Self::from_sent(schema, sent))
        } else {
            Err(errors)
        }
    }

    /// The inputs as numbers in the schema's order, e.g. a preset's; the same checks as for typed text.
    pub fn from_values(schema: &Schema, values: &[f64]) -> Result<Self, Vec<FieldError>> {
        let fields: Vec<String> = values.iter().map(f64::to_string).collect();
        Self::parse(schema, &fields)
    }

    fn from_sent(schema: &Schema, sent: Vec<Option<f64>>) -> Self {
        let row = (schema.features.iter().zip(&sent))
            .map(|(feature, value)| value.or(feature.default).unwrap_or(f64::NAN))
            .collect();
        Self { sent, row }
    }

    /// What the model sees, in the schema's order, defaults filled in.
    pub fn row(&self) -> &[f64] {
        &self.row
    }

    /// The same inputs with one of them changed, e.g. for a sweep.
    #[must_use]
    pub fn with(&self, position: usize, value: f64) -> Self {
        let mut changed = self.clone();
        changed.sent[position] = Some(value);
        changed.row[position] = value;
        changed
    }

    /// One text per feature, as a form shows them; empty where an optional feature was left out.
    pub fn fields(&self) -> Vec<String> {
        self.sent
            .iter()
            .map(|value| value.map(|value| value.to_string()).unwrap_or_default())
            .collect()
    }

    /// The request body, byte for byte: compact JSON in the schema's order, whole numbers without a point.
    pub fn to_json(&self, schema: &Schema) -> String {
        let mut body = String::from("{");
        for (feature, value) in schema.features.iter().zip(&self.sent) {
            if let Some(value) = value {
                let comma = if body.len() > 1 { "," } else { "" };
                // Writing to a String cannot fail; f64's Display is the shortest text that reads back the same.
                let _ = write!(body, "{comma}{}:{value}", quoted(&feature.name));
            }
        }
        body.push('}');
        body
    }
}

/// The body that says exactly what is in the fields, valid or not: numbers as numbers, anything else as a string,
/// empty fields left out. Reproduces a caller's bad payload.
pub fn raw_json<T: AsRef<str>>(schema: &Schema, fields: &[T]) -> String {
    let pairs = (schema.features.iter().zip(fields))
        .filter(|(_, field)| !field.as_ref().trim().is_empty())
        .map(|(feature, field)| {
            let field = field.as_ref().trim();
            let literal = serde_json::from_str::<serde_json::Value>(field)
                .is_ok_and(|value| !value.is_string());
            let value = if literal {
                field.to_owned()
            } else {
                quoted(field)
            };
            format!("{}:{value}", quoted(&feature.name))
        });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// What is to be said about the text in one field.
pub fn check_field(feature: &Feature, text: &str) -> Check {
    match parse_field(feature, text) {
        Err(message) => Check {
            level: Level::Rejected,
            message,
        },
        Ok(value) => value.map_or(Check::usual(), |value| check_value(feature, value)),
    }
}

/// What is to be said about all fields of a form: each on its own, then the rules between them.
pub fn check_fields<T: AsRef<str>>(schema: &Schema, fields: &[T]) -> Vec<Check> {
    let text = |i: usize| fields.get(i).map_or("", |field| field.as_ref());
    let mut checks: Vec<Check> = schema
        .features
        .iter()
        .enumerate()
        .map(|(i, feature)| check_field(feature, text(i)))
        .collect();
    for rule in &schema.rules {
        let number = |i: usize| text(i).trim().parse::<f64>().ok();
        let broken =
            matches!((number(rule.smaller), number(rule.larger)), (Some(a), Some(b)) if a > b);
        if broken && checks[rule.smaller].level < Level::Extrapolating {
            checks[rule.smaller] = Check {
                level: Level::Extrapolating,
                message: rule.message.clone(),
            };
        }
    }
    checks
}

impl Check {
    fn usual() -> Self {
        Self {
            level: Level::Usual,
            message: String::new(),
        }
    }
}

fn check_value(feature: &Feature, value: f64) -> Check {
    let Some(range) = feature.range() else {
        return Check::usual();
    };
    if value < range.min || value > range.max {
        let message = format!("extrapolating: trained on {} to {}", range.min, range.max);
        Check {
            level: Level::Extrapolating,
            message,
        }
    } else if value < range.p1 || value > range.p99 {
        let message = format!(
            "outside 98 % of training data ({} to {})",
            range.p1, range.p99
        );
        Check {
            level: Level::Unusual,
            message,
        }
    } else {
        Check::usual()
    }
}

/// The number in a field, `None` for an optional feature left empty, or why it cannot be sent.
fn parse_field(feature: &Feature, text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return if feature.default.is_some() {
            Ok(None)
        } else {
            Err("is empty: type a number".to_owned())
        };
    }
    if let Some(choice) = feature
        .choices()
        .iter()
        .find(|choice| choice.label.eq_ignore_ascii_case(text))
    {
        return Ok(Some(choice.value));
    }
    let value: f64 = text.parse().map_err(|_| not_a_number(feature, text))?;
    // Minus zero is zero: it must not be sent as `-0`.
    let value = if value == 0.0 { 0.0 } else { value };
    match &feature.domain {
        _ if !value.is_finite() => Err(format!("`{text}` is not finite")),
        Domain::Choice(choices) if !choices.iter().any(|choice| same(choice.value, value)) => {
            Err(format!("`{text}` is not one of {}", choice_list(feature)))
        }
        Domain::Number(range) if value < 0.0 && range.min >= 0.0 => {
            Err(format!("`{text}` is negative"))
        }
        _ => Ok(Some(value)),
    }
}

fn not_a_number(feature: &Feature, text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if !feature.choices().is_empty() {
        return format!("`{text}` is not one of {}", choice_list(feature));
    }
    let with_point = text.replace(',', ".");
    if text.contains(',') && with_point.parse::<f64>().is_ok() {
        return format!("`{text}` is not a number: write {with_point}");
    }
    format!("`{text}` is not a number")
}

fn choice_list(feature: &Feature) -> String {
    let words: Vec<String> = feature
        .choices()
        .iter()
        .map(|choice| format!("{} ({})", choice.value, choice.label))
        .collect();
    words.join(", ")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn demo() -> (&'static Schema, Vec<String>) {
        let schema = Schema::wine_quality();
        (
            schema,
            schema.presets[0]
                .values
                .iter()
                .map(f64::to_string)
                .collect(),
        )
    }

    #[test]
    fn the_demo_sample_is_the_curl_line_byte_for_byte() {
        let (schema, fields) = demo();
        let features = Features::parse(schema, &fields).unwrap();
        assert_eq!(features.to_json(schema), crate::testing::DEMO);
        assert_eq!(features.fields(), fields);
    }

    #[test]
    fn every_preset_is_valid() {
        let schema = Schema::wine_quality();
        for preset in &schema.presets {
            assert!(
                Features::from_values(schema, &preset.values).is_ok(),
                "{}",
                preset.name
            );
        }
    }

    #[test]
    fn an_optional_feature_left_empty_is_not_sent_and_takes_its_default() {
        let (schema, mut fields) = demo();
        fields[11].clear();
        let features = Features::parse(schema, &fields).unwrap();
        assert!(!features.to_json(schema).contains("wine_type"));
        assert_eq!(features.row()[11].to_string(), "0");
    }

    #[test]
    fn all_rejected_fields_are_named_at_once() {
        let (schema, mut fields) = demo();
        fields[0] = "9,4".into();
        fields[1].clear();
        fields[2] = "inf".into();
        fields[3] = "-1".into();
        fields[11] = "2".into();
        let errors = Features::parse(schema, &fields).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "fixed_acidity: `9,4` is not a number: write 9.4",
                "volatile_acidity: is empty: type a number",
                "citric_acid: `inf` is not finite",
                "residual_sugar: `-1` is negative",
                "wine_type_encoded: `2` is not one of 0 (red), 1 (white)",
            ]
        );
    }

    #[test]
    fn a_choice_may_be_named_by_its_word() {
        let (schema, mut fields) = demo();
        fields[11] = "White".into();
        assert!(
            Features::parse(schema, &fields)
                .unwrap()
                .to_json(schema)
                .ends_with("\"wine_type_encoded\":1}")
        );
    }

    #[test]
    fn levels_follow_the_training_data() {
        let sugar = &Schema::wine_quality().features[3];
        let level = |text| check_field(sugar, text).level;
        assert_eq!(level("3"), Level::Usual);
        assert_eq!(level("0.7"), Level::Unusual);
        assert_eq!(level("40"), Level::Unusual);
        assert_eq!(level("66"), Level::Extrapolating);
        assert_eq!(level("x"), Level::Rejected);
        assert_eq!(
            check_field(sugar, "66").message,
            "extrapolating: trained on 0.6 to 65.8"
        );
    }

    #[test]
    fn free_above_total_is_shown_but_may_be_sent() {
        let (schema, mut fields) = demo();
        fields[5] = "60".into();
        let checks = check_fields(schema, &fields);
        assert_eq!(checks[5].level, Level::Extrapolating);
        assert!(checks[5].message.contains("cannot exceed"));
        assert!(Features::parse(schema, &fields).is_ok());
    }

    #[test]
    fn the_raw_body_says_what_the_fields_say() {
        let (schema, mut fields) = demo();
        fields[0] = "high".into();
        fields[1].clear();
        fields[2] = "\"x\" \u{1}".into();
        fields[3] = "null".into();
        let body = raw_json(schema, &fields);
        assert!(
            body.starts_with(
                r#"{"fixed_acidity":"high","citric_acid":"\"x\" \u0001","residual_sugar":null,"#
            ),
            "{body}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
    }

    proptest! {
        #[test]
        fn what_parses_is_valid_json_and_reads_back_the_same(values in prop::collection::vec(0.0..1e6_f64, 11), kind in 0..2_u8) {
            let schema = Schema::wine_quality();
            let mut row = values;
            row.push(f64::from(kind));
            let features = Features::from_values(schema, &row).unwrap();
            let json: serde_json::Value = serde_json::from_str(&features.to_json(schema)).unwrap();
            for (name, value) in schema.names().zip(&row) {
                prop_assert_eq!(json[name].as_f64(), Some(*value));
            }
        }

        #[test]
        fn no_text_panics(fields in prop::collection::vec(".*", 0..14)) {
            let schema = Schema::wine_quality();
            let _ = Features::parse(schema, &fields);
            let _ = check_fields(schema, &fields);
            let padded: Vec<String> = fields.iter().take(12).cloned().collect();
            let raw = raw_json(schema, &padded);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&raw).is_ok(), "{}", raw);
        }
    }
}
