//! `vintner models diff`: what two versions do not have in common.

use std::io::Write;

use serde_json::json;

use super::super::{Exit, Run, print_json};
use super::{chosen, failure};
use crate::registry::diff::{Difference, diff};
use crate::registry::{Registry, Version};
use crate::ui::text::{clean, truncate, width};

/// Prints the fields that differ.
pub(super) fn run(
    registry: &Registry,
    left: Version,
    right: Option<Version>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let right = chosen(registry, right)?;
    let manifest = |version| registry.manifest(version).map_err(failure);
    let differences = diff(&manifest(left)?, &manifest(right)?);
    if json {
        print_json(
            out,
            &json!({ "left": left, "right": right, "differences": differences }),
        )?;
    } else if differences.is_empty() {
        writeln!(
            out,
            "{left} and {right} are the same in everything that is recorded"
        )?;
    } else {
        table(left, right, &differences, out)?;
    }
    Ok(Exit::Fine)
}

/// Longest value on a line; a gate's reason is a sentence.
const WIDEST: usize = 40;

fn table(
    left: Version,
    right: Version,
    differences: &[Difference],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let heads = ["", &left.to_string(), &right.to_string(), "change"].map(ToOwned::to_owned);
    let mut rows = vec![heads];
    rows.extend(differences.iter().map(|line| {
        [
            clean(&line.field),
            value(&line.left),
            value(&line.right),
            change(&line.left, &line.right).unwrap_or_default(),
        ]
    }));
    let widths = [0, 1, 2].map(|column| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.max().unwrap_or(0)
    });
    for [field, left, right, change] in &rows {
        let line = format!(
            "{}  {}  {}  {change}",
            pad(field, widths[0]),
            pad(left, widths[1]),
            pad(right, widths[2])
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn pad(text: &str, cells: usize) -> String {
    let missing = cells.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// A value for people: six decimals, hashes by their beginning, absence as a dash. JSON has it in full.
fn value(text: &str) -> String {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match number(text) {
        _ if text.is_empty() => "-".to_owned(),
        _ if text == "null" => "none".to_owned(),
        _ if is_hash => text[..12].to_owned(),
        Some(number) if text.contains('.') => short(number),
        _ => truncate(&clean(text), WIDEST, "…"),
    }
}

/// How much a figure moved.
fn change(left: &str, right: &str) -> Option<String> {
    let change = number(right)? - number(left)?;
    let sign = if change > 0.0 { "+" } else { "" };
    Some(format!("{sign}{}", short(change)))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn short(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short_and_figures_say_how_far_they_moved() {
        assert_eq!(value("0.36712345678912345"), "0.367123");
        assert_eq!(value("138"), "138");
        assert_eq!(value("null"), "none");
        assert_eq!(value(&"ab".repeat(32)), "abababababab");
        let moved = |left, right| change(left, right).unwrap_or_default();
        assert_eq!(moved("0.36712345678", "0.38"), "+0.012877");
        assert_eq!(moved("138", "20"), "-118");
        assert_eq!(moved("null", "8"), "");
    }
}
