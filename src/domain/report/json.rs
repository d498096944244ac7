//! REPORT and `INIT_REPORT` in the JSON log format.

use serde::Deserialize;

use super::{InitReport, Outcome, Report, Xray};
use crate::domain::timestamp;

impl Report {
    pub(super) fn parse_json(message: &str) -> Option<Self> {
        let line: JsonLine<'_> = serde_json::from_str(message).ok()?;
        if line.kind != "platform.report" {
            return None;
        }
        let record = line.record;
        let mut report = Self::empty(record.request_id?.parse().ok()?);
        let metrics = record.metrics?;
        report.duration_ms = metrics.duration_ms?;
        report.billed_ms = metrics.billed_duration_ms.unwrap_or(0.0) as u64;
        report.memory_mb = metrics.memory_size_mb.unwrap_or(0.0) as u32;
        report.max_memory_mb = metrics.max_memory_used_mb.unwrap_or(0.0) as u32;
        report.init_ms = metrics.init_duration_ms;
        report.restore_ms = metrics.restore_duration_ms;
        report.billed_restore_ms = metrics.billed_restore_duration_ms;
        report.status = record
            .status
            .as_deref()
            .map_or(Outcome::Success, Outcome::parse);
        report.error_type = record.error_type;
        report.xray = record.tracing.and_then(JsonTracing::into_xray);
        Some(report)
    }

    /// The `platform.report` line of the JSON log format, written at `time` (milliseconds since the epoch).
    pub fn to_json(&self, time: i64) -> String {
        let mut metrics = serde_json::json!({
            "durationMs": self.duration_ms,
            "billedDurationMs": self.billed_ms,
            "memorySizeMB": self.memory_mb,
            "maxMemoryUsedMB": self.max_memory_mb,
        });
        let optional = [
            ("initDurationMs", self.init_ms),
            ("restoreDurationMs", self.restore_ms),
            ("billedRestoreDurationMs", self.billed_restore_ms),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                metrics[key] = value.into();
            }
        }
        let mut record =
            serde_json::json!({ "requestId": self.request_id.to_string(), "metrics": metrics });
        if let Some(xray) = &self.xray {
            let mut value = format!("Root={}", xray.trace_id);
            if let Some(segment) = &xray.segment_id {
                value.push_str(";Parent=");
                value.push_str(segment);
            }
            value.push_str(if xray.sampled {
                ";Sampled=1"
            } else {
                ";Sampled=0"
            });
            record["tracing"] = serde_json::json!({ "type": "X-Amzn-Trace-Id", "value": value });
        }
        record["status"] = self.status.word().into();
        if let Some(kind) = &self.error_type {
            record["errorType"] = kind.as_str().into();
        }
        serde_json::json!({ "time": timestamp::format(time), "type": "platform.report", "record": record }).to_string()
    }
}

impl InitReport {
    pub(super) fn parse_json(message: &str) -> Option<Self> {
        let line: JsonLine<'_> = serde_json::from_str(message).ok()?;
        if line.kind != "platform.initReport" {
            return None;
        }
        let record = line.record;
        Some(Self {
            init_ms: record.metrics?.duration_ms?,
            phase: record.phase,
            status: record
                .status
                .as_deref()
                .map_or(Outcome::Success, Outcome::parse),
            error_type: record.error_type,
        })
    }
}

#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    record: JsonRecord,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonRecord {
    request_id: Option<String>,
    phase: Option<String>,
    status: Option<String>,
    error_type: Option<String>,
    metrics: Option<JsonMetrics>,
    tracing: Option<JsonTracing>,
}

#[derive(Deserialize)]
struct JsonMetrics {
    #[serde(rename = "durationMs")]
    duration_ms: Option<f64>,
    #[serde(rename = "billedDurationMs")]
    billed_duration_ms: Option<f64>,
    #[serde(rename = "memorySizeMB")]
    memory_size_mb: Option<f64>,
    #[serde(rename = "maxMemoryUsedMB")]
    max_memory_used_mb: Option<f64>,
    #[serde(rename = "initDurationMs")]
    init_duration_ms: Option<f64>,
    #[serde(rename = "restoreDurationMs")]
    restore_duration_ms: Option<f64>,
    #[serde(rename = "billedRestoreDurationMs")]
    billed_restore_duration_ms: Option<f64>,
}

#[derive(Deserialize)]
struct JsonTracing {
    value: Option<String>,
    #[serde(rename = "spanId")]
    span_id: Option<String>,
}

impl JsonTracing {
    /// `Root=1-…;Parent=…;Sampled=1`, the X-Amzn-Trace-Id header.
    fn into_xray(self) -> Option<Xray> {
        let value = self.value?;
        let part = |name: &str| {
            value
                .split(';')
                .find_map(|part| part.strip_prefix(name))
                .map(str::to_owned)
        };
        Some(Xray {
            trace_id: part("Root=")?,
            segment_id: part("Parent=").or(self.span_id),
            sampled: part("Sampled=").is_some_and(|flag| flag == "1"),
        })
    }
}
