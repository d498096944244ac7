//! What keys mean: semantic actions, and the keymap that binds them per scope.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Declares [`Action`] with its kebab-case name and what it does, in one place.
macro_rules! actions {
    ($($variant:ident $name:literal $about:literal),* $(,)?) => {
        /// What a key asks for; the same word on every tab. A tab [offers](crate::tabs::Offer) those it can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum Action {
            $(#[doc = $about] #[serde(rename = $name)] $variant,)*
        }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The action's name in `keys.toml`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the action does, in a few words.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

actions! {
    Submit "submit" "do the obvious thing",
    Back "back" "one step out",
    Toggle "toggle" "pause, toggle",
    Up "up" "move up",
    Down "down" "move down",
    Left "left" "move left, decrease",
    Right "right" "move right, increase",
    FastLeft "fast-left" "decrease by ten steps",
    FastRight "fast-right" "increase by ten steps",
    Top "top" "to the first",
    Bottom "bottom" "to the last",
    PageUp "page-up" "one page up",
    PageDown "page-down" "one page down",
    HalfPageUp "half-page-up" "half a page up",
    HalfPageDown "half-page-down" "half a page down",
    NextField "next-field" "next field or pane",
    PreviousField "previous-field" "previous field or pane",
    Focus "focus" "next pane hears the arrows",
    Search "search" "search",
    NextMatch "next-match" "next match",
    PreviousMatch "previous-match" "previous match",
    Copy "copy" "copy",
    CopyMore "copy-more" "copy with everything around it",
    Refresh "refresh" "refresh",
    Presets "presets" "choose a preset",
    Undo "undo" "undo",
    Reset "reset" "back to the preset's value",
    SendRaw "send-raw" "send the raw text anyway",
    Compare "compare" "gateway, direct invoke and local side by side",
    WhatIf "what-if" "sweep the selected feature",
    Tornado "tornado" "range of the score by feature",
    Explain "explain" "what each feature adds to the score",
    Sweep "sweep" "sweep the selected feature on the endpoint",
    Bench "bench" "measure latency",
    Batch "batch" "score a CSV file",
    Replay "replay" "send again",
    Edit "edit" "edit a copy",
    Diff "diff" "compare two",
    Pin "pin" "pin",
    Follow "follow" "follow the newest",
    Wrap "wrap" "wrap long lines",
    View "view" "next view",
    Errors "errors" "errors, grouped",
    Include "include" "keep only matching lines",
    Exclude "exclude" "hide matching lines",
    TimeFormat "time-format" "how times are shown",
    TimeJump "time-jump" "jump to a time",
    Mark "mark" "mark the line",
    NextMark "next-mark" "next mark",
    LevelUp "level-up" "only more severe lines",
    LevelDown "level-down" "also less severe lines",
    Context "context" "lines around matches",
    LiveTail "live-tail" "CloudWatch Live Tail",
    Export "export" "write to a file",
    OpenConsole "open-console" "link to the AWS console",
    Earlier "earlier" "one bar of the strip earlier",
    Later "later" "one bar of the strip later",
    CopyCommand "copy-command" "copy as an aws command",
    OpenFile "open-file" "open a log file, play a recording",
    Columns "columns" "fields of JSON lines as columns",
    FilterPattern "filter-pattern" "server-side filter pattern",
    Insights "insights" "Logs Insights query",
    Reveal "reveal" "show or mask a value",
    Report "report" "write the report",
    Window "window" "time window",
    Promote "promote" "make it the champion",
    Rollback "rollback" "back to the previous champion",
    Reproduce "reproduce" "retrain from the manifest and compare",
    Resume "resume" "go on with a search that was left half done",
    Doctor "doctor" "why is it broken?",
    Alerts "alerts" "alerts that fired",
    Target "target" "switch the target",
    NextTab "next-tab" "next tab",
    PreviousTab "previous-tab" "previous tab",
    Palette "palette" "every command, by name",
    Help "help" "every key that works here",
    Redraw "redraw" "draw the screen anew",
    Suspend "suspend" "suspend; fg resumes",
    Quit "quit" "quit",
    ForceQuit "force-quit" "quit from anywhere",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a binding holds: everywhere, or on one tab (which wins over everywhere).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the tabs'")]
pub enum Scope {
    Global,
    Predict,
    Logs,
    Lambda,
    Retrain,
}

/// What a key asks for while text is typed: a character is part of the text, whatever it is bound to.
pub fn while_typing(key: KeyEvent, action: Option<Action>) -> Option<Action> {
    let shifted = key.modifiers - KeyModifiers::SHIFT;
    let text = matches!(key.code, KeyCode::Char(_)) && shifted.is_empty();
    action.filter(|_| !text)
}

type Bindings = BTreeMap<Scope, BTreeMap<Action, Vec<KeyCombination>>>;

/// A key file that cannot be used.
#[derive(Debug, Error)]
pub enum KeysError {
    /// Not TOML, an unknown action or scope, or a key that does not parse.
    #[error("{file}: {}\nunder [global] or a tab's name, each action has a list of keys: quit = [\"q\", \"ctrl-c\"]", cause.to_string().trim_end())]
    Invalid {
        /// The file's name as the user knows it.
        file: String,
        /// What toml says, with line and column.
        cause: Box<toml::de::Error>,
    },
    /// The file is there but cannot be read.
    #[error("{file}: {cause}")]
    Unreadable {
        /// The file's name as the user knows it.
        file: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Key to action and back, per scope.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Bindings,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::parse(include_str!("../assets/keys.toml"), "assets/keys.toml").unwrap_or(Self {
            bindings: Bindings::new(),
        })
    }
}

impl Keymap {
    /// The default keys with the user's file merged over them; a missing file is fine.
    pub fn load(user: &Path) -> Result<Self, KeysError> {
        let mut keymap = Self::default();
        let file = user.display().to_string();
        match std::fs::read_to_string(user) {
            Ok(text) => keymap.merge(Self::parse(&text, &file)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(KeysError::Unreadable { file, cause }),
        }
        Ok(keymap)
    }

    /// Reads a key file's text; `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Self, KeysError> {
        let bindings = toml::from_str(text).map_err(|cause| KeysError::Invalid {
            file: file.to_owned(),
            cause: Box::new(cause),
        })?;
        Ok(Self { bindings })
    }

    /// Puts a user's keys over these, action by action.
    pub fn merge(&mut self, user: Self) {
        for (scope, actions) in user.bindings {
            self.bindings.entry(scope).or_default().extend(actions);
        }
    }

    /// The action bound to a key press in this scope, or everywhere.
    pub fn action(&self, scope: Scope, key: KeyEvent) -> Option<Action> {
        let pressed = KeyCombination::from(normal(key)).normalized();
        [scope, Scope::Global].into_iter().find_map(|scope| {
            let actions = self.bindings.get(&scope)?;
            let bound = |keys: &Vec<KeyCombination>| keys.iter().any(|k| k.normalized() == pressed);
            actions
                .iter()
                .find(|(_, keys)| bound(keys))
                .map(|(action, _)| *action)
        })
    }

    /// The keys of an action as they are printed, the scope's own first.
    pub fn keys(&self, scope: Scope, action: Action) -> Vec<String> {
        [scope, Scope::Global]
            .into_iter()
            .find_map(|scope| self.bindings.get(&scope)?.get(&action))
            .map(|keys| keys.iter().map(|key| printed(*key)).collect())
            .unwrap_or_default()
    }

    /// The first key of an action, for hints; empty when unbound.
    pub fn key(&self, scope: Scope, action: Action) -> String {
        self.keys(scope, action)
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// Every bound action of one scope with its printed keys, in the order of [`Action::ALL`].
    pub fn table(&self, scope: Scope) -> Vec<(Action, Vec<String>)> {
        let Some(actions) = self.bindings.get(&scope) else {
            return Vec::new();
        };
        actions
            .iter()
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(action, keys)| (*action, keys.iter().map(|key| printed(*key)).collect()))
            .collect()
    }
}

/// Terminals disagree on whether Shift comes with an upper-case letter or a symbol; crokey's normal form wants one answer.
fn normal(key: KeyEvent) -> KeyEvent {
    match key.code {
        KeyCode::Char(c) if !c.is_alphabetic() => {
            KeyEvent::new(key.code, key.modifiers - KeyModifiers::SHIFT)
        }
        // As crokey reads `backtab` in a key file.
        KeyCode::BackTab => KeyEvent::new(key.code, KeyModifiers::SHIFT),
        _ => KeyEvent::new(key.code, key.modifiers),
    }
}

/// How a key is written on screen: `q`, `G`, `^C`, `⇧←`, `Enter`.
fn printed(key: KeyCombination) -> String {
    let code = *key.codes.first();
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let name = match code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if shift => return c.to_uppercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Left => "←".to_owned(),
        KeyCode::Right => "→".to_owned(),
        KeyCode::Up => "↑".to_owned(),
        KeyCode::Down => "↓".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::BackTab => return "⇧Tab".to_owned(),
        KeyCode::F(n) => format!("F{n}"),
        other => format!("{other:?}"),
    };
    match (key.modifiers.contains(KeyModifiers::CONTROL), shift) {
        (true, _) => format!("^{}", name.to_uppercase()),
        (false, true) => format!("⇧{name}"),
        (false, false) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn the_embedded_keys_parse_and_bind_every_action() {
        let keymap = Keymap::parse(include_str!("../assets/keys.toml"), "keys.toml").unwrap();
        for action in Action::ALL {
            let bound = keymap
                .bindings
                .values()
                .any(|actions| actions.get(action).is_some_and(|keys| !keys.is_empty()));
            assert!(bound, "{action} has no key");
        }
    }

    #[test]
    fn a_tab_wins_over_everywhere() {
        let keymap = Keymap::default();
        let w = press(KeyCode::Char('w'), KeyModifiers::NONE);
        assert_eq!(keymap.action(Scope::Logs, w), Some(Action::Wrap));
        assert_eq!(keymap.action(Scope::Predict, w), Some(Action::WhatIf));
        assert_eq!(keymap.action(Scope::Retrain, w), None);
    }

    #[test]
    fn shift_is_understood_however_the_terminal_says_it() {
        let keymap = Keymap::default();
        for key in [
            press(KeyCode::Char('G'), KeyModifiers::NONE),
            press(KeyCode::Char('G'), KeyModifiers::SHIFT),
        ] {
            assert_eq!(keymap.action(Scope::Logs, key), Some(Action::Bottom));
        }
        for key in [
            press(KeyCode::Char('?'), KeyModifiers::NONE),
            press(KeyCode::Char('?'), KeyModifiers::SHIFT),
        ] {
            assert_eq!(keymap.action(Scope::Global, key), Some(Action::Help));
        }
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            assert_eq!(
                keymap.action(Scope::Global, press(KeyCode::BackTab, modifiers)),
                Some(Action::PreviousField)
            );
        }
        assert_eq!(
            keymap.action(Scope::Predict, press(KeyCode::Left, KeyModifiers::SHIFT)),
            Some(Action::FastLeft)
        );
        assert_eq!(
            keymap.action(
                Scope::Global,
                press(KeyCode::Char('c'), KeyModifiers::CONTROL)
            ),
            Some(Action::ForceQuit)
        );
    }

    #[test]
    fn a_user_file_replaces_and_unbinds() {
        let mut keymap = Keymap::default();
        keymap.merge(Keymap::parse("[global]\nquit = [\"ctrl-q\"]\nrefresh = []", "mine").unwrap());
        assert_eq!(
            keymap.action(Scope::Logs, press(KeyCode::Char('q'), KeyModifiers::NONE)),
            None
        );
        assert_eq!(
            keymap.action(
                Scope::Logs,
                press(KeyCode::Char('q'), KeyModifiers::CONTROL)
            ),
            Some(Action::Quit)
        );
        assert_eq!(
            keymap.action(Scope::Logs, press(KeyCode::Char('r'), KeyModifiers::NONE)),
            None
        );
    }

    #[test]
    fn a_bad_key_file_names_file_and_line() {
        let error = Keymap::parse("[global]\nquti = [\"q\"]", "/home/me/keys.toml")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("/home/me/keys.toml")
                && error.contains("line 2")
                && error.contains("quti")
                && error.contains("quit = [\"q\", \"ctrl-c\"]"),
            "{error}"
        );
    }

    #[test]
    fn keys_print_short() {
        let keymap = Keymap::default();
        assert_eq!(keymap.keys(Scope::Logs, Action::Bottom), ["G", "End"]);
        assert_eq!(keymap.key(Scope::Global, Action::ForceQuit), "^C");
        assert_eq!(keymap.key(Scope::Predict, Action::FastLeft), "⇧←");
        assert_eq!(keymap.key(Scope::Global, Action::PreviousField), "⇧Tab");
    }
}
