//! The REPORT line of a call through the gateway, which knows it by an id of its own: joined only where the log itself
//! puts both together.

use std::collections::VecDeque;
use std::sync::Arc;

use memchr::memmem;

use super::line::LogEvent;
use super::report::Report;
use super::request_id::RequestId;

/// REPORT lines that are kept until a line names the call.
const KEPT: usize = 200;
/// REPORT is written so long after the handler's end at most, where a line is joined by its time. Milliseconds.
const WRITTEN_AFTER: f64 = 5.0;

/// A call whose REPORT line is awaited.
#[derive(Debug, Clone)]
pub struct Awaited {
    id: String,
    /// Lambda's own id for it, once a line tells.
    lambda: Option<RequestId>,
    /// Where and when a line without Lambda's id named the call.
    named: Option<(Arc<str>, i64)>,
    reports: VecDeque<(Arc<str>, i64, Report)>,
}

impl Awaited {
    /// Of the call that answered with this request id: API Gateway's own, or Lambda's where a function URL answered.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            lambda: RequestId::exact(id.as_bytes()),
            named: None,
            reports: VecDeque::new(),
        }
    }

    /// Hears a line of the log, in whatever order lines come; gives the call's REPORT line once it is known.
    pub fn hear(&mut self, event: &LogEvent) -> Option<Report> {
        let message = event.message.as_bytes();
        if !self.id.is_empty() && memmem::find(message, self.id.as_bytes()).is_some() {
            match RequestId::find(message) {
                Some(id) => self.lambda = Some(id),
                None => self.named = Some((Arc::clone(&event.stream), event.timestamp)),
            }
        }
        if let Some(report) = Report::parse(&event.message) {
            if self.reports.len() == KEPT {
                self.reports.pop_front();
            }
            let stream = Arc::clone(&event.stream);
            self.reports.push_back((stream, event.timestamp, report));
        }
        let mut reports = self.reports.iter();
        let its = reports.find(|(stream, at, report)| self.is_its(stream, *at, report));
        its.map(|(_, _, report)| report.clone())
    }

    /// By Lambda's id; or an environment, which serves one call at a time, named ours while this one ran.
    fn is_its(&self, stream: &str, at: i64, report: &Report) -> bool {
        if let Some(id) = self.lambda {
            return report.request_id == id;
        }
        self.named.as_ref().is_some_and(|(named_in, named_at)| {
            let began = at as f64 - report.duration_ms - WRITTEN_AFTER;
            **named_in == *stream && (began..=at as f64).contains(&(*named_at as f64))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::event;

    const GATEWAY: &str = "JKJaXmPLvHcESHA=";
    const LAMBDA: &str = "d602a1ed-0000-4000-8000-000000000002";

    fn report(id: &str, cold: bool) -> String {
        let init = if cold {
            "Init Duration: 1400.11 ms\t"
        } else {
            ""
        };
        format!(
            "REPORT RequestId: {id}\tDuration: 200.00 ms\tBilled Duration: 200 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t{init}\n"
        )
    }

    /// The last line heard completes it, whichever it is.
    fn joined(id: &str, events: &mut [LogEvent]) -> Vec<Option<f64>> {
        let mut found = Vec::new();
        for _ in 0..events.len() {
            events.rotate_left(1);
            let mut awaited = Awaited::new(id);
            let told = events.iter().filter_map(|event| awaited.hear(event)).last();
            found.push(told.map(|report| report.init_ms.unwrap_or(0.0)));
        }
        found
    }

    #[test]
    fn a_line_with_both_ids_joins_them_in_any_order() {
        let line = format!(
            r#"{{"level":"INFO","function_request_id":"{LAMBDA}","correlation_id":"{GATEWAY}"}}"#
        );
        let other = "d602a1ed-0000-4000-8000-000000000001";
        let mut events = [
            event("a", 900, report(other, false)),
            event("a", 1000, &line),
            event("a", 1200, report(LAMBDA, true)),
        ];
        assert_eq!(joined(GATEWAY, &mut events), [Some(1400.11); 3]);
    }

    #[test]
    fn a_function_url_answers_with_lambdas_own_id() {
        let mut events = [
            event("a", 900, "hello"),
            event("a", 1200, report(LAMBDA, false)),
        ];
        assert_eq!(joined(LAMBDA, &mut events), [Some(0.0); 2]);
    }

    #[test]
    fn a_line_without_lambdas_id_is_joined_by_the_call_it_was_written_in() {
        let print = format!("scoring for {GATEWAY}");
        let other = "d602a1ed-0000-4000-8000-000000000001";
        let mut events = [
            event("b", 1100, report(other, false)),
            event("a", 1100, &print),
            event("a", 1203, report(LAMBDA, true)),
            event("a", 1500, report(other, false)),
        ];
        assert_eq!(joined(GATEWAY, &mut events), [Some(1400.11); 4]);
        // Only the next call of that environment was heard: nothing is guessed.
        let mut later = [events[1].clone(), event("a", 1500, report(other, false))];
        later.sort_by_key(|event| event.timestamp);
        let mut awaited = Awaited::new(GATEWAY);
        assert!(later.iter().all(|event| awaited.hear(event).is_none()));
    }

    #[test]
    fn a_log_that_never_names_the_call_says_nothing() {
        let mut events = [
            event("a", 1000, "Model loaded successfully"),
            event("a", 1200, report(LAMBDA, true)),
        ];
        assert_eq!(joined(GATEWAY, &mut events), [None; 2]);
        assert_eq!(joined("", &mut events), [None; 2]);
    }
}
