//! How a call ends while something is broken: the same for live calls and for those recorded before the start.

use rand::Rng;

use super::super::incident::Incident;
use super::super::latency;
use super::super::lines;
use super::{Environment, MEMORY_MB};
use crate::domain::report::{Outcome, Report};
use crate::domain::request_id::RequestId;

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Fate {
    Answers,
    Crashes,
    TimesOut,
    RunsOutOfMemory,
    AnswersWithoutProxyShape,
    ReturnsAnErrorObject,
}

/// What a handler without its model prints and returns.
pub(super) const NO_MODEL: &str = "'NoneType' object has no attribute 'predict'";
/// What a handler whose model was trained on other columns raises.
pub(super) const CRASH: &str =
    "X has 12 features, but RandomForestRegressor is expecting 11 features as input.";
/// Where it raises it.
pub(super) const TRACE: &str = "  File \"/var/task/lambda_function.py\", line 58, in lambda_handler\n    prediction = model.predict(features)[0]\n";

/// The function's timeout in seconds, as configured during this incident.
pub(in super::super) fn timeout_seconds(incident: Option<Incident>) -> u32 {
    if incident == Some(Incident::Timeout) {
        3
    } else {
        30
    }
}

/// Duration of a call in ms, without init.
pub(in super::super) fn duration_ms(
    incident: Option<Incident>,
    cold: bool,
    dice: &mut impl Rng,
) -> f64 {
    match incident {
        Some(Incident::Timeout) => f64::from(timeout_seconds(incident)) * 1000.0,
        Some(Incident::HandlerCrash) => dice.gen_range(3.0..9.0),
        Some(Incident::OutOfMemory) => dice.gen_range(420.0..700.0),
        Some(Incident::IntegrationTimeout) => dice.gen_range(3000.0..3400.0),
        Some(Incident::SlowDependency) => latency::slow(dice),
        _ if cold => latency::first(dice),
        _ => latency::warm(dice),
    }
}

impl Fate {
    /// How calls end during this incident.
    pub fn during(incident: Option<Incident>) -> Self {
        match incident {
            Some(Incident::HandlerCrash) => Self::Crashes,
            Some(Incident::Timeout) => Self::TimesOut,
            Some(Incident::OutOfMemory) => Self::RunsOutOfMemory,
            Some(Incident::MalformedProxyResponse) => Self::AnswersWithoutProxyShape,
            Some(Incident::Silent200) => Self::ReturnsAnErrorObject,
            _ => Self::Answers,
        }
    }

    /// The call fails as a function, whatever HTTP says.
    pub fn unhandled(self) -> bool {
        matches!(self, Self::Crashes | Self::TimesOut | Self::RunsOutOfMemory)
    }

    /// The environment does not survive the call.
    pub fn kills(self) -> bool {
        matches!(self, Self::TimesOut | Self::RunsOutOfMemory)
    }

    /// The line between START and END, if the call says anything; `printed` is what an undisturbed handler prints.
    pub fn line(
        self,
        printed: Option<String>,
        id: RequestId,
        at_ms: i64,
        duration_ms: f64,
    ) -> Option<String> {
        match self {
            Self::Answers | Self::AnswersWithoutProxyShape => printed,
            Self::ReturnsAnErrorObject => Some(format!("❌ Error: {NO_MODEL}\n")),
            Self::Crashes => Some(format!(
                "[ERROR] ValueError: {CRASH}\rTraceback (most recent call last):\r{}\n",
                TRACE.trim_end().replace('\n', "\r")
            )),
            Self::TimesOut => {
                let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
                Some(lines::timed_out(
                    &format!("{at:.3}"),
                    id,
                    duration_ms / 1000.0,
                ))
            }
            Self::RunsOutOfMemory => Some(lines::killed(id)),
        }
    }

    /// The REPORT line of the call.
    pub fn report(
        self,
        request_id: RequestId,
        environment: &Environment,
        duration_ms: f64,
        init_ms: Option<f64>,
    ) -> Report {
        let (max_memory_mb, status, error_type) = match self {
            Self::RunsOutOfMemory => (
                MEMORY_MB,
                Outcome::Error,
                Some("Runtime.OutOfMemory".to_owned()),
            ),
            Self::TimesOut => (environment.memory_mb, Outcome::Timeout, None),
            _ => (environment.memory_mb, Outcome::Success, None),
        };
        Report {
            duration_ms,
            billed_ms: lines::billed_ms(duration_ms, init_ms),
            memory_mb: MEMORY_MB,
            max_memory_mb,
            init_ms,
            status,
            error_type,
            ..Report::empty(request_id)
        }
    }
}
