//! The fields Insights discovers in a log event.

use std::collections::HashMap;

use serde_json::Value;

use super::super::super::streams::{Event, Key};
use super::cell::Cell;
use crate::domain::report::Report;
use crate::domain::request_id::RequestId;

/// One event with its fields by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    fields: HashMap<String, Cell>,
}

impl Record {
    pub fn new(key: Key, event: &Event, log: &str) -> Self {
        let mut record = Self::default();
        record.set("@timestamp", Cell::Time(key.timestamp));
        record.set("@ingestionTime", Cell::Time(key.ingestion));
        record.set("@message", Cell::Text(event.message.to_string()));
        record.set("@logStream", Cell::Text(event.stream.to_string()));
        record.set("@log", Cell::Text(log.to_owned()));
        record.set("@ptr", Cell::Text(key.event_id()));
        record.discover_lambda(&event.message);
        record.discover_json(&event.message);
        record
    }

    pub fn get(&self, name: &str) -> Cell {
        self.fields.get(name).cloned().unwrap_or(Cell::Missing)
    }

    pub fn set(&mut self, name: &str, value: Cell) {
        self.fields.insert(name.to_owned(), value);
    }

    /// `@type`, `@requestId` and the figures of a REPORT line. Memory is in bytes (decimal megabytes), as in CloudWatch.
    fn discover_lambda(&mut self, message: &str) {
        if let Some(id) = RequestId::find(message.as_bytes()) {
            self.set("@requestId", Cell::Text(id.to_string()));
        }
        let kind = message.split([' ', '\t']).next().unwrap_or_default();
        if matches!(kind, "START" | "END" | "REPORT")
            && message[kind.len()..]
                .trim_start()
                .starts_with("RequestId: ")
        {
            self.set("@type", Cell::Text(kind.to_owned()));
        }
        if let Some(report) = Report::parse(message) {
            self.set("@type", Cell::Text("REPORT".into()));
            self.set("@duration", Cell::Number(report.duration_ms));
            self.set("@billedDuration", Cell::Number(report.billed_ms as f64));
            self.set(
                "@memorySize",
                Cell::Number(f64::from(report.memory_mb) * 1e6),
            );
            self.set(
                "@maxMemoryUsed",
                Cell::Number(f64::from(report.max_memory_mb) * 1e6),
            );
            self.set("@initDuration", report.init_ms.into());
        }
    }

    fn discover_json(&mut self, message: &str) {
        if let Ok(Value::Object(members)) = serde_json::from_str(message.trim()) {
            for (name, value) in members {
                self.flatten(&name, &value);
            }
        }
    }

    fn flatten(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => self.set(name, (*flag).into()),
            Value::Number(number) => self.set(name, number.as_f64().into()),
            Value::String(text) => self.set(name, Cell::Text(text.clone())),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.flatten(&format!("{name}.{index}"), item);
                }
            }
            Value::Object(members) => {
                for (member, value) in members {
                    self.flatten(&format!("{name}.{member}"), value);
                }
            }
        }
    }
}
