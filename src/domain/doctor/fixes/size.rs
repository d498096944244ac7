//! Commands on concurrency, memory and time.

use super::super::facts::Facts;
use super::{GATEWAY_LIMIT_S, flags, function, read_errors};
use crate::domain::alerts::alarm::quote;

/// Gives the function its concurrency back.
pub fn free_concurrency(facts: &Facts) -> String {
    format!(
        "aws lambda delete-function-concurrency {} --function-name {}",
        flags(facts),
        function(facts)
    )
}

/// Raises the limit that was hit: the function's own reservation, else the account's.
pub fn more_concurrency(facts: &Facts) -> String {
    let concurrency = facts.concurrency.known();
    if let Some(reserved) = concurrency.and_then(|c| c.reserved) {
        if reserved == 0 {
            return free_concurrency(facts);
        }
        return format!(
            "aws lambda put-function-concurrency {} --function-name {} --reserved-concurrent-executions {}",
            flags(facts),
            function(facts),
            reserved.saturating_mul(2)
        );
    }
    let limit = concurrency.and_then(|c| c.account_limit.known().copied());
    format!(
        "aws service-quotas request-service-quota-increase {} --service-code lambda --quota-code L-B99A9384 --desired-value {}",
        flags(facts),
        limit.unwrap_or_default().saturating_mul(2).max(1000)
    )
}

/// Raises the memory to twice what it is.
pub fn more_memory(facts: &Facts) -> String {
    let memory = facts
        .function
        .known()
        .map_or(2048, |f| f.memory_mb.saturating_mul(2).clamp(128, 10_240));
    format!(
        "aws lambda update-function-configuration {} --function-name {} --memory-size {memory}",
        flags(facts),
        function(facts)
    )
}

/// Raises the timeout to the gateway's 30 s, or says that it is there already.
pub fn more_time(facts: &Facts) -> String {
    if facts
        .function
        .known()
        .is_some_and(|f| f.timeout_s >= GATEWAY_LIMIT_S)
    {
        return format!(
            "# an HTTP API waits {GATEWAY_LIMIT_S} s at most: find what takes so long\n{}",
            read_errors(facts)
        );
    }
    format!(
        "aws lambda update-function-configuration {} --function-name {} --timeout {GATEWAY_LIMIT_S}",
        flags(facts),
        function(facts)
    )
}

/// Keeps environments warm: behind the alias that is called, else behind a version made for it.
pub fn keep_warm(facts: &Facts) -> String {
    let aliases = facts.aliases.known();
    let called = facts
        .called_qualifier()
        .or_else(|| aliases.and_then(|a| a.first()).map(String::as_str));
    let qualifier = called.map_or_else(|| {
        format!(
            "\"$(aws lambda publish-version {} --function-name {} --query Version --output text)\"",
            flags(facts),
            function(facts)
        )
    }, quote);
    format!(
        "aws lambda put-provisioned-concurrency-config {} --function-name {} --qualifier {qualifier} --provisioned-concurrent-executions 1",
        flags(facts),
        function(facts)
    )
}
