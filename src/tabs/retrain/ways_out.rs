//! The menu of ways out for a version or a trial: for whom it is written, into which files of which directory.

use crossterm::event::{Event as TermEvent, KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::Retrain;
use super::setup::path_of;
use super::views::View;
use crate::challenger::params_file;
use crate::effects::retrain::ways_out::files;
use crate::effects::retrain::{Effect, Form};
use crate::keys::{Action, Scope};
use crate::overlay::{Overlay, Verdict, bottom, inside, strip};
use crate::registry::Version;
use crate::tabs::{Cx, Look};
use crate::train::{Params, Plan};
use crate::ui::list::{Rows, cut_last};
use crate::ui::panel::panel;
use crate::ui::text::{clean, fit};
use crate::ui::theme::Tone;

impl Retrain {
    /// Whether Export is about the selected trial.
    fn exports_trial(&self) -> Option<(usize, Plan)> {
        self.trials
            .selected_plan()
            .filter(|_| self.view == View::Trials)
    }

    /// Whether there is something to export.
    pub(super) fn can_export(&self) -> bool {
        self.subject().is_some() || self.exports_trial().is_some()
    }

    pub(super) fn open_ways_out(&self, cx: &mut Cx) {
        let (version, name, params) = match (self.exports_trial(), self.subject()) {
            (Some((number, plan)), _) => (None, format!("trial {number}"), of_plan(&plan)),
            (None, Some(version)) => (Some(version), version.to_string(), self.accepted(version)),
            (None, None) => return,
        };
        let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
        cx.open(WaysOut {
            version,
            name,
            params,
            dir: Input::new(here.display().to_string()),
            asking: false,
        });
    }

    /// A version's parameters, where Python may have them.
    fn accepted(&self, version: Version) -> Result<Params, String> {
        let manifest = self.manifest(version);
        let manifest = manifest.ok_or_else(|| format!("{version} cannot be read"))?;
        if manifest.gates_passed() {
            of_plan(&manifest.plan)
        } else {
            Err(format!(
                "a gate stops {version}: promote it first, over the gate"
            ))
        }
    }
}

fn of_plan(plan: &Plan) -> Result<Params, String> {
    params_file::check(plan).map_err(|error| error.to_string())?;
    Ok(plan.params.clone())
}

struct WaysOut {
    /// The version; a trial has only parameters.
    version: Option<Version>,
    name: String,
    /// What Python's file would hold, or why nothing.
    params: Result<Params, String>,
    dir: Input,
    /// The directory is being typed.
    asking: bool,
}

/// Cells for what a way out is called, a gap included.
const WHAT: usize = 40;

const WAYS: [(char, Form, &str); 3] = [
    ('o', Form::Onnx, "ONNX, for any runtime"),
    ('s', Form::Sklearn, "scikit-learn: JSON and its converter"),
    ('f', Form::Json, "the forest as JSON"),
];

/// Python's file, which is written of trials too.
const PYTHON: char = 'p';

/// The row and key of the directory.
const DIRECTORY: char = 'd';

impl WaysOut {
    /// The key of each row.
    fn letters(&self) -> Vec<char> {
        let ways = WAYS.iter().map(|(letter, ..)| *letter);
        let ways = ways.filter(|_| self.version.is_some());
        ways.chain([PYTHON, DIRECTORY]).collect()
    }

    /// The rows, a line about leaving, and the frame.
    fn height(&self) -> u16 {
        self.letters().len() as u16 + 3
    }

    fn press(&mut self, letter: char, cx: &mut Cx) -> Verdict {
        if letter == DIRECTORY {
            self.asking = true;
            return Verdict::Stay;
        }
        self.chosen(letter, cx)
    }

    fn chosen(&self, letter: char, cx: &mut Cx) -> Verdict {
        let Some(dir) = path_of(self.dir.value()) else {
            cx.toast(Tone::Warn, "name a directory first: d".to_owned());
            return Verdict::Stay;
        };
        let way = WAYS.iter().find(|(own, ..)| *own == letter);
        match (way, self.version, &self.params) {
            (Some((_, form, _)), Some(version), _) => cx.effect(Effect::Export {
                version,
                form: *form,
                dir,
            }),
            (None, _, Ok(params)) if letter == PYTHON => cx.effect(Effect::WriteParams {
                params: params.clone(),
                dir,
            }),
            (None, _, Err(why)) if letter == PYTHON => {
                cx.toast(Tone::Warn, why.clone());
                return Verdict::Stay;
            }
            _ => return Verdict::Stay,
        }
        Verdict::Close
    }
}

impl Overlay for WaysOut {
    fn on_key(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) -> Verdict {
        match key.code {
            KeyCode::Enter | KeyCode::Esc if self.asking => self.asking = false,
            _ if self.asking => {
                self.dir.handle_event(&TermEvent::Key(key));
            }
            _ if action == Some(Action::Back) => return Verdict::Close,
            KeyCode::Char(letter) => return self.press(letter, cx),
            _ => {}
        }
        Verdict::Stay
    }

    fn on_click(&mut self, at: Position, cx: &mut Cx) -> Verdict {
        let letters = self.letters();
        let area = inside(bottom(self.height(), cx.screen));
        let row = Rows::around(0, letters.len(), area).at(at);
        row.map_or(Verdict::Stay, |row| self.press(letters[row], cx))
    }

    fn on_paste(&mut self, text: &str) -> bool {
        if self.asking {
            for c in text.trim().chars().filter(|c| !c.is_control()) {
                self.dir.handle(InputRequest::InsertChar(c));
            }
        }
        self.asking
    }

    fn render(&self, area: Rect, buf: &mut Buffer, look: &Look) -> Option<Position> {
        let ways = self.version.iter().flat_map(|version| {
            WAYS.map(|(letter, form, what)| (letter, what, files(form, *version).join(" ")))
        });
        let python = match &self.params {
            Ok(_) => (
                PYTHON,
                "its parameters, for the Python project",
                params_file::NAME.to_owned(),
            ),
            Err(why) => (PYTHON, "its parameters, for the Python project", clean(why)),
        };
        let rows: Vec<_> = ways.chain([python]).collect();
        let title = format!(" Write {} ", self.name);
        let inner = panel(title, true, strip(self.height(), area, buf), buf, look);
        let key = |key: String| Span::styled(key, look.theme.key);
        let mut lines: Vec<Line> = rows
            .into_iter()
            .map(|(letter, what, files)| {
                let cells = vec![
                    key(format!("{letter}  ")),
                    Span::raw(fit(what, WHAT, look.glyphs.ellipsis)),
                    Span::styled(files, look.theme.muted),
                ];
                cut_last(cells, inner, look)
            })
            .collect();
        let label = "into ";
        let room = usize::from(inner.width).saturating_sub(label.len() + 4);
        let skipped = self.dir.visual_scroll(room);
        let shown: String = self.dir.value().chars().skip(skipped).take(room).collect();
        let style = if self.asking {
            look.theme.selected
        } else {
            look.theme.text
        };
        lines.push(Line::from(vec![
            key(format!("{DIRECTORY}  ")),
            Span::styled(label, look.theme.muted),
            Span::styled(clean(&shown), style),
        ]));
        lines.push(if self.asking {
            Line::from(vec![key("Enter".to_owned()), Span::raw(" this directory")])
        } else {
            let back = look.keymap.key(Scope::Global, Action::Back);
            Line::from(vec![key(back), Span::raw(" write nothing")])
        });
        let row = lines.len() as u16 - 2;
        Paragraph::new(lines).render(inner, buf);
        let column = 3 + label.len() + self.dir.visual_cursor().saturating_sub(skipped);
        let x = inner.x + (column as u16).min(inner.width.saturating_sub(1));
        self.asking.then_some(Position::new(x, inner.y + row))
    }
}
