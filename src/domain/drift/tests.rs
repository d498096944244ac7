#![allow(clippy::unwrap_used)]
use super::*;

/// Evenly spread values in a scrambled order.
fn spread(n: usize, low: f32, high: f32) -> Vec<f32> {
    (0..n)
        .map(|i| low + (high - low) * ((i * 7919) % n) as f32 / n as f32)
        .collect()
}

#[test]
fn chi2_quantiles_are_scipys() {
    // scipy.stats.chi2.ppf
    for (probability, degrees, expected) in [
        (0.95, 9, 16.918_978),
        (0.99, 1, 6.634_897),
        (1.0 - 0.01 / 13.0, 9, 28.557_675),
        (0.5, 4, 3.356_694),
    ] {
        let quantile = chi2_quantile(probability, degrees);
        assert!((quantile - expected).abs() < 1e-5, "{degrees}: {quantile}");
    }
}

#[test]
fn ks_p_values_are_the_known_ones() {
    // Kolmogorov's distribution: Q(1.36) = .0495, Q(1.63) = .0098.
    let at = |lambda: f64| ks_p(lambda / (1e6f64.sqrt() + 0.12), 2e6, 2e6);
    assert!((at(1.36) - 0.0495).abs() < 5e-4 && (at(1.63) - 0.0098).abs() < 5e-4);
    assert!((ks_p(0.0, 100.0, 100.0) - 1.0).abs() < 1e-12);
}

#[test]
fn limits_scale_with_the_window() {
    // C(0.01) for N = 5320, B = 10, k = 13 at M = 50, 100, 200, 500: .58, .29, .15 → .25, .06 → .25.
    let columns = (0..13).map(|k| (format!("f{k}"), spread(5320, 0.0, 1.0)));
    let reference = Reference::of(columns);
    for (m, expected) in [(50, 0.58), (100, 0.29), (200, 0.25), (500, 0.25)] {
        let report = reference.compare(&vec![spread(m, 0.0, 1.0); 13]).unwrap();
        assert!(
            (report.columns[0].alert_at - expected).abs() < 0.015,
            "{m}: {}",
            report.columns[0].alert_at
        );
        assert_eq!(report.drift, Drift::Steady);
    }
}

#[test]
fn a_shift_is_seen_and_a_small_window_waits() {
    let reference = Reference::of([("alcohol".to_owned(), spread(5000, 8.0, 14.0))]);
    let moved = reference.compare(&[spread(200, 10.0, 16.0)]).unwrap();
    assert_eq!(moved.drift, Drift::Alert);
    let column = &moved.columns[0];
    assert!(column.psi > 0.25 && column.ks_p < column.ks_limit && column.shift > 1.0);
    assert_eq!(
        reference.compare(&[spread(37, 10.0, 16.0)]).unwrap().drift,
        Drift::Collecting
    );
    assert!(reference.compare(&[]).is_none());
}

#[test]
fn it_says_whether_inputs_or_predictions_moved() {
    let column = |name: &str| (name.to_owned(), spread(5000, 0.0, 1.0));
    let reference = Reference::of([column("alcohol"), column("pH"), column(PREDICTION)]);
    let (calm, far) = (spread(500, 0.0, 1.0), spread(500, 0.5, 1.5));
    for (window, said) in [
        ([&calm, &calm, &calm], None),
        (
            [&calm, &calm, &far],
            Some("predictions have moved far, inputs have not"),
        ),
        ([&calm, &far, &calm], Some("inputs have moved far")),
        (
            [&far, &calm, &far],
            Some("inputs have moved far, predictions have moved far"),
        ),
    ] {
        let report = reference.compare(&window.map(Clone::clone)).unwrap();
        assert_eq!(report.moved().as_deref(), said);
    }
}

#[test]
fn constant_and_two_valued_columns_are_fine() {
    let kind: Vec<f32> = (0..1000).map(|i| f32::from(u8::from(i % 4 > 0))).collect();
    let reference = Reference::of([
        ("constant".to_owned(), vec![3.0; 1000]),
        ("type".to_owned(), kind.clone()),
    ]);
    let same = reference.compare(&[vec![3.0; 1000], kind]).unwrap();
    assert_eq!(same.drift, Drift::Steady);
    let reds = reference
        .compare(&[vec![3.0; 100], vec![0.0; 100]])
        .unwrap();
    assert_eq!(
        (reds.columns[0].drift, reds.columns[1].drift),
        (Drift::Steady, Drift::Alert)
    );
}
