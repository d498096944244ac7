//! What the execution role and the caller may do, by the simulator.

use super::{Deadline, unread};
use crate::client::signed::Signed;
use crate::client::{iam, identity};
use crate::domain::arn;
use crate::domain::doctor::facts::{Fact, Function, Identity, Simulated};

/// May the role write into the function's own log? Asked of that group: a good role is often allowed no other.
pub(super) async fn role_permissions(
    signed: &Signed,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<Vec<Simulated>> {
    let Some(known) = function.known().filter(|f| !f.role.is_empty()) else {
        return unread(function);
    };
    let arn_part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let stream = format!(
        "arn:{}:logs:{}:{}:log-group:{}:log-stream:vintner",
        arn::partition(&known.arn).unwrap_or("aws"),
        arn_part(arn::region(&known.arn)),
        arn_part(arn::account(&known.arn)),
        known.log_group.as_deref().unwrap_or_default(),
    );
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let simulated = iam::simulate(signed, &known.role, &actions, &stream);
    deadline.ask("iam:SimulatePrincipalPolicy", simulated).await
}

pub(super) async fn deployer_permissions(
    signed: &Signed,
    identity: &Fact<Identity>,
    function: &Fact<Function>,
    deadline: Deadline,
) -> Fact<Vec<Simulated>> {
    let (Some(identity), Some(function)) = (identity.known(), function.known()) else {
        return unread(function);
    };
    let principal = identity::principal(&identity.arn);
    let actions = ["lambda:UpdateFunctionCode"];
    let simulated = iam::simulate(signed, &principal, &actions, &function.arn);
    match deadline.ask("iam:SimulatePrincipalPolicy", simulated).await {
        // A session does not say the path its role lies under, so IAM may not find it by the name alone.
        Fact::Missing(why) => Fact::Failed(why),
        answer => answer,
    }
}
