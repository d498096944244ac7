//! Permissions: what is granted to whom, and what is said where one lacks.

use super::*;

#[test]
fn a_named_stage_is_part_of_the_source_arn() {
    let mut facts = healthy();
    facts.subject.path = "/prod/predict".to_owned();
    api(&mut facts).stages[0].name = "prod".to_owned();
    assert_eq!(
        fixes::source_arn(&facts).unwrap(),
        "arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/prod/POST/predict"
    );
    gateway_500(&mut facts);
    facts.policy = Fact::Known(policy_for(API).replace("/*/*", "/prod/POST/predict"));
    assert_eq!(diagnose(&facts).verdict.code, "gateway-500");
}

#[test]
fn permissions_are_granted_to_who_lacks_them() {
    for (arn, command) in [
        (
            "arn:aws:iam::123456789012:user/team/anna",
            "put-user-policy --profile prod --user-name anna ",
        ),
        (
            "arn:aws:sts::123456789012:assumed-role/oncall/anna",
            "put-role-policy --profile prod --role-name oncall ",
        ),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Ops_1/anna",
            "permission set",
        ),
    ] {
        let mut facts = healthy();
        facts.subject.profile = Some("prod".to_owned());
        facts.identity = Fact::Known(Identity {
            account: "123456789012".to_owned(),
            arn: arn.to_owned(),
        });
        facts.image = denied("ecr:DescribeImages");
        let diagnosis = diagnose(&facts);
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == "image")
            .unwrap();
        assert!(finding.fix.contains(command), "{}", finding.fix);
    }
}

#[test]
fn a_partial_answer_names_the_action_that_was_lacking() {
    let mut facts = healthy();
    facts.concurrency = Fact::Known(Concurrency {
        reserved: None,
        account_limit: denied("lambda:GetAccountSettings"),
    });
    let Fact::Known(logs) = &mut facts.logs else {
        unreachable!()
    };
    logs.retention = denied("logs:DescribeLogGroups");
    let diagnosis = diagnose(&facts);
    let action = |check: &str| {
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        (
            finding.missing_action.clone().unwrap(),
            finding.evidence.clone(),
        )
    };
    assert_eq!(action("concurrency").0, "lambda:GetAccountSettings");
    let (lacking, evidence) = action("logs");
    assert_eq!(lacking, "logs:DescribeLogGroups");
    assert!(!evidence.contains("for ever"), "{evidence}");
}

/// Each call refused in turn, and all at once: SKIP with the action, nothing else stops, no false alarm.
#[test]
fn a_missing_permission_skips_its_check_and_names_the_action() {
    let refusals: [(&str, &str, fn(&mut Facts)); 11] = [
        ("identity", "sts:GetCallerIdentity", |f| {
            f.identity = denied("sts:GetCallerIdentity");
        }),
        ("function", "lambda:GetFunction", |f| {
            f.function = denied("lambda:GetFunction");
        }),
        ("invoke", "lambda:InvokeFunction", |f| {
            f.invoke = denied("lambda:InvokeFunction");
        }),
        ("api", "apigateway:GET", |f| {
            f.api = denied("apigateway:GET");
        }),
        ("policy", "lambda:GetPolicy", |f| {
            f.policy = denied("lambda:GetPolicy");
        }),
        ("image", "ecr:DescribeImages", |f| {
            f.image = denied("ecr:DescribeImages");
        }),
        ("repository-policy", "ecr:GetRepositoryPolicy", |f| {
            f.repository_policy = denied("ecr:GetRepositoryPolicy");
        }),
        ("role", "iam:SimulatePrincipalPolicy", |f| {
            f.role_logs = denied("iam:SimulatePrincipalPolicy");
        }),
        ("concurrency", "lambda:GetFunctionConcurrency", |f| {
            f.concurrency = denied("lambda:GetFunctionConcurrency");
        }),
        ("metrics", "cloudwatch:GetMetricData", |f| {
            f.metrics = denied("cloudwatch:GetMetricData");
        }),
        ("runtime", "logs:FilterLogEvents", |f| {
            f.logs = denied("logs:FilterLogEvents");
        }),
    ];
    for (check, action, refuse) in refusals {
        let mut facts = healthy();
        refuse(&mut facts);
        let diagnosis = diagnose(&facts);
        let finding = diagnosis
            .findings
            .iter()
            .find(|f| f.check == check)
            .unwrap();
        assert_eq!(
            (finding.status, finding.missing_action.as_deref()),
            (Status::Skip, Some(action))
        );
        assert!(diagnosis.is_healthy(), "{check}: {:?}", diagnosis.verdict);
    }
    let mut facts = healthy();
    for (_, _, refuse) in refusals {
        refuse(&mut facts);
    }
    assert_eq!(diagnose(&facts).verdict.code, "access-denied");
}
