//! What can go wrong in the sandbox, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! incidents {
    ($($variant:ident = $name:literal: $text:literal,)*) => {
        /// Something that is broken in the sandbox. It changes the facts that every protocol then reports alike.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Incident {
            $(#[doc = $text] $variant,)*
        }

        impl Incident {
            /// Every incident, in the order they are offered.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The kebab-case name, as `--incident` takes it and as Doctor's verdict code gives it back.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The delivery lag of log lines that it brings; `None` leaves it as it is.
            pub(super) const fn lag(self) -> Option<super::Lag> {
                match self {
                    Self::LagNone => Some(super::Lag::None),
                    Self::LagMild => Some(super::Lag::Mild),
                    Self::LagStragglers => Some(super::Lag::Stragglers),
                    Self::LateArrivals => Some(super::Lag::LateArrivals),
                    _ => None,
                }
            }

            /// One line for people.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

incidents! {
    PermissionMissing = "permission-missing": "API Gateway may not invoke the function: its resource policy is gone.",
    PermissionWrongSourceArn = "permission-wrong-source-arn": "The resource policy admits another API, not this one.",
    WrongIntegration = "wrong-integration": "The gateway's integration points to a function that does not exist.",
    HandlerCrash = "handler-crash": "The handler raises an exception on every call.",
    Timeout = "timeout": "The function's timeout was lowered to 3 s and every call takes longer.",
    OutOfMemory = "out-of-memory": "The runtime is killed for using all of its memory.",
    MalformedProxyResponse = "malformed-proxy-response": "The handler's answer is not a proxy response (payload format 1.0).",
    Silent200 = "silent-200": "The handler returns an error object and payload format 2.0 turns it into a 200.",
    IntegrationTimeout = "integration-timeout": "The function answers, but later than the gateway's integration waits.",
    ThrottledConcurrency = "throttled-concurrency": "The account's concurrency is used up: invocations are throttled.",
    StageThrottle = "stage-throttle": "The gateway stage was deployed with a throttling limit of 0.",
    RouteMissing = "route-missing": "The gateway has no route for the prediction path.",
    EndpointDisabled = "endpoint-disabled": "The API's default execute-api endpoint is switched off.",
    BadDeploy = "bad-deploy": "The last deploy failed; the old image is still serving.",
    ImageDeleted = "image-deleted": "The container image was deleted from ECR; the function has failed.",
    EcrDenied = "ecr-denied": "Lambda may not pull the image from ECR; the last deploy failed.",
    TagDrift = "tag-drift": "The image tag has moved since the deploy: the function runs an older digest.",
    RoleCannotLog = "role-cannot-log": "The execution role may not write logs: the service works but is silent.",
    ReservedZero = "reserved-zero": "Reserved concurrency is 0: the function is switched off.",
    ColdStartStorm = "cold-start-storm": "Hardly any execution environment survives: most calls are cold starts.",
    SlowDependency = "slow-dependency": "Something the handler calls has become slow.",
    CredentialsExpired = "credentials-expired": "The caller's credentials have expired; the endpoint itself works.",
    AccessDenied = "access-denied": "The caller's identity may read nothing.",
    WrongRegion = "wrong-region": "The function and its logs are not in this region.",
    ClockSkew = "clock-skew": "The caller's clock and AWS's are seven minutes apart.",
    DriftedInput = "drifted-input": "Background traffic sends wines unlike those the model was trained on.",
    FlakyNetwork = "flaky-network": "Connections are slow and often reset.",
    LagNone = "lag-none": "Log lines are readable the moment they are written; healthy is a flush every 0.5 to 6 s.",
    LagMild = "lag-mild": "Each stream's log lines become readable once a second.",
    LagStragglers = "lag-stragglers": "One log line in ten becomes readable 3 to 12 s after its neighbours.",
    LateArrivals = "late-arrivals": "One log line in six becomes visible 8 to 45 s late.",
    Throttling = "throttling": "Reading logs is throttled.",
    LogFlood = "log-flood": "A thousand log lines a second, in bursts of one millisecond, from ever new streams.",
    LiveTailSampled = "live-tail-sampled": "Live Tail passes two events a second and says that it sampled.",
    LiveTailEnds = "live-tail-ends": "The service ends each Live Tail session after five seconds.",
    NetworkCut = "network-cut": "The network is gone for 6 of every 20 seconds.",
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no incident has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no incident is called {name:?}; there are: {}", Incident::ALL.iter().map(|i| i.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownIncident {
    name: String,
}

impl FromStr for Incident {
    type Err = UnknownIncident;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|incident| incident.name() == name)
            .ok_or_else(|| UnknownIncident { name: name.into() })
    }
}
