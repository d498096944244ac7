//! The Lambda tab on a stage: what it shows empty, full and failed, what keys ask for, and Doctor on top.

use jiff::Timestamp;
use vintner::client::survey::Reports;
use vintner::domain::doctor::facts::{Concurrency, Metrics};
use vintner::domain::doctor::{Diagnosis, Fact, Finding, Status, Verdict};
use vintner::domain::function::{Alias, FunctionConfig, Overview, Secret, Version};
use vintner::domain::latency::calls::{CallLine, Told};
use vintner::domain::latency::{Sample, Window};
use vintner::domain::metrics::{Budget, Point, Snapshot};
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

#[test]
fn values_of_the_environment_are_masked_until_asked_for() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    stage.press("v v");
    stage.press("shift-g");
    let masked = stage.text();
    assert!(
        masked.contains("S3_BUCKET_NAME") && !masked.contains("wine-quality-mlops"),
        "{masked}"
    );
    stage.press("e");
    assert!(
        stage.text().contains("wine-quality-mlops"),
        "{}",
        stage.text()
    );
    assert!(
        !stage.text().contains("models/model.pkl"),
        "only the one asked for"
    );
    stage.press("e");
    assert!(!stage.text().contains("wine-quality-mlops"));
}

#[test]
fn another_window_asks_anew_and_stale_answers_are_dropped() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    let asked = stage.press("w");
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Watch {
            ticket: 1,
            window: Window::H6
        })),
        "{asked:?}"
    );
    stage.event(Event::Described {
        ticket: 0,
        overview: Err("stale".into()),
    });
    assert!(!stage.text().contains("stale"));
}

#[test]
fn a_version_is_compared_and_alerts_offer_their_alarm() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    stage.press("d");
    let asked = stage.press("enter");
    let with = Other::Version("2".into());
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Compare {
            ticket: 0,
            with: with.clone()
        })),
        "{asked:?}"
    );
    let other = FunctionConfig {
        memory_mb: 512,
        ..config()
    };
    stage.event(Event::Compared {
        ticket: 0,
        with,
        overview: Ok(Box::new(Overview {
            config: Fact::Known(other),
            ..Overview::default()
        })),
    });
    assert!(
        stage.text().contains("512 MB → 1024 MB"),
        "{}",
        stage.text()
    );
    stage.press("shift-a");
    let copied = stage.press("y");
    assert!(
        copied
            .iter()
            .any(|e| matches!(e, Effect::Copy(text) if text.contains("put-metric-alarm"))),
        "{copied:?}"
    );
}

#[test]
fn drift_is_collected_and_then_suggests_a_retraining() {
    use vintner::domain::drift::{Drift, Reference};
    use vintner::effects::lambda::Drifted;
    let alcohol: Vec<f32> = (0..1000).map(|row| 8.0 + row as f32 * 0.006).collect();
    let reference = Reference::of([("alcohol".to_owned(), alcohol)]);
    let drifted = |rows: usize| {
        let report = reference.compare(&[vec![13.9; rows]]).unwrap();
        let version = vintner::registry::Version::FIRST;
        (
            report.drift,
            Event::Drifted(Ok(Box::new(Drifted {
                version,
                report,
                in_sample: false,
            }))),
        )
    };
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    let (drift, news) = drifted(37);
    assert_eq!(drift, Drift::Collecting);
    stage.event(news);
    assert!(
        stage.text().contains("collecting 37/50"),
        "{}",
        stage.text()
    );
    let (drift, news) = drifted(200);
    assert_eq!(drift, Drift::Alert);
    let effects = stage.event(news);
    assert!(
        stage.text().contains("retrain suggested"),
        "{}",
        stage.text()
    );
    let told = |effect: &Effect| matches!(effect, Effect::Notify(text) if text.contains("retrain"));
    assert!(effects.iter().any(told), "{effects:?}");
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

#[test]
fn the_alert_list_lives_and_keeps_what_is_over() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        stage.press("shift-a");
        assert!(
            stage.text().contains("nothing has fired"),
            "{}",
            stage.text()
        );
        let now = stage.now().wall.as_millisecond();
        let hear = |stage: &mut Stage, lines: Vec<CallLine>| {
            let reports = Reports {
                lines,
                since_ms: now - 3_600_000,
                cut: false,
            };
            let reports = Fact::Known(reports);
            stage.event(Event::Reports { ticket: 0, reports });
        };
        hear(&mut stage, vec![full(now - 1000, 1, 1000)]);
        let text = stage.text();
        assert!(text.contains("now: memory used 98 %"), "{size:?}: {text}");
        stage.wait(std::time::Duration::from_mins(10));
        let later = stage.now().wall.as_millisecond() - 1000;
        hear(&mut stage, vec![full(later, 2, 237)]);
        let text = stage.text();
        assert!(
            text.contains("10 min ago: memory used 98 %") && text.contains("over after 10 min"),
            "{size:?}: {text}"
        );
        stage.press("down down down down down");
        assert!(
            stage.text().contains("needs Lambda Insights"),
            "{}",
            stage.text()
        );
    }
}

#[test]
fn a_refused_read_of_the_log_is_said_until_the_next_one_works() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Failed("logs:FilterLogEvents: throttled".into()),
    });
    let text = stage.text();
    assert!(
        text.contains("log not read anew") && text.contains("throttled"),
        "{text}"
    );
    let now = stage.now().wall;
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Known(reports(now)),
    });
    assert!(!stage.text().contains("throttled"), "{}", stage.text());
}

#[test]
fn a_silence_that_began_before_the_window_is_noticed() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.press("3");
    stage.event(Event::Described {
        ticket: 0,
        overview: Ok(Box::new(overview())),
    });
    let since_ms = stage.now().wall.as_millisecond() - 3_600_000;
    let nothing = Reports {
        since_ms,
        ..Reports::default()
    };
    stage.event(Event::Reports {
        ticket: 0,
        reports: Fact::Known(nothing),
    });
    let text = stage.text();
    assert!(
        text.contains("no events for 60 min (limit 15 min)"),
        "{text}"
    );
}

#[test]
fn the_figures_of_one_window_are_not_called_anothers() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    fill(&mut stage);
    let row = |stage: &Stage| {
        let text = stage.text();
        let row = text.lines().find(|l| l.contains("IntegrationLatency"));
        row.unwrap().to_owned()
    };
    assert!(row(&stage).contains("178 ms"), "{}", row(&stage));
    stage.press("w");
    let text = stage.text();
    assert!(row(&stage).contains("not read yet"), "{}", row(&stage));
    assert!(text.contains("REPORT lines since"), "{text}");
    // For the moment refused: what was read of this window stays, with its age.
    fill_again(&mut stage, 1);
    stage.wait(std::time::Duration::from_mins(1));
    stage.event(Event::Measured {
        ticket: 1,
        snapshot: Box::new(Fact::Failed("throttled".into())),
        budget: Fact::Failed("throttled".into()),
    });
    let text = stage.text();
    assert!(row(&stage).contains("178 ms"), "{}", row(&stage));
    assert!(
        text.contains("CloudWatch's figures are of 60 s ago: throttled"),
        "{text}"
    );
}

#[test]
fn two_targets_are_compared_without_giving_a_value_away() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.connect();
    stage.press("3");
    fill_again(&mut stage, 1);
    stage.press("d");
    assert!(stage.text().contains("target aws"), "{}", stage.text());
    assert!(!stage.text().contains("target local"), "it has no AWS");
    let asked = stage.press("down down enter");
    let with = Other::Target("aws".into());
    assert!(
        asked.contains(&Effect::Lambda(LambdaEffect::Compare {
            ticket: 1,
            with: with.clone()
        })),
        "{asked:?}"
    );
    let mut there = overview();
    there.concurrency = Fact::Known(Concurrency {
        reserved: Some(5),
        account_limit: Fact::Known(1000),
    });
    there.config = Fact::Known(FunctionConfig {
        environment: vec![
            ("MODEL_KEY".into(), Secret::new("another-secret")),
            ("S3_BUCKET_NAME".into(), Secret::new("wine-quality-mlops")),
        ],
        ..config()
    });
    stage.event(Event::Compared {
        ticket: 1,
        with: with.clone(),
        overview: Ok(Box::new(there)),
    });
    let text = stage.text();
    for part in [
        "target aws → here: 2 differences",
        "env MODEL_KEY",
        "another value",
        "reserved         5 → none",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("another-secret"), "{text}");
    // Later comparisons that fail leave this one; "nothing" takes it away.
    stage.event(Event::Compared {
        ticket: 1,
        with,
        overview: Err("credentials expired".into()),
    });
    assert!(stage.text().contains("target aws: credentials expired"));
    stage.press("d shift-g down down down down down enter");
    assert!(
        !stage.text().contains("here: 2 differences"),
        "{}",
        stage.text()
    );
}

/// Key and frame must not wait for figures: lines and a question go out, and the screen changes when the answer comes.
#[test]
fn figures_are_worked_out_elsewhere_and_those_of_another_target_are_dropped() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.connect();
    fill(&mut stage);
    let before = stage.text();
    let now_ms = stage.now().wall.as_millisecond();
    let lines = vec![full(now_ms, 9_000, 237)];
    let reports = Fact::Known(Reports {
        lines: lines.clone(),
        since_ms: now_ms - 60_000,
        cut: false,
    });
    let ticket = 1;
    let asked = stage.unanswered(Event::Reports { ticket, reports });
    let [
        Effect::Lambda(LambdaEffect::Reckon(Work::Lines(sent))),
        Effect::Lambda(LambdaEffect::Reckon(Work::Ask(question))),
    ] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!((sent, question.window), (&lines, Window::H1));
    assert_eq!(stage.text(), before);
    stage.answer(asked.clone());
    assert_ne!(stage.text(), before);

    // Another target: what comes late is not its.
    stage.unanswered(Event::Described {
        ticket,
        overview: Ok(Box::new(overview())),
    });
    let late = stage.figures(asked);
    stage.connect();
    let connected = stage.text();
    stage.event(Event::Reckoned(late.into()));
    assert_eq!(stage.text(), connected);
}

#[test]
fn enter_lists_the_requests_behind_the_figures() {
    for (keys, sorted) in [
        ("", "sort: slowest"),
        ("v v v", "sort: longest init"),
        ("v v v v", "sort: newest"),
    ] {
        let mut stage = Stage::new((120, 40), ThemeName::Dark);
        fill(&mut stage);
        stage.press(keys);
        stage.press("enter");
        let offers = stage.app.offers();
        let offered = offers.iter().any(|(_, offer)| offer.label == sorted);
        assert!(offered, "{keys}: {offers:?}\n{}", stage.text());
    }
}

#[test]
fn a_long_environment_is_reached_and_revealed_at_its_end() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    fill(&mut stage);
    let mut described = overview();
    let variable = |n: usize| (format!("KEY_{n:03}"), Secret::new(format!("value-{n:03}")));
    described.config = Fact::Known(FunctionConfig {
        environment: (0..300).map(variable).collect(),
        ..config()
    });
    stage.event(Event::Described {
        ticket: 0,
        overview: Ok(Box::new(described)),
    });
    stage.press("v v shift-g e");
    assert!(
        stage.text().contains("KEY_299 = value-299"),
        "{}",
        stage.text()
    );
    stage.press("up up e");
    let text = stage.text();
    assert!(
        text.contains("KEY_297 = value-297") && text.contains("KEY_298 = •"),
        "{text}"
    );
    // From elsewhere the first press goes to the variables, the second shows one.
    stage.press("g e e");
    assert!(
        stage.text().contains("KEY_000 = value-000"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_function_that_disappears_is_said_and_its_last_figures_stay() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        fill(&mut stage);
        let gone = Overview {
            config: Fact::Missing("Function not found: wine-quality-predictor".into()),
            ..Overview::default()
        };
        stage.event(Event::Described {
            ticket: 0,
            overview: Ok(Box::new(gone)),
        });
        let text = stage.text();
        assert!(text.contains("Function not found"), "{size:?}: {text}");
        assert!(text.contains("✗ state"), "{size:?}: {text}");
        assert!(text.contains("n 390"), "{size:?}: {text}");
        stage.press("v v e d y o");
        assert!(stage.text().contains("Function not found"), "{size:?}");
    }
}

#[test]
fn a_function_never_called_is_grey_and_not_zero() {
    for size in SIZES {
        let mut stage = Stage::new(size, ThemeName::Dark);
        stage.press("3");
        never_called(&mut stage);
        let text = stage.text();
        for part in ["– errors", "– warm p99", "– cold rate", "no REPORT line"] {
            assert!(text.contains(part), "{size:?}: {part}: {text}");
        }
        for keys in ["v", "v", "v", "v"] {
            stage.press(keys);
            stage.buffer();
        }
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
