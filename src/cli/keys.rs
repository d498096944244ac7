//! `vintner keys`: the key table, as in the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use super::{Context, Exit, Failure, Run, print_json};
use crate::keys::{Keymap, Scope};

/// Arguments of `vintner keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const SCOPES: [(Scope, &str); 5] = [
    (Scope::Global, "Everywhere"),
    (Scope::Predict, "Predict"),
    (Scope::Logs, "Logs"),
    (Scope::Lambda, "Lambda"),
    (Scope::Retrain, "Retrain"),
];

/// Prints the effective keys of every scope.
pub fn run(args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let keymap =
        Keymap::load(&context.settings.dirs.config.join("keys.toml")).map_err(Failure::usage)?;
    if args.json {
        // Named and shaped as in a key file.
        let scopes: BTreeMap<Scope, BTreeMap<&str, Vec<String>>> = SCOPES
            .iter()
            .map(|(scope, _)| {
                let actions = keymap.table(*scope).into_iter();
                (
                    *scope,
                    actions
                        .map(|(action, keys)| (action.name(), keys))
                        .collect(),
                )
            })
            .collect();
        print_json(out, &scopes)?;
    } else {
        out.write_all(markdown(&keymap).as_bytes())?;
    }
    Ok(Exit::Fine)
}

/// The key table in Markdown: what the README carries between its markers.
pub fn markdown(keymap: &Keymap) -> String {
    let mut text = String::new();
    for (scope, name) in SCOPES {
        let _ = writeln!(text, "| {name} | |\n|---|---|");
        if scope == Scope::Global {
            text.push_str("| `1` … `4` | go to the tab |\n");
        }
        for (action, keys) in keymap.table(scope) {
            let keys: Vec<String> = keys
                .iter()
                .map(|key| format!("`{}`", key.replace('|', "\\|")))
                .collect();
            let _ = writeln!(text, "| {} | {} |", keys.join(" "), action.about());
        }
        text.push('\n');
    }
    text
}
