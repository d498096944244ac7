//! The Lambda tab's figures, worked out away from the screen: lines go into the books, a question gets figures.

use std::sync::Arc;

use crate::domain::alerts::{Alerts, Change, Limits, Outside, Reading, Rule};
use crate::domain::cost::Prices;
use crate::domain::doctor::Fact;
use crate::domain::function::Overview;
use crate::domain::latency::calls::CallLine;
use crate::domain::latency::histogram::{Bin, histogram};
use crate::domain::latency::series::{Bucket, series};
use crate::domain::latency::{Samples, Window};
use crate::domain::metrics::{Budget, Snapshot};
use crate::domain::slo::Slo;
use crate::domain::vitals::{Readings, Vitals};

/// Something for the books.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Another target: nothing of the last one stays.
    Begin,
    /// What the log tells about calls.
    Lines(Vec<CallLine>),
    /// What the figures are now. Of several questions the newest alone gets an answer.
    Ask(Box<Question>),
}

/// All that figures rest on besides the log's lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Comes back with the figures; it grows with every question.
    pub id: u64,
    /// The function, as far as it could be read.
    pub overview: Option<Arc<Overview>>,
    /// CloudWatch's figures, or why there are none.
    pub snapshot: Arc<Fact<Snapshot>>,
    /// Requests and errors over the objective's windows, or why there are none.
    pub budget: Arc<Fact<Budget>>,
    /// What is wrong with the REPORT lines, if anything.
    pub reports: Option<String>,
    /// Our own calls: (milliseconds since the epoch, total milliseconds).
    pub own_calls: Vec<(i64, f64)>,
    /// How far back to look.
    pub window: Window,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Prices.
    pub prices: Prices,
    /// The alert rules.
    pub rules: Vec<Rule>,
    /// Drift of the recent requests.
    pub drift: Option<Reading>,
    /// Nothing was logged since then at the latest, milliseconds since the epoch.
    pub silent_since_ms: Option<i64>,
    /// Buckets of the time axis, and bins of the spread: as many as the screen has room for.
    pub room: Room,
}

/// How much of a chart there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Columns of the time axis.
    pub columns: usize,
    /// Rows of the histogram.
    pub bins: usize,
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The question's.
    pub id: u64,
    /// How far back they look.
    pub window: Window,
    /// From when they are, milliseconds since the epoch.
    pub now_ms: i64,
    /// Lamps, tables, money.
    pub vitals: Vitals,
    /// Latency, volume and errors over time; empty without a call in the window.
    pub series: Vec<Bucket>,
    /// The spread of latencies; empty without a call in the window.
    pub spread: Vec<Bin>,
    /// Calls in the books, whatever their age.
    pub held: usize,
    /// How the rules stand.
    pub alerts: Alerts,
    /// What changed since the figures before.
    pub changes: Vec<(Rule, Change)>,
}

/// What is kept between questions: the calls, and how the rules stand.
#[derive(Debug, Default)]
pub struct Books {
    samples: Samples,
    alerts: Alerts,
}

impl Books {
    /// Does what lies there, in its order, and answers the last question.
    pub fn work(&mut self, heap: Vec<Work>) -> Option<Figures> {
        let mut asked = None;
        for work in heap {
            match work {
                Work::Begin => {
                    *self = Books::default();
                    asked = None;
                }
                Work::Lines(lines) => {
                    for line in &lines {
                        self.samples.take(line);
                    }
                }
                Work::Ask(question) => asked = Some(question),
            }
        }
        asked.map(|question| self.answer(&question))
    }

    fn answer(&mut self, question: &Question) -> Figures {
        let &Question {
            id, window, now_ms, ..
        } = question;
        let asked = |asked: bool| asked.then_some(());
        let vitals = Vitals::of(&Readings {
            overview: question.overview.as_deref(),
            snapshot: asked(*question.snapshot != Fact::NotAsked).map(|()| &*question.snapshot),
            budget: asked(*question.budget != Fact::NotAsked).map(|()| &*question.budget),
            samples: &self.samples,
            reports: question.reports.as_deref(),
            own_calls: &question.own_calls,
            window,
            now_ms,
            prices: &question.prices,
            slo: Slo::default(),
            limits: Limits::of(&question.rules),
        });
        let changes = self.step(question);
        let within = || self.samples.within(window, now_ms);
        let Room { columns, bins } = question.room;
        let series = match within().next() {
            Some(_) => series(within(), window.seconds(), now_ms, columns),
            None => Vec::new(),
        };
        Figures {
            id,
            window,
            now_ms,
            vitals,
            series,
            spread: histogram(within(), bins),
            held: self.samples.len(),
            alerts: self.alerts.clone(),
            changes,
        }
    }

    /// Lets the rules look.
    fn step(&mut self, question: &Question) -> Vec<(Rule, Change)> {
        let same = self.alerts.list.iter().map(|alert| &alert.rule);
        if !same.eq(&question.rules) {
            self.alerts = Alerts::new(question.rules.clone());
        }
        let outside = Outside {
            gateway: question.budget.known().map(|b| &b.recent),
            drift: question.drift,
            silent_since_ms: question.silent_since_ms,
        };
        self.alerts.step(&self.samples, &outside, question.now_ms)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::alerts::{Signal, default_rules};
    use crate::domain::latency::calls::Told;
    use crate::domain::latency::tests::warm;

    const NOW: i64 = 1_000_000;

    fn ended(at_ms: i64, duration_ms: f64) -> CallLine {
        CallLine {
            stream: 1,
            at_ms,
            told: Told::Ended(warm(at_ms, duration_ms)),
        }
    }

    fn ask(id: u64) -> Work {
        Work::Ask(Box::new(Question {
            id,
            overview: None,
            snapshot: Arc::new(Fact::NotAsked),
            budget: Arc::new(Fact::NotAsked),
            reports: None,
            own_calls: Vec::new(),
            window: Window::M15,
            now_ms: NOW,
            prices: Prices::default(),
            rules: default_rules(),
            drift: None,
            silent_since_ms: None,
            room: Room {
                columns: 10,
                bins: 4,
            },
        }))
    }

    fn lines() -> Work {
        let times = (0..200).map(|i| NOW - i * 1000);
        Work::Lines(times.map(|at| ended(at, 620.0)).collect())
    }

    #[test]
    fn of_several_questions_the_newest_is_answered_and_no_line_is_lost() {
        let mut books = Books::default();
        assert_eq!(books.work(vec![lines()]), None);
        let more = Work::Lines(vec![ended(NOW - 500, 620.0)]);
        let figures = books.work(vec![ask(1), more, ask(2)]).unwrap();
        assert_eq!((figures.id, figures.held), (2, 201));
        let counted: usize = figures.series.iter().map(|bucket| bucket.n).sum();
        let spread: usize = figures.spread.iter().map(Bin::count).sum();
        assert_eq!(
            (figures.series.len(), counted, figures.spread.len(), spread),
            (10, 201, 4, 201)
        );
        let fired: Vec<Signal> = figures
            .changes
            .iter()
            .map(|(rule, _)| rule.signal)
            .collect();
        assert_eq!(fired, [Signal::P99All, Signal::P99Warm]);
        // What fired once is no news.
        let again = books.work(vec![ask(3)]).unwrap();
        assert_eq!((again.changes.len(), again.alerts.firing().count()), (0, 2));
    }

    #[test]
    fn another_target_begins_with_empty_books_and_the_old_question_has_no_answer() {
        let mut books = Books::default();
        assert_eq!(books.work(vec![lines(), ask(1), Work::Begin]), None);
        let figures = books.work(vec![ask(2)]).unwrap();
        assert_eq!((figures.held, figures.alerts.firing().count()), (0, 0));
        assert!(figures.series.is_empty() && figures.spread.is_empty());
    }
}
