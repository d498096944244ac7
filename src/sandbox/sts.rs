//! STS over the Query protocol: who am I.

use axum::body::Body;
use axum::http::Response;

use super::reply::{Fault, respond};
use super::server::{Incoming, admit};
use super::world::{World, lock};

pub(super) fn serve(world: &World, incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let action = form(incoming, "Action").unwrap_or_default();
    admit(world, incoming, &format!("sts:{action}"), "*")?;
    if action != "GetCallerIdentity" {
        return Err(Fault::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version 2011-06-15"),
        ));
    }
    let account = &world.options.account;
    let request_id = lock(&world.function).request_id();
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{account}:user/sandbox</Arn><UserId>AIDASANDBOXSANDBOX000</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    Ok(respond(200, "text/xml", body))
}

/// A member of the form in the body, or of the query string.
pub(super) fn form(incoming: &Incoming, name: &str) -> Option<String> {
    let in_body = url::form_urlencoded::parse(&incoming.body)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned());
    in_body.or_else(|| incoming.query(name))
}
