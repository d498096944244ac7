//! The right side below the view: how the run goes, and the verdict that stays.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::side::plain;
use super::{Outcome, Retrain, Running};
use crate::effects::retrain::{Host, Phase, Report, Stopped};
use crate::registry::Version;
use crate::tabs::Look;
use crate::train::progress::Judged;
use crate::train::verdict::Verdict;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{age, bytes, clean, count, truncate};
use crate::ui::theme::Tone;

/// Draws how the run goes.
pub(super) fn progress(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    if let Some(running) = &tab.running {
        return run_progress(running, area, buf, look);
    }
    if let Some((version, since)) = &tab.reproducing {
        let inner = panel(" Progress ", false, area, buf, look);
        let text = format!(
            "training {version} again from its manifest {}",
            look.spinner(*since)
        );
        return notice(&text, Tone::Info, inner, buf, look);
    }
    let inner = panel(" Progress ", false, area, buf, look);
    let theme = look.theme;
    let lines = match &tab.outcome {
        None => {
            let key = look
                .keymap
                .key(crate::keys::Scope::Retrain, crate::keys::Action::Submit);
            vec![
                Line::from(vec![
                    Span::styled(key, theme.key),
                    Span::raw(format!(" trains {}", what(tab))),
                ]),
                Line::styled(
                    "nothing is trained yet on this screen; results stay until the next run",
                    theme.muted,
                ),
            ]
        }
        Some(Outcome::Report(report)) => done_lines(report, tab, inner.width, look),
        Some(Outcome::Stopped(order, stopped, _)) => {
            let text = match stopped {
                Stopped::Cancelled { done, total } => {
                    format!("cancelled after {done} of {total} trees; no model was made")
                }
                Stopped::Failed(error) => clean(error),
            };
            let tone = if matches!(stopped, Stopped::Failed(_)) {
                theme.bad
            } else {
                theme.warn
            };
            vec![
                Line::styled(text, tone),
                Line::styled(
                    format!("{}, seed {}", order.plan.family, order.plan.params.seed),
                    theme.muted,
                ),
            ]
        }
    };
    Paragraph::new(lines).render(inner, buf);
}

fn what(tab: &Retrain) -> String {
    use crate::train::Family;
    let plan = &tab.setup.plan;
    match plan.family {
        Family::RandomForest | Family::ExtraTrees => {
            format!("{} of {} trees", plan.family, plan.params.n_estimators)
        }
        Family::GradientBoosting => format!(
            "{} of {} rounds",
            plan.family, plan.params.boosting.max_iter
        ),
        Family::Blend => format!(
            "a blend of {} trees and {} boosters",
            plan.params.n_estimators, plan.params.boosting.n_bags
        ),
        family => format!("a {family} model"),
    }
}

fn done_lines(report: &Report, tab: &Retrain, cells: u16, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let dot = look.glyphs.dot;
    let seconds = report.fit_seconds;
    let pace = if report.trees > 0 && seconds > 0.0 {
        format!(" {dot} {:.0} trees/s", report.trees as f64 / seconds)
    } else {
        String::new()
    };
    let kept = if report.kept {
        " (stopped, trees kept)"
    } else {
        ""
    };
    let nodes = if cells < 60 {
        String::new()
    } else {
        format!(" {dot} {} nodes", count(report.nodes))
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} ", look.glyphs.ok), theme.good),
        Span::raw(format!(
            "{} trees{kept} in {seconds:.2} s{pace}{nodes}",
            report.trees
        )),
    ])];
    let registered = match &report.version {
        Ok(version) => Span::raw(format!(
            "registered as {version} {dot} look {} at this holdout",
            report.looks
        )),
        Err(error) => Span::styled(
            format!("{} not registered: {}", look.glyphs.bad, clean(error)),
            theme.bad,
        ),
    };
    lines.push(Line::from(registered));
    if let Some((queued, error)) = &tab.mlflow {
        lines.push(match (queued, error) {
            (_, Some(error)) => Line::styled(
                format!("MLflow: {queued} queued; {}", clean(error)),
                theme.warn,
            ),
            (0, None) => Line::styled("MLflow: sent", theme.muted),
            (queued, None) => Line::styled(format!("MLflow: {queued} queued"), theme.muted),
        });
    }
    lines
}

fn run_progress(running: &Running, area: Rect, buf: &mut Buffer, look: &Look) {
    let wide = area.width >= 70;
    let [left, right] = if wide {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(26)]).areas(area)
    } else {
        [area, Rect::default()]
    };
    let title = match (
        running.stopping,
        running.paused,
        running.tick.as_ref().map(|tick| tick.phase),
    ) {
        (true, ..) => " Stopping ",
        (_, true, _) => " Paused ",
        (.., Some(Phase::Validate)) => " Progress 1/2: validation curve ",
        (.., Some(Phase::Judge)) => " Judging on the holdout ",
        (.., Some(Phase::Fold { .. })) => " Cross-validation ",
        (.., Some(Phase::Fit)) if !has_oob(running) => " Progress 2/2: fit on all training rows ",
        _ => " Progress ",
    };
    let inner = panel(title, running.paused, left, buf, look);
    let host = running
        .tick
        .as_ref()
        .map(|tick| tick.host)
        .unwrap_or_default();
    let Some((tick, progress)) = running
        .tick
        .as_ref()
        .and_then(|tick| Some((tick, tick.progress.as_ref()?)))
    else {
        return notice(
            &format!("starting {}", look.spinner(running.since)),
            Tone::Muted,
            inner,
            buf,
            look,
        );
    };
    let share = progress.done as f64 / progress.total.max(1) as f64;
    let eta = progress.eta.map_or_else(
        || "ETA after 3 trees".to_owned(),
        |eta| format!("ETA {:.1} s", eta.as_secs_f64()),
    );
    let right_text = format!(" {:>3.0}%  {eta}", share * 100.0);
    bar(
        share,
        &right_text,
        Rect { height: 1, ..inner },
        running.paused,
        buf,
        look,
    );
    let dot = look.glyphs.dot;
    let pace = progress
        .trees_per_second
        .map_or_else(String::new, |rate| format!(" {dot} {rate:.0} trees/s"));
    let mut lines = vec![Line::raw(format!(
        "tree {}/{}{pace} {dot} {} nodes",
        progress.done,
        progress.total,
        count(tick.nodes)
    ))];
    if let Some((judged, scores)) = &progress.scores {
        let covered = match judged {
            Judged::OutOfBag => format!(" {dot} {:.0}% covered", progress.coverage * 100.0),
            Judged::Watched => String::new(),
        };
        lines.push(Line::styled(
            format!(
                "RMSE {:.3} {dot} MAE {:.3}{covered}",
                scores.rmse, scores.mae
            ),
            look.theme.muted,
        ));
    }
    if !wide {
        let first = lines.remove(0);
        let mut spans = first.spans;
        spans.push(Span::styled(
            format!(" {dot} {}", host_text(host)),
            look.theme.muted,
        ));
        lines.insert(0, Line::from(spans));
    }
    Paragraph::new(lines).render(
        Rect {
            y: inner.y + 1,
            height: inner.height.saturating_sub(1),
            ..inner
        },
        buf,
    );
    if wide {
        let inner = panel(" Host ", false, right, buf, look);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cpu = host.cores.map_or_else(
            || "CPU –".to_owned(),
            |busy| format!("CPU {busy:.1} of {cores} cores"),
        );
        let rss = host
            .rss
            .map_or_else(|| "RSS –".to_owned(), |rss| format!("RSS {}", bytes(rss)));
        let elapsed = format!("{:.1} s", progress.elapsed.as_secs_f64());
        Paragraph::new(vec![
            Line::raw(cpu),
            Line::raw(rss),
            Line::styled(elapsed, look.theme.muted),
        ])
        .render(inner, buf);
    }
}

fn has_oob(running: &Running) -> bool {
    use crate::train::Family::{DecisionTree, Linear};
    let plan = &running.order.plan;
    matches!(plan.family, Linear | DecisionTree) || plan.has_out_of_bag()
}

fn host_text(host: Host) -> String {
    let cpu = host
        .cores
        .map_or_else(|| "CPU –".to_owned(), |busy| format!("CPU {busy:.1}"));
    host.rss
        .map_or_else(|| cpu.clone(), |rss| format!("{cpu} RSS {}", bytes(rss)))
}

/// A bar with text at its right end.
fn bar(share: f64, text: &str, area: Rect, paused: bool, buf: &mut Buffer, look: &Look) {
    let cells = usize::from(area.width).saturating_sub(crate::ui::text::width(text));
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    let empty = if look.glyphs.ascii { "." } else { "░" };
    let style = if paused {
        look.theme.warn
    } else {
        look.theme.accent
    };
    Line::from(vec![
        Span::styled(look.glyphs.full.repeat(full), style),
        Span::styled(empty.repeat(cells - full), look.theme.track),
        Span::raw(text.to_owned()),
    ])
    .render(area, buf);
}

/// Draws the verdict, or what will be here.
pub(super) fn verdict(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let title = tab
        .report()
        .and_then(|report| report.version.as_ref().ok())
        .map_or_else(
            || " Verdict ".to_owned(),
            |version| format!(" Verdict on {version} "),
        );
    let inner = panel(title, false, area, buf, look);
    match (&tab.outcome, &tab.reproduced) {
        (Some(Outcome::Report(report)), reproduced) => {
            let mut lines = card(report, tab, inner, look);
            if let Some((version, result)) = reproduced {
                let (tone, text) = reproduction(*version, result);
                lines.insert(
                    1.min(lines.len()),
                    Line::styled(text, look.theme.tone(tone)),
                );
            }
            Paragraph::new(lines).render(inner, buf);
        }
        (_, Some((version, result))) => {
            let (tone, text) = reproduction(*version, result);
            notice(&text, tone, inner, buf, look);
        }
        _ if tab.running.is_some() => notice(
            "after the fit: challenger against champion on the holdout, with gates",
            Tone::Muted,
            inner,
            buf,
            look,
        ),
        _ => notice(
            "no challenger yet: a run ends here with BETTER, TIE, NO WORSE or BLOCKED and the gates before a promotion",
            Tone::Muted,
            inner,
            buf,
            look,
        ),
    }
}

fn card(report: &Report, tab: &Retrain, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let text = |text: String| {
        if look.glyphs.ascii {
            plain(&text)
        } else {
            text
        }
    };
    let mut lines = vec![first_line(report, area.width < 62, look)];
    let Evaluated { now, before } = Evaluated::of(report, area.width < 62);
    lines.push(Line::from(vec![
        Span::styled("challenger ", theme.muted),
        Span::raw(text(now)),
    ]));
    if let Some((version, before)) = before {
        lines.push(Line::from(vec![
            Span::styled(format!("{version}      "), theme.muted),
            Span::styled(text(before), theme.muted),
        ]));
    }
    if area.height > 6 {
        let linear = format!(
            "R² {:.3}  MAE {:.3}  MSE {:.3}",
            report.linear.r2, report.linear.mae, report.linear.mse
        );
        lines.push(Line::from(vec![
            Span::styled("linear     ", theme.muted),
            Span::styled(text(linear), theme.muted),
        ]));
    }
    lines.extend(gates(report, area, look));
    lines.push(next_step(report, tab, look));
    lines
}

fn first_line(report: &Report, narrow: bool, look: &Look) -> Line<'static> {
    let theme = look.theme;
    let text = |text: String| {
        if look.glyphs.ascii {
            plain(&text)
        } else {
            text
        }
    };
    let Some(comparison) = &report.comparison else {
        return Line::from(vec![
            Span::styled(" FIRST ", theme.selected.patch(theme.info)),
            Span::raw("  no champion to compare with"),
        ]);
    };
    let style = theme.tone(tone_of(comparison.verdict));
    let (better, n) = (comparison.p_better, report.evaluation.scores.n);
    let odds = if narrow {
        format!(" P {better:.2}")
    } else {
        format!("  P(better) {better:.2}  n {n}")
    };
    let mut spans = vec![
        Span::styled(
            format!(" {} ", comparison.verdict),
            theme.selected.patch(style),
        ),
        Span::raw(text(format!(
            "  ΔMSE {:+.3} [{:+.3}, {:+.3}]",
            comparison.delta_mse, comparison.interval.low, comparison.interval.high
        ))),
        Span::styled(odds, theme.muted),
    ];
    if report.kept {
        spans.push(Span::styled("  trees kept", theme.warn));
    }
    Line::from(spans)
}

struct Evaluated {
    now: String,
    before: Option<(Version, String)>,
}

impl Evaluated {
    fn of(report: &Report, narrow: bool) -> Self {
        let figures = |evaluation: &crate::train::evaluate::Evaluation| {
            let scores = &evaluation.scores;
            let (low, high) = (evaluation.r2.low, evaluation.r2.high);
            if narrow {
                return format!(
                    "R² {:.3} [{low:.2}, {high:.2}] MSE {:.3}",
                    scores.r2, scores.mse
                );
            }
            format!(
                "R² {:.3} [{low:.2}, {high:.2}]  MAE {:.3}  MSE {:.3}",
                scores.r2, scores.mae, scores.mse
            )
        };
        Self {
            now: figures(&report.evaluation),
            before: report
                .champion
                .as_ref()
                .map(|(version, evaluation)| (*version, figures(evaluation))),
        }
    }
}

/// All gates on one line when there is little room, else one line each with its reason; failed ones always with it.
fn gates(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mark = |passed: bool| {
        if passed {
            Span::styled(format!("{} ", look.glyphs.ok), theme.good)
        } else {
            Span::styled(format!("{} ", look.glyphs.bad), theme.bad)
        }
    };
    let reason = |gate: &crate::registry::manifest::Gate| {
        let room = usize::from(area.width).saturating_sub(15);
        let text = truncate(&clean(&gate.reason), room, look.glyphs.ellipsis);
        let text = if look.glyphs.ascii {
            plain(&text)
        } else {
            text
        };
        Line::from(vec![
            mark(gate.passed),
            Span::raw(format!("{:<11}", gate.name)),
            Span::styled(text, theme.muted),
        ])
    };
    let roomy = usize::from(area.height) >= 5 + report.gates.len();
    if roomy {
        return report.gates.iter().map(reason).collect();
    }
    let passed = report.gates.iter().filter(|gate| gate.passed).count();
    let mut spans = vec![Span::raw(format!("gates {passed}/{} ", report.gates.len()))];
    for gate in &report.gates {
        spans.extend([mark(gate.passed), Span::raw(format!("{} ", gate.name))]);
    }
    let mut lines = vec![Line::from(spans)];
    lines.extend(
        report
            .gates
            .iter()
            .filter(|gate| !gate.passed)
            .take(1)
            .map(reason),
    );
    lines
}

fn next_step(report: &Report, tab: &Retrain, look: &Look) -> Line<'static> {
    use crate::keys::{Action, Scope};
    let key = look.keymap.key(Scope::Retrain, Action::Promote);
    let theme = look.theme;
    match (&report.version, tab.champion()) {
        (Ok(version), Some(champion)) if champion.version == *version => Line::styled(
            format!("{} {version} is the champion", look.glyphs.ok),
            theme.good,
        ),
        (Ok(version), _) if report.passed() => Line::from(vec![
            Span::styled(key, theme.key),
            Span::raw(format!(" promotes {version}")),
        ]),
        (Ok(_), _) => Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(" overrides the gates (asks)", theme.muted),
        ]),
        (Err(_), _) => Line::styled("not registered, so it cannot be promoted", theme.bad),
    }
}

fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Better => Tone::Good,
        Verdict::Tie => Tone::Info,
        Verdict::NoWorse => Tone::Warn,
        Verdict::Blocked => Tone::Bad,
    }
}

/// A finished run in a toast.
pub(super) fn headline(report: &Report) -> (Tone, String) {
    let version = report
        .version
        .as_ref()
        .map_or_else(|_| "the challenger".to_owned(), ToString::to_string);
    match &report.comparison {
        None => (
            Tone::Good,
            format!("{version}: R2 {:.3}", report.evaluation.scores.r2),
        ),
        Some(comparison) => (
            tone_of(comparison.verdict),
            format!(
                "{version}: {} (R2 {:.3})",
                comparison.verdict, report.evaluation.scores.r2
            ),
        ),
    }
}

/// A reproduction in a sentence.
pub(super) fn reproduction(version: Version, result: &Result<bool, String>) -> (Tone, String) {
    match result {
        Ok(true) => (
            Tone::Good,
            format!("{version} reproduced: IDENTICAL, every bit of the model"),
        ),
        Ok(false) => (
            Tone::Bad,
            format!("{version} reproduced: DIFFERENT, the model is another one"),
        ),
        Err(error) => (
            Tone::Bad,
            format!("{version} could not be reproduced: {}", clean(error)),
        ),
    }
}

/// The verdict as one sentence, for a ticket or a message.
pub(super) fn sentence(report: &Report) -> String {
    let version = report
        .version
        .as_ref()
        .map_or_else(|_| "unregistered".to_owned(), ToString::to_string);
    let scores = &report.evaluation.scores;
    let mut text = format!(
        "{version} ({}): R2 {:.3}, MAE {:.3}, MSE {:.3} on {} holdout rows",
        report.plan.family, scores.r2, scores.mae, scores.mse, scores.n
    );
    if let (Some(comparison), Some((champion, _))) = (&report.comparison, &report.champion) {
        let gates = report.gates.iter().filter(|gate| gate.passed).count();
        text.push_str(&format!(
            "; {} against {champion}: dMSE {:+.4} [{:+.4}, {:+.4}], gates {gates}/{}",
            comparison.verdict,
            comparison.delta_mse,
            comparison.interval.low,
            comparison.interval.high,
            report.gates.len()
        ));
    }
    text
}

/// How long ago, as the history shows it.
pub(super) fn ago(at: jiff::Timestamp, look: &Look) -> String {
    age(at, look.now.wall)
}
