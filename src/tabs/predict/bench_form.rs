//! What a bench will do, asked in a strip before anything is sent: how many calls or how long, how fast, which way, and
//! what that costs.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::requests::charge;
use crate::client::bench::{Plan, Via};
use crate::domain::schema::Schema;
use crate::effects::predict::Effect;
use crate::keys::{Action, Scope};
use crate::overlay::{Overlay, Verdict, strip};
use crate::tabs::{Cx, Look};
use crate::ui::hints::hints;
use crate::ui::panel::panel;

/// Calls, seconds and rates to choose from; the rates stay below what needs `--i-own-this`.
const CALLS: [usize; 8] = [10, 20, 50, 100, 150, 300, 500, 1000];
const SECONDS: [usize; 7] = [5, 10, 20, 30, 60, 120, 300];
const RATES: [usize; 5] = [1, 2, 5, 10, 20];
const ROWS: usize = 4;

/// What is measured, whatever the form says.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Comes back with every call.
    pub ticket: u64,
    /// The bytes to send.
    pub body: String,
    /// What the answers are read against.
    pub schema: Arc<Schema>,
    /// The endpoint's host and port.
    pub endpoint: String,
    /// The target's function, if it names one.
    pub function: Option<String>,
}

/// The strip.
pub struct BenchForm {
    asked: Asked,
    selected: usize,
    /// Whether the seconds hold and the calls follow, or the other way round.
    by_time: bool,
    calls: usize,
    seconds: usize,
    rate: usize,
    via: Via,
}

impl BenchForm {
    /// Fifty calls at a polite rate through the gateway.
    pub const fn new(asked: Asked) -> Self {
        Self {
            asked,
            selected: 0,
            by_time: false,
            calls: 50,
            seconds: 10,
            rate: 5,
            via: Via::Gateway,
        }
    }

    fn plan(&self) -> Plan {
        Plan {
            n: if self.by_time {
                self.seconds * self.rate
            } else {
                self.calls
            },
            rate: self.rate as f64,
            warm_up: 1,
            via: self.via,
        }
    }

    fn change(&mut self, up: bool) {
        match self.selected {
            0 => {
                self.calls = neighbour(&CALLS, self.plan().n, up);
                self.by_time = false;
            }
            1 => {
                let now = self.plan().length().as_secs() as usize;
                self.seconds = neighbour(&SECONDS, now, up);
                self.by_time = true;
            }
            2 => self.rate = neighbour(&RATES, self.rate, up),
            _ if self.asked.function.is_none() => {}
            _ => {
                self.via = match self.via {
                    Via::Gateway => Via::Invoke,
                    Via::Invoke => Via::Gateway,
                }
            }
        }
    }

    fn rows(&self) -> [(&'static str, String); ROWS] {
        let plan = self.plan();
        let via = match self.via {
            Via::Gateway => format!("gateway {}", self.asked.endpoint),
            Via::Invoke => format!(
                "invoke {}, tells cold from warm",
                self.asked.function.as_deref().unwrap_or_default()
            ),
        };
        [
            ("calls", format!("{}, {}", plan.n, enough(plan.n))),
            ("seconds", format!("{:.0}", plan.length().as_secs_f64())),
            ("a second", self.rate.to_string()),
            ("via", via),
        ]
    }
}

/// The next larger or smaller of the choices; the outermost stays.
fn neighbour(choices: &[usize], now: usize, up: bool) -> usize {
    let next = if up {
        choices.iter().find(|&&choice| choice > now)
    } else {
        choices.iter().rev().find(|&&choice| choice < now)
    };
    next.copied().unwrap_or(now)
}

/// What the number of calls is enough for.
fn enough(n: usize) -> &'static str {
    match n {
        0..100 => "too few for p99",
        100..299 => "p99 only as a lower bound",
        _ => "enough for p99",
    }
}

impl Overlay for BenchForm {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match (action, key.code) {
            (_, KeyCode::Char('y' | 'Y')) | (Some(Action::Submit), _) => {
                let plan = self.plan();
                let Asked {
                    ticket,
                    body,
                    schema,
                    ..
                } = self.asked.clone();
                cx.effect(Effect::Bench {
                    ticket,
                    body,
                    schema,
                    plan,
                });
                return Verdict::Close;
            }
            (Some(Action::Back | Action::Quit), _) | (_, KeyCode::Char('n' | 'N')) => {
                return Verdict::Close;
            }
            (Some(Action::Up | Action::PreviousField), _) => {
                self.selected = self.selected.saturating_sub(1);
            }
            (Some(Action::Down | Action::NextField), _) => {
                self.selected = (self.selected + 1).min(ROWS - 1);
            }
            (Some(Action::Left), _) => self.change(false),
            (Some(Action::Right | Action::Toggle), _) => self.change(true),
            _ => {}
        }
        Verdict::Stay
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let theme = look.theme;
        let inner = panel(
            " Bench ",
            true,
            strip(ROWS as u16 + 4, area, buf),
            buf,
            look,
        );
        let mut lines: Vec<Line> = (self.rows().into_iter().enumerate())
            .map(|(i, (name, value))| {
                let style = if i == self.selected {
                    theme.selected
                } else {
                    theme.text
                };
                Line::from(vec![
                    Span::styled(format!(" {name:<10}"), theme.muted),
                    Span::styled(format!(" {value} "), style),
                ])
            })
            .collect();
        let plan = self.plan();
        let calls = plan.calls();
        lines.push(Line::styled(
            format!(
                " {calls} calls with the warm-up, {}",
                charge(calls, self.via == Via::Gateway, &look.env.settings.prices),
            ),
            theme.warn,
        ));
        let keys: [(&[Action], &str); 4] = [
            (&[Action::Submit], "starts"),
            (&[Action::Up, Action::Down], "choose"),
            (&[Action::Left, Action::Right], "change"),
            (&[Action::Back], "no"),
        ];
        lines.push(hints(Scope::Global, &keys, look));
        Paragraph::new(lines).render(inner, buf);
        None
    }
}
