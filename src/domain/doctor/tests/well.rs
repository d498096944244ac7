//! What works must not be called ill, however odd it looks.

use super::*;

/// Set-ups in which everything works, however odd they look: none may raise an alarm.
const ODD_BUT_WELL: &[(&str, fn(&mut Facts))] = &[
    (
        "the function named with an alias, its policy on the function",
        |f| {
            f.subject.qualifier = Some("live".into());
            f.policy = Fact::Missing("The resource you requested does not exist.".into());
        },
    ),
    ("the integration calls an alias", |f| {
        api(f).integrations[0].uri = format!("{FUNCTION_ARN}:live");
        f.policy = Fact::Missing("The resource you requested does not exist.".into());
    }),
    ("a custom domain, the default endpoint off", |f| {
        f.subject.endpoint = "https://wine.example.com/predict".into();
        api(f).endpoint_disabled = true;
    }),
    ("a base path in front of the route", |f| {
        f.subject.path = "/v1/predict".into();
    }),
    ("a named stage", |f| {
        f.subject.path = "/prod/predict".into();
        api(f).stages[0].name = "prod".into();
    }),
    ("another stage throttled to 0", |f| {
        let switched_off = Stage {
            name: "old".into(),
            rate_limit: Some(0.0),
            ..api(f).stages[0].clone()
        };
        api(f).stages.insert(0, switched_off);
    }),
    ("a session whose role's path IAM does not find", |f| {
        f.deployer = Fact::Failed("NoSuchEntity".into());
    }),
    ("the deployer missing altogether", |f| {
        f.deployer = Fact::Missing("NoSuchEntity".into());
    }),
    ("a simulator that is wrong about the logs", |f| {
        f.role_logs = Fact::Known(vec![Simulated {
            action: "logs:PutLogEvents".into(),
            decision: "implicitDeny".into(),
        }]);
    }),
    ("a storm that is over", |f| storm_in_the_log(f)),
    ("a storm that is over: cold, then warm", |f| {
        storm_in_the_log(f);
        f.repeats = vec![Repeat {
            duration_ms: 150.0,
            cold: false,
        }];
    }),
    ("an image without its tag", |f| {
        f.image = Fact::Known(Image::default());
    }),
    ("no retention known", |f| {
        let Fact::Known(logs) = &mut f.logs else {
            unreachable!()
        };
        logs.retention = denied("logs:DescribeLogGroups");
    }),
];

#[test]
fn what_works_is_not_called_ill() {
    for (what, change) in ODD_BUT_WELL {
        let mut facts = healthy();
        change(&mut facts);
        let diagnosis = diagnose(&facts);
        assert!(diagnosis.is_healthy(), "{what}: {:?}", diagnosis.verdict);
    }
}
