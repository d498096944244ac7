//! `vintner models export`: a model for other programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde_json::json;

use super::super::{Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::registry::export::Form;
use crate::registry::{Registry, Version};
use crate::train::export::SKLEARN_CONVERTER;
use crate::ui::text::bytes;

/// The form asked for, else the one of the file's ending. A file whose ending promises another form is refused.
pub(super) fn form(onnx: bool, sklearn: bool, output: Option<&Path>) -> Result<Form, Failure> {
    let asked = match (onnx, sklearn) {
        (true, _) => Form::Onnx,
        (_, true) => Form::Sklearn,
        _ => return Ok(output.map_or(Form::Json, Form::of)),
    };
    let ending = output
        .and_then(Path::extension)
        .and_then(std::ffi::OsStr::to_str)
        .unwrap_or_default();
    let why = match (asked, ending) {
        (Form::Onnx, "json") => "--onnx writes ONNX: name the file .onnx",
        (Form::Sklearn, "onnx") => "--sklearn writes JSON for the converter: name the file .json",
        (Form::Sklearn, "pkl" | "pickle" | "joblib") => {
            "--sklearn writes JSON, from which the converter makes the pickle: name the file .json"
        }
        _ => return Ok(asked),
    };
    Err(Failure::usage(anyhow!(why)))
}

/// Writes the file, and says what it is for.
pub(super) fn run(
    registry: &Registry,
    version: Option<Version>,
    form: Form,
    output: Option<&Path>,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let path = output.map_or_else(|| default_name(version, form), Path::to_owned);
    let loaded = registry.load(version).map_err(failure)?;
    let content = loaded.export(form).map_err(failure)?;
    write(&path, &content)?;
    let converter =
        matches!(form, Form::Sklearn).then(|| path.with_file_name("forest_to_sklearn.py"));
    if let Some(script) = &converter {
        write(script, SKLEARN_CONVERTER.as_bytes())?;
    }
    if json {
        print_json(
            out,
            &json!({ "version": version, "file": path, "bytes": content.len(), "converter": converter }),
        )?;
    } else {
        writeln!(
            out,
            "wrote {version} to {} ({})",
            path.display(),
            bytes(content.len() as u64)
        )?;
        if let Some(script) = &converter {
            writeln!(
                out,
                "with the scikit-learn that will load it: python {} {} model.pkl",
                script.display(),
                path.display()
            )?;
        }
    }
    Ok(Exit::Fine)
}

fn default_name(version: Version, form: Form) -> PathBuf {
    let ending = match form {
        Form::Onnx => "onnx",
        Form::Sklearn | Form::Json => "forest.json",
    };
    PathBuf::from(format!("wine-quality-{version}.{ending}"))
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, content)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Failure::failed)
}
