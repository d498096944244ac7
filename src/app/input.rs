//! Where keys, pastes and clicks go: to what lies on top, else to the active tab, else they are the app's own.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{App, Toast};
use crate::effects::Effect;
use crate::keys::{Action, Scope};
use crate::overlay::{self, Overlay, Verdict};
use crate::tabs::{Cx, Now};
use crate::ui;
use crate::ui::theme::Tone;

impl App {
    pub(super) fn on_key(&mut self, key: KeyEvent, now: Now) -> Vec<Effect> {
        let scope = self.tabs[self.active].scope();
        let mut action = self.keymap.action(scope, key);
        if !self.overlays.is_empty() {
            // What lies on top means the same on every tab.
            action = self.keymap.action(Scope::Global, key).or(action);
        }
        if action == Some(Action::ForceQuit) {
            return vec![Effect::Quit];
        }
        if !self.overlays.is_empty() {
            return self.with_cx(now, |app, cx| app.key_to_overlay(key, action, cx));
        }
        if action == Some(Action::Back) && self.put_away() {
            return Vec::new();
        }
        self.with_cx(now, |app, cx| {
            if app.tabs[app.active].on_key(key, cx) {
                return;
            }
            match (action, digit(key)) {
                (Some(action), _) => app.act(action, cx),
                (None, Some(n)) if n <= app.tabs.len() => app.open_tab(n - 1, cx),
                _ => {}
            }
        })
    }

    /// Takes the newest bad news off the screen, with what lies over it; false if there is none.
    fn put_away(&mut self) -> bool {
        let newest = self.toasts.iter().rposition(Toast::stays);
        newest.map(|index| self.toasts.truncate(index)).is_some()
    }

    fn key_to_overlay(&mut self, key: KeyEvent, action: Option<Action>, cx: &mut Cx) {
        let Some(mut top) = self.overlays.pop() else {
            return;
        };
        let verdict = top.on_key(key, action, cx);
        self.settle(top, verdict, cx);
    }

    /// Does with the overlay that was on top what it wants.
    fn settle(&mut self, top: Box<dyn Overlay>, verdict: Verdict, cx: &mut Cx) {
        match verdict {
            Verdict::Stay => self.overlays.push(top),
            Verdict::Close => {}
            Verdict::CloseAnd(action) => self.act(action, cx),
        }
    }

    /// Does an app-wide action, or hands it to the active tab.
    fn act(&mut self, action: Action, cx: &mut Cx) {
        match action {
            Action::Quit => cx.effect(Effect::Quit),
            Action::Suspend => cx.effect(Effect::Suspend),
            Action::Redraw => cx.effect(Effect::Redraw),
            Action::Help => cx.open(overlay::help::Help::new(self)),
            Action::Palette => cx.open(overlay::palette::Palette::new(self)),
            Action::Target => overlay::target::TargetPicker::open(&self.env, cx),
            Action::NextTab => self.open_tab((self.active + 1) % self.tabs.len(), cx),
            Action::PreviousTab => {
                self.open_tab((self.active + self.tabs.len() - 1) % self.tabs.len(), cx);
            }
            Action::Doctor | Action::Alerts => self.hand_to_lambda(action, cx),
            action => self.hand_to_active(action, cx),
        }
    }

    /// Hands an action to the active tab, or says why it cannot be done now.
    fn hand_to_active(&mut self, action: Action, cx: &mut Cx) {
        let tab = &mut self.tabs[self.active];
        let refused = tab
            .offers()
            .into_iter()
            .find(|offer| offer.action == action)
            .and_then(|offer| offer.ready.err());
        match refused {
            Some(why) => cx.toast(Tone::Warn, why),
            None => tab.on_action(action, cx),
        }
    }

    /// Doctor and alerts belong to the Lambda tab but work from everywhere.
    fn hand_to_lambda(&mut self, action: Action, cx: &mut Cx) {
        if let Some(tab) = self
            .tabs
            .iter_mut()
            .find(|tab| tab.scope() == Scope::Lambda)
        {
            tab.on_action(action, cx);
        }
    }

    pub(super) fn open_tab(&mut self, index: usize, cx: &mut Cx) {
        self.active = index;
        self.tabs[index].on_open(cx);
    }

    pub(super) fn on_paste(&mut self, text: &str, now: Now) -> Vec<Effect> {
        self.with_cx(now, |app, cx| {
            let taken = match app.overlays.last_mut() {
                Some(overlay) => overlay.on_paste(text),
                None => app.tabs[app.active].on_paste(text, cx),
            };
            if !taken {
                cx.toast(Tone::Muted, "nothing here takes a paste");
            }
        })
    }

    pub(super) fn on_mouse(&mut self, mouse: MouseEvent, now: Now) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        let lines = match mouse.kind {
            MouseEventKind::ScrollDown => 3,
            MouseEventKind::ScrollUp => -3,
            MouseEventKind::Down(MouseButton::Left) => 0,
            _ => return Vec::new(),
        };
        self.with_cx(now, |app, cx| {
            if !app.overlays.is_empty() {
                app.mouse_to_overlay(at, lines, cx);
                return;
            }
            let areas = ui::areas(app.size);
            match lines {
                0 => app.on_click(areas, at, cx),
                _ if areas.body.contains(at) => app.tabs[app.active].on_scroll(at, lines, cx),
                _ => {}
            }
        })
    }

    fn mouse_to_overlay(&mut self, at: Position, lines: i32, cx: &mut Cx) {
        let Some(mut top) = self.overlays.pop() else {
            return;
        };
        let verdict = match lines {
            0 => top.on_click(at, cx),
            lines => {
                top.on_scroll(lines, cx);
                Verdict::Stay
            }
        };
        self.settle(top, verdict, cx);
    }

    /// A click on a hint: an open text field hears it as the key.
    fn on_hint(&mut self, action: Action, cx: &mut Cx) {
        let tab = &mut self.tabs[self.active];
        let key = typed(action).filter(|_| tab.is_typing());
        if !key.is_some_and(|key| tab.on_key(key, cx)) {
            self.act(action, cx);
        }
    }

    /// A click on a tab, a hint, or something of the active tab's.
    fn on_click(&mut self, areas: ui::Areas, at: Position, cx: &mut Cx) {
        if let Some(index) = ui::header::tab_at(self, areas.header, at) {
            self.open_tab(index, cx);
        } else if areas.footer.contains(at) {
            // A sentence lies over the hints: the click takes it away.
            if self.toasts.pop().is_none()
                && let Some(action) = ui::footer::action_at(self, areas.footer, at)
            {
                self.on_hint(action, cx);
            }
        } else if areas.body.contains(at) {
            self.tabs[self.active].on_click(at, cx);
        }
    }
}

/// The key that does this in an open text field.
fn typed(action: Action) -> Option<KeyEvent> {
    let code = match action {
        Action::Submit => KeyCode::Enter,
        Action::Back => KeyCode::Esc,
        Action::NextField => KeyCode::Tab,
        Action::PreviousField => KeyCode::BackTab,
        Action::Up => KeyCode::Up,
        Action::Down => KeyCode::Down,
        _ => return None,
    };
    Some(KeyEvent::from(code))
}

fn digit(key: KeyEvent) -> Option<usize> {
    match key.code {
        KeyCode::Char(c @ '1'..='9') if key.modifiers == KeyModifiers::NONE => {
            c.to_digit(10).map(|n| n as usize)
        }
        _ => None,
    }
}
