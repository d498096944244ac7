//! `vintner config`: the effective values and where each came from.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::{Context, Exit, Run, print_json};
use crate::client::inherited::inherited;
use crate::config::Effective;

const EXAMPLE: &str = include_str!("../../assets/config.example.toml");

/// Arguments of `vintner config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print a configuration file with every key, to begin with
    #[arg(long, conflicts_with = "json")]
    pub example: bool,
}

/// Prints every effective value with its origin.
pub async fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    if args.example {
        out.write_all(EXAMPLE.as_bytes())?;
        return Ok(Exit::Fine);
    }
    let mut values = context.settings.effective.clone();
    values.extend(inherited(&context.settings).await);
    if args.json {
        let entry = |value: &Effective| {
            (
                value.key.clone(),
                json!({"value": value.value, "origin": value.origin.to_string()}),
            )
        };
        print_json(
            out,
            &Value::Object(values.iter().map(entry).collect::<Map<_, _>>()),
        )?;
        return Ok(Exit::Fine);
    }
    let width = values
        .iter()
        .map(|value| value.key.len() + value.value.len() + 3)
        .max()
        .unwrap_or(0)
        .min(72);
    for value in &values {
        let setting = format!("{} = {}", value.key, value.value);
        writeln!(out, "{setting:<width$}  # {}", value.origin)?;
    }
    let dirs = &context.settings.dirs;
    writeln!(
        out,
        "\n# configuration file: {}{}",
        context.settings.file.display(),
        if context.settings.file.exists() {
            ""
        } else {
            " (none yet; vintner config --example shows one)"
        }
    )?;
    writeln!(out, "# keys: {}", dirs.config.join("keys.toml").display())?;
    writeln!(out, "# log: {}", dirs.state.join("vintner.log").display())?;
    Ok(Exit::Fine)
}
