//! Where a request comes from: pairs over a preset, a JSON file, stdin; valid, or as it is with `--raw`.

use std::fs;
use std::io::{self, Read};

use anyhow::{Context as _, anyhow};

use super::Args;
use crate::cli::Failure;
use crate::domain::features::{Features, FieldError, raw_json};
use crate::domain::paste::Pasted;
use crate::domain::schema::Schema;

/// Longest request that is read.
const LONGEST: u64 = 1 << 20;

/// A request to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The bytes.
    pub body: String,
    /// The inputs; `None` with `--raw`.
    pub features: Option<Features>,
}

/// The request that the arguments describe.
pub fn read(args: &Args, schema: &Schema) -> Result<Request, Failure> {
    let (file, extra) = file_or_pair(args);
    let given = file
        .map(|name| read_text(&name).map(|text| (name, text)))
        .transpose()?;
    let pairs: Vec<&str> = args.pairs.iter().map(String::as_str).chain(extra).collect();
    if let (true, Some((_, text)), true) = (args.raw, &given, pairs.is_empty()) {
        return Ok(Request {
            body: text.clone(),
            features: None,
        });
    }
    let mut fields = base(
        args,
        schema,
        given
            .as_ref()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    )?;
    for pair in pairs {
        set(schema, &mut fields, pair)?;
    }
    if args.raw {
        return Ok(Request {
            body: raw_json(schema, &fields),
            features: None,
        });
    }
    let features =
        Features::parse(schema, &fields).map_err(|errors| Failure::usage(rejected(&errors)))?;
    Ok(Request {
        body: features.to_json(schema),
        features: Some(features),
    })
}

/// The preset's inputs with some of them changed.
pub fn over_preset(
    pairs: &[String],
    name: Option<&str>,
    schema: &Schema,
) -> Result<Features, Failure> {
    let mut fields = preset(name, schema)?;
    for pair in pairs {
        set(schema, &mut fields, pair)?;
    }
    Features::parse(schema, &fields).map_err(|errors| {
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::usage(anyhow!("{}", said.join("\n")))
    })
}

/// The position of the feature of this name.
pub fn position(schema: &Schema, name: &str) -> Result<usize, Failure> {
    schema.position(name).ok_or_else(|| {
        let known: Vec<&str> = schema.names().collect();
        Failure::usage(anyhow!(
            "there is no feature `{name}`; the features are {}",
            known.join(", ")
        ))
    })
}

/// `--json` takes an optional file, so a pair after it lands there; a pair is no file name.
fn file_or_pair(args: &Args) -> (Option<String>, Option<&str>) {
    match args.json.as_ref().and_then(Option::as_deref) {
        Some(text) if text.contains('=') && !std::path::Path::new(text).exists() => {
            (None, Some(text))
        }
        Some(text) => (Some(text.to_owned()), None),
        None => (None, None),
    }
}

fn read_text(name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if name == "-" {
        io::stdin().lock().take(LONGEST).read_to_string(&mut text)
    } else {
        fs::File::open(name).and_then(|file| file.take(LONGEST).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read the request from {name}"))
        .map_err(Failure::usage)?;
    Ok(text)
}

/// The fields before pairs change them: the file's, or the preset's.
fn base(args: &Args, schema: &Schema, given: Option<(&str, &str)>) -> Result<Vec<String>, Failure> {
    let mut fields = preset(args.preset.as_deref(), schema)?;
    if let Some((name, text)) = given {
        let pasted = Pasted::parse(schema, text)
            .with_context(|| format!("the request in {name}"))
            .map_err(Failure::usage)?;
        if pasted.whole() {
            complete(&pasted, name, args.raw, schema)?;
            fields.fill(String::new());
        }
        for (field, text) in fields.iter_mut().zip(pasted.fields) {
            if let Some(text) = text {
                *field = text;
            }
        }
    }
    Ok(fields)
}

/// A whole request mentions every required feature and nothing else; with `--raw` it may be anything.
fn complete(pasted: &Pasted, name: &str, raw: bool, schema: &Schema) -> Result<(), Failure> {
    let missing = pasted.missing(schema);
    let wrong = match (pasted.ignored.as_slice(), missing.as_slice()) {
        _ if raw => return Ok(()),
        ([], []) => return Ok(()),
        ([], missing) => format!("lacks {}", missing.join(", ")),
        (unknown, _) => {
            let known: Vec<&str> = schema.names().collect();
            format!(
                "has no feature `{}`; the features are {}",
                unknown.join("`, `"),
                known.join(", ")
            )
        }
    };
    Err(Failure::usage(anyhow!(
        "the request in {name} {wrong}\n(--raw sends it as it is)"
    )))
}

fn preset(name: Option<&str>, schema: &Schema) -> Result<Vec<String>, Failure> {
    let preset = match name {
        None => &schema.presets[0],
        Some(name) => schema.preset(name).ok_or_else(|| {
            let known: Vec<&str> = schema
                .presets
                .iter()
                .map(|preset| preset.name.as_str())
                .collect();
            Failure::usage(anyhow!(
                "there is no preset `{name}`; the presets are {}",
                known.join(", ")
            ))
        })?,
    };
    Ok(preset.values.iter().map(f64::to_string).collect())
}

fn set(schema: &Schema, fields: &mut [String], pair: &str) -> Result<(), Failure> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(Failure::usage(anyhow!(
            "`{pair}` is not FEATURE=VALUE, such as alcohol=12"
        )));
    };
    let position = position(schema, name)?;
    value.clone_into(&mut fields[position]);
    Ok(())
}

fn rejected(errors: &[FieldError]) -> anyhow::Error {
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    anyhow!("{}\n(--raw sends it as it is)", said.join("\n"))
}
