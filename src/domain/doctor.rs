//! Doctor: facts in, one verdict out, with the findings it rests on. Pure: the same facts give the same diagnosis.

mod checks;
pub mod facts;
mod fixes;
mod gateway;
pub mod log_facts;
pub mod policy;
mod verdict;

use serde::{Deserialize, Serialize};

pub use checks::invoke_grant as may_gateway_invoke;
pub use facts::{Fact, Facts};
pub use gateway::{Answerer, proxy_violation};

pub use super::text::{is_hidden, one_line};

/// What is wrong and what to do, in one sentence each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The incident's name, or `healthy`.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// The exact commands, to copy; empty when there is nothing to do.
    pub fix: String,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// As it should be.
    Pass,
    /// Works, but look at it.
    Warn,
    /// Wrong.
    Fail,
    /// Not looked at: a permission is missing or it does not apply.
    Skip,
    /// Looked at, but no usable answer came.
    Unknown,
}

impl Status {
    /// The word on screen and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Pass => "PASS",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
            Status::Skip => "SKIP",
            Status::Unknown => "UNKNOWN",
        }
    }
}

/// One check and what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which check: `gateway`, `policy`, …
    pub check: String,
    /// How it came out.
    pub status: Status,
    /// What was seen, with figures.
    pub evidence: String,
    /// What to do about it, to copy; empty when nothing.
    pub fix: String,
    /// The IAM action whose absence made this check SKIP, or left a part of it out.
    pub missing_action: Option<String>,
}

/// The outcome of one examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// First of all: what it is.
    pub verdict: Verdict,
    /// One per check, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// True when nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.verdict.code == HEALTHY
    }
}

/// The code of a verdict when nothing is wrong.
pub const HEALTHY: &str = "healthy";

/// Examines the facts: every check, then the first cause that explains them.
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let mut findings = checks::all(facts);
    if facts
        .gateway
        .known()
        .is_some_and(facts::GatewayCall::is_good)
    {
        forgive(&mut findings);
    }
    let verdict = verdict::of(facts, &findings);
    Diagnosis { verdict, findings }
}

/// What looks wrong on the way to the function cannot be wrong while a prediction comes back that way: a custom domain,
/// a base path, an alias may explain it. Worth a remark.
fn forgive(findings: &mut [Finding]) {
    let on_the_way = |f: &&mut Finding| ["api", "policy", "deployer"].contains(&f.check.as_str());
    for finding in findings
        .iter_mut()
        .filter(on_the_way)
        .filter(|f| f.status == Status::Fail)
    {
        finding.status = Status::Warn;
        finding.evidence.push_str("; yet predictions come through");
    }
}

#[cfg(test)]
mod tests;
