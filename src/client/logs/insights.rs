//! Logs Insights: start a query, look at its results, stop it.

use super::{LogsClient, sdk};
use crate::client::errors::AwsError;

/// The state of an Insights query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryResults {
    /// `Scheduled`, `Running`, `Complete`, `Failed`, `Cancelled`, `Timeout`.
    pub status: String,
    /// One row per result, (field, value) in the query's order.
    pub rows: Vec<Vec<(String, String)>>,
    /// Events read so far.
    pub records_scanned: f64,
    /// Events that matched so far.
    pub records_matched: f64,
    /// Bytes read so far; Insights bills these.
    pub bytes_scanned: f64,
}

impl QueryResults {
    /// Whether the query has ended, well or not.
    pub fn is_done(&self) -> bool {
        !matches!(self.status.as_str(), "Scheduled" | "Running" | "Unknown")
    }
}

impl QueryResults {
    /// The names of the columns: rows leave out fields that they lack, so each new one is put behind the one before it.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = Vec::new();
        for row in &self.rows {
            let mut place = 0;
            for (field, _) in row {
                if let Some(at) = fields.iter().position(|known| known == field) {
                    place = at + 1;
                } else {
                    fields.insert(place, field);
                    place += 1;
                }
            }
        }
        fields
    }
}

impl LogsClient {
    /// Starts an Insights query over groups (names, or ARNs of another account's). Times are milliseconds since the epoch.
    pub async fn start_query(
        &self,
        groups: &[String],
        query: &str,
        start: i64,
        end: i64,
    ) -> Result<String, AwsError> {
        let call = self.call("logs:StartQuery", groups.join(", "));
        let request = self
            .sdk
            .start_query()
            .query_string(query)
            .start_time(start.div_euclid(1000))
            .end_time(end.div_euclid(1000));
        let request = if groups.iter().any(|group| group.starts_with("arn:")) {
            request.set_log_group_identifiers(Some(groups.to_vec()))
        } else {
            request.set_log_group_names(Some(groups.to_vec()))
        };
        let answer = request
            .send()
            .await
            .map_err(|error| with_position(AwsError::from_sdk(&error, &call), &error))?;
        answer.query_id.ok_or_else(|| AwsError::Unparsable {
            action: call.action.to_owned(),
            detail: "no queryId".to_owned(),
        })
    }

    /// The groups to query: names with `*` or `?` are looked up.
    pub async fn named(&self, globs: &[String]) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        for glob in globs {
            if glob.starts_with("arn:") || !glob.contains(['*', '?']) {
                names.push(glob.clone());
                continue;
            }
            let found = self.groups(glob).await?;
            if found.is_empty() {
                return Err(AwsError::NotFound {
                    subject: format!("log group {glob}"),
                    region: self.region().to_owned(),
                });
            }
            names.extend(found.into_iter().map(|group| group.name));
        }
        names.dedup();
        Ok(names)
    }

    /// What a query has found so far.
    pub async fn query_results(&self, id: &str) -> Result<QueryResults, AwsError> {
        let call = self.call("logs:GetQueryResults", format!("query {id}"));
        let answer = self
            .sdk
            .get_query_results()
            .query_id(id)
            .send()
            .await
            .map_err(|error| AwsError::from_sdk(&error, &call))?;
        let statistics = answer.statistics();
        Ok(QueryResults {
            status: answer
                .status()
                .map_or("Unknown", |status| status.as_str())
                .to_owned(),
            rows: answer.results().iter().map(|row| fields(row)).collect(),
            records_scanned: statistics.map_or(0.0, |s| s.records_scanned),
            records_matched: statistics.map_or(0.0, |s| s.records_matched),
            bytes_scanned: statistics.map_or(0.0, |s| s.bytes_scanned),
        })
    }

    /// Stops a query; what it scanned is billed all the same.
    pub async fn stop_query(&self, id: &str) -> Result<(), AwsError> {
        let call = self.call("logs:StopQuery", format!("query {id}"));
        let stopped = self.sdk.stop_query().query_id(id).send().await;
        stopped
            .map(|_| ())
            .map_err(|error| AwsError::from_sdk(&error, &call))
    }
}

/// A result row without Insights' internal `@ptr`.
fn fields(row: &[sdk::types::ResultField]) -> Vec<(String, String)> {
    row.iter()
        .filter(|field| field.field() != Some("@ptr"))
        .map(|field| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (text(field.field()), text(field.value()))
        })
        .collect()
}

/// Adds the place of an Insights syntax error to the service's message.
fn with_position<R>(
    error: AwsError,
    raw: &aws_smithy_runtime_api::client::result::SdkError<
        sdk::operation::start_query::StartQueryError,
        R,
    >,
) -> AwsError {
    use sdk::operation::start_query::StartQueryError::MalformedQueryException;
    let place = match raw.as_service_error() {
        Some(MalformedQueryException(e)) => e
            .query_compile_error()
            .and_then(|compile| compile.location())
            .and_then(sdk::types::QueryCompileErrorLocation::start_char_offset),
        _ => None,
    };
    match (error, place) {
        (
            AwsError::Invalid {
                action,
                subject,
                code,
                detail,
            },
            Some(offset),
        ) => AwsError::Invalid {
            action,
            subject,
            code,
            detail: format!("{detail} (at character {})", offset + 1),
        },
        (error, _) => error,
    }
}
