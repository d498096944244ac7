//! How long things take at the service, in milliseconds: draws from distributions shaped like the owner's figures.

use rand::Rng;

/// A log-normal draw with this median and spread (sigma of the logarithm).
pub(super) fn log_normal(dice: &mut impl Rng, median: f64, sigma: f64) -> f64 {
    // Box–Muller; 1 - u keeps the logarithm finite.
    let (u, v): (f64, f64) = (dice.r#gen(), dice.r#gen());
    let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    median * (sigma * normal).exp()
}

/// Duration of a warm call inside the function.
pub(super) fn warm(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 148.0, 0.11)
}

/// Init Duration of a cold start: import scikit-learn, fetch the pickle, load it.
pub(super) fn init(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 1150.0, 0.09)
}

/// Duration of the first call in a fresh environment, where lazy imports are still paid for.
pub(super) fn first(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 215.0, 0.12)
}

/// What API Gateway adds before and after its integration.
pub(super) fn gateway(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 5.0, 0.3)
}

/// What lies between API Gateway and the function: the invoke path of the Lambda service.
pub(super) fn integration(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 9.0, 0.25)
}

/// A call whose dependency is slow.
pub(super) fn slow(dice: &mut impl Rng) -> f64 {
    log_normal(dice, 1350.0, 0.25)
}
