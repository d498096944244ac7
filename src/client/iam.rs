//! IAM: would a principal be allowed to do this? Asked of the policy simulator, which changes nothing.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::client::signed::{Request, Service, Signed};
use crate::domain::doctor::facts::{Fact, Simulated};

const ACTION: &str = "iam:SimulatePrincipalPolicy";

/// SimulatePrincipalPolicy for `principal` (an IAM ARN) and `actions` on `resource`.
pub async fn simulate(
    signed: &Signed,
    principal: &str,
    actions: &[&str],
    resource: &str,
) -> Fact<Vec<Simulated>> {
    let request = Request {
        service: Service::Iam,
        method: "POST",
        path: "/",
        headers: &[(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )],
        body: form(principal, actions, resource),
        action: ACTION,
        subject: principal,
    };
    match signed.send(request).await {
        Fact::Known(xml) => match decisions(&xml) {
            Ok(found) if found.is_empty() => {
                Fact::Failed(format!("{ACTION}: the answer has no decisions"))
            }
            Ok(found) => Fact::Known(found),
            Err(why) => Fact::Failed(format!("{ACTION}: {why}")),
        },
        other => other.map(|_| Vec::new()),
    }
}

/// The request's form. Built apart: the serializer must not live across an await.
fn form(principal: &str, actions: &[&str], resource: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "SimulatePrincipalPolicy")
        .append_pair("Version", "2010-05-08");
    form.append_pair("PolicySourceArn", principal);
    for (index, action) in actions.iter().enumerate() {
        form.append_pair(&format!("ActionNames.member.{}", index + 1), action);
    }
    form.append_pair("ResourceArns.member.1", resource);
    form.finish()
}

/// Every `EvalActionName` with its `EvalDecision`.
fn decisions(xml: &str) -> Result<Vec<Simulated>, String> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    let (mut element, mut current) = (Vec::new(), Simulated::default());
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => element = start.local_name().as_ref().to_vec(),
            Event::Text(text) => {
                let text = text
                    .decode()
                    .map_err(|error| error.to_string())?
                    .trim()
                    .to_owned();
                match element.as_slice() {
                    b"EvalActionName" if !text.is_empty() => current.action = text,
                    b"EvalDecision" if !text.is_empty() => current.decision = text,
                    _ => {}
                }
            }
            Event::End(_) => element.clear(),
            Event::Eof => return Ok(found),
            _ => {}
        }
        // The simulator lists resource-specific results too; the pair is complete when both parts were seen.
        if !current.action.is_empty() && !current.decision.is_empty() {
            found.push(std::mem::take(&mut current));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decisions_are_read_in_any_order() {
        let xml = "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>\
            <member><EvalActionName>logs:PutLogEvents</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>\
            <member><EvalDecision>allowed</EvalDecision><EvalActionName>logs:CreateLogStream</EvalActionName></member>\
            </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";
        let found = decisions(xml).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].action.as_str(), found[0].decision.as_str()),
            ("logs:PutLogEvents", "implicitDeny")
        );
        assert_eq!(found[1].decision, "allowed");
        assert!(decisions("<a><b></a>").is_err());
    }
}
