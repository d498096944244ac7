//! The search: the best so far over the trials, every trial with its parameters, and what is done with the best.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::Retrain;
use super::lines::{chosen, hidden, wrapped};
use super::panes::Pane;
use super::plot::{Plot, Series, Stroke};
use crate::challenger::Tuning;
use crate::effects::retrain::Stopped;
use crate::keys::{Action, Scope};
use crate::tabs::Look;
use crate::train::Plan;
use crate::train::tune::{Sampling, State, Trial, best};
use crate::ui::panel::notice;
use crate::ui::text::{clean, fit, width};
use crate::ui::theme::Tone;

/// The last search and its trials.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// What was searched around, how, and on which rows.
    pub(super) tuning: Option<Tuning>,
    /// The run it is written down in.
    pub(super) run: Option<String>,
    /// Training rows that they are judged on.
    pub(super) rows: Option<usize>,
    /// Finished trials.
    pub(super) history: Vec<Trial>,
    /// The selected trial; the best one while nothing else was chosen.
    row: Option<usize>,
    /// Why the last search gave nothing.
    error: Option<String>,
}

impl Trials {
    /// A search that begins, or goes on after these trials.
    pub(super) const fn of(tuning: Tuning, run: Option<String>, history: Vec<Trial>) -> Self {
        Self {
            tuning: Some(tuning),
            run,
            rows: None,
            history,
            row: None,
            error: None,
        }
    }

    /// Whether such a search goes on from these trials.
    pub(super) fn are_of(&self, wanted: &Tuning) -> bool {
        let (Some(was), Some(first)) = (&self.tuning, self.history.first()) else {
            return false;
        };
        // The searched parameters may differ: the best trial may have been taken over meanwhile.
        let rest = |tuning: &Tuning| Tuning {
            plan: tuning.plan_of(&first.params).unwrap_or(tuning.plan.clone()),
            trials: 0,
            ..tuning.clone()
        };
        rest(was) == rest(wanted)
    }

    /// Selects the trial whose line of the table is clicked.
    pub(super) fn click(&mut self, area: Rect, at: Position) {
        let [_, _, table, _] = rooms(self, area);
        if table.contains(at) && at.y > table.y {
            let number = self.first(table) + usize::from(at.y - table.y - 1);
            if number < self.history.len() {
                self.row = Some(number);
            }
        }
    }

    /// The first trial in sight, under the heading.
    fn first(&self, table: Rect) -> usize {
        (self.selected() + 1).saturating_sub(usize::from(table.height.saturating_sub(1)))
    }

    pub(super) fn move_by(&mut self, by: isize) {
        let last = self.history.len().saturating_sub(1);
        self.row = Some(self.selected().saturating_add_signed(by).min(last));
    }

    fn selected(&self) -> usize {
        let best = || best(&self.history).map_or(0, |trial| trial.number);
        self.row.unwrap_or_else(best)
    }

    fn trial(&self) -> Option<&Trial> {
        self.history.get(self.selected())
    }

    pub(super) fn failed(&mut self, stopped: Stopped) {
        self.error = match stopped {
            Stopped::Failed(error) => Some(error),
            Stopped::Cancelled { .. } => None,
        };
    }

    /// Whether there is a trial to take over.
    pub(super) fn has_selected(&self) -> bool {
        self.trial().is_some()
    }

    /// The selected trial's number and its plan.
    pub(super) fn selected_plan(&self) -> Option<(usize, Plan)> {
        let (tuning, trial) = self.tuning.as_ref().zip(self.trial())?;
        let plan = tuning.plan_of(&trial.params).ok()?;
        Some((trial.number, plan))
    }
}

/// Draws the best so far, and the trials.
pub(super) fn render(tab: &Retrain, area: Rect, frame: Rect, buf: &mut Buffer, look: &Look) {
    let trials = &tab.trials;
    if let Some(error) = &trials.error {
        return notice(&clean(error), Tone::Bad, area, buf, look);
    }
    if trials.history.is_empty() {
        let key = look.keymap.key(Scope::Retrain, Action::Submit);
        let text = if tab.running.is_some() && trials.tuning.is_some() {
            "the first trial is running".to_owned()
        } else {
            format!(
                "no search yet: set the row trials in the setup and press {key}. Parameters are judged on the \
                 training rows alone (out-of-bag, else 3-fold CV), the holdout is not looked at"
            )
        };
        return notice(&text, Tone::Muted, area, buf, look);
    }
    let [head, picture, table, detail] = rooms(trials, area);
    let whole = whole(trials, area.width, look.theme.text);
    Paragraph::new(whole).render(detail, buf);
    headline(trials, head.width, look).render(head, buf);
    progress_of(trials, picture, buf, look);
    draw_table(tab, table, frame, buf, look);
}

/// The selected trial in full.
fn whole(trials: &Trials, cells: u16, style: Style) -> Vec<Line<'static>> {
    trials.trial().map_or_else(Vec::new, |trial| {
        let text = format!("#{} {}", trial.number, parameters(trial));
        wrapped(&text, usize::from(cells), style)
    })
}

/// The rooms of the headline, the picture, the table and the selected trial.
fn rooms(trials: &Trials, area: Rect) -> [Rect; 4] {
    let plot = if area.height >= 16 {
        area.height / 2
    } else {
        0
    };
    let whole = whole(trials, area.width, Style::default());
    Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(plot),
        Constraint::Fill(1),
        Constraint::Length(whole.len() as u16),
    ])
    .areas(area)
}

/// What is searched, how far it is, and the best of it: as much as there is room for, the best in any case.
fn headline(trials: &Trials, cells: u16, look: &Look) -> Line<'static> {
    let (n, tuning) = (trials.history.len(), trials.tuning.as_ref());
    let pruned = trials.history.iter();
    let pruned = pruned.filter(|trial| trial.state == State::Pruned).count();
    let how = match tuning.map(|tuning| tuning.sampling) {
        Some(Sampling::Random) => "random ",
        _ => "",
    };
    let family = tuning.map_or_else(String::new, |tuning| format!("{}: ", tuning.plan.family));
    let measured = match tuning {
        Some(tuning) if tuning.plan.has_out_of_bag() => "oob MSE",
        _ => "3-fold CV MSE",
    };
    let best = best(&trials.history).map_or_else(String::new, |best| {
        format!("  best {measured} {:.4} (#{})", best.mse, best.number)
    });
    let rows = trials.rows.filter(|_| !best.is_empty());
    let rows = rows.map_or_else(String::new, |rows| format!("  n {rows} train"));
    let counted = format!("{n} {how}trials, {pruned} pruned");
    let choices = [
        (format!(" {family}{counted}"), rows.as_str()),
        (format!(" {counted}"), rows.as_str()),
        (format!(" {counted}"), ""),
        (format!(" {n} trials"), ""),
    ];
    let fits = |(first, last): &&(String, &str)| {
        width(first) + width(&best) + width(last) <= usize::from(cells)
    };
    let (first, last) = choices.iter().find(fits).unwrap_or(&choices[3]);
    Line::from(vec![
        Span::styled(first.clone(), look.theme.muted),
        Span::styled(best.clone(), look.theme.good),
        Span::styled((*last).to_owned(), look.theme.muted),
    ])
}

/// The best error after each trial as a line, every complete trial as a dot.
fn progress_of(trials: &Trials, area: Rect, buf: &mut Buffer, look: &Look) {
    let complete = || {
        trials
            .history
            .iter()
            .filter(|trial| trial.state == State::Complete && trial.mse < 1e6)
            .map(|trial| (trial.number as f64 + 1.0, trial.mse))
    };
    let mut lowest = f64::INFINITY;
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (number, mse) in complete() {
        // A step, not a slope: nothing was known between two trials.
        if lowest.is_finite() {
            line.push((number, lowest));
        }
        lowest = lowest.min(mse);
        line.push((number, lowest));
    }
    let last = trials.history.len() as f64;
    if lowest.is_finite() {
        line.push((last, lowest));
    }
    // One hopeless trial must not flatten all others.
    let mut sorted: Vec<f64> = complete().map(|(_, mse)| mse).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(low), Some(high)) = (sorted.first(), sorted.get(sorted.len() * 9 / 10)) else {
        return;
    };
    let series = |points, style, stroke| Series {
        points,
        style,
        stroke,
    };
    let cloud = complete().filter(|(_, mse)| mse <= high).collect();
    let plot = Plot {
        x: (1.0, last.max(2.0)),
        y: (*low, high.max(low + 1e-3)),
        series: vec![
            series(cloud, look.theme.muted, Stroke::Cloud),
            series(line, look.theme.accent, Stroke::Solid),
        ],
        levels: Vec::new(),
        x_label: "trials".to_owned(),
    };
    plot.render(area, buf, look);
}

fn draw_table(tab: &Retrain, area: Rect, frame: Rect, buf: &mut Buffer, look: &Look) {
    let trials = &tab.trials;
    let head = "    #  MSE     state     parameters";
    let rows = usize::from(area.height).saturating_sub(1);
    let selected = trials.selected();
    let first = trials.first(area);
    let best = best(&trials.history).map(|trial| trial.number);
    let mut lines = vec![Line::styled(
        fit(head, usize::from(area.width), ""),
        look.theme.muted,
    )];
    for (index, trial) in trials.history.iter().enumerate().skip(first).take(rows) {
        let line = row(trial, best == Some(trial.number), area.width, look);
        let marked = index == selected && tab.focus == Pane::View;
        lines.push(if marked {
            chosen(&line, area.width, look)
        } else {
            line
        });
    }
    Paragraph::new(lines).render(area, buf);
    let below = trials.history.len().saturating_sub(first + rows);
    hidden(first, below, frame, buf, look);
}

fn row(trial: &Trial, best: bool, cells: u16, look: &Look) -> Line<'static> {
    let theme = look.theme;
    let (state, style) = match trial.state {
        State::Complete => ("complete", theme.text),
        State::Pruned => ("pruned", theme.muted),
    };
    let mark = if best { look.glyphs.ok } else { " " };
    let mse = if trial.mse < 1e6 {
        format!("{:.4}", trial.mse)
    } else {
        "none".to_owned()
    };
    let room = usize::from(cells).saturating_sub(25);
    Line::from(vec![
        Span::styled(format!(" {mark} "), theme.good),
        Span::raw(format!("{:>2}  {mse:<6}  ", trial.number)),
        Span::styled(format!("{state:<8}  "), style),
        Span::styled(
            fit(&parameters(trial), room, look.glyphs.ellipsis),
            theme.muted,
        ),
    ])
}

/// All parameters of a trial, by scikit-learn's names.
fn parameters(trial: &Trial) -> String {
    let params: Vec<String> = trial
        .params
        .iter()
        .map(|(name, value)| {
            let name = name.strip_prefix("boosting.").unwrap_or(name);
            match value.as_f64().filter(|_| value.is_f64()) {
                Some(number) => format!("{name}={number:.4}"),
                None => format!("{name}={value}"),
            }
        })
        .collect();
    params.join(" ")
}
