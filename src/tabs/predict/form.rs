//! The form's state: one text per feature, the selected field, editing, undo. Knows nothing of the screen.

use tui_input::{Input, InputRequest};

use crate::domain::features::{Check, Features, FieldError, Level, check_fields, raw_json};
use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;

/// Steps that undo goes back at most.
const UNDO: usize = 200;

/// Texts in fields, and what they started as.
#[derive(Debug, Clone)]
pub struct Form {
    /// One text per feature, in the schema's order.
    pub fields: Vec<String>,
    /// What is to be said about each field.
    pub checks: Vec<Check>,
    /// What the fields go back to: a preset, a pasted text, a history entry.
    pub base: Vec<String>,
    /// What the base is, for people: "Demo sample".
    pub base_label: String,
    /// The selected field.
    pub selected: usize,
    /// The text being typed into the selected field, if one is open.
    pub editing: Option<Input>,
    /// Texts before each change, newest last, with what changed, so that a run of arrow keys is one step.
    undo: Vec<(Vec<String>, Change)>,
}

/// What a change was, for joining runs of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Arrow keys on this field.
    Stepped(usize),
    /// Anything else: never joined.
    Other,
}

impl Form {
    /// The form with the schema's first preset.
    pub fn new(schema: &Schema) -> Self {
        let preset = &schema.presets[0];
        let fields = texts(&preset.values);
        Self {
            checks: check_fields(schema, &fields),
            base: fields.clone(),
            base_label: preset.label.clone(),
            fields,
            selected: 0,
            editing: None,
            undo: Vec::new(),
        }
    }

    /// The inputs, or every field that cannot be sent.
    pub fn parse(&self, schema: &Schema) -> Result<Features, Vec<FieldError>> {
        Features::parse(schema, &self.fields)
    }

    /// The body that says what the fields say, valid or not.
    pub fn raw(&self, schema: &Schema) -> String {
        raw_json(schema, &self.fields)
    }

    /// Whether a field differs from its base.
    pub fn dirty(&self, field: usize) -> bool {
        self.fields[field] != self.base[field]
    }

    /// How many fields differ from their base.
    pub fn changes(&self) -> usize {
        (0..self.fields.len())
            .filter(|&field| self.dirty(field))
            .count()
    }

    /// The worst of all fields.
    pub fn worst(&self) -> Level {
        self.checks
            .iter()
            .map(|check| check.level)
            .max()
            .unwrap_or(Level::Usual)
    }

    /// The first field that cannot be sent.
    pub fn first_rejected(&self) -> Option<usize> {
        self.checks
            .iter()
            .position(|check| check.level == Level::Rejected)
    }

    /// Selects the field `by` further down, staying inside.
    pub fn select_by(&mut self, by: isize) {
        self.select(self.selected.saturating_add_signed(by));
    }

    /// Selects a field; an open text is kept.
    pub fn select(&mut self, field: usize) {
        self.editing = None;
        self.selected = field.min(self.fields.len() - 1);
    }

    /// Moves the selected value by so many steps; a text that is no number goes to the median first.
    pub fn step(&mut self, schema: &Schema, steps: i32) {
        self.editing = None;
        let feature = &schema.features[self.selected];
        let fallback = feature.range().map_or(0.0, |range| range.p50);
        let now = self.fields[self.selected].trim();
        let text = match now.parse::<f64>().ok().filter(|value| value.is_finite()) {
            Some(value) => feature.stepped(value, steps).to_string(),
            None if now.is_empty() && feature.default.is_some() => feature
                .stepped(feature.default.unwrap_or(0.0), steps)
                .to_string(),
            None => fallback.to_string(),
        };
        self.change(schema, Change::Stepped(self.selected), |fields, at| {
            fields[at] = text;
        });
    }

    /// Puts a number into the selected field.
    pub fn put(&mut self, schema: &Schema, value: f64) {
        self.editing = None;
        self.change(schema, Change::Stepped(self.selected), |fields, at| {
            fields[at] = value.to_string();
        });
    }

    /// Puts the selected field back to its base; false if it is there.
    pub fn reset(&mut self, schema: &Schema) -> bool {
        self.editing = None;
        if !self.dirty(self.selected) {
            return false;
        }
        let base = self.base[self.selected].clone();
        self.change(schema, Change::Other, |fields, at| fields[at] = base);
        true
    }

    /// Takes back the last change; false if there is none.
    pub fn undo(&mut self, schema: &Schema) -> bool {
        self.editing = None;
        let Some((fields, _)) = self.undo.pop() else {
            return false;
        };
        self.fields = fields;
        self.checks = check_fields(schema, &self.fields);
        true
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Fills all fields: they become the new base.
    pub fn fill(&mut self, schema: &Schema, fields: Vec<String>, label: impl Into<String>) {
        self.editing = None;
        self.change(schema, Change::Other, |texts, _| texts.clone_from(&fields));
        self.base = fields;
        self.base_label = label.into();
    }

    /// Fills all fields with numbers.
    pub fn fill_values(&mut self, schema: &Schema, values: &[f64], label: impl Into<String>) {
        self.fill(schema, texts(values), label);
    }

    /// Fills the fields that a pasted text mentions; a whole request (curl, JSON) also empties those it does not.
    pub fn paste(&mut self, schema: &Schema, pasted: &Pasted) {
        let whole = pasted.whole();
        let fields = (pasted.fields.iter().zip(&self.fields))
            .map(|(new, old)| match new {
                Some(text) => text.clone(),
                None if whole => String::new(),
                None => old.clone(),
            })
            .collect();
        self.fill(schema, fields, "paste");
    }

    /// Opens the selected field for typing, with `text` in it.
    pub fn edit(&mut self, schema: &Schema, text: &str) {
        self.change(schema, Change::Other, |fields, at| {
            text.clone_into(&mut fields[at]);
        });
        self.editing = Some(Input::new(text.to_owned()));
    }

    /// An editing key while a field is open.
    pub fn type_key(&mut self, schema: &Schema, request: InputRequest) {
        let Some(input) = &mut self.editing else {
            return;
        };
        input.handle(request);
        self.fields[self.selected] = input.value().to_owned();
        self.checks = check_fields(schema, &self.fields);
    }

    /// Closes the open field as it is.
    pub fn close_edit(&mut self) {
        self.editing = None;
    }

    /// Closes the open field and puts back what was there.
    pub fn cancel_edit(&mut self, schema: &Schema) {
        if self.editing.take().is_some() {
            self.undo(schema);
        }
    }

    fn change(
        &mut self,
        schema: &Schema,
        what: Change,
        apply: impl FnOnce(&mut Vec<String>, usize),
    ) {
        let before = self.fields.clone();
        apply(&mut self.fields, self.selected);
        let joined = matches!(what, Change::Stepped(_))
            && self.undo.last().is_some_and(|(_, last)| *last == what);
        if !joined && (before != self.fields || what == Change::Other) {
            self.undo.push((before, what));
            let surplus = self.undo.len().saturating_sub(UNDO);
            self.undo.drain(..surplus);
        }
        self.checks = check_fields(schema, &self.fields);
    }
}

fn texts(values: &[f64]) -> Vec<String> {
    values.iter().map(f64::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> (&'static Schema, Form) {
        let schema = Schema::wine_quality();
        (schema, Form::new(schema))
    }

    #[test]
    fn a_run_of_arrow_keys_is_one_step_back() {
        let (schema, mut form) = form();
        form.select(10);
        for _ in 0..5 {
            form.step(schema, 1);
        }
        assert_eq!((form.fields[10].as_str(), form.changes()), ("9.9", 1));
        assert!(form.undo(schema));
        assert_eq!((form.fields[10].as_str(), form.changes()), ("9.4", 0));
        assert!(!form.undo(schema));
    }

    #[test]
    fn typing_is_checked_live_and_escape_puts_the_old_text_back() {
        let (schema, mut form) = form();
        form.edit(schema, "");
        assert_eq!(form.checks[0].level, Level::Rejected);
        for c in "99".chars() {
            form.type_key(schema, InputRequest::InsertChar(c));
        }
        assert_eq!(
            (form.fields[0].as_str(), form.checks[0].level),
            ("99", Level::Extrapolating)
        );
        form.cancel_edit(schema);
        assert_eq!(
            (form.fields[0].as_str(), form.checks[0].level),
            ("7.4", Level::Usual)
        );
    }

    #[test]
    fn a_pasted_request_empties_what_it_does_not_mention_but_pairs_do_not() {
        let (schema, mut form) = form();
        form.paste(schema, &Pasted::parse(schema, "alcohol=12").unwrap());
        assert_eq!(
            (form.fields[10].as_str(), form.fields[0].as_str()),
            ("12", "7.4")
        );
        form.paste(schema, &Pasted::parse(schema, "{\"alcohol\":13}").unwrap());
        assert_eq!(
            (form.fields[10].as_str(), form.fields[0].as_str()),
            ("13", "")
        );
        assert_eq!(form.first_rejected(), Some(0));
        form.undo(schema);
        form.undo(schema);
        assert_eq!(form.fields[10], "9.4");
    }

    #[test]
    fn choices_toggle_and_text_that_is_no_number_steps_to_the_median() {
        let (schema, mut form) = form();
        form.select(11);
        form.step(schema, 1);
        assert_eq!(form.fields[11], "1");
        form.select(8);
        form.edit(schema, "acid");
        form.step(schema, 1);
        assert_eq!(form.fields[8], "3.21");
    }
}
