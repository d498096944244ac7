//! Who may ask: the checks AWS makes before any service sees a request.

use super::super::incident::Incident;
use super::super::reply::Fault;
use super::super::world::{World, now_ms};
use super::Incoming;

/// How far the clocks are apart in [`Incident::ClockSkew`].
pub(in super::super) const SKEW_MS: i64 = 7 * 60 * 1000;

/// Let the caller of `action` (`service:Operation`) in, or say why not. `resource` is the ARN named in a refusal.
pub(in super::super) fn admit(
    world: &World,
    incoming: &Incoming,
    action: &str,
    resource: &str,
) -> Result<(), Fault> {
    let service = action.split(':').next().unwrap_or_default();
    // The JSON protocols answer 400 where the others answer 403.
    let status = if matches!(service, "logs" | "ecr" | "cloudwatch") {
        400
    } else {
        403
    };
    if incoming.header("authorization").is_none() {
        let message = if matches!(service, "sts" | "iam") {
            "Request is missing Authentication Token"
        } else {
            "Missing Authentication Token"
        };
        return Err(Fault::new(
            status,
            "MissingAuthenticationTokenException",
            message,
        ));
    }
    if let Some(fault) = signed_elsewhere(world, incoming, service, status) {
        return Err(fault);
    }
    match world.incident() {
        Some(Incident::CredentialsExpired) => {
            return Err(Fault::new(
                status,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ));
        }
        Some(Incident::ClockSkew) => return Err(skewed(incoming, status)),
        _ => {}
    }
    let denied = world.is(Incident::AccessDenied) || world.denies(action);
    if denied && action != "sts:GetCallerIdentity" {
        let user = format!("arn:aws:iam::{}:user/sandbox", world.options.account);
        let message = format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
        );
        return Err(Fault::new(status, "AccessDeniedException", message));
    }
    Ok(())
}

/// A signature for another region than the one that answers. IAM is global and signs for `us-east-1` everywhere, as
/// do older clients of STS.
fn signed_elsewhere(
    world: &World,
    incoming: &Incoming,
    service: &str,
    status: u16,
) -> Option<Fault> {
    const GLOBAL: &str = "us-east-1";
    let here = world.options.region.as_str();
    let signed = incoming.signed_region()?;
    let global = matches!(service, "sts" | "iam") && signed == GLOBAL;
    if signed == here || global {
        return None;
    }
    Some(if service == "s3" {
        let message = format!(
            "The authorization header is malformed; the region '{signed}' is wrong; expecting '{here}'"
        );
        Fault::new(400, "AuthorizationHeaderMalformed", message)
    } else {
        let message = "Credential should be scoped to a valid region.";
        Fault::new(status, "InvalidSignatureException", message)
    })
}

fn skewed(incoming: &Incoming, status: u16) -> Fault {
    let signed = incoming
        .header("x-amz-date")
        .unwrap_or("an unknown time")
        .to_owned();
    let stamp = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .unwrap_or_default()
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string()
    };
    let server = now_ms() + SKEW_MS;
    let message = format!(
        "Signature expired: {signed} is now earlier than {} ({} - 5 min.)",
        stamp(server - 5 * 60 * 1000),
        stamp(server)
    );
    Fault::new(status, "InvalidSignatureException", message)
}

/// A time as the `Date` header writes it.
pub(in super::super) fn http_date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}
