//! How the run goes, and how the last one ended.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::lines::speak;
use super::run::{Job, Running};
use super::{Outcome, Retrain};
use crate::effects::retrain::{Host, Phase, Report, Stopped, Tick};
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::train::plan::PLATEAU;
use crate::train::progress::Judged;
use crate::train::{Family, Plan, Progress};
use crate::ui::panel::{below, notice, panel};
use crate::ui::text::{bytes, clean, count, fitting, width};
use crate::ui::theme::Tone;

/// Draws how the run goes.
pub(super) fn render(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    match &tab.running {
        Some(running) => run_progress(tab, running, area, buf, look),
        None => idle(tab, area, buf, look),
    }
    mlflow(tab, area, buf, look);
}

/// What waits for MLflow, on the frame's lower edge: it is seen whatever the pane shows.
fn mlflow(tab: &Retrain, frame: Rect, buf: &mut Buffer, look: &Look) {
    let Some((queued, error)) = &tab.mlflow else {
        return;
    };
    let (text, style) = match (queued, error) {
        (0, None) => ("MLflow: sent".to_owned(), look.theme.muted),
        (queued, None) => (format!("MLflow: {queued} queued"), look.theme.info),
        (queued, Some(_)) => (format!("MLflow: {queued} queued"), look.theme.warn),
    };
    let text = format!(" {text} ");
    let cells = width(&text) as u16;
    if frame.width > cells + 4 && frame.height > 1 {
        buf.set_string(frame.x + 2, frame.bottom() - 1, text, style);
    }
}

fn idle(tab: &Retrain, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Progress ", false, area, buf, look);
    let theme = look.theme;
    let lines = match &tab.outcome {
        None => {
            let key = look.keymap.key(Scope::Retrain, Action::Submit);
            let untrained = match tab.setup.plan.early_stop {
                Some(least) => vec![speak(
                    format!("ends when {PLATEAU} more bring < {least} of oob R²"),
                    look,
                )],
                None => [
                    "nothing is trained yet on this screen; results stay until the next run",
                    "results stay until the next run",
                ]
                .map(ToOwned::to_owned)
                .to_vec(),
            };
            vec![
                Line::from(vec![
                    Span::styled(key, theme.key),
                    Span::raw(format!(" {}", what(tab))),
                ]),
                Line::styled(fitting(&untrained, usize::from(inner.width)), theme.muted),
            ]
        }
        Some(Outcome::Report(report)) => done_lines(report, tab, inner.width, look),
        Some(Outcome::Stopped(plan, stopped, _)) => {
            let (text, style) = match stopped {
                Stopped::Cancelled { done, total } => (
                    format!("cancelled after {done} of {total} trees; no model was made"),
                    theme.warn,
                ),
                Stopped::Failed(error) => (clean(error), theme.bad),
            };
            vec![
                Line::styled(text, style),
                Line::styled(
                    format!("{}, seed {}", plan.family, plan.params.seed),
                    theme.muted,
                ),
            ]
        }
    };
    Paragraph::new(lines).render(inner, buf);
}

fn what(tab: &Retrain) -> String {
    let plan = &tab.setup.plan;
    let trials = tab.setup.trials_wanted();
    if trials > 0 {
        return format!("searches {} in {trials} trials", plan.family);
    }
    match plan.family {
        Family::RandomForest | Family::ExtraTrees => {
            format!(
                "trains {} of {} trees",
                plan.family, plan.params.n_estimators
            )
        }
        Family::GradientBoosting => format!(
            "trains {} of {} rounds",
            plan.family, plan.params.boosting.max_iter
        ),
        Family::Blend => format!(
            "trains a blend of {} trees and {} boosters",
            plan.params.n_estimators, plan.params.boosting.n_bags
        ),
        family => format!("trains a {family} model"),
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
    let kept = match (report.kept, report.early) {
        (true, _) => " (stopped, trees kept)",
        (_, true) => " (early stop)",
        _ => "",
    };
    let nodes = format!(" {dot} {} nodes", count(report.nodes));
    let fitted = format!("{} trees{kept} in {seconds:.2} s", report.trees);
    let texts = [
        format!("{fitted}{pace}{nodes}"),
        format!("{fitted}{pace}"),
        fitted,
    ];
    let room = usize::from(cells).saturating_sub(2);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} ", look.glyphs.ok), theme.good),
        Span::raw(fitting(&texts, room)),
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
    if let Some((_, Some(error))) = &tab.mlflow {
        lines.push(Line::styled(
            format!("MLflow: {}", clean(error)),
            theme.warn,
        ));
    }
    lines
}

fn run_progress(tab: &Retrain, running: &Running, area: Rect, buf: &mut Buffer, look: &Look) {
    let wide = area.width >= 70;
    let [left, right] = if wide {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(26)]).areas(area)
    } else {
        [area, Rect::default()]
    };
    let inner = panel(title(tab, running), running.paused, left, buf, look);
    let tick = running
        .tick
        .as_ref()
        .and_then(|tick| Some((tick, tick.progress.as_ref()?)));
    let Some((tick, progress)) = tick else {
        let plan = &running.plan;
        let text = format!(
            "{}, seed {} {}",
            plan.family,
            plan.params.seed,
            look.spinner(running.since)
        );
        return notice(&text, Tone::Muted, inner, buf, look);
    };
    let share = progress.done as f64 / progress.total.max(1) as f64;
    let eta = progress.eta.map_or_else(
        || "ETA after 3 trees".to_owned(),
        |eta| format!("ETA {:.1} s", eta.as_secs_f64()),
    );
    bar(
        share,
        &format!(" {:>3.0}%  {eta}", share * 100.0),
        Rect { height: 1, ..inner },
        running.paused,
        buf,
        look,
    );
    let below = below(1, inner);
    Paragraph::new(figures(tick, progress, usize::from(inner.width), look)).render(below, buf);
    if wide {
        host_panel(tick.host, progress, right, buf, look);
    }
}

/// What is being done, and which part of it.
fn title(tab: &Retrain, running: &Running) -> String {
    let phase = running.tick.as_ref().map(|tick| tick.phase);
    match (&running.job, phase) {
        _ if running.stopping => " Stopping ".to_owned(),
        _ if running.paused => " Paused ".to_owned(),
        (Job::Tune { trials }, _) => {
            let number = (tab.trials.history.len() + 1).min(*trials);
            format!(" Trial {number} of {trials} ")
        }
        (Job::Reproduce(version), _) => format!(" Training {version} again from its manifest "),
        (_, Some(Phase::Validate)) => " Progress 1/2: validation curve ".to_owned(),
        (_, Some(Phase::Judge)) => " Judging on the holdout ".to_owned(),
        (_, Some(Phase::Fold { index, of })) => {
            format!(" Cross-validation {}/{of} ", index + 1)
        }
        (_, Some(Phase::Fit)) if in_two_parts(&running.plan) => {
            " Progress 2/2: fit on all training rows ".to_owned()
        }
        _ => " Progress ".to_owned(),
    }
}

fn figures(tick: &Tick, progress: &Progress, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let wide = cells >= 50;
    let (dot, muted) = (look.glyphs.dot, look.theme.muted);
    let pace = progress
        .trees_per_second
        .map_or_else(String::new, |rate| format!(" {dot} {rate:.0} trees/s"));
    let tree = format!("tree {}/{}{pace}", progress.done, progress.total);
    let host = format!(" {dot} {}", host_text(tick.host));
    let mut first = vec![Span::raw(tree.clone())];
    if wide && tick.nodes > 0 {
        first.push(Span::raw(format!(" {dot} {} nodes", count(tick.nodes))));
    } else if !wide && width(&tree) + width(&host) <= cells {
        first.push(Span::styled(host, muted));
    }
    let mut lines = vec![Line::from(first)];
    if let Some((judged, scores)) = &progress.scores {
        // Only out-of-bag rows are covered little by little.
        let covered = match judged {
            Judged::OutOfBag => format!(" {dot} {:.0}% covered", progress.coverage * 100.0),
            Judged::Watched => String::new(),
        };
        lines.push(Line::styled(
            format!(
                "RMSE {:.3} {dot} MAE {:.3}{covered}",
                scores.rmse, scores.mae
            ),
            muted,
        ));
    }
    lines
}

fn host_panel(host: Host, progress: &Progress, area: Rect, buf: &mut Buffer, look: &Look) {
    let inner = panel(" Host ", false, area, buf, look);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = host.cores.map_or_else(
        || "CPU –".to_owned(),
        |busy| format!("CPU {busy:.1} of {cores} cores"),
    );
    let rss = host
        .rss
        .map_or_else(|| "RSS –".to_owned(), |rss| format!("RSS {}", bytes(rss)));
    let elapsed = format!("{:.1} s elapsed", progress.elapsed.as_secs_f64());
    Paragraph::new(vec![
        Line::raw(cpu),
        Line::raw(rss),
        Line::styled(elapsed, look.theme.muted),
    ])
    .render(inner, buf);
}

/// Families without out-of-bag rows are fitted twice: once for the curve.
fn in_two_parts(plan: &Plan) -> bool {
    !matches!(plan.family, Family::Linear | Family::DecisionTree) && !plan.has_out_of_bag()
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
    let style = if paused {
        look.theme.warn
    } else {
        look.theme.accent
    };
    Line::from(vec![
        Span::styled(look.glyphs.full.repeat(full), style),
        Span::styled("░".repeat(cells - full), look.theme.track),
        Span::raw(text.to_owned()),
    ])
    .render(area, buf);
}
