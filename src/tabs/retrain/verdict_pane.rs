//! The verdict on the last run: challenger against champion, and the gates before a promotion.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::lines::{flowed, scrolled, speak, wrapped};
use super::panes::Pane;
use super::run::{Job, Running};
use super::{Outcome, Retrain};
use crate::effects::retrain::Report;
use crate::keys::{Action, Scope};
use crate::registry::Version;
use crate::registry::manifest::Gate;
use crate::tabs::Look;
use crate::train::verdict::Verdict;
use crate::ui::hints::hint;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{clean, width};
use crate::ui::theme::Tone;

/// Draws the verdict, or what will be here.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let title = tab
        .report()
        .and_then(|report| report.version.as_ref().ok())
        .map_or_else(
            || " Verdict ".to_owned(),
            |version| format!(" Verdict on {version} "),
        );
    let inner = panel(title, tab.focus == Pane::Verdict, area, buf, look);
    let lines = lines(tab, inner, look);
    if lines.is_empty() {
        return notice(&awaited(tab, look), Tone::Muted, inner, buf, look);
    }
    scrolled(lines, tab.scrolls.of(Pane::Verdict), inner, area, buf, look);
    if let Some(Outcome::Report(report)) = &tab.outcome {
        next_step(report, tab, area, buf, look);
    }
}

/// What will be here.
fn awaited(tab: &Retrain, look: &Look) -> String {
    match tab.running.as_ref().map(|running| &running.job) {
        Some(Job::Train) => {
            "after the fit: challenger against champion on the holdout, with gates".to_owned()
        }
        Some(Job::Tune { .. }) => {
            let takes = hint(Scope::Retrain, Action::Submit, "takes a trial over", look);
            format!(
                "a search gives parameters, not a model: {takes} to train it; then a verdict stands here"
            )
        }
        Some(Job::Reproduce(version)) => {
            format!("after the fit: IDENTICAL to {version}, bit by bit, or DIFFERENT")
        }
        None => {
            "no challenger yet: a run ends here with BETTER, TIE, NO WORSE or BLOCKED and the gates before a promotion".to_owned()
        }
    }
}

/// What is known of the last run; empty before the first.
pub(super) fn lines(tab: &Retrain, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let reproduced = tab.reproduced.as_ref().map(|(version, result)| {
        let (tone, text) = reproduction(*version, result);
        wrapped(&text, usize::from(area.width), look.theme.tone(tone))
    });
    let mut lines = tab
        .report()
        .map_or_else(Vec::new, |report| card(report, area, look));
    for line in reproduced.into_iter().flatten().rev() {
        lines.insert(1.min(lines.len()), line);
    }
    lines
}

fn card(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let theme = look.theme;
    let narrow = area.width < 62;
    let mut lines = vec![first_line(report, narrow, look)];
    let Evaluated { now, before } = Evaluated::of(report, narrow);
    lines.push(Line::from(vec![
        Span::styled("challenger ", theme.muted),
        Span::raw(speak(now, look)),
    ]));
    if let Some((version, before)) = before {
        lines.push(Line::from(vec![
            Span::styled(format!("{version}      "), theme.muted),
            Span::styled(speak(before, look), theme.muted),
        ]));
    }
    lines.extend(cross_validated(report, look));
    for note in &report.notes {
        let note = speak(clean(note), look);
        lines.extend(wrapped(&note, usize::from(area.width), theme.warn));
    }
    let failed = report.gates.iter().filter(|gate| !gate.passed).count();
    if area.height < 8 {
        // What stops it comes before everything that does not.
        lines.extend(gate_summary(report, area, look));
    }
    let linear = Line::from(vec![
        Span::styled("linear     ", theme.muted),
        Span::styled(
            speak(
                format!(
                    "R² {:.3}  MAE {:.3}  MSE {:.3}",
                    report.linear.r2, report.linear.mae, report.linear.mse
                ),
                look,
            ),
            theme.muted,
        ),
    ]);
    let reasons = |passed: bool| {
        report
            .gates
            .iter()
            .filter(move |gate| gate.passed == passed)
            .flat_map(|gate| reason(gate, area, look))
    };
    if failed == 0 && area.height >= 8 {
        lines.push(linear);
        lines.extend(reasons(true));
    } else {
        lines.extend(reasons(false));
        lines.push(linear);
        lines.extend(reasons(true));
    }
    lines
}

/// The recipe over all rows, with half the width of its interval; absent when it was not asked for or still runs.
fn cross_validated(report: &Report, look: &Look) -> Option<Line<'static>> {
    let cv = report.cv.as_ref()?;
    let text = format!(
        "{} folds    R² {:.3} ± {:.3}  MAE {:.3}",
        cv.folds.len(),
        cv.r2,
        cv.r2_half_width,
        cv.mae
    );
    Some(Line::styled(speak(text, look), look.theme.muted))
}

fn first_line(report: &Report, narrow: bool, look: &Look) -> Line<'static> {
    let theme = look.theme;
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
        Span::raw(speak(
            format!(
                "  ΔMSE {:+.3} [{:+.3}, {:+.3}]",
                comparison.delta_mse, comparison.interval.low, comparison.interval.high
            ),
            look,
        )),
        Span::styled(odds, theme.muted),
    ];
    // The pane above says so too; here it must not push a figure out.
    if report.kept && !narrow {
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

fn mark(gate: &Gate, look: &Look) -> Span<'static> {
    if gate.passed {
        Span::styled(format!("{} ", look.glyphs.ok), look.theme.good)
    } else {
        Span::styled(format!("{} ", look.glyphs.bad), look.theme.bad)
    }
}

/// A gate with its reason, in as many lines as it takes.
fn reason(gate: &Gate, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let room = usize::from(area.width).saturating_sub(13);
    let text = speak(clean(&gate.reason), look);
    let mut lines = wrapped(&text, room, look.theme.muted);
    for (number, line) in lines.iter_mut().enumerate() {
        let head = if number == 0 {
            vec![mark(gate, look), Span::raw(format!("{:<11}", gate.name))]
        } else {
            vec![Span::raw(" ".repeat(13))]
        };
        let text = Span::styled(line.to_string(), look.theme.muted);
        *line = Line::from(head.into_iter().chain([text]).collect::<Vec<_>>());
    }
    lines
}

/// All gates by name, without their reasons.
fn gate_summary(report: &Report, area: Rect, look: &Look) -> Vec<Line<'static>> {
    let passed = report.gates.iter().filter(|gate| gate.passed).count();
    let count = Span::raw(format!("gates {passed}/{}  ", report.gates.len()));
    let names = report.gates.iter().map(|gate| {
        let mark = mark(gate, look);
        Span::styled(format!("{}{}  ", mark.content, gate.name), mark.style)
    });
    flowed(
        std::iter::once(count).chain(names).collect(),
        usize::from(area.width),
    )
}

/// What can be done with it, on the frame's lower edge, where no line can push it out.
fn next_step(report: &Report, tab: &Retrain, frame: Rect, buf: &mut Buffer, look: &Look) {
    let key = look.keymap.key(Scope::Retrain, Action::Promote);
    let theme = look.theme;
    let text = match (&report.version, tab.champion()) {
        (Ok(version), Some(champion)) if champion.version == *version => Span::styled(
            format!("{} {version} is the champion ", look.glyphs.ok),
            theme.good,
        ),
        (Ok(version), _) if report.passed() => {
            Span::styled(format!("{key} promotes {version} "), theme.key)
        }
        (Ok(_), _) => Span::styled(format!("{key} overrides (asks) "), theme.key),
        (Err(_), _) if tab.running.as_ref().is_some_and(Running::is_fitted) => {
            Span::styled("registered once it is cross-validated ", theme.muted)
        }
        (Err(_), _) => Span::styled("not registered, so it cannot be promoted ", theme.bad),
    };
    let cells = width(&text.content) as u16 + 1;
    let edge = Rect {
        x: frame.x + 2,
        y: frame.bottom().saturating_sub(1),
        width: cells.min(frame.width.saturating_sub(4)),
        height: 1,
    };
    Line::from(vec![Span::raw(" "), text]).render(edge, buf);
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
