//! Reads for the Lambda tab, `vintner lambda` and the report: the function, its metrics, its REPORT lines, its budget.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::collect::{Access, Examination};
use crate::client::lambda::Lambda;
use crate::client::link::Link;
use crate::client::logs::{LogsClient, PageRequest};
use crate::client::signed::Signed;
use crate::client::{gateway, metrics, refusal};
use crate::domain::cost::Prices;
use crate::domain::doctor::facts::Fact;
use crate::domain::function::{FunctionConfig, Overview};
use crate::domain::handover::{ErrorGroup, Errors};
use crate::domain::headline::words;
use crate::domain::latency::histogram::{Bin, histogram};
use crate::domain::latency::series::{Bucket, series};
use crate::domain::latency::{Sample, Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::report::Report;
use crate::domain::request_id::RequestId;
use crate::domain::schema::Schema;
use crate::domain::slo::Slo;
use crate::domain::template::mask;
use crate::domain::vitals::{Readings, Vitals};

/// No single question may take longer.
const LIMIT: Duration = Duration::from_secs(5);
/// Log pages take longer together: a week of REPORT lines is many of them.
const REPORTS_LIMIT: Duration = Duration::from_secs(30);
/// Pages of log read at most: 200 000 lines.
const PAGES: usize = 20;

async fn limited<T>(
    limit: Duration,
    action: &str,
    question: impl Future<Output = Fact<T>>,
) -> Fact<T> {
    let answer = tokio::time::timeout(limit, question).await;
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
        limited(LIMIT, "lambda:GetPolicy", lambda.policy()),
        limited(LIMIT, "apigateway:GET", gateway::find_id(&signed, endpoint)),
    );
    let retention = match config.known() {
        Some(config) => {
            limited(
                LIMIT,
                "logs:DescribeLogGroups",
                retention(&logs, &config.log_group),
            )
            .await
        }
        None => Fact::NotAsked,
    };
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
        retention,
    }
}

async fn retention(logs: &LogsClient, group: &str) -> Fact<Option<i32>> {
    match logs.groups(group).await {
        Ok(groups) => match groups.into_iter().find(|g| g.name == group) {
            Some(found) => Fact::Known(found.retention_days),
            None => Fact::Missing(format!("no log group {group}")),
        },
        Err(error) => refusal::fact(&error),
    }
}

/// CloudWatch's figures of a window and the error budget: one call each.
pub async fn measure(
    aws: &Access,
    function: &str,
    api_id: Option<&str>,
    window: Window,
    now_ms: i64,
) -> (Fact<Snapshot>, Fact<Budget>) {
    let budget = async {
        match api_id {
            Some(id) => {
                limited(
                    LIMIT,
                    "cloudwatch:GetMetricData",
                    metrics::budget(&aws.config, id, now_ms),
                )
                .await
            }
            None => Fact::NotAsked,
        }
    };
    let snapshot = metrics::snapshot(&aws.config, function, api_id, window.seconds(), now_ms);
    tokio::join!(limited(LIMIT, "cloudwatch:GetMetricData", snapshot), budget)
}

/// The REPORT lines of a stretch of log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reports {
    /// One per REPORT line.
    pub samples: Vec<Sample>,
    /// There is more than was read.
    pub cut: bool,
}

/// Reads the REPORT lines of a window, newest pages first, up to a bound.
pub async fn reports(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    limited(
        REPORTS_LIMIT,
        "logs:FilterLogEvents",
        read_reports(aws, group, window, now_ms),
    )
    .await
}

async fn read_reports(aws: &Access, group: &str, window: Window, now_ms: i64) -> Fact<Reports> {
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, aws.profile.clone());
    let mut request = PageRequest {
        group: group.into(),
        // One term serves both formats: `REPORT RequestId` in text, `platform.report` in JSON.
        pattern: Some("?REPORT ?\"platform.report\"".into()),
        start: now_ms - window.seconds() * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut found = Reports::default();
    for _ in 0..PAGES {
        let page = match logs.page(&request).await {
            Ok(page) => page,
            Err(error) => return refusal::fact(&error),
        };
        let samples = page.events.iter().filter_map(|e| {
            Some(Sample::from_report(
                &Report::parse(&e.message)?,
                e.timestamp,
            ))
        });
        found.samples.extend(samples);
        request.token = page.next;
        if request.token.is_none() {
            return Fact::Known(found);
        }
    }
    found.cut = true;
    Fact::Known(found)
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
    pub fn vitals(&self, prices: &Prices, now_ms: i64) -> Vitals {
        Vitals::of(&Readings {
            overview: Some(&self.overview),
            snapshot: self.snapshot.known(),
            budget: self.budget.known(),
            samples: &self.samples,
            own_calls: &[],
            window: self.window,
            now_ms,
            prices,
            slo: Slo::default(),
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
    let endpoint = link
        .endpoint
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let overview = overview(
        aws,
        &examination.function,
        examination.qualifier.as_deref(),
        &endpoint,
    )
    .await;
    let configured = overview.config.known().map(|c| c.log_group.clone());
    let group = link
        .log_groups
        .first()
        .cloned()
        .or(configured)
        .unwrap_or_default();
    let api_id = overview.api_id.known().cloned();
    let ((snapshot, budget), reports) = tokio::join!(
        measure(
            aws,
            &examination.function,
            api_id.as_deref(),
            window,
            now_ms
        ),
        reports(aws, &group, window, now_ms)
    );
    let mut samples = Samples::default();
    let trouble = match reports {
        Fact::Known(reports) => {
            for sample in reports.samples {
                samples.push(sample);
            }
            reports.cut.then(|| {
                format!(
                    "only the newest {} REPORT lines of {} were read",
                    samples.len(),
                    window.label()
                )
            })
        }
        Fact::Denied { action } => Some(format!("no REPORT lines: the identity lacks {action}")),
        Fact::Missing(why) | Fact::Failed(why) | Fact::NoCredentials(why) => {
            Some(format!("no REPORT lines: {why}"))
        }
        Fact::NotAsked => None,
    };
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

/// What the log calls errors: the handler's own mark among them.
const ERROR_LINES: &str = "?ERROR ?Error ?\"timed out\" ?Traceback ?\"❌\"";

/// Error lines of a window, grouped by what they say, the most frequent first; at most 20 groups.
pub async fn errors(link: &Link, window: Window, now_ms: i64) -> Errors {
    read_errors(link, window, now_ms)
        .await
        .map_or_else(Errors::Unread, Errors::Groups)
}

async fn read_errors(link: &Link, window: Window, now_ms: i64) -> Result<Vec<ErrorGroup>, String> {
    let (aws, group) = match (link.aws(), link.log_group()) {
        (Ok(aws), Ok(group)) => (aws, group),
        (Err(error), _) | (_, Err(error)) => return Err(error.to_string()),
    };
    let logs = LogsClient::new(&aws.config, aws.custom_endpoint, Some(aws.profile.clone()));
    let mut request = PageRequest {
        group: group.into(),
        pattern: Some(ERROR_LINES.into()),
        start: now_ms - window.seconds() * 1000,
        end: None,
        newest_first: true,
        token: None,
    };
    let mut groups: BTreeMap<String, ErrorGroup> = BTreeMap::new();
    for _ in 0..PAGES {
        let page = tokio::time::timeout(LIMIT, logs.page(&request)).await;
        let page = page
            .map_err(|_| format!("no answer in {} s", LIMIT.as_secs()))?
            .map_err(|error| error.to_string())?;
        for event in &page.events {
            group_error(&mut groups, event.timestamp, &event.message);
        }
        request.token = page.next;
        if request.token.is_none() {
            break;
        }
    }
    let mut found: Vec<ErrorGroup> = groups.into_values().collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then(b.last_ms.cmp(&a.last_ms)));
    found.truncate(20);
    Ok(found)
}

fn group_error(groups: &mut BTreeMap<String, ErrorGroup>, at: i64, message: &str) {
    let template = mask(&words(message));
    let request_id = RequestId::find(message.as_bytes()).map(|id| id.to_string());
    let entry = groups.entry(template.clone()).or_insert(ErrorGroup {
        template,
        count: 0,
        request_id: None,
        last_ms: at,
    });
    entry.count += 1;
    entry.last_ms = entry.last_ms.max(at);
    entry.request_id = entry.request_id.take().or(request_id);
}

/// The configuration of one version, for a comparison.
pub async fn version(aws: &Access, function: &str, version: &str) -> Fact<FunctionConfig> {
    let lambda = Lambda::new(&aws.config, function, None, aws.profile.as_deref());
    limited(LIMIT, "lambda:GetFunction", lambda.version(version)).await
}
