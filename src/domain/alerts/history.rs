//! What fired so far.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Alert, Change, Reading, Signal, Standing};

/// One time that a rule fired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Past {
    /// Which rule.
    pub signal: Signal,
    /// When it began, milliseconds since the epoch.
    pub fired_ms: i64,
    /// When it ended; `None` while it fires.
    pub cleared_ms: Option<i64>,
    /// What it fired on.
    pub reading: Reading,
    /// The highest value while it fired.
    pub worst: f64,
}

/// So many past alerts are remembered.
const MEMORY: usize = 100;

/// Writes down what a rule's step brought.
pub(super) fn note(
    history: &mut VecDeque<Past>,
    alert: &Alert,
    change: Option<Change>,
    now_ms: i64,
) {
    let signal = alert.rule.signal;
    if let Some(Change::Fired(reading)) = change {
        history.push_front(Past {
            signal,
            fired_ms: now_ms,
            cleared_ms: None,
            reading,
            worst: reading.value,
        });
        history.truncate(MEMORY);
    }
    let open = |past: &&mut Past| past.signal == signal && past.cleared_ms.is_none();
    let Some(past) = history.iter_mut().find(open) else {
        return;
    };
    match alert.standing {
        Standing::Firing { reading, .. } => past.worst = past.worst.max(reading.value),
        _ => past.cleared_ms = Some(now_ms),
    }
}
