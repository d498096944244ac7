//! IAM over the Query protocol: the role, what it may do, and the one policy that lets it write logs again.

use axum::body::Body;
use axum::http::Response;

use super::incident::Incident;
use super::lambda::facts;
use super::reply::{Fault, escape, respond};
use super::server::{Incoming, admit};
use super::sts::form;
use super::world::{World, lock};

/// What the function's role is for.
const ROLE_ALLOWS: [&str; 4] = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
];

/// The managed policy that lets a role write logs.
const LOG_POLICY: &str = ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

pub(super) fn serve(world: &World, incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let action = form(incoming, "Action").unwrap_or_default();
    admit(
        world,
        incoming,
        &format!("iam:{action}"),
        &facts::role_arn(world),
    )?;
    let result = match action.as_str() {
        "GetRole" => role(world, &form(incoming, "RoleName").unwrap_or_default())?,
        "SimulatePrincipalPolicy" => simulate(world, incoming)?,
        "AttachRolePolicy" => attach(world, incoming)?,
        _ => {
            return Err(Fault::new(
                400,
                "InvalidAction",
                format!("Could not find operation {action} for version 2010-05-08"),
            ));
        }
    };
    let request_id = lock(&world.function).request_id();
    let body = format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    );
    Ok(respond(200, "text/xml", body))
}

fn role(world: &World, name: &str) -> Result<String, Fault> {
    if name != facts::ROLE {
        return Err(Fault::new(
            404,
            "NoSuchEntity",
            format!("The role with name {name} cannot be found."),
        ));
    }
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let trust: String = url::form_urlencoded::byte_serialize(trust.as_bytes()).collect();
    Ok(format!(
        "<Role><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROASANDBOXSANDBOX000</RoleId><Arn>{}</Arn>\
         <CreateDate>2025-11-02T09:14:07Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>\
         <MaxSessionDuration>3600</MaxSessionDuration></Role>",
        facts::role_arn(world)
    ))
}

/// Attaches a policy to the role. Lambda's own one for logs is what it lacks in [`Incident::RoleCannotLog`]: that is over then.
fn attach(world: &World, incoming: &Incoming) -> Result<String, Fault> {
    role(world, &form(incoming, "RoleName").unwrap_or_default())?;
    let policy = form(incoming, "PolicyArn").unwrap_or_default();
    if !policy.ends_with(LOG_POLICY) {
        let message = format!("Policy {policy} does not exist or is not attachable.");
        return Err(Fault::new(404, "NoSuchEntity", message));
    }
    if world.is(Incident::RoleCannotLog) {
        world.set_incident(None);
    }
    Ok(String::new())
}

fn simulate(world: &World, incoming: &Incoming) -> Result<String, Fault> {
    let source = form(incoming, "PolicySourceArn").unwrap_or_default();
    let is_role = source == facts::role_arn(world);
    if !is_role && !source.contains(":user/") {
        return Err(Fault::new(
            404,
            "NoSuchEntity",
            format!("The entity {source} cannot be found."),
        ));
    }
    let allowed = |action: &str| {
        if is_role {
            ROLE_ALLOWS.contains(&action)
                && !(world.is(Incident::RoleCannotLog) && action.starts_with("logs:"))
        } else {
            !world.denies(action) && !world.is(Incident::AccessDenied)
        }
    };
    let resource = form(incoming, "ResourceArns.member.1").unwrap_or_else(|| "*".into());
    let member = |action: String| {
        let decision = if allowed(&action) {
            "allowed"
        } else {
            "implicitDeny"
        };
        format!(
            "<member><EvalActionName>{}</EvalActionName><EvalResourceName>{}</EvalResourceName><EvalDecision>{decision}</EvalDecision>\
             <MatchedStatements/><MissingContextValues/></member>",
            escape(&action),
            escape(&resource)
        )
    };
    let actions = (1..).map_while(|index| form(incoming, &format!("ActionNames.member.{index}")));
    let members = actions.map(member).collect::<Vec<_>>().concat();
    if members.is_empty() {
        return Err(Fault::new(
            400,
            "ValidationError",
            "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null",
        ));
    }
    Ok(format!(
        "<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
    ))
}
