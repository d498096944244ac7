//! What Lambda knows about the function, as the incident of the moment has it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::function::{MEMORY_MB, timeout_seconds};
use super::super::incident::Incident;
use super::super::job;
use super::super::world::World;

pub(in super::super) const LATEST: &str = "$LATEST";
/// ECR repository and tag of the function's image.
pub(in super::super) const REPOSITORY: &str = "wine-quality-lambda";
pub(in super::super) const TAG: &str = "latest";
/// The role the function runs as.
pub(in super::super) const ROLE: &str = "wine-quality-lambda-role";
/// Published versions with their memory, and the alias on the newest.
const VERSIONS: [(&str, u32); 2] = [("1", 512), ("2", MEMORY_MB)];
const ALIAS: &str = "live";

/// Digest of the image that is serving, without `sha256:`.
pub(in super::super) fn digest(world: &World) -> String {
    hex(&format!(
        "image of {} seed {}",
        world.options.function, world.options.seed
    ))
}

/// Digest of an image pushed later than the one that is serving.
pub(in super::super) fn newer_digest(world: &World) -> String {
    hex(&format!(
        "newer image of {} seed {}",
        world.options.function, world.options.seed
    ))
}

fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

pub(in super::super) fn repository_uri(world: &World) -> String {
    format!(
        "{}.dkr.ecr.{}.amazonaws.com/{REPOSITORY}",
        world.options.account, world.options.region
    )
}

pub(in super::super) fn role_arn(world: &World) -> String {
    format!("arn:aws:iam::{}:role/{ROLE}", world.options.account)
}

/// When the function was last deployed, ms since 1970: four days and a bit before the sandbox started.
pub(in super::super) fn deployed_ms(world: &World) -> i64 {
    world.started_ms - 356_412_000
}

pub(super) fn is_qualifier(qualifier: &str) -> bool {
    qualifier == LATEST
        || qualifier == ALIAS
        || VERSIONS.iter().any(|(version, _)| *version == qualifier)
}

pub(super) fn executed_version(qualifier: Option<&str>) -> &'static str {
    match qualifier {
        Some("1") => "1",
        Some("2" | ALIAS) => "2",
        _ => LATEST,
    }
}

pub(super) fn function(world: &World, qualifier: Option<&str>) -> Value {
    let uri = repository_uri(world);
    json!({
        "Configuration": configuration(world, qualifier.unwrap_or(LATEST)),
        "Code": {
            "RepositoryType": "ECR",
            "ImageUri": format!("{uri}:{TAG}"),
            "ResolvedImageUri": format!("{uri}@sha256:{}", digest(world)),
        },
        "Tags": tags(),
    })
}

pub(in super::super) fn configuration(world: &World, qualifier: &str) -> Value {
    let version = executed_version(Some(qualifier));
    let memory = VERSIONS
        .iter()
        .find(|(name, _)| *name == version)
        .map_or(MEMORY_MB, |(_, memory)| *memory);
    let suffix = if version == LATEST {
        String::new()
    } else {
        format!(":{version}")
    };
    let modified = jiff::Timestamp::from_millisecond(deployed_ms(world))
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        .to_string();
    let mut configuration = json!({
        "FunctionName": world.options.function,
        "FunctionArn": format!("{}{suffix}", world.function_arn()),
        "Role": role_arn(world),
        "CodeSize": 0,
        "Description": "Wine quality prediction (random forest)",
        "Timeout": timeout_seconds(world),
        "MemorySize": memory,
        "LastModified": modified,
        "CodeSha256": digest(world),
        "Version": version,
        "Environment": {"Variables": {"S3_BUCKET_NAME": world.options.bucket, "MODEL_KEY": "models/model.pkl"}},
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": "6a1c8b0e-5f7d-4b1c-9a63-2f2a6b0c7d11",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Image",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": world.log_group()},
    });
    let trouble: &[(&str, &str)] = match world.incident() {
        Some(Incident::BadDeploy) => &[
            ("LastUpdateStatus", "Failed"),
            ("LastUpdateStatusReasonCode", "InvalidImage"),
            (
                "LastUpdateStatusReason",
                "The image's architecture arm64 does not match the function's architecture x86_64.",
            ),
        ],
        Some(Incident::EcrDenied) => &[
            ("LastUpdateStatus", "Failed"),
            ("LastUpdateStatusReasonCode", "ImageAccessDenied"),
            (
                "LastUpdateStatusReason",
                "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
            ),
        ],
        Some(Incident::ImageDeleted) => &[
            ("State", "Failed"),
            ("StateReasonCode", "ImageDeleted"),
            (
                "StateReason",
                "The image that the function uses was deleted from its ECR repository.",
            ),
        ],
        _ => &[],
    };
    for (member, value) in trouble {
        configuration[*member] = json!(value);
    }
    configuration
}

/// The resource policy, or `None` where there is none.
pub(super) fn policy(world: &World, qualifier: Option<&str>) -> Option<Value> {
    if world.is(Incident::PermissionMissing)
        || qualifier.is_some_and(|qualifier| qualifier != LATEST)
    {
        return None;
    }
    let api = if world.is(Incident::PermissionWrongSourceArn) {
        "q3v7x0old9"
    } else {
        world.options.api_id.as_str()
    };
    let source = format!(
        "arn:aws:execute-api:{}:{}:{api}/*/*",
        world.options.region, world.options.account
    );
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [{
            "Sid": "apigateway-invoke",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": world.function_arn(),
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        }],
    });
    Some(
        json!({"Policy": policy.to_string(), "RevisionId": "6a1c8b0e-5f7d-4b1c-9a63-2f2a6b0c7d11"}),
    )
}

pub(super) fn functions(world: &World) -> Vec<Value> {
    if world.is(Incident::WrongRegion) {
        Vec::new()
    } else {
        vec![configuration(world, LATEST), job::configuration(world)]
    }
}

pub(super) fn versions(world: &World) -> Vec<Value> {
    std::iter::once(LATEST)
        .chain(VERSIONS.iter().map(|(version, _)| *version))
        .map(|version| configuration(world, version))
        .collect()
}

pub(super) fn aliases(world: &World) -> Vec<Value> {
    vec![json!({
        "AliasArn": format!("{}:{ALIAS}", world.function_arn()),
        "Name": ALIAS,
        "FunctionVersion": "2",
        "Description": "",
        "RevisionId": "0f3f5b42-94a5-4b63-8d6b-35f0f1f3a0f7",
    })]
}

pub(super) fn account(world: &World) -> Value {
    let concurrent = if world.is(Incident::ThrottledConcurrency) {
        10
    } else {
        1000
    };
    json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": concurrent, "UnreservedConcurrentExecutions": concurrent,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": functions(world).len()},
    })
}

pub(in super::super) fn tags() -> Value {
    json!({"project": "wine-quality", "stage": "production"})
}
