//! What a rule can watch, with its names and its unit.

use serde::{Deserialize, Serialize};

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Failed per valid request, percent: 5xx at the gateway, or failed calls in the log where that is worse.
    ErrorRate,
    /// p99 of warm invocations, milliseconds.
    P99Warm,
    /// p99 of all invocations, init included, milliseconds.
    P99All,
    /// The most drifted column's population stability index over the limit that its window has.
    Drift,
    /// Seconds since the last event.
    NoEvents,
    /// Max Memory Used per configured memory, percent.
    Memory,
}

impl Signal {
    /// All signals, in the order of the list on screen.
    pub const ALL: [Signal; 6] = [
        Signal::ErrorRate,
        Signal::P99All,
        Signal::P99Warm,
        Signal::Drift,
        Signal::NoEvents,
        Signal::Memory,
    ];

    /// The name in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Signal::ErrorRate => "error rate",
            Signal::P99Warm => "p99 of warm calls",
            Signal::P99All => "p99 of all calls",
            Signal::Drift => "drift / limit",
            Signal::NoEvents => "no events",
            Signal::Memory => "memory used",
        }
    }

    /// The name in the configuration.
    pub const fn key(self) -> &'static str {
        match self {
            Signal::ErrorRate => "error-rate",
            Signal::P99Warm => "p99-warm",
            Signal::P99All => "p99-all",
            Signal::Drift => "drift",
            Signal::NoEvents => "no-events",
            Signal::Memory => "memory",
        }
    }

    /// A value with its unit: `1.4 %`, `512 ms`.
    pub fn show(self, value: f64) -> String {
        match self {
            Signal::ErrorRate if value < 10.0 => format!("{value:.2} %"),
            Signal::ErrorRate => format!("{value:.1} %"),
            Signal::Memory => format!("{value:.0} %"),
            Signal::P99Warm | Signal::P99All => crate::domain::latency::millis(value),
            Signal::Drift => format!("{value:.2}"),
            Signal::NoEvents if value < 120.0 => format!("{value:.0} s"),
            Signal::NoEvents => format!("{:.0} min", value / 60.0),
        }
    }
}
