//! A table of requests: which file, asked in a strip; then its progress, and how the scores agree with the table's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::{Event as TermEvent, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::requests::charge;
use crate::batch::Tally;
use crate::domain::agreement::Agreement;
use crate::domain::cost::Prices;
use crate::domain::schema::Schema;
use crate::effects::Event as Heard;
use crate::effects::predict::{Effect, Event, LocalModel};
use crate::keys::{Action, Scope, while_typing};
use crate::overlay::{Overlay, Verdict, strip};
use crate::tabs::{Cx, Look};
use crate::ui::hints::{hint, hints};
use crate::ui::panel::{notice, panel, title};
use crate::ui::text::{clean, fit, plural, truncate, width};
use crate::ui::theme::Tone;

/// A table on its way, or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The run's number; rows of another are stale.
    pub ticket: u64,
    /// Where the scored rows go.
    pub to: PathBuf,
    /// What came of the rows so far.
    pub tally: Option<Tally>,
    /// Whether it still runs.
    pub running: bool,
}

/// Draws progress, errors and the confusion of the bands.
pub fn render(batch: Option<&Batch>, area: Rect, buf: &mut Buffer, look: &Look) {
    let Some(batch) = batch else { return };
    let does = if batch.running { "stops" } else { "closes" };
    let back = hint(Scope::Predict, Action::Back, does, look);
    let done = batch.tally.as_ref();
    let done = done.map_or_else(String::new, |tally| {
        format!("{} of {}", tally.done, tally.rows)
    });
    let title = title(&[vec!["Batch", &done, &back]], area, look);
    let inner = panel(title, false, area, buf, look);
    let Some(tally) = &batch.tally else {
        let text = if batch.running {
            "sending the first rows"
        } else {
            "nothing was scored"
        };
        return notice(text, Tone::Muted, inner, buf, look);
    };
    let lines = lines(batch, tally, usize::from(inner.width), look);
    for (line, y) in lines.into_iter().zip(inner.y..inner.bottom()) {
        let rect = Rect {
            y,
            height: 1,
            ..inner
        };
        line.render(rect, buf);
    }
}

fn lines<'a>(batch: &Batch, tally: &Tally, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let (theme, glyphs) = (look.theme, look.glyphs);
    let filled = (tally.done * cells)
        .checked_div(tally.rows)
        .unwrap_or(cells);
    let left = match (batch.running, tally.left()) {
        (true, Some(left)) => format!("{:.0} s left", left.as_secs_f64()),
        (true, None) => "beginning".to_owned(),
        (false, _) if tally.done < tally.rows => {
            let on = hint(Scope::Predict, Action::Batch, "goes on with it", look);
            format!("stopped; {on}")
        }
        (false, _) => format!("done in {:.1} s", tally.took.as_secs_f64()),
    };
    let style = if tally.failed > 0 {
        theme.bad
    } else {
        theme.muted
    };
    let mut lines = vec![
        Line::from(vec![
            Span::styled(glyphs.full.repeat(filled), theme.accent),
            Span::styled(glyphs.track.repeat(cells - filled), theme.track),
        ]),
        Line::from(left),
        Line::styled(format!("{} without a score", tally.failed), style),
    ];
    if tally.resumed > 0 {
        let text = format!("{} were there already", tally.resumed);
        lines.push(Line::styled(text, theme.muted));
    }
    let to = clean(&batch.to.display().to_string());
    let to = truncate(&format!("to {to}"), cells, glyphs.ellipsis);
    lines.push(Line::styled(to, theme.muted));
    if let Some(agreement) = Agreement::of(&tally.pairs, &look.env.schema) {
        lines.push(Line::default());
        lines.extend(agreement_lines(&agreement, cells, look));
    }
    lines
}

/// Errors against the table's own scores, and its bands by the predicted ones.
fn agreement_lines<'a>(agreement: &Agreement, cells: usize, look: &Look) -> Vec<Line<'a>> {
    let theme = look.theme;
    let r2 = agreement
        .r2
        .map_or_else(String::new, |r2| format!("  R² {r2:.3}"));
    let widest = agreement.bands.iter().map(|band| width(band)).max();
    let label = widest.unwrap_or(0).min(cells / 4);
    let column = (cells.saturating_sub(label) / agreement.bands.len()).min(11);
    let name = |text: &str| fit(text, column.saturating_sub(1), look.glyphs.ellipsis);
    let mut head = vec![Span::raw(" ".repeat(label))];
    head.extend(
        (agreement.bands.iter()).map(|band| Span::styled(format!(" {}", name(band)), theme.muted)),
    );
    let mut lines = vec![
        Line::from(format!(
            "MAE {:.3}  RMSE {:.3}",
            agreement.mae, agreement.rmse
        )),
        Line::styled(format!("n {}{r2}", agreement.n), theme.muted),
        Line::default(),
        Line::styled("rows: true, columns: predicted", theme.muted),
        Line::from(head),
    ];
    for (i, (band, row)) in agreement.bands.iter().zip(&agreement.confusion).enumerate() {
        let mut spans = vec![Span::styled(
            fit(band, label, look.glyphs.ellipsis),
            theme.muted,
        )];
        spans.extend(row.iter().enumerate().map(|(j, n)| {
            let style = match (i == j, n) {
                (_, 0) => theme.muted,
                (true, _) => theme.good,
                (false, _) => theme.text,
            };
            Span::styled(
                format!(" {n:<width$}", width = column.saturating_sub(1)),
                style,
            )
        }));
        lines.push(Line::from(spans));
    }
    lines
}

/// The strip that asks for the file, then for a yes.
pub struct BatchForm {
    ticket: u64,
    schema: Arc<Schema>,
    /// The endpoint's host and port, if the target has one.
    endpoint: Option<String>,
    local: Option<LocalModel>,
    path: Input,
    on_local: bool,
    /// How many rows the file has, once it was read.
    rows: Option<Result<usize, String>>,
}

impl BatchForm {
    /// Asks for a file; `endpoint` or `local` scores its rows.
    pub fn new(
        ticket: u64,
        schema: Arc<Schema>,
        endpoint: Option<String>,
        local: Option<LocalModel>,
    ) -> Self {
        Self {
            ticket,
            schema,
            on_local: endpoint.is_none(),
            endpoint,
            local,
            path: Input::default(),
            rows: None,
        }
    }

    fn from(&self) -> PathBuf {
        let text = self.path.value().trim();
        match (text.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        }
    }

    fn submit(&self, cx: &mut Cx) -> Verdict {
        let from = self.from();
        match &self.rows {
            _ if self.path.value().trim().is_empty() => Verdict::Stay,
            Some(Ok(rows)) if *rows > 0 => {
                cx.effect(Effect::Batch {
                    ticket: self.ticket,
                    to: beside(&from),
                    from,
                    local: self.local.clone().filter(|_| self.on_local),
                    schema: self.schema.clone(),
                });
                Verdict::Close
            }
            _ => {
                cx.effect(Effect::ReadTable {
                    ticket: self.ticket,
                    from,
                    schema: self.schema.clone(),
                });
                Verdict::Stay
            }
        }
    }

    /// What will happen, or what is wrong with the file.
    fn outlook(&self, prices: &Prices) -> (String, Tone) {
        match &self.rows {
            None => (
                "a header with the features' names; a column of true scores is compared".to_owned(),
                Tone::Muted,
            ),
            Some(Err(error)) => (clean(error), Tone::Bad),
            Some(Ok(0)) => ("the table has no rows".to_owned(), Tone::Bad),
            Some(Ok(rows)) => {
                let what = if self.on_local {
                    "on this machine, nothing is sent".to_owned()
                } else {
                    charge(*rows, true, prices)
                };
                let to = clean(&beside(&self.from()).display().to_string());
                let text = format!("{}, {what}; to {to}", plural(*rows, "row"));
                (text, Tone::Warn)
            }
        }
    }
}

/// The scored rows' file: `wines.csv` becomes `wines-scored.csv`.
fn beside(from: &Path) -> PathBuf {
    let stem = from.file_stem().unwrap_or_default().to_string_lossy();
    from.with_file_name(format!("{stem}-scored.csv"))
}

impl Overlay for BatchForm {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match while_typing(key, action) {
            Some(Action::Back) => return Verdict::Close,
            Some(Action::Submit) => return self.submit(cx),
            Some(Action::NextField | Action::PreviousField) => {
                let both = self.local.is_some() && self.endpoint.is_some();
                self.on_local ^= both;
            }
            _ => {
                self.path.handle_event(&TermEvent::Key(key));
                self.rows = None;
            }
        }
        Verdict::Stay
    }

    fn on_paste(&mut self, text: &str) -> bool {
        // A file dropped on the terminal comes quoted.
        let text = text.trim().trim_matches(['\'', '"']);
        let kept: String = text.chars().filter(|c| !c.is_control()).collect();
        self.path = Input::new(kept);
        self.rows = None;
        true
    }

    fn on_event(&mut self, event: &Heard, _cx: &mut Cx) {
        if let Heard::Predict(Event::TableRead { ticket, rows }) = event
            && *ticket == self.ticket
        {
            self.rows = Some(rows.clone());
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let theme = look.theme;
        let inner = panel(" Score a CSV file ", true, strip(6, area, buf), buf, look);
        let via = match (&self.endpoint, self.on_local) {
            (Some(endpoint), false) => format!("gateway {endpoint}"),
            _ => "the local champion".to_owned(),
        };
        let (outlook, tone) = self.outlook(&look.env.settings.prices);
        let starts = if matches!(self.rows, Some(Ok(1..))) {
            "starts"
        } else {
            "reads it"
        };
        let keys: [(&[Action], &str); 3] = [
            (&[Action::Submit], starts),
            (&[Action::NextField], "gateway or local"),
            (&[Action::Back], "no"),
        ];
        Paragraph::new(vec![
            Line::from(vec![
                Span::styled(" file ", theme.muted),
                Span::raw(clean(self.path.value())),
            ]),
            Line::from(vec![
                Span::styled(" via  ", theme.muted),
                Span::raw(clean(&via)),
            ]),
            Line::styled(format!(" {outlook}"), theme.tone(tone)),
            hints(Scope::Global, &keys, look),
        ])
        .render(inner, buf);
        let x = inner.x + 6 + self.path.visual_cursor() as u16;
        Some(Position::new(
            x.min(inner.right().saturating_sub(1)),
            inner.y,
        ))
    }
}
