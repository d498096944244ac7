//! The alert rules as a list: where each stands, since when, and the CloudWatch alarm that would watch it for good.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::{Overlay, Verdict, centred};
use crate::domain::alerts::alarm::{Names, put_metric_alarm};
use crate::domain::alerts::{Alert, Alerts, Standing};
use crate::keys::Action;
use crate::tabs::{Cx, Look};
use crate::ui::panel::panel;
use crate::ui::text::{age, clean};
use crate::ui::theme::Tone;

/// The list as it stood when it was opened.
pub struct AlertList {
    alerts: Alerts,
    function: String,
    api_id: Option<String>,
    region: String,
    selected: usize,
}

impl AlertList {
    /// The rules of one function.
    pub fn new(alerts: Alerts, function: String, api_id: Option<String>, region: String) -> Self {
        Self {
            alerts,
            function,
            api_id,
            region,
            selected: 0,
        }
    }

    fn alarm(&self) -> Result<String, String> {
        let names = Names {
            function: &self.function,
            api_id: self.api_id.as_deref(),
            region: &self.region,
        };
        let alert = self
            .alerts
            .list
            .get(self.selected)
            .ok_or("there are no rules")?;
        put_metric_alarm(&alert.rule, names)
    }
}

impl Overlay for AlertList {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        let last = self.alerts.list.len().saturating_sub(1);
        match action {
            Some(Action::Back | Action::Quit | Action::Alerts) => return Verdict::Close,
            Some(Action::Down) => self.selected = (self.selected + 1).min(last),
            Some(Action::Up) => self.selected = self.selected.saturating_sub(1),
            Some(Action::Copy | Action::Submit) => match self.alarm() {
                Ok(command) => cx.copy(command, "the put-metric-alarm line"),
                Err(why) => cx.toast(Tone::Warn, why),
            },
            _ => {}
        }
        Verdict::Stay
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let rect = centred(
            area.width.saturating_sub(4).min(110),
            area.height.saturating_sub(2).min(20),
            area,
            buf,
        );
        let inner = panel(" Alerts ", true, rect, buf, look);
        let rows = self.alerts.list.len() as u16;
        let [list, alarm, keys] = Layout::vertical([
            Constraint::Length(rows + 1),
            Constraint::Min(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let lines: Vec<Line> = self
            .alerts
            .list
            .iter()
            .enumerate()
            .map(|(index, alert)| self.row(index, alert, look))
            .collect();
        Paragraph::new(lines).render(list, buf);
        let (text, style) = match self.alarm() {
            Ok(command) => (command, look.theme.accent),
            Err(why) => (why, look.theme.muted),
        };
        Paragraph::new(clean(&text))
            .style(style)
            .wrap(Wrap { trim: false })
            .render(alarm, buf);
        Paragraph::new("y copy the alarm   ↑↓ choose   Esc close")
            .style(look.theme.muted)
            .render(keys, buf);
        None
    }
}

impl AlertList {
    fn row(&self, index: usize, alert: &Alert, look: &Look) -> Line<'static> {
        let mut line = crate::tabs::lambda::alert_line(alert, look);
        if let Standing::Firing { since_ms, .. } = alert.standing
            && let Ok(since) = Timestamp::from_millisecond(since_ms)
        {
            line.push_span(format!("  since {}", age(since, look.now.wall)));
        }
        if index == self.selected {
            line.style(look.theme.selected)
        } else {
            line
        }
    }
}
