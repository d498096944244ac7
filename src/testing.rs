//! What unit tests of several modules are made of.

use crate::domain::line::LogEvent;
use crate::domain::prediction::{Answer, Outcome};
use crate::domain::schema::Schema;

/// The demo sample as the service's documentation sends it.
pub const DEMO: &str = r#"{"fixed_acidity":7.4,"volatile_acidity":0.7,"citric_acid":0,"residual_sugar":1.9,"chlorides":0.076,"free_sulfur_dioxide":11,"total_sulfur_dioxide":34,"density":0.9978,"pH":3.51,"sulphates":0.56,"alcohol":9.4,"wine_type_encoded":0}"#;

/// A line that CloudWatch received when it was written, without an id.
pub fn event(stream: &str, timestamp: i64, message: impl Into<String>) -> LogEvent {
    LogEvent {
        timestamp,
        ingestion_time: timestamp,
        group: "g".into(),
        stream: stream.into(),
        event_id: None,
        message: message.into(),
    }
}

/// What an answer of this service means.
pub fn outcome(status: u16, body: &str) -> Outcome {
    let answer = Answer {
        status,
        body: body.as_bytes(),
        cut: false,
        location: None,
    };
    Outcome::read(Schema::wine_quality(), &answer)
}
