//! Reads for the Lambda tab, `vintner lambda` and the report: the function, its metrics, its REPORT lines, its budget.

mod errors;
mod reports;

use std::time::Duration;

use crate::client::collect::{Access, Examination};
use crate::client::ecr::{self, ImageName};
use crate::client::lambda::Lambda;
use crate::client::link::Link;
use crate::client::logs::LogsClient;
use crate::client::signed::Signed;
use crate::client::{gateway, metrics, refusal};
use crate::config::Settings;
use crate::domain::alerts::Limits;
use crate::domain::arn::FunctionName;
use crate::domain::doctor::facts::{Fact, Image};
use crate::domain::function::{FunctionConfig, Overview};
use crate::domain::latency::histogram::{Bin, histogram};
use crate::domain::latency::series::{Bucket, series};
use crate::domain::latency::{Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::schema::Schema;
use crate::domain::slo::{Counts, Slo};
use crate::domain::vitals::{Readings, Vitals};

pub use errors::errors;
pub use reports::{Reports, reports};

/// No single question may take longer.
const LIMIT: Duration = Duration::from_secs(5);
/// Pages of log read at most: 200 000 lines.
const PAGES: usize = 20;

/// The question is boxed: a dozen of them joined in place are larger than a worker's stack can bear.
async fn limited<T>(
    limit: Duration,
    action: &str,
    question: impl Future<Output = Fact<T>>,
) -> Fact<T> {
    let answer = tokio::time::timeout(limit, Box::pin(question)).await;
    answer.unwrap_or_else(|_| Fact::Failed(format!("{action}: no answer in {} s", limit.as_secs())))
}

/// Everything about the function, side by side; what fails says why.
pub async fn overview(
    aws: &Access,
    function: &str,
    qualifier: Option<&str>,
    endpoint: &str,
) -> Overview {
    let profile = aws.profile.as_deref();
    let lambda = Lambda::new(&aws.config, function, qualifier, profile);
    let signed = Signed::new(&aws.config, profile);
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let (config, aliases, versions, concurrency, provisioned, url, event_sources, policy, api_id) = tokio::join!(
        limited(LIMIT, "lambda:GetFunction", lambda.function()),
        limited(LIMIT, "lambda:ListAliases", lambda.aliases()),
        limited(LIMIT, "lambda:ListVersionsByFunction", lambda.versions()),
        limited(LIMIT, "lambda:GetFunctionConcurrency", lambda.concurrency()),
        limited(
            LIMIT,
            "lambda:ListProvisionedConcurrencyConfigs",
            lambda.provisioned()
        ),
        limited(LIMIT, "lambda:GetFunctionUrlConfig", lambda.url()),
        limited(
            LIMIT,
            "lambda:ListEventSourceMappings",
            lambda.event_sources()
        ),
        limited(LIMIT, "lambda:GetPolicy", lambda.policy(qualifier)),
        limited(LIMIT, "apigateway:GET", gateway::find_id(&signed, endpoint)),
    );
    let group = config.known().map(|c| c.log_group.as_str());
    let (retention, image) = tokio::join!(
        async {
            match group {
                Some(group) => {
                    let question = retention(&logs, group);
                    limited(LIMIT, "logs:DescribeLogGroups", question).await
                }
                None => Fact::NotAsked,
            }
        },
        limited(LIMIT, "ecr:DescribeImages", image(&signed, &config))
    );
    let path = url::Url::parse(endpoint).map_or_else(|_| "/".to_owned(), |u| u.path().to_owned());
    Overview {
        config,
        aliases,
        versions,
        concurrency,
        provisioned,
        url,
        event_sources,
        policy,
        api_id,
        path,
        image,
        retention,
    }
}

/// The deployed image in ECR; a zip package has none.
async fn image(signed: &Signed, config: &Fact<FunctionConfig>) -> Fact<Image> {
    let Some(config) = config.known() else {
        return Fact::NotAsked;
    };
    let name = |uri: &Option<String>| uri.as_deref().and_then(ImageName::parse);
    match name(&config.image_uri) {
        Some(image) => ecr::deployed(signed, &image, name(&config.resolved_image_uri)).await,
        None => Fact::NotAsked,
    }
}

/// Days the group's lines are kept; `Known(None)` for ever.
pub(super) async fn retention(logs: &LogsClient, group: &str) -> Fact<Option<i32>> {
    match logs.groups(group).await {
        Ok(groups) => match groups.into_iter().find(|g| g.name == group) {
            Some(found) => Fact::Known(found.retention_days),
            None => Fact::Missing(format!("no log group {group}")),
        },
        Err(error) => refusal::fact(&error),
    }
}

/// CloudWatch's figures of a window and the error budget, in one call. The month's counts come from [`month`].
pub async fn measure(
    aws: &Access,
    function: &str,
    api_id: Option<&str>,
    window: Window,
    month: &Fact<Counts>,
    now_ms: i64,
) -> (Fact<Snapshot>, Fact<Budget>) {
    let name = FunctionName::of(function).name;
    let question = metrics::measure(&aws.config, name, api_id, window.seconds(), month, now_ms);
    tokio::time::timeout(LIMIT, question)
        .await
        .unwrap_or_else(|_| {
            let why = format!(
                "cloudwatch:GetMetricData: no answer in {} s",
                LIMIT.as_secs()
            );
            (Fact::Failed(why.clone()), Fact::Failed(why))
        })
}

/// Requests and failures at the gateway in the last 30 days. They change slowly: once an hour is enough.
pub async fn month(aws: &Access, api_id: Option<&str>, now_ms: i64) -> Fact<Counts> {
    match api_id {
        Some(id) => {
            let question = metrics::month(&aws.config, id, now_ms);
            limited(LIMIT, "cloudwatch:GetMetricData", question).await
        }
        None => Fact::NotAsked,
    }
}

/// Everything of one moment, for a command that prints once.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// The function.
    pub overview: Overview,
    /// CloudWatch's figures.
    pub snapshot: Fact<Snapshot>,
    /// The error budget.
    pub budget: Fact<Budget>,
    /// REPORT lines.
    pub samples: Samples,
    /// Why there are none, or that there are more.
    pub trouble: Option<String>,
    /// How far back.
    pub window: Window,
}

impl Gathered {
    /// The figures.
    pub fn vitals(&self, settings: &Settings, now_ms: i64) -> Vitals {
        Vitals::of(&Readings {
            overview: Some(&self.overview),
            snapshot: Some(&self.snapshot),
            budget: Some(&self.budget),
            samples: &self.samples,
            reports: self.trouble.as_deref(),
            own_calls: &[],
            window: self.window,
            now_ms,
            prices: &settings.prices,
            slo: Slo::default(),
            limits: Limits::of(&settings.rules),
        })
    }

    /// What the figures from REPORT lines rest on.
    pub fn reports_note(&self) -> String {
        match &self.trouble {
            Some(why) => why.clone(),
            None => format!(
                "{} REPORT lines in {}",
                self.samples.len(),
                self.window.label()
            ),
        }
    }
}

/// Reads everything once. Errors only when the target has no AWS or no function.
pub async fn gather(link: &Link, window: Window, now_ms: i64) -> anyhow::Result<Gathered> {
    link.aws()?;
    let examination = Examination::of(
        link,
        Schema::wine_quality(),
        serde_json::Value::Null,
        now_ms,
    );
    let (Some(aws), false) = (&examination.aws, examination.function.is_empty()) else {
        anyhow::bail!(
            "the target `{}` names no function; give one with --function",
            link.session.target
        );
    };
    let endpoint = link.url();
    let overview = overview(
        aws,
        &examination.function,
        examination.qualifier.as_deref(),
        &endpoint,
    )
    .await;
    let group = link.group_of(&overview);
    let api_id = overview.api_id.known().cloned();
    let figures = async {
        let month = month(aws, api_id.as_deref(), now_ms).await;
        let function = &examination.function;
        measure(aws, function, api_id.as_deref(), window, &month, now_ms).await
    };
    let ((snapshot, budget), reports) = tokio::join!(figures, reports(aws, &group, window, now_ms));
    let mut samples = Samples::default();
    let mut trouble = match &reports {
        Fact::NotAsked => None,
        absent => absent
            .absence()
            .map(|why| format!("no REPORT lines: {why}")),
    };
    if let Fact::Known(reports) = reports {
        for line in &reports.lines {
            samples.take(line);
        }
        trouble = reports.cut.then(|| {
            format!(
                "only the newest {} REPORT lines of {} were read",
                samples.len(),
                window.label()
            )
        });
    }
    Ok(Gathered {
        overview,
        snapshot,
        budget,
        samples,
        trouble,
        window,
    })
}

impl Gathered {
    /// The window in 48 buckets.
    pub fn series(&self, now_ms: i64) -> Vec<Bucket> {
        series(
            self.samples.within(self.window, now_ms),
            self.window.seconds(),
            now_ms,
            48,
        )
    }

    /// The spread of latencies in 16 bins.
    pub fn histogram(&self, now_ms: i64) -> Vec<Bin> {
        histogram(self.samples.within(self.window, now_ms), 16)
    }
}

/// The configuration of one version, for a comparison.
pub async fn version(aws: &Access, function: &str, version: &str) -> Fact<FunctionConfig> {
    let lambda = Lambda::new(&aws.config, function, None, aws.profile.as_deref());
    limited(LIMIT, "lambda:GetFunction", lambda.version(version)).await
}
