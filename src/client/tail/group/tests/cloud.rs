//! A CloudWatch in memory and in virtual time, and the driver that runs the machine against it.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use rand::Rng;
use rand::rngs::StdRng;

use super::super::{GroupTail, Step};
use super::START;
use crate::client::errors::AwsError;
use crate::client::logs::{Page, PageRequest};
use crate::client::tail::{Batch, Patience, Span, Status};
use crate::domain::line::LogEvent;

/// A log group whose events become visible some time after they happened.
pub struct Cloud {
    /// (event, visible at)
    pub events: Vec<(LogEvent, i64)>,
    pub ids: bool,
    pub order: ServerOrder,
    pub page: usize,
    /// Later pages show what was visible at the first one's time, as AWS's tokens may.
    pub snapshots: bool,
    /// Calls between these instants fail with this.
    pub troubles: Vec<(RangeInclusive<i64>, AwsError)>,
    /// Every n-th page comes empty with a token.
    pub empty_every: usize,
    pub calls: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ServerOrder {
    Descending,
    NewestPageSortedForwards,
    IgnoresStartFromHead,
}

impl Cloud {
    /// `per_second` events for `seconds` (from `START`) over eight streams that flush every 0.5..6 s, with 0.4 % of
    /// stragglers that take 3..12 s more, and bursts within one millisecond.
    pub fn with_realistic_lag(per_second: usize, seconds: i64, dice: &mut StdRng) -> Self {
        let streams: Vec<(Arc<str>, i64)> = (0..8)
            .map(|n| (Arc::from(format!("stream-{n}")), dice.gen_range(500..6_000)))
            .collect();
        let mut events = Vec::new();
        let total = per_second as i64 * seconds;
        for n in 0..total {
            let burst = n / 5 * 5;
            let at = START + burst * 1000 / per_second as i64;
            let (stream, period) = &streams[dice.gen_range(0..streams.len())];
            let mut visible = (at / period + 1) * period + dice.gen_range(20..90);
            if dice.gen_bool(0.004) {
                visible += dice.gen_range(3_000..12_000);
            }
            events.push((event(at, stream, n as usize), visible));
        }
        Self {
            events,
            ids: true,
            order: ServerOrder::Descending,
            page: 100,
            snapshots: true,
            troubles: Vec::new(),
            empty_every: 0,
            calls: 0,
        }
    }

    pub fn answer(&mut self, now: i64, request: &PageRequest) -> Result<Page, AwsError> {
        self.calls += 1;
        if let Some((_, error)) = self.troubles.iter().find(|(when, _)| when.contains(&now)) {
            return Err(error.clone());
        }
        if self.empty_every > 0 && self.calls.is_multiple_of(self.empty_every) {
            let token = request.token.clone().unwrap_or_default();
            return Ok(Page {
                events: Vec::new(),
                next: Some(format!("{token} ")),
            });
        }
        let (asked_at, after) = match request
            .token
            .as_deref()
            .map(|token| token.trim().split_once(':'))
        {
            Some(Some((asked_at, after))) => (
                asked_at.parse().unwrap(),
                Some(after.parse::<usize>().unwrap()),
            ),
            _ => (now, None),
        };
        let seen_at = if self.snapshots { asked_at } else { now };
        let end = request.end.unwrap_or(i64::MAX);
        let backwards = request.newest_first && self.order != ServerOrder::IgnoresStartFromHead;
        let first = self
            .events
            .partition_point(|(event, _)| event.timestamp < request.start);
        let past = self
            .events
            .partition_point(|(event, _)| event.timestamp <= end);
        let mut found: Vec<usize> = (first..past.max(first))
            .filter(|&n| self.events[n].1 <= seen_at)
            .filter(|&n| after.is_none_or(|after| if backwards { n < after } else { n > after }))
            .collect();
        if backwards {
            found.reverse();
        }
        let next = found
            .get(self.page - 1)
            .filter(|_| found.len() > self.page)
            .map(|last| format!("{asked_at}:{last}"));
        let mut events: Vec<LogEvent> = found
            .iter()
            .take(self.page)
            .map(|&n| self.events[n].0.clone())
            .collect();
        if backwards && self.order == ServerOrder::NewestPageSortedForwards {
            events.reverse();
        }
        if !self.ids {
            for event in &mut events {
                event.event_id = None;
            }
        }
        Ok(Page { events, next })
    }
}

pub fn event(at: i64, stream: &Arc<str>, number: usize) -> LogEvent {
    LogEvent {
        timestamp: at,
        ingestion_time: at + 10,
        group: "/aws/lambda/x".into(),
        stream: Arc::clone(stream),
        event_id: Some(format!("{number:056}").into()),
        // Some lines are the same text on purpose.
        message: format!("line {}", number % 7),
    }
}

pub fn span(since: i64, follow: bool, newest_first: bool) -> Span {
    Span {
        since,
        until: None,
        follow,
        newest_first,
    }
}

pub fn tail(span: Span, now: i64) -> GroupTail {
    GroupTail::new(
        "/aws/lambda/x".into(),
        None,
        span,
        Patience::Endless,
        now,
        7,
    )
}

/// What a run showed.
#[derive(Default)]
pub struct Shown {
    pub events: Vec<(LogEvent, i64)>,
    pub statuses: Vec<Status>,
    pub now: i64,
}

/// Runs the machine from `now` until `until` or its end; calls take 60 ms. `live` are Live Tail's (time, event).
pub fn drive(
    machine: &mut GroupTail,
    cloud: &mut Cloud,
    from: i64,
    until: i64,
    live: &[(i64, LogEvent)],
) -> Shown {
    let mut shown = Shown {
        now: from,
        ..Shown::default()
    };
    let mut live = live.iter().peekable();
    cloud
        .events
        .sort_by(|(a, _), (b, _)| a.order_key().cmp(&b.order_key()));
    while shown.now < until {
        while let Some((at, event)) = live.next_if(|(at, _)| *at <= shown.now) {
            let batch = machine.live(*at, vec![event.clone()], false);
            shown.take(batch);
        }
        match machine.next(shown.now) {
            Step::Wait(at) => {
                assert!(at > shown.now, "a wait must be ahead");
                let next_live = live
                    .peek()
                    .map_or(i64::MAX, |(at, _)| (*at).max(shown.now + 1));
                shown.now = at.min(next_live);
            }
            Step::Ask(request) => {
                let answer = cloud.answer(shown.now, &request);
                shown.now += 60;
                match answer {
                    Ok(page) => {
                        let batch = machine.page(shown.now, page);
                        shown.take(batch);
                    }
                    Err(error) => machine.failed(shown.now, &error),
                }
            }
            Step::Done => break,
            Step::GiveUp(error) => panic!("{error}"),
        }
        shown.statuses.push(machine.status());
    }
    shown
}

impl Shown {
    pub fn take(&mut self, batch: Option<Batch>) {
        let now = self.now;
        self.events.extend(
            batch
                .into_iter()
                .flat_map(|batch| batch.events)
                .map(|event| (event, now)),
        );
    }

    /// Nothing lost, nothing doubled, of the events from `since` on.
    pub fn assert_exact(&self, cloud: &Cloud, since: i64) {
        let mut balance: HashMap<(i64, &str, &str), i64> = HashMap::new();
        for (event, _) in cloud
            .events
            .iter()
            .filter(|(event, _)| event.timestamp >= since)
        {
            *balance
                .entry((event.timestamp, &event.stream, &event.message))
                .or_default() += 1;
        }
        for (event, _) in &self.events {
            *balance
                .entry((event.timestamp, &event.stream, &event.message))
                .or_default() -= 1;
        }
        let lost = balance.values().filter(|n| **n > 0).count();
        let doubled = balance.values().filter(|n| **n < 0).count();
        assert_eq!((lost, doubled), (0, 0), "of {}", cloud.events.len());
    }

    pub fn median_delay(&self, cloud: &Cloud) -> i64 {
        let visible: HashMap<&str, i64> = cloud
            .events
            .iter()
            .map(|(event, visible)| (event.event_id.as_deref().unwrap(), *visible))
            .collect();
        let mut delays: Vec<i64> = self
            .events
            .iter()
            .map(|(event, at)| (visible[event.event_id.as_deref().unwrap()], at))
            .filter(|(visible, _)| *visible > START + 10_000)
            .map(|(visible, at)| at - visible)
            .collect();
        delays.sort_unstable();
        delays[delays.len() / 2]
    }
}
