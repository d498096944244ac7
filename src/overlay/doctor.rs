//! Doctor on the screen: the verdict in one sentence, the fix to copy, then every check with its evidence.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tokio::time::Instant;

use super::{Overlay, Verdict, centred};
use crate::domain::doctor::{Diagnosis, Finding, Status};
use crate::effects::Event;
use crate::effects::lambda::{Effect, Event as LambdaEvent};
use crate::keys::{Action, Scope};
use crate::remote::Remote;
use crate::tabs::{Cx, Look, Now};
use crate::ui::hints::hints;
use crate::ui::list::Rows;
use crate::ui::panel::{notice, panel};
use crate::ui::text::{age, clean, fit, shorten, truncate, wrap};
use crate::ui::theme::Tone;

/// The overlay: a diagnosis on its way, or here.
pub struct DoctorOverlay {
    diagnosis: Remote<Diagnosis>,
    selected: usize,
}

impl DoctorOverlay {
    /// Opened while an examination is on its way; an earlier one stays in view until it is done.
    pub fn new(now: Timestamp, earlier: Option<Diagnosis>) -> Self {
        let mut diagnosis = Remote::Idle;
        if let Some(earlier) = earlier {
            diagnosis.resolve(Ok(earlier), now);
        }
        diagnosis.load(now);
        Self {
            diagnosis,
            selected: 0,
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.diagnosis.value()?.0.findings.get(self.selected)
    }

    /// The fix under the cursor.
    fn own_fix(&self) -> Option<String> {
        let fix = self.finding().map(|f| f.fix.clone());
        fix.filter(|fix| !fix.is_empty())
    }

    fn verdict_fix(&self) -> Option<String> {
        self.diagnosis
            .value()
            .map(|(d, _)| d.verdict.fix.clone())
            .filter(|f| !f.is_empty())
    }

    fn step(&mut self, by: isize) {
        let last = self
            .diagnosis
            .value()
            .map_or(0, |(d, _)| d.findings.len().saturating_sub(1));
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}

impl Overlay for DoctorOverlay {
    fn on_key(&mut self, _key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match action {
            Some(Action::Back | Action::Quit | Action::Doctor) => return Verdict::Close,
            Some(Action::Down) => self.step(1),
            Some(Action::Up) => self.step(-1),
            Some(Action::PageDown | Action::Bottom) => self.step(100),
            Some(Action::PageUp | Action::Top) => self.step(-100),
            Some(Action::Refresh) => {
                self.diagnosis.load(cx.now.wall);
                cx.effect(Effect::Doctor {
                    schema: cx.env.schema.clone(),
                });
            }
            Some(Action::Copy | Action::Submit) => match self.verdict_fix() {
                Some(fix) => cx.copy(fix, "the fix"),
                None => cx.toast(Tone::Info, "there is nothing to fix"),
            },
            Some(Action::CopyMore) => match self.own_fix() {
                Some(fix) => cx.copy(fix, "this check's fix"),
                None => cx.toast(Tone::Info, "this check needs no fix"),
            },
            _ => {}
        }
        Verdict::Stay
    }

    fn on_scroll(&mut self, lines: i32, _cx: &mut Cx) {
        self.step(lines as isize);
    }

    fn on_event(&mut self, event: &Event, cx: &mut Cx) {
        match event {
            Event::Lambda(LambdaEvent::Diagnosed(outcome)) => {
                self.diagnosis
                    .resolve(outcome.clone().map(|d| *d), cx.now.wall);
                self.selected = self
                    .diagnosis
                    .value()
                    .map_or(0, |(d, _)| worst(&d.findings));
            }
            Event::Connected(_) => {
                self.diagnosis = Remote::Idle;
                self.diagnosis.load(cx.now.wall);
                cx.effect(Effect::Doctor {
                    schema: cx.env.schema.clone(),
                });
            }
            _ => {}
        }
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let rect = centred(
            area.width.saturating_sub(4).min(132),
            area.height.saturating_sub(2).min(46),
            area,
            buf,
        );
        let inner = panel(self.title(look), true, rect, buf, look);
        match self.diagnosis.value() {
            Some((diagnosis, _)) => self.show(diagnosis, inner, buf, look),
            None => match self.diagnosis.error() {
                Some(error) => notice(&clean(error), Tone::Bad, inner, buf, look),
                None => notice(
                    "examining: endpoint, identity, function, policy, image, metrics, logs …",
                    Tone::Muted,
                    inner,
                    buf,
                    look,
                ),
            },
        }
        None
    }

    fn wake_at(&self, now: Now) -> Option<Instant> {
        let pace = if self.diagnosis.is_loading() {
            100
        } else {
            5000
        };
        Some(now.mono + std::time::Duration::from_millis(pace))
    }
}

impl DoctorOverlay {
    fn title(&self, look: &Look) -> String {
        match &self.diagnosis {
            Remote::Loading { since, .. } => format!(" Doctor {} ", look.spinner(*since)),
            other => other.value().map_or(" Doctor ".to_owned(), |(_, at)| {
                format!(" Doctor · examined {} ", age(at, look.now.wall))
            }),
        }
    }

    fn show(&self, diagnosis: &Diagnosis, area: Rect, buf: &mut Buffer, look: &Look) {
        let verdict = &diagnosis.verdict;
        let room = usize::from(area.width).max(1);
        // What the code, the keys and the fewest checks leave.
        let rows = usize::from(area.height).saturating_sub(5);
        let sentence = shorten(wrap(&clean(&verdict.text), room), rows.div_ceil(3), "");
        let rows = rows.saturating_sub(sentence.len());
        let evidence = self.finding().map(|f| clean(&f.evidence));
        let evidence = wrap(&evidence.unwrap_or_default(), room);
        // A gap and a line of the fix come first.
        let kept = if verdict.fix.is_empty() { 1 } else { 3 };
        let most = rows.saturating_sub(kept).min(rows.div_ceil(3));
        let evidence = shorten(evidence, most, "");
        let rows = rows.saturating_sub(evidence.len() + 1);
        let fix = verdict
            .fix
            .lines()
            .flat_map(|line| wrap(&clean(line), room));
        let copies = format!(
            ": {} copies all",
            look.keymap.key(Scope::Global, Action::Copy)
        );
        let most = usize::from(area.height / 3).max(6);
        let fix = shorten(fix.collect(), rows.saturating_sub(1).min(most), &copies);
        let length = |lines: &[String]| Constraint::Length(lines.len() as u16);
        let gap = Constraint::Length(1);
        let before_fix = Constraint::Length(u16::from(!fix.is_empty()));
        let parts = [
            gap,
            length(&sentence),
            before_fix,
            length(&fix),
            Constraint::Min(3),
            gap,
            length(&evidence),
            gap,
        ];
        let [code, text, _, commands, checks, _, detail, keys] =
            Layout::vertical(parts).areas(area);
        let style = if diagnosis.is_healthy() {
            look.theme.good
        } else {
            look.theme.bad
        };
        let lines = |lines: Vec<String>| lines.into_iter().map(Line::from).collect::<Vec<_>>();
        Paragraph::new(verdict.code.as_str())
            .style(style)
            .render(code, buf);
        Paragraph::new(lines(sentence))
            .style(look.theme.text)
            .render(text, buf);
        Paragraph::new(lines(fix))
            .style(look.theme.accent)
            .render(commands, buf);
        self.list(&diagnosis.findings, checks, buf, look);
        Paragraph::new(lines(evidence))
            .style(look.theme.muted)
            .render(detail, buf);
        let fixes: [(&[Action], &str, _); 2] = [
            (&[Action::Copy], "copy the fix", self.verdict_fix()),
            (&[Action::CopyMore], "copy this check's", self.own_fix()),
        ];
        let here = fixes.into_iter().filter(|(.., fix)| fix.is_some());
        let mut hint: Vec<(&[Action], &str)> = here.map(|(keys, what, _)| (keys, what)).collect();
        hint.extend([
            (&[Action::Refresh][..], "again"),
            (&[Action::Back], "close"),
        ]);
        hints(Scope::Global, &hint, look).render(keys, buf);
    }

    fn list(&self, findings: &[Finding], area: Rect, buf: &mut Buffer, look: &Look) {
        let rows = Rows::around(self.selected, findings.len(), area);
        rows.draw(self.selected, buf, look, |at, cells| {
            row(&findings[at], cells, look)
        });
    }
}

/// Where the cursor goes: to the first check that failed, or else to the first remark, or to what could not be seen.
fn worst(findings: &[Finding]) -> usize {
    let of = |status| findings.iter().position(|f| f.status == status);
    let by_weight = [Status::Fail, Status::Warn, Status::Unknown];
    by_weight.into_iter().find_map(of).unwrap_or(0)
}

fn row(finding: &Finding, width: u16, look: &Look) -> Line<'static> {
    let (sign, style) = sign(finding.status, look);
    let evidence = truncate(
        &clean(&finding.evidence),
        usize::from(width).saturating_sub(30),
        look.glyphs.ellipsis,
    );
    Line::from(vec![
        Span::styled(format!(" {sign} {:<8}", finding.status.word()), style),
        Span::styled(
            fit(&finding.check, 18, look.glyphs.ellipsis),
            look.theme.text,
        ),
        Span::styled(evidence, look.theme.muted),
    ])
}

fn sign(status: Status, look: &Look) -> (&'static str, Style) {
    match status {
        Status::Pass => (look.glyphs.ok, look.theme.good),
        Status::Warn => (look.glyphs.warn, look.theme.warn),
        Status::Fail => (look.glyphs.bad, look.theme.bad),
        Status::Skip | Status::Unknown => (look.glyphs.skip, look.theme.muted),
    }
}
