//! Inputs out of names with their values.

use super::{Pasted, Shape, one_line};
use crate::domain::schema::Schema;

/// `alcohol=12 pH=3.2`, one per line or separated by spaces, commas or `&`; `key: value` one per line.
pub fn inputs(schema: &Schema, text: &str) -> Option<Pasted> {
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
