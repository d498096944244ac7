//! The alert rules as a list: where each stands, since when, what fired before, and the CloudWatch alarm that would watch
//! it for good.

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use tokio::time::Instant;

use super::{Overlay, Verdict, centred};
use crate::domain::alerts::alarm::{Names, put_metric_alarm};
use crate::domain::alerts::{Alert, Alerts, Standing};
use crate::effects::Event;
use crate::effects::lambda::Event as LambdaEvent;
use crate::keys::{Action, Scope};
use crate::tabs::{Cx, Look, Now};
use crate::ui::hints::hints;
use crate::ui::list::mark;
use crate::ui::panel::panel;
use crate::ui::text::{age, clean, fit, shorten, wrap};
use crate::ui::theme::Tone;

/// The list; the Lambda tab tells it of every change.
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

    fn on_event(&mut self, event: &Event, _cx: &mut Cx) {
        if let Event::Lambda(LambdaEvent::Watched(alerts)) = event {
            self.alerts.clone_from(alerts);
        }
    }

    /// Ages move on.
    fn wake_at(&self, now: Now) -> Option<Instant> {
        Some(now.mono + Duration::from_secs(5))
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let rect = centred(
            area.width.saturating_sub(4).min(110),
            area.height.saturating_sub(2).min(26),
            area,
            buf,
        );
        let inner = panel(" Alerts ", true, rect, buf, look);
        let rows = self.alerts.list.len() as u16;
        let past = self.past(look);
        let [list, terms, history, alarm, keys] = Layout::vertical([
            Constraint::Length(rows + 1),
            Constraint::Length(2),
            Constraint::Length((past.len() as u16 + 1).min(inner.height / 3)),
            Constraint::Min(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        if let Some(alert) = self.alerts.list.get(self.selected) {
            let said = fit(
                &alert.rule.terms(),
                usize::from(terms.width),
                look.glyphs.ellipsis,
            );
            Paragraph::new(said)
                .style(look.theme.text)
                .render(terms, buf);
        }
        Paragraph::new(past).render(history, buf);
        let lines: Vec<Line> = self
            .alerts
            .list
            .iter()
            .map(|alert| row(alert, usize::from(inner.width), look))
            .collect();
        Paragraph::new(lines).render(list, buf);
        if !self.alerts.list.is_empty() {
            let line = Rect {
                y: list.y + self.selected as u16,
                height: 1,
                ..list
            };
            mark(line.intersection(list), buf, look);
        }
        let (text, style) = match self.alarm() {
            Ok(command) => (command, look.theme.accent),
            Err(why) => (why, look.theme.muted),
        };
        let copies = format!(
            ": {} copies all",
            look.keymap.key(Scope::Global, Action::Copy)
        );
        let lines = wrap(&clean(&text), usize::from(alarm.width));
        let lines = shorten(lines, usize::from(alarm.height), &copies);
        let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
        Paragraph::new(lines).style(style).render(alarm, buf);
        let hint: [(&[Action], &str); 3] = [
            (&[Action::Copy], "copy the alarm"),
            (&[Action::Up, Action::Down], "choose"),
            (&[Action::Back], "close"),
        ];
        hints(Scope::Global, &hint, look).render(keys, buf);
        None
    }
}

impl AlertList {
    /// What fired so far, newest first.
    fn past(&self, look: &Look) -> Vec<Line<'static>> {
        let history = &self.alerts.history;
        if history.is_empty() {
            return vec![Line::styled("nothing has fired so far", look.theme.muted)];
        }
        let past = history.iter();
        past.map(|past| crate::tabs::lambda::alert_past(past, look))
            .collect()
    }
}

fn row(alert: &Alert, room: usize, look: &Look) -> Line<'static> {
    let mut line = crate::tabs::lambda::alert_line(alert, room, look);
    if let Standing::Firing { since_ms, .. } = alert.standing
        && let Ok(since) = Timestamp::from_millisecond(since_ms)
    {
        line.push_span(format!("  since {}", age(since, look.now.wall)));
    }
    line
}
