//! What a failed call means for a tail: how long to wait, what to say, when to give up.

use std::sync::Arc;

use rand::rngs::StdRng;

use super::pace::Backoff;
use super::status::Status;
use super::{Patience, Span};
use crate::client::errors::AwsError;

/// How soon a change of credentials, a missing group, a permission is looked for again, milliseconds.
const CREDENTIALS_RETRY_MS: i64 = 5_000;
const MISSING_RETRY_MS: i64 = 3_000;
const DENIED_RETRY_MS: i64 = 15_000;
/// A bounded tail gives up after this long without a good answer, or sooner if there never was one.
const BOUNDED_PATIENCE_MS: i64 = 60_000;
const FIRST_ANSWER_ATTEMPTS: u32 = 4;

/// The troubles of one tail.
#[derive(Debug)]
pub struct Trouble {
    patience: Patience,
    is_followed: bool,
    backoff: Backoff,
    has_answered: bool,
    /// What is wrong now, and since when.
    current: Option<(Status, i64)>,
    fatal: Option<AwsError>,
    blocked_until: i64,
}

impl Trouble {
    /// No trouble yet.
    pub fn none(patience: Patience, span: Span) -> Self {
        Self {
            patience,
            is_followed: span.follow,
            backoff: Backoff::default(),
            has_answered: false,
            current: None,
            fatal: None,
            blocked_until: i64::MIN,
        }
    }

    /// A call was answered: all is well.
    pub fn over(&mut self) {
        self.backoff.reset();
        self.current = None;
        self.has_answered = true;
    }

    /// A call failed at `now`.
    pub fn failed(&mut self, now: i64, error: &AwsError, group: &Arc<str>, dice: &mut StdRng) {
        let delay = match error {
            error if error.is_about_credentials() => CREDENTIALS_RETRY_MS,
            AwsError::NotFound { .. } => MISSING_RETRY_MS,
            AwsError::AccessDenied { .. } | AwsError::ClockSkew { .. } => DENIED_RETRY_MS,
            _ => self.backoff.next(dice),
        };
        self.blocked_until = now + delay;
        let since = self.current.as_ref().map_or(now, |(_, since)| *since);
        let status = Status::from_error(error, group, self.blocked_until);
        self.current = Some((status, since));
        if self.gives_up(error, now - since) {
            self.fatal = Some(error.clone());
        }
    }

    /// The next call need not wait.
    pub fn look_now(&mut self, now: i64) {
        self.blocked_until = self.blocked_until.min(now);
    }

    /// The clock was set back to `now`.
    pub fn set_clock(&mut self, now: i64) {
        self.blocked_until = self.blocked_until.min(now + DENIED_RETRY_MS);
        if let Some((_, since)) = &mut self.current {
            *since = now.min(*since);
        }
    }

    /// Whether any call was ever answered.
    pub fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// What is wrong now.
    pub fn status(&self) -> Option<&Status> {
        self.current.as_ref().map(|(status, _)| status)
    }

    /// What ended the tail.
    pub fn fatal(&self) -> Option<&AwsError> {
        self.fatal.as_ref()
    }

    /// No call before this instant.
    pub fn blocked_until(&self) -> i64 {
        self.blocked_until
    }

    fn gives_up(&self, error: &AwsError, troubled_for: i64) -> bool {
        match error {
            AwsError::Invalid { .. }
            | AwsError::NoRegion
            | AwsError::WrongRegion { .. }
            | AwsError::Configuration { .. } => true,
            _ if self.patience == Patience::Endless => false,
            AwsError::NotFound { .. } if self.is_followed => false,
            _ if self.has_answered && self.is_followed => false,
            AwsError::Throttled { .. } => troubled_for > BOUNDED_PATIENCE_MS,
            error if error.is_transient() => {
                let never_answers =
                    !self.has_answered && self.backoff.failures() >= FIRST_ANSWER_ATTEMPTS;
                never_answers || troubled_for > BOUNDED_PATIENCE_MS
            }
            _ => true,
        }
    }
}
