//! `vintner models push`: a version into the S3 model store, by conditional writes only.

use std::io::Write;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::super::{Context, Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::client::store::{Condition, Store, StoreError, Written};
use crate::registry::events::What;
use crate::registry::export::Form;
use crate::registry::{Event, Registry, Version, manifest};

/// Copies a version under a key of its own, moves the remote pointer, then refreshes the path a Lambda reads.
pub(super) async fn run(
    registry: &Registry,
    context: &Context,
    version: Option<Version>,
    bucket: &str,
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let loaded = registry.load(version).map_err(failure)?;
    let link = context.connect().await?;
    let store = Store::new(&link.aws().map_err(Failure::usage)?.config, bucket);
    let folder = format!(
        "models/versions/{version}-{}",
        &loaded.manifest.model_sha256[..12.min(loaded.manifest.model_sha256.len())]
    );
    let onnx = loaded.export(Form::Onnx).map_err(failure)?;
    let files = [
        (
            "manifest.json",
            registry
                .artefact(version, manifest::FILE)
                .map_err(failure)?,
        ),
        ("forest.json", loaded.export(Form::Json).map_err(failure)?),
        ("model.onnx", onnx.clone()),
    ];
    let mut fresh = 0;
    for (name, bytes) in files {
        let written = store
            .put(&format!("{folder}/{name}"), bytes, &Condition::Absent)
            .await
            .map_err(remote)?;
        fresh += usize::from(matches!(written, Written::Stored(_)));
    }
    let previous = point(&store, version, &folder, &loaded.seal).await?;
    // The path that today's Lambda reads at its cold start; the version's own key is the one that counts.
    store
        .put("models/model.onnx", onnx, &Condition::Anything)
        .await
        .map_err(remote)?;
    let event = Event {
        reason: format!("to s3://{bucket}/{folder}"),
        ..Event::now(What::Pushed, Some(version))
    };
    registry.note(&event).map_err(failure)?;
    if json {
        print_json(
            out,
            &json!({ "version": version, "bucket": bucket, "folder": folder, "new_files": fresh, "previous": previous }),
        )?;
    } else {
        let known = if fresh == 0 {
            " (was there already)"
        } else {
            ""
        };
        writeln!(
            out,
            "pushed {version} to s3://{bucket}/{folder}{known}; models/registry.json and models/model.onnx name it now"
        )?;
        writeln!(
            out,
            "a warm function keeps the model it has loaded: redeploy, then `vintner models served`"
        )?;
    }
    Ok(Exit::Fine)
}

/// Moves `models/registry.json` by compare-and-swap; gives the version it named before.
async fn point(
    store: &Store,
    version: Version,
    folder: &str,
    seal: &str,
) -> Result<Value, Failure> {
    let key = "models/registry.json";
    let (previous, condition) = match store.get(key).await.map_err(remote)? {
        None => (Value::Null, Condition::Absent),
        Some((bytes, etag)) => {
            let before: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            (before["version"].clone(), Condition::Still(etag))
        }
    };
    let pointer = json!({ "schema": 1, "version": version, "previous": previous, "folder": folder, "sha256": seal, "since": jiff::Timestamp::now() });
    let bytes = serde_json::to_vec_pretty(&pointer).map_err(Failure::failed)?;
    match store.put(key, bytes, &condition).await.map_err(remote)? {
        Written::Stored(_) => Ok(previous),
        Written::Refused => Err(Failure::failed(anyhow!(
            "somebody else moved s3://{}/{key} meanwhile; the version is uploaded but not pointed to: look, then push again",
            store.bucket()
        ))),
    }
}

fn remote(error: StoreError) -> Failure {
    match error {
        StoreError::Unreachable { .. } | StoreError::NoCredentials { .. } => {
            Failure::unreachable(error)
        }
        StoreError::Refused { .. } => Failure::failed(error),
    }
}
