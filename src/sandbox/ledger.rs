//! What happened, call by call: the raw material of the CloudWatch metrics.

/// One call at the gateway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GatewayCall {
    /// When it arrived, ms since 1970.
    pub at: i64,
    pub status: u16,
    pub own_ms: f64,
    /// `None` when the gateway answered without asking its integration.
    pub integration_ms: Option<f64>,
}

/// One invocation of the function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FunctionCall {
    pub at: i64,
    /// Without init, as `AWS/Lambda Duration` counts.
    pub duration_ms: f64,
    pub failed: bool,
    pub concurrent: u32,
}

/// Every call so far, in no particular order: history is filled in beside the first live calls.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub gateway: Vec<GatewayCall>,
    pub function: Vec<FunctionCall>,
    /// Times of throttled invocations.
    pub throttles: Vec<i64>,
}
