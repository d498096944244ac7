//! What the tab hears from its effects.

use super::Predict;
use super::charts::Dependence;
use crate::domain::awaited::Awaited;
use crate::domain::line::LogEvent;
use crate::effects::predict::Event;
use crate::tabs::Cx;
use crate::ui::theme::Tone;

/// Calls through the gateway whose REPORT lines the log may yet tell.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The answer on screen.
    pub shown: Option<Awaited>,
    /// The comparison's.
    pub compared: Option<Awaited>,
}

impl Predict {
    /// Lines of the log: one may tell which REPORT line is an answer's.
    pub(super) fn overheard(&mut self, events: &[LogEvent]) {
        let Waiting { shown, compared } = &mut self.awaited;
        let told = |awaited: &mut Option<Awaited>| {
            let waiting = awaited.as_mut()?;
            let report = events.iter().find_map(|event| waiting.hear(event))?;
            *awaited = None;
            Some(report)
        };
        if let (Some(report), Some(shown)) = (told(shown), &mut self.shown) {
            shown.report = Some(report);
        }
        let comparison = self.comparing.as_mut().and_then(|c| c.result.as_mut());
        let gateway = comparison.and_then(|comparison| comparison.gateway.as_mut());
        if let (Some(report), Some(gateway)) = (told(compared), gateway) {
            gateway.report = Some(report);
        }
    }

    /// Takes an answer in; one to an older question is stale.
    pub(super) fn heard(&mut self, event: &Event, cx: &mut Cx) {
        let schema = cx.env.schema.clone();
        match event {
            Event::Answered {
                ticket,
                entry,
                reply,
            } => self.answered(*ticket, entry, reply),
            Event::CompareBegan { ticket } => self.compare_began(*ticket, cx.now.wall),
            Event::Compared { ticket, comparison } => {
                if let Some(comparing) = self
                    .comparing
                    .as_mut()
                    .filter(|comparing| comparing.ticket == *ticket)
                {
                    comparing.result = Some(*comparison.clone());
                    let gateway = comparison.gateway.as_ref();
                    let id = gateway.and_then(|way| way.request_id.as_deref());
                    self.awaited.compared = id.map(Awaited::new);
                }
            }
            Event::BenchBegan { ticket, plan } => self.bench_began(*ticket, *plan),
            Event::BenchTimed { ticket, call } => {
                self.benched(*ticket, |bench| bench.calls.push(*call));
            }
            Event::BenchEnded { ticket, error } => {
                self.benched(*ticket, |bench| bench.running = false);
                if let Some(error) = error {
                    cx.toast(Tone::Bad, error.clone());
                }
            }
            Event::SweepBegan {
                ticket,
                features,
                field,
                total,
            } => self.sweep_began(*ticket, features, *field, *total),
            Event::Swept {
                ticket,
                value,
                score,
            } => self.swept(*ticket, *value, score),
            Event::SweepEnded { ticket, error } => {
                self.sweep_ended(*ticket, error.as_ref(), cx);
            }
            // The strip that asked hears it.
            Event::TableRead { .. } => {}
            Event::BatchBegan { ticket, to } => self.batch_began(*ticket, to),
            Event::BatchScored { ticket, tally } => {
                self.batched(*ticket, |batch| batch.tally = Some(*tally.clone()));
            }
            Event::BatchEnded { ticket, error } => {
                self.batched(*ticket, |batch| batch.running = false);
                if let Some(error) = error {
                    cx.toast(Tone::Bad, error.clone());
                }
            }
            Event::Dependence {
                version,
                field,
                n,
                points,
            } => {
                self.charts.dependence = Some(Dependence {
                    version: version.clone(),
                    field: *field,
                    n: *n,
                    points: points.clone(),
                });
            }
            Event::HistoryLoaded(history) => self.past.history = history.clone(),
            Event::HistoryLost(error) => {
                if !std::mem::replace(&mut self.history_lost, true) {
                    cx.toast(Tone::Warn, error.clone());
                }
            }
            Event::RandomRow(Ok((n, values))) => {
                self.form.fill_values(&schema, values, format!("row {n}"));
            }
            Event::RandomRow(Err(error)) => cx.toast(Tone::Bad, error.clone()),
            Event::LocalReady(local) => {
                if let Err(error) = local {
                    cx.toast(Tone::Warn, format!("no local model: {error}"));
                }
                self.local.clone_from(local);
            }
            Event::Chosen(choice) => self.chosen(*choice, cx),
        }
    }
}
