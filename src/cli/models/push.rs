//! `vintner models push`: a version into the S3 model store, by conditional writes only.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::{Context, Exit, Failure, Run, print_json};
use super::{chosen, failure};
use crate::client::store::{Condition, Store, StoreError, Written};
use crate::registry::events::What;
use crate::registry::export::Form;
use crate::registry::{Event, Loaded, Registry, Version, manifest};

/// The only remote object that is moved; all others follow it.
const POINTER: &str = "models/registry.json";

/// Files under a version's own key that are copied to `models/` for programs that know nothing of versions. Today's
/// Lambda reads `models/model.pkl` at its cold start.
const FOLLOWERS: [&str; 2] = ["model.onnx", "model.pkl"];

/// How often a copy may be overtaken by other pushes before this one gives up.
const PATIENCE: usize = 10;

/// `models/registry.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pointer {
    schema: u32,
    version: Version,
    previous: Option<Version>,
    folder: String,
    sha256: String,
    since: jiff::Timestamp,
}

/// Copies a version under a key of its own, moves the remote pointer, then lets the paths a Lambda reads follow it.
pub(super) async fn run(
    registry: &Registry,
    context: &Context,
    version: Option<Version>,
    (bucket, pkl): (&str, Option<&Path>),
    json: bool,
    out: &mut impl Write,
) -> Run {
    let version = chosen(registry, version)?;
    let loaded = registry.load(version).map_err(failure)?;
    let pickle = pkl.map(read_pickle).transpose()?;
    let link = context.connect().await?;
    let store = Store::new(&link.aws().map_err(Failure::usage)?.config, bucket);
    let folder = format!(
        "models/versions/{version}-{}",
        &loaded.manifest.model_sha256[..12.min(loaded.manifest.model_sha256.len())]
    );
    let fresh = upload(&store, &folder, registry, &loaded, pickle).await?;
    let previous = point(&store, version, &folder, &loaded.seal).await?;
    let followed = follow(&store).await?;
    let event = Event {
        reason: format!("to s3://{bucket}/{folder}"),
        ..Event::now(What::Pushed, Some(version))
    };
    registry.note(&event).map_err(failure)?;
    if json {
        print_json(
            out,
            &json!({
                "version": version, "bucket": bucket, "folder": folder, "new_files": fresh, "previous": previous,
                "points_to": followed.pointer.version, "current": followed.current, "stale": followed.stale,
            }),
        )?;
    } else {
        say(
            version,
            &format!("s3://{bucket}"),
            &folder,
            fresh,
            &followed,
            out,
        )?;
    }
    Ok(Exit::Fine)
}

/// A pickle is never opened here; its first and last byte tell it from a JSON or a download cut short.
fn read_pickle(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read {name}"))
        .map_err(Failure::usage)?;
    let (protocol, stop) = (bytes.first(), bytes.last());
    if protocol == Some(&0x80) && stop == Some(&b'.') {
        return Ok(bytes);
    }
    Err(Failure::usage(anyhow!(
        "{name} is no pickle; `vintner models export --sklearn` writes forest.json and the script that makes one of it"
    )))
}

/// Puts the files under the version's own key; gives how many were not there before.
async fn upload(
    store: &Store,
    folder: &str,
    registry: &Registry,
    loaded: &Loaded,
    pickle: Option<Vec<u8>>,
) -> Result<usize, Failure> {
    let version = loaded.manifest.version;
    let recorded = registry.artefact(version, manifest::FILE);
    let mut files = vec![
        ("manifest.json", recorded.map_err(failure)?),
        ("forest.json", loaded.export(Form::Json).map_err(failure)?),
        ("model.onnx", loaded.export(Form::Onnx).map_err(failure)?),
    ];
    files.extend(pickle.map(|bytes| ("model.pkl", bytes)));
    let mut fresh = 0;
    for (name, bytes) in files {
        let key = format!("{folder}/{name}");
        let written = store.put(&key, bytes.clone(), &Condition::Absent).await;
        match written.map_err(remote)? {
            Written::Stored(_) => fresh += 1,
            Written::Refused => same(store, &key, &bytes).await?,
        }
    }
    Ok(fresh)
}

/// What is there must be what would have been written: an upload may have been cut short, and each scikit-learn makes
/// another pickle of the same trees.
async fn same(store: &Store, key: &str, bytes: &[u8]) -> Result<(), Failure> {
    let there = store.get(key).await.map_err(remote)?;
    if there.is_some_and(|(there, _)| there == bytes) {
        return Ok(());
    }
    Err(Failure::failed(anyhow!(
        "s3://{}/{key} is there already and holds something else: an upload cut short, or a pickle for another scikit-learn; nothing was overwritten, and the pointer was not moved: remove it first, or push without --pkl to use the pickle that is there",
        store.bucket()
    )))
}

/// Moves the pointer by compare-and-swap, unless it names this model already; gives the version it named before.
async fn point(
    store: &Store,
    version: Version,
    folder: &str,
    seal: &str,
) -> Result<Option<Version>, Failure> {
    let (previous, condition) = match store.get(POINTER).await.map_err(remote)? {
        None => (None, Condition::Absent),
        Some((bytes, etag)) => {
            let before = serde_json::from_slice::<Pointer>(&bytes);
            if let Ok(before) = before
                && (
                    before.version,
                    before.folder.as_str(),
                    before.sha256.as_str(),
                ) == (version, folder, seal)
            {
                return Ok(before.previous);
            }
            (version_in(&bytes), Condition::Still(etag))
        }
    };
    let pointer = Pointer {
        schema: 1,
        version,
        previous,
        folder: folder.to_owned(),
        sha256: seal.to_owned(),
        since: jiff::Timestamp::now(),
    };
    let bytes = serde_json::to_vec_pretty(&pointer).map_err(Failure::failed)?;
    match store
        .put(POINTER, bytes, &condition)
        .await
        .map_err(remote)?
    {
        Written::Stored(_) => Ok(previous),
        Written::Refused => Err(Failure::failed(anyhow!(
            "somebody else moved s3://{}/{POINTER} meanwhile; the version is uploaded but not pointed to: look, then push again",
            store.bucket()
        ))),
    }
}

/// The version that a pointer names, whoever wrote it.
fn version_in(pointer: &[u8]) -> Option<Version> {
    #[derive(Deserialize)]
    struct Named {
        version: Version,
    }
    serde_json::from_slice::<Named>(pointer)
        .ok()
        .map(|named| named.version)
}

/// How the copies under `models/` stand to the pointer.
struct Followed {
    /// The pointer they were brought to.
    pointer: Pointer,
    /// Copies that are the version's.
    current: Vec<&'static str>,
    /// Copies that are another version's, because this version has no such file.
    stale: Vec<&'static str>,
}

/// Copies what the pointer names to the paths that programs read. Each copy is written only over the one seen before
/// the pointer was read, and the pointer is read again afterwards: of racing pushes the last mover's files stay.
async fn follow(store: &Store) -> Result<Followed, Failure> {
    for _ in 0..PATIENCE {
        let mut seen = Vec::new();
        for name in FOLLOWERS {
            seen.push(
                store
                    .etag(&format!("models/{name}"))
                    .await
                    .map_err(remote)?,
            );
        }
        let (pointer, etag) = pointer(store).await?;
        let (mut current, mut stale, mut overtaken) = (Vec::new(), Vec::new(), false);
        for (name, before) in FOLLOWERS.into_iter().zip(seen) {
            let source = format!("{}/{name}", pointer.folder);
            let Some((bytes, _)) = store.get(&source).await.map_err(remote)? else {
                stale.extend(before.is_some().then_some(name));
                continue;
            };
            let condition = before.map_or(Condition::Absent, Condition::Still);
            let written = store
                .put(&format!("models/{name}"), bytes, &condition)
                .await
                .map_err(remote)?;
            overtaken |= written == Written::Refused;
            current.push(name);
        }
        let now = store.etag(POINTER).await.map_err(remote)?;
        if !overtaken && now.as_deref() == Some(etag.as_str()) {
            return Ok(Followed {
                pointer,
                current,
                stale,
            });
        }
    }
    Err(Failure::failed(anyhow!(
        "other pushes overtook this one {PATIENCE} times; the version is uploaded: push again when they are done",
    )))
}

async fn pointer(store: &Store) -> Result<(Pointer, String), Failure> {
    let unreadable = || {
        Failure::failed(anyhow!(
            "s3://{}/{POINTER} was removed or replaced by something else meanwhile; push again",
            store.bucket()
        ))
    };
    let (bytes, etag) = store
        .get(POINTER)
        .await
        .map_err(remote)?
        .ok_or_else(unreadable)?;
    let pointer = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    Ok((pointer, etag))
}

fn say(
    version: Version,
    bucket: &str,
    folder: &str,
    fresh: usize,
    followed: &Followed,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let known = if fresh == 0 {
        " (was there already)"
    } else {
        ""
    };
    writeln!(out, "pushed {version} to {bucket}/{folder}{known}")?;
    let now = followed.pointer.version;
    let copies: Vec<String> = followed
        .current
        .iter()
        .map(|name| format!("models/{name}"))
        .collect();
    writeln!(
        out,
        "{POINTER} names {now}; copied to {}",
        copies.join(" and ")
    )?;
    if now != version {
        writeln!(
            out,
            "another push moved it from {version} to {now} meanwhile"
        )?;
    }
    if !followed.current.contains(&"model.pkl") {
        let state = if followed.stale.contains(&"model.pkl") {
            "is still another model"
        } else {
            "does not exist"
        };
        writeln!(
            out,
            "models/model.pkl, which today's Lambda reads, {state}: make it with `vintner models export {now} --sklearn` and push again with --pkl model.pkl"
        )?;
    }
    writeln!(
        out,
        "a warm function keeps the model it has loaded: redeploy, then `vintner models served`"
    )
}

fn remote(error: StoreError) -> Failure {
    match error {
        StoreError::Unreachable { .. } | StoreError::NoCredentials { .. } => {
            Failure::unreachable(error)
        }
        StoreError::Refused { .. } => Failure::failed(error),
    }
}
