//! A Lambda function as AWS describes it, and what deserves a remark about it.

mod differences;
mod surroundings;

use std::fmt;

use serde::Serialize;

use crate::domain::doctor::facts::{Concurrency, Fact, Function, Image};

pub use differences::{Difference, differences};
pub use surroundings::surroundings;

/// A value that is never printed, serialised or logged by accident; [`Secret::reveal`] is the only way to it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value itself, for a screen whose owner asked to see it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("••••••")
    }
}

/// The configuration of a function. Enumerations stay text, since AWS adds values.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FunctionConfig {
    /// Name.
    pub name: String,
    /// ARN without qualifier.
    pub arn: String,
    /// Free text.
    pub description: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// `Image` or `Zip`.
    pub package_type: String,
    /// Image by tag.
    pub image_uri: Option<String>,
    /// Image by digest.
    pub resolved_image_uri: Option<String>,
    /// Runtime of a zip package.
    pub runtime: Option<String>,
    /// Handler of a zip package.
    pub handler: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// MB.
    pub memory_mb: u32,
    /// Seconds.
    pub timeout_s: u32,
    /// `/tmp`, MB.
    pub ephemeral_mb: u32,
    /// Execution role ARN.
    pub role: String,
    /// VPC id, if it runs in one.
    pub vpc: Option<String>,
    /// Layer ARNs.
    pub layers: Vec<String>,
    /// X-Ray mode, `PassThrough` or `Active`.
    pub tracing: String,
    /// Log group of `LoggingConfig`, or Lambda's default.
    pub log_group: String,
    /// `Text` or `JSON`.
    pub log_format: String,
    /// Environment: names in the open, values not.
    pub environment: Vec<(String, Secret)>,
    /// ISO 8601, as AWS sends it.
    pub last_modified: String,
    /// SHA-256 of the code, base64; for images the digest.
    pub code_sha256: String,
    /// Bytes of the package.
    pub code_size: u64,
    /// State.
    pub state: String,
    /// Why.
    pub state_reason: Option<String>,
    /// Outcome of the last update.
    pub last_update_status: String,
    /// Its reason code.
    pub last_update_code: Option<String>,
    /// Its reason.
    pub last_update_reason: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl FunctionConfig {
    /// What Doctor looks at.
    pub fn facts(&self) -> Function {
        Function {
            arn: self.arn.clone(),
            state: self.state.clone(),
            state_reason: self.state_reason.clone(),
            last_update_status: self.last_update_status.clone(),
            last_update_code: self.last_update_code.clone(),
            last_update_reason: self.last_update_reason.clone(),
            package_type: self.package_type.clone(),
            image_uri: self.image_uri.clone(),
            resolved_image_uri: self.resolved_image_uri.clone(),
            architecture: self.architecture.clone(),
            role: self.role.clone(),
            memory_mb: self.memory_mb,
            timeout_s: self.timeout_s,
            log_group: Some(self.log_group.clone()),
        }
    }

    /// The digest that runs, `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.resolved_image_uri
            .as_deref()?
            .split_once('@')
            .map(|(_, digest)| digest)
    }

    /// (field, value) of everything worth comparing between two versions or targets. Environment values never appear.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let optional = |v: &Option<String>| v.clone().unwrap_or_else(|| "–".to_owned());
        let joined = |v: &[String]| {
            if v.is_empty() {
                "–".to_owned()
            } else {
                v.join(", ")
            }
        };
        let keys: Vec<String> = self.environment.iter().map(|(k, _)| k.clone()).collect();
        let tags: Vec<String> = self.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let package = match (&self.image_uri, &self.runtime) {
            (Some(image), _) => image.clone(),
            (None, runtime) => format!("{} {}", optional(runtime), optional(&self.handler)),
        };
        vec![
            ("package", format!("{} {package}", self.package_type)),
            ("digest", self.digest().unwrap_or("–").to_owned()),
            ("architecture", self.architecture.clone()),
            ("memory", format!("{} MB", self.memory_mb)),
            ("timeout", format!("{} s", self.timeout_s)),
            ("ephemeral storage", format!("{} MB", self.ephemeral_mb)),
            ("role", self.role.clone()),
            ("VPC", optional(&self.vpc)),
            ("layers", joined(&self.layers)),
            ("tracing", self.tracing.clone()),
            ("log group", self.log_group.clone()),
            ("log format", self.log_format.clone()),
            ("environment", joined(&keys)),
            (
                "description",
                if self.description.is_empty() {
                    "–".to_owned()
                } else {
                    self.description.clone()
                },
            ),
            ("last modified", self.last_modified.clone()),
            ("version", self.version.clone()),
            ("code SHA-256", self.code_sha256.clone()),
            ("tags", joined(&tags)),
        ]
    }
}

/// An alias and where its calls go.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Alias {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Further versions with their share, 0 to 1.
    pub weights: Vec<(String, f64)>,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Version {
    /// `$LATEST` or a number.
    pub version: String,
    /// When it was made, as AWS says it.
    pub last_modified: String,
    /// SHA-256 of the code.
    pub code_sha256: String,
    /// MB.
    pub memory_mb: u32,
    /// Seconds.
    pub timeout_s: u32,
    /// Free text.
    pub description: String,
}

/// Everything that can be read about a function; what could not be read says why.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Overview {
    /// The configuration.
    pub config: Fact<FunctionConfig>,
    /// Aliases.
    pub aliases: Fact<Vec<Alias>>,
    /// Versions, newest last.
    pub versions: Fact<Vec<Version>>,
    /// Reserved concurrency and the account's limit.
    pub concurrency: Fact<Concurrency>,
    /// Provisioned concurrency: (qualifier, requested).
    pub provisioned: Fact<Vec<(String, u32)>>,
    /// Function URL; `Missing` when it has none.
    pub url: Fact<String>,
    /// Event sources.
    pub event_sources: Fact<Vec<String>>,
    /// Resource policy; `Missing` when it has none.
    pub policy: Fact<String>,
    /// Id of the API Gateway in front of it.
    pub api_id: Fact<String>,
    /// Path of a prediction at the endpoint.
    pub path: String,
    /// The deployed image in ECR; `Missing` when it is gone.
    pub image: Fact<Image>,
    /// Log retention in days; `Known(None)` keeps for ever.
    pub retention: Fact<Option<i32>>,
}

/// A remark about a configuration: what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// The field it is about.
    pub field: &'static str,
    /// The remark.
    pub text: String,
}

/// An HTTP API gives up after this long.
const GATEWAY_LIMIT_S: u32 = 30;

/// Remarks about a configuration; `max_memory_mb` is the highest use seen, with its n.
pub fn lints(overview: &Overview, max_memory: Option<(u32, usize)>) -> Vec<Lint> {
    let mut found = Vec::new();
    let mut remark = |field, text: String| found.push(Lint { field, text });
    if let Some(config) = overview.config.known() {
        if config.timeout_s > GATEWAY_LIMIT_S {
            remark(
                "timeout",
                format!(
                    "{} s, but API Gateway gives up after {GATEWAY_LIMIT_S} s",
                    config.timeout_s
                ),
            );
        }
        if config.tracing == "PassThrough" {
            remark("tracing", "off: no X-Ray traces".to_owned());
        }
        if let Some((used, n)) = max_memory
            && let Some(text) = memory_remark(config.memory_mb, used, n)
        {
            remark("memory", text);
        }
        if config.last_update_status == "Failed" {
            remark(
                "last update",
                "failed: the image before it is still serving".to_owned(),
            );
        }
    }
    if overview.concurrency.known().and_then(|c| c.reserved) == Some(0) {
        remark("reserved", "0: the function is switched off".to_owned());
    }
    if overview.retention.known() == Some(&None) {
        remark(
            "log group",
            "no retention set: logs are kept, and paid for, for ever".to_owned(),
        );
    }
    found
}

fn memory_remark(size: u32, used: u32, n: usize) -> Option<String> {
    let share = f64::from(used) / f64::from(size.max(1));
    if share >= 0.9 {
        Some(format!(
            "at most {used} of {size} MB used (n = {n}): close to the limit"
        ))
    } else if share < 0.3 && n >= 20 {
        Some(format!(
            "at most {used} of {size} MB used (n = {n}): memory also buys CPU (1769 MB = 1 vCPU), so measure before shrinking"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FunctionConfig {
        FunctionConfig {
            memory_mb: 1024,
            timeout_s: 30,
            tracing: "Active".to_owned(),
            environment: vec![(
                "S3_BUCKET_NAME".to_owned(),
                Secret::new("wine-quality-mlops"),
            )],
            ..FunctionConfig::default()
        }
    }

    #[test]
    fn values_of_the_environment_leak_nowhere() {
        let config = config();
        let everything = format!(
            "{config:?} {} {:?}",
            serde_json::to_string(&config).unwrap_or_default(),
            config.rows()
        );
        assert!(everything.contains("S3_BUCKET_NAME"));
        assert!(!everything.contains("wine-quality-mlops"));
        assert_eq!(config.environment[0].1.reveal(), "wine-quality-mlops");
    }

    #[test]
    fn lints_name_what_deserves_a_look() {
        let fields = |o: &Overview, m| lints(o, m).into_iter().map(|l| l.field).collect::<Vec<_>>();
        let mut overview = Overview {
            config: Fact::Known(config()),
            ..Overview::default()
        };
        assert!(fields(&overview, None).is_empty());
        assert_eq!(fields(&overview, Some((237, 60))), ["memory"]);
        assert_eq!(fields(&overview, Some((1000, 1))), ["memory"]);
        overview.config = Fact::Known(FunctionConfig {
            timeout_s: 60,
            tracing: "PassThrough".to_owned(),
            ..config()
        });
        overview.concurrency = Fact::Known(Concurrency {
            reserved: Some(0),
            account_limit: Fact::NotAsked,
        });
        overview.retention = Fact::Known(None);
        assert_eq!(
            fields(&overview, None),
            ["timeout", "tracing", "reserved", "log group"]
        );
    }
}
