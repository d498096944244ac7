//! The Lambda tab on a stage: what it shows empty, full and failed, what keys ask for, and Doctor on top.

mod alerts;
mod config;
mod doctor;
mod figures;

use jiff::Timestamp;
use vintner::client::survey::Reports;
use vintner::domain::doctor::facts::{Concurrency, Metrics};
use vintner::domain::doctor::{Diagnosis, Fact, Finding, Status, Verdict};
use vintner::domain::function::{Alias, FunctionConfig, Overview, Secret, Version};
use vintner::domain::latency::calls::{CallLine, Told};
use vintner::domain::latency::{Sample, Window};
use vintner::domain::metrics::{Budget, Point, Recent, Snapshot};
use vintner::domain::reckoning::Work;
use vintner::domain::slo::Counts;
use vintner::effects::Effect;
use vintner::effects::lambda::{Effect as LambdaEffect, Event, Other};
use vintner::ui::theme::ThemeName;

use crate::support::stage::{SIZES, Stage};

fn config() -> FunctionConfig {
    let image = "123456789012.dkr.ecr.us-east-2.amazonaws.com/wine-quality-lambda";
    FunctionConfig {
        name: "wine-quality-predictor".into(),
        arn: "arn:aws:lambda:us-east-2:123456789012:function:wine-quality-predictor".into(),
        description: "Wine quality prediction\u{1b}[31m (random forest)".into(),
        version: "$LATEST".into(),
        package_type: "Image".into(),
        image_uri: Some(format!("{image}:latest")),
        resolved_image_uri: Some(format!("{image}@sha256:4f2a91c0d7e8")),
        architecture: "x86_64".into(),
        memory_mb: 1024,
        timeout_s: 60,
        ephemeral_mb: 512,
        role: "arn:aws:iam::123456789012:role/wine-quality-lambda-role".into(),
        tracing: "PassThrough".into(),
        log_group: "/aws/lambda/wine-quality-predictor".into(),
        log_format: "Text".into(),
        environment: vec![
            ("MODEL_KEY".into(), Secret::new("models/model.pkl")),
            ("S3_BUCKET_NAME".into(), Secret::new("wine-quality-mlops")),
        ],
        last_modified: "2026-11-19T08:59:48.000+0000".into(),
        state: "Active".into(),
        last_update_status: "Successful".into(),
        ..FunctionConfig::default()
    }
}

pub fn overview() -> Overview {
    Overview {
        config: Fact::Known(config()),
        aliases: Fact::Known(vec![Alias {
            name: "live".into(),
            version: "2".into(),
            weights: vec![("1".into(), 0.1)],
        }]),
        versions: Fact::Known(vec![
            Version {
                version: "$LATEST".into(),
                ..Version::default()
            },
            Version {
                version: "1".into(),
                ..Version::default()
            },
            Version {
                version: "2".into(),
                ..Version::default()
            },
        ]),
        concurrency: Fact::Known(Concurrency {
            reserved: None,
            account_limit: Fact::Known(1000),
        }),
        provisioned: Fact::Known(Vec::new()),
        url: Fact::Missing("none".into()),
        event_sources: Fact::Denied {
            action: "lambda:ListEventSourceMappings".into(),
        },
        policy: Fact::Missing("The resource you requested does not exist.".into()),
        api_id: Fact::Known("mc7310utyk".into()),
        path: "/predict".into(),
        image: Fact::NotAsked,
        retention: Fact::Known(None),
    }
}

/// An hour of traffic before noon: a call every 9 s, every fortieth cold.
fn reports(now: Timestamp) -> Reports {
    let now_ms = now.as_millisecond();
    let samples = (0..400).map(|i| {
        let cold = i % 40 == 0;
        Sample {
            at_ms: now_ms - 3_590_000 + i * 9_000 - if cold { 6_000 } else { 0 },
            id: i as u64,
            duration_ms: 140.0 + f64::from((i * 37 % 60) as i32),
            init_ms: cold.then_some(1_150.0 + i as f64),
            billed_ms: if cold { 1_400.0 } else { 170.0 },
            memory_mb: 1024,
            max_memory_mb: 237,
            failed: i == 200,
            init_timeout: false,
        }
    });
    let line = |sample: Sample| CallLine {
        stream: 1,
        at_ms: sample.at_ms,
        told: Told::Ended(sample),
    };
    Reports {
        lines: samples.map(line).collect(),
        since_ms: now_ms - 3_600_000,
        cut: false,
    }
}

pub fn fill(stage: &mut Stage) {
    stage.press("3");
    fill_again(stage, 0);
}

/// Every answer of a healthy function, to the question of this ticket.
fn fill_again(stage: &mut Stage, ticket: u64) {
    let now = stage.now().wall;
    stage.event(Event::Described {
        ticket,
        overview: Ok(Box::new(overview())),
    });
    stage.event(Event::Reports {
        ticket,
        reports: Fact::Known(reports(now)),
    });
    let totals = Metrics {
        window_s: 3600,
        invocations: Some(400.0),
        throttles: Some(0.0),
        duration_n: Some(400.0),
        duration_p50: Some(168.0),
        duration_p99: Some(199.0),
        latency_n: Some(400.0),
        latency_p50: Some(184.0),
        latency_p99: Some(1_512.0),
        integration_n: Some(400.0),
        integration_p50: Some(178.0),
        integration_p99: Some(1_505.0),
        ..Metrics::default()
    };
    let counts = |valid| Counts { valid, bad: 1.0 };
    stage.event(Event::Measured {
        ticket,
        snapshot: Box::new(Fact::Known(Snapshot {
            totals,
            period_s: 60,
            points: Vec::new(),
        })),
        budget: Fact::Known(Budget {
            five_minutes: counts(33.0),
            half_hour: counts(200.0),
            hour: counts(400.0),
            six_hours: counts(2_400.0),
            month: counts(288_000.0),
            ..Budget::default()
        }),
    });
}

fn diagnosis() -> Diagnosis {
    let finding = |check: &str, status, evidence: &str, fix: &str| Finding {
        check: check.into(),
        status,
        evidence: evidence.into(),
        fix: fix.into(),
        missing_action: None,
    };
    let fix = "aws lambda add-permission --region us-east-2 --function-name wine-quality-predictor --statement-id apigateway-invoke-mc7310utyk --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn arn:aws:execute-api:us-east-2:123456789012:mc7310utyk/*/*";
    Diagnosis {
        verdict: Verdict {
            code: "permission-missing".into(),
            text: "API Gateway may not invoke wine-quality-predictor: its resource policy has no statement for apigateway.amazonaws.com.".into(),
            fix: fix.into(),
        },
        findings: vec![
            finding("clock", Status::Pass, "0 s ahead of the server's clock", ""),
            finding("gateway", Status::Fail, "500 in 41 ms, in API Gateway's own words: {\"message\":\"Internal Server Error\"}", ""),
            finding("invoke", Status::Pass, "200 in 166 ms, a proxy response", ""),
            finding("policy", Status::Fail, "the function has no resource policy at all", fix),
            finding("image", Status::Skip, "not looked at: the identity lacks ecr:DescribeImages", ""),
            finding("metrics", Status::Warn, "15 min: gateway 20 requests, 20 5xx, 0 4xx; Lambda 0 invocations", ""),
        ],
    }
}

/// What must be on screen in every size, small ones included.
fn shows(keys: &str, wanted: &[&str]) {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        stage.press(keys);
        let text = stage.text();
        for part in wanted {
            assert!(
                text.contains(part),
                "{size:?}: {part} is missing in\n{text}"
            );
        }
        assert!(!text.contains('\u{1b}'), "hostile text reached the screen");
    }
}

#[test]
fn the_strip_and_the_latency_table_fit_every_size() {
    shows(
        "3",
        &[
            "MISSING",
            "warm p99",
            "cold rate",
            "gateway Latency",
            "1.51 s",
            "REPORT",
            "n 390",
        ],
    );
}

#[test]
fn every_pane_is_a_key_away() {
    shows("v", &["duration + init", "-60m", "now"]);
    shows(
        "v v",
        &[
            "timeout: 60 s, but API Gateway gives up after 30 s",
            "package",
        ],
    );
    shows(
        "v v v",
        &["cold starts", "per 1M calls", "break-even", "99.9 %"],
    );
    shows("v v v v", &["error rate", "p99 of warm calls"]);
}

#[test]
fn before_anything_is_known_it_says_so() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.press("3");
        assert!(stage.text().contains("connecting"), "{}", stage.text());
    }
}

#[test]
fn a_failure_names_the_remedy() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    stage.press("3");
    stage.event(Event::Described {
        ticket: 0,
        overview: Err("credentials expired: run `aws sso login`".into()),
    });
    assert!(stage.text().contains("aws sso login"), "{}", stage.text());
}

/// A full tab with Doctor's answer on top.
pub fn diagnosed(stage: &mut Stage) {
    fill(stage);
    stage.press("shift-d");
    stage.event(Event::Diagnosed(Ok(Box::new(diagnosis()))));
}

#[test]
fn doctor_says_the_verdict_first_and_copies_the_fix() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        let effects = stage.press("shift-d");
        assert!(
            effects
                .iter()
                .any(|e| matches!(e, Effect::Lambda(LambdaEffect::Doctor { .. })))
        );
        assert!(stage.text().contains("examining"), "{}", stage.text());
        stage.event(Event::Diagnosed(Ok(Box::new(diagnosis()))));
        let text = stage.text();
        let verdict = text.find("permission-missing").expect("the verdict");
        let fix = text.find("aws lambda add-permission").expect("the fix");
        let evidence = text.find("FAIL").expect("the evidence");
        assert!(verdict < fix && fix < evidence, "{size:?}:\n{text}");
        assert!(
            stage
                .press("y")
                .contains(&Effect::Copy(diagnosis().verdict.fix))
        );
    }
}

/// A call whose memory is nearly used up.
fn full(at_ms: i64, id: u64, max_memory_mb: u32) -> CallLine {
    let sample = Sample {
        at_ms,
        id,
        duration_ms: 150.0,
        init_ms: None,
        billed_ms: 150.0,
        memory_mb: 1024,
        max_memory_mb,
        failed: false,
        init_timeout: false,
    };
    CallLine {
        stream: 9,
        at_ms,
        told: Told::Ended(sample),
    }
}

/// A healthy function that nobody calls.
fn never_called(stage: &mut Stage) {
    let since_ms = stage.now().wall.as_millisecond() - 3_600_000;
    stage.event(Event::Described {
        ticket: 0,
        overview: Ok(Box::new(overview())),
    });
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Known(Reports {
            since_ms,
            ..Reports::default()
        }),
    });
    stage.event(Event::Measured {
        ticket: 0,
        snapshot: Box::new(Fact::Known(Snapshot::default())),
        budget: Fact::Known(Budget::default()),
    });
}

/// Every read refused, as for an identity that may do nothing.
fn refused(stage: &mut Stage) {
    fn no<T>(action: &str) -> Fact<T> {
        Fact::Denied {
            action: action.into(),
        }
    }
    stage.connect();
    stage.press("3");
    stage.event(Event::Described {
        ticket: 1,
        overview: Ok(Box::new(Overview {
            config: no("lambda:GetFunction"),
            aliases: no("lambda:ListAliases"),
            versions: no("lambda:ListVersionsByFunction"),
            concurrency: no("lambda:GetFunctionConcurrency"),
            provisioned: no("lambda:ListProvisionedConcurrencyConfigs"),
            url: no("lambda:GetFunctionUrlConfig"),
            event_sources: no("lambda:ListEventSourceMappings"),
            policy: no("lambda:GetPolicy"),
            api_id: Fact::Known("mc7310utyk".into()),
            path: "/".into(),
            image: Fact::NotAsked,
            retention: Fact::NotAsked,
        })),
    });
    stage.event(Event::Reports {
        ticket: 1,
        reports: no("logs:FilterLogEvents"),
    });
    stage.event(Event::Measured {
        ticket: 1,
        snapshot: Box::new(no("cloudwatch:GetMetricData")),
        budget: no("cloudwatch:GetMetricData"),
    });
}

/// Half of the calls crash: the gateway's 5xx, Lambda's errors, lines in the log.
fn crashing(stage: &mut Stage) {
    stage.connect();
    stage.press("3");
    fill_again(stage, 1);
    let now_ms = stage.now().wall.as_millisecond();
    let failed = (0..100_u64).map(|i| CallLine {
        stream: 2,
        at_ms: now_ms - 590_000 + i as i64 * 5_900,
        told: Told::Ended(Sample {
            at_ms: now_ms - 590_000 + i as i64 * 5_900,
            id: 10_000 + i,
            duration_ms: 5.0,
            init_ms: None,
            billed_ms: 5.0,
            memory_mb: 1024,
            max_memory_mb: 237,
            failed: true,
            init_timeout: false,
        }),
    });
    stage.event(Event::Reports {
        ticket: 1,
        reports: Fact::Known(Reports {
            lines: failed.collect(),
            since_ms: now_ms - 3_600_000,
            cut: false,
        }),
    });
    let point = |minute: i64| Point {
        at_ms: now_ms - (10 - minute) * 60_000,
        count: Some(16.0),
        server_errors: Some(10.0),
        ..Point::default()
    };
    let counts = Counts {
        valid: 160.0,
        bad: 100.0,
    };
    stage.event(Event::Measured {
        ticket: 1,
        snapshot: Box::new(Fact::Known(Snapshot {
            totals: Metrics {
                window_s: 3600,
                invocations: Some(490.0),
                errors: Some(100.0),
                throttles: Some(0.0),
                gateway_count: Some(490.0),
                gateway_5xx: Some(100.0),
                ..Metrics::default()
            },
            period_s: 60,
            points: (0..10).map(point).collect(),
        })),
        budget: Fact::Known(Budget {
            five_minutes: counts,
            half_hour: counts,
            hour: counts,
            six_hours: counts,
            month: Counts {
                valid: 288_000.0,
                bad: 100.0,
            },
            ..Budget::default()
        }),
    });
}

#[test]
fn the_tab_looks_right_healthy_crashing_refused_and_loading() {
    crate::assert_screens!("lambda-healthy", |stage| {
        stage.connect();
        stage.press("3");
        fill_again(stage, 1);
    });
    crate::assert_screens!("lambda-crash", |stage| crashing(stage));
    crate::assert_screens!("lambda-denied", |stage| refused(stage));
    crate::assert_screens!("lambda-loading", |stage| {
        stage.connect();
        stage.press("3");
    });
    crate::assert_screens!("doctor", |stage| diagnosed(stage));
}

#[test]
fn the_reason_of_the_worst_lamp_is_whole_where_two_lines_hold_it() {
    let mut stage = Stage::new(SIZES[0], ThemeName::Dark);
    stage.connect();
    stage.press("3");
    let mut described = overview();
    described.config = Fact::Known(FunctionConfig {
        last_update_status: "Failed".into(),
        last_update_code: Some("InvalidImage".into()),
        last_update_reason: Some(
            "The image's architecture arm64 does not match the function's architecture x86_64."
                .into(),
        ),
        ..config()
    });
    stage.event(Event::Described {
        ticket: 1,
        overview: Ok(Box::new(described)),
    });
    let text = stage.text();
    assert!(
        text.contains("x86_64.") && text.contains("measured at"),
        "{text}"
    );
    assert!(text.contains("Latency"), "{text}");
}

#[test]
fn every_pane_lives_through_every_state_at_every_size() {
    let states: [fn(&mut Stage); 4] = [fill, crashing, refused, |stage| {
        stage.press("3");
        never_called(stage);
    }];
    for state in states {
        for size in [(60, 16), (80, 24), (120, 36), (200, 60), (300, 20)] {
            let mut stage = Stage::new(size, ThemeName::Dark);
            state(&mut stage);
            for keys in [
                "v", "v", "j", "v", "v", "shift-a", "esc", "w", "w", "w", "w",
            ] {
                stage.press(keys);
                assert!(!stage.text().contains('\u{1b}'));
            }
        }
    }
}
