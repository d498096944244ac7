//! Which source wins, and what a bad configuration is told.

use super::*;

fn load(flags: Flags, file: &str, env: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let flags = Flags {
        config: Some(path),
        ..flags
    };
    Settings::load(flags, &|name| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn refused(flags: Flags, file: &str) -> String {
    load(flags, file, &[]).unwrap_err().to_string()
}

fn origin(settings: &Settings, key: &str) -> Origin {
    settings
        .effective
        .iter()
        .find(|value| value.key == key)
        .unwrap()
        .origin
        .clone()
}

#[test]
fn nothing_configured_means_the_sandbox() {
    let settings = load(
        Flags::default(),
        "",
        &[("AWS_PROFILE", "prod"), ("AWS_REGION", "eu-west-1")],
    )
    .unwrap();
    assert_eq!(settings.target, SANDBOX);
    assert_eq!(settings.target(SANDBOX), Some(&Target::default()));
}

#[test]
fn flags_beat_environment_beats_file() {
    let file = "target = \"aws\"\n[targets.aws]\nregion = \"eu-north-1\"\nfunction = \"f\"";
    let env = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
    ];
    let region = |flags, env: &[(&str, &str)]| {
        load(flags, file, env).unwrap().targets["aws"]
            .region
            .clone()
            .unwrap()
    };
    assert_eq!(region(Flags::default(), &[]), "eu-north-1");
    assert_eq!(region(Flags::default(), &env), "eu-west-1");
    assert_eq!(
        region(
            Flags {
                region: Some("us-east-1".into()),
                ..Flags::default()
            },
            &env
        ),
        "us-east-1"
    );
}

#[test]
fn an_endpoint_url_without_a_scheme_is_refused_with_its_origin() {
    let flag = Flags {
        endpoint_url: Some("localhost:9999".into()),
        ..Flags::default()
    };
    let said = load(flag, "", &[]).unwrap_err().to_string();
    assert_eq!(
        said,
        "targets.aws.endpoint_url = localhost:9999 (--endpoint-url): needs http:// or https:// in front, \
         like https://host:port"
    );
    let aws = "target = \"aws\"";
    let said = load(Flags::default(), aws, &[("AWS_ENDPOINT_URL", "nonsense")]).unwrap_err();
    assert!(said.to_string().contains("= nonsense ($AWS_ENDPOINT_URL)"));
    let file = "target = \"aws\"\n[targets.aws]\nendpoint_url = \"ftp://x\"";
    let said = load(Flags::default(), file, &[]).unwrap_err();
    assert!(said.to_string().contains("config.toml): needs http://"));
    let good = [("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")];
    assert!(load(Flags::default(), aws, &good).is_ok());
    // Nothing is sent there from the sandbox.
    assert!(load(Flags::default(), "", &[("AWS_ENDPOINT_URL", "nonsense")]).is_ok());
}

#[test]
fn aws_flags_alone_mean_aws() {
    let flags = Flags {
        log_groups: vec!["/aws/lambda/x".into()],
        region: Some("us-east-2".into()),
        ..Flags::default()
    };
    let settings = load(flags, "", &[]).unwrap();
    assert_eq!(settings.target, "aws");
    assert_eq!(origin(&settings, "target"), Origin::Flag("--region"));
    assert_eq!(settings.targets["aws"].log_groups, ["/aws/lambda/x"]);
}

#[test]
fn an_unknown_key_names_file_line_and_key() {
    let error = refused(Flags::default(), "target = \"sandbox\"\nthem = \"dark\"");
    assert!(
        error.contains("config.toml") && error.contains("line 2") && error.contains("them"),
        "{error}"
    );
    let error = refused(Flags::default(), "[targets.aws]\nregoin = \"x\"");
    assert!(
        error.contains("line 2") && error.contains("regoin"),
        "{error}"
    );
}

#[test]
fn an_unknown_target_lists_the_known() {
    let flags = Flags {
        target: Some("prod".into()),
        ..Flags::default()
    };
    assert_eq!(
        refused(flags, ""),
        "there is no target `prod` (--target); known targets: aws, local, sandbox"
    );
}

#[test]
fn a_missing_file_that_was_asked_for_is_an_error() {
    let flags = Flags {
        config: Some("/nowhere/config.toml".into()),
        ..Flags::default()
    };
    let error = Settings::load(flags, &|_| None).unwrap_err().to_string();
    assert!(error.contains("/nowhere/config.toml"), "{error}");
}

#[test]
fn no_color_means_mono_unless_a_flag_says_otherwise() {
    let env = [("NO_COLOR", "1")];
    for env in [env, [("TERM", "dumb")]] {
        let settings = load(Flags::default(), "", &env).unwrap();
        assert_eq!(settings.theme, ThemeName::Mono, "{env:?}");
    }
    let always = Flags {
        color: Some(Colour::Always),
        ..Flags::default()
    };
    assert_eq!(
        load(always, "theme = \"light\"", &env).unwrap().theme,
        ThemeName::Light
    );
}

#[test]
fn senseless_numbers_are_named() {
    let flags = Flags {
        speed: Some(0.0),
        ..Flags::default()
    };
    assert_eq!(
        refused(flags, ""),
        "sandbox.speed = 0 (--speed): must be above 0; 1 is real time"
    );
}

#[test]
fn a_locale_without_utf8_means_ascii() {
    assert!(load(Flags::default(), "", &[("LANG", "C")]).unwrap().ascii);
    assert!(
        !load(Flags::default(), "", &[("LANG", "de_DE.UTF-8")])
            .unwrap()
            .ascii
    );
    assert!(!load(Flags::default(), "", &[]).unwrap().ascii);
}

#[test]
fn real_flags_and_the_sandbox_contradict_each_other() {
    let region = Some("us-east-1".to_owned());
    let flags = Flags {
        target: Some(SANDBOX.into()),
        region: region.clone(),
        ..Flags::default()
    };
    let error = refused(flags, "");
    assert!(
        error.starts_with("--region means nothing to the sandbox"),
        "{error}"
    );
    let flags = Flags {
        target: Some("aws".into()),
        incident: Some(Incident::HandlerCrash),
        ..Flags::default()
    };
    let error = refused(flags, "");
    assert!(
        error.starts_with("--incident belongs to the sandbox"),
        "{error}"
    );
    let flags = Flags {
        region,
        ..Flags::default()
    };
    assert_eq!(
        load(flags, "target = \"sandbox\"", &[]).unwrap().target,
        "aws"
    );
}

#[test]
fn a_built_in_value_is_not_ascribed_to_the_file() {
    let flags = Flags {
        target: Some("aws".into()),
        ..Flags::default()
    };
    let settings = load(flags, "[targets.aws]\nregion = \"eu-north-1\"", &[]).unwrap();
    assert_eq!(origin(&settings, "targets.aws.endpoint"), Origin::Default);
    assert!(matches!(
        origin(&settings, "targets.aws.region"),
        Origin::File(_)
    ));
}

#[test]
fn the_example_file_is_a_configuration_with_every_key() {
    let example = include_str!("../../assets/config.example.toml");
    let settings = load(Flags::default(), example, &[]).unwrap();
    assert_eq!(
        settings.target("twin").unwrap().aws,
        Some(false),
        "{settings:?}"
    );
    // Keys that are commented out, for nothing else would do by default, must parse too.
    let uncommented = example
        .replace("\n# model", "\nmodel")
        .replace("\n# registry", "\nregistry");
    let uncommented = uncommented
        .replace("\n# incident", "\nincident")
        .replace("\n# endpoint_url", "\nendpoint_url");
    let settings = load(Flags::default(), &uncommented, &[]).unwrap();
    assert_eq!(settings.registry, PathBuf::from("/data/registry"));
    assert!(settings.target("prod").unwrap().endpoint_url.is_some());
}

#[test]
fn every_target_is_listed_and_no_password_is() {
    let file = "[targets.prod]\nendpoint = \"https://h\"\nlog_groups = [\"/a\", \"/b\"]\naws = true\nendpoint_url = \"http://me:hunter2@h:1\"";
    let settings = load(Flags::default(), file, &[]).unwrap();
    let value = |key: &str| {
        let found = settings.effective.iter().find(|value| value.key == key);
        found.map(|value| value.value.clone()).unwrap_or_default()
    };
    assert_eq!(value("targets.prod.log_groups"), "/a,/b");
    assert_eq!(value("targets.prod.aws"), "true");
    assert_eq!(value("targets.prod.endpoint_url"), "http://…@h:1");
    assert_eq!(origin(&settings, "targets.local.endpoint"), Origin::Default);
    let flags = Flags {
        endpoint: Some("https://me:hunter2@h/".into()),
        ..Flags::default()
    };
    let said = refused(flags, "");
    assert!(
        said.contains("--endpoint") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn the_endpoint_variable_is_shown_and_left_to_the_sdk() {
    let env = [("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")];
    let flags = Flags {
        target: Some("aws".into()),
        ..Flags::default()
    };
    let settings = load(flags, "", &env).unwrap();
    let key = "targets.aws.endpoint_url";
    assert_eq!(origin(&settings, key), Origin::Env("AWS_ENDPOINT_URL"));
    assert_eq!(settings.target("aws").unwrap().endpoint_url, None);
}

#[test]
fn rules_and_prices_come_from_the_file_and_say_so() {
    let file = "[alerts.error-rate]\nabove = 2.5\nclear = 1\n[alerts.memory]\non = false\n[prices]\nas_of = \"2027-01\"\narm_gb_second = 0.00001";
    let settings = load(Flags::default(), file, &[]).unwrap();
    let rule = settings
        .rules
        .iter()
        .find(|r| r.signal.key() == "error-rate")
        .unwrap();
    assert_eq!((rule.above, rule.clear, rule.short_s), (2.5, 1.0, 300));
    assert!(settings.rules.iter().all(|r| r.signal.key() != "memory"));
    assert_eq!(settings.prices.as_of, "2027-01");
    assert_eq!(settings.prices.arm_gb_second, 0.000_01);
    assert_eq!(settings.prices.requests_per_million, 0.20);
    let in_file = |key| matches!(origin(&settings, key), Origin::File(_));
    assert!(in_file("alerts.error-rate.above") && in_file("prices.as_of"));
    assert_eq!(
        origin(&settings, "alerts.error-rate.short_s"),
        Origin::Default
    );
}

#[test]
fn bad_rules_and_prices_are_refused_by_key_and_line() {
    for (file, parts) in [
        (
            "[alerts.error-rate]\nabove = 1\nclear = 2",
            ["alerts.error-rate.clear = 2", "must not be more"],
        ),
        (
            "[alerts.p99-all]\nshort_s = 90",
            ["alerts.p99-all.short_s = 90", "whole minutes"],
        ),
        ("[alerts.eror-rate]\nabove = 1", ["line 1", "eror-rate"]),
        ("[alerts.memory]\nabov = 1", ["line 2", "abov"]),
        ("[prices]\narm = 1", ["line 2", "arm"]),
        (
            "[prices]\nfixed_monthly = -1",
            ["prices.fixed_monthly = -1", "0 or more"],
        ),
    ] {
        let text = refused(Flags::default(), file);
        for part in parts {
            assert!(text.contains(part), "{file}: {text}");
        }
    }
}
