//! Two corrections on the wire: the clock of the server, and the host prefix of Live Tail.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Clock differences below this are the `Date` header's whole seconds, not skew.
const SKEW_NOISE_MS: i64 = 2_000;

/// Milliseconds since the epoch by this machine's clock.
pub fn local_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

/// Learns from answers' `Date` headers how far this machine's clock is from the server's: a tail whose cursor moves by
/// searched time would run past events if the local clock were ahead.
#[derive(Debug, Clone, Default)]
pub struct ServerClock {
    skew_ms: Arc<AtomicI64>,
}

impl ServerClock {
    /// Server time minus local time, milliseconds; 0 while it is within the header's precision.
    pub fn skew(&self) -> i64 {
        self.skew_ms.load(Ordering::Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let server = date.and_then(|date| {
            aws_smithy_types::DateTime::from_str(
                date,
                aws_smithy_types::date_time::Format::HttpDate,
            )
            .ok()
        });
        if let Some(server) = server {
            let skew = server.secs() * 1000 + 500 - local_now();
            let skew = if skew.abs() < SKEW_NOISE_MS { 0 } else { skew };
            self.skew_ms.store(skew, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Takes back the `stream-` host prefix that the SDK puts before any endpoint, `127.0.0.1` included.
#[derive(Debug)]
pub struct NoHostPrefix;

#[dyn_dispatch_hint]
impl Intercept for NoHostPrefix {
    fn name(&self) -> &'static str {
        "NoHostPrefix"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
}
