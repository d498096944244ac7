//! What the Lambda tab watches for and what a call costs: alert rules and prices.

use super::ConfigError;
use super::file::File;
use super::resolve::Resolver;
use crate::domain::alerts::{Rule, default_rules};
use crate::domain::cost::Prices;

impl Resolver<'_> {
    /// The built-in list prices with what the file says otherwise.
    pub fn prices(&mut self, file: &File) -> Result<Prices, ConfigError> {
        let (file, default) = (&file.prices, Prices::default());
        let as_of = self.pick("prices.as_of", None, "", file.as_of.clone(), default.as_of);
        let mut price = |key: &'static str, file: Option<f64>, default: f64| {
            let price = self.pick(key, None, "", file, default);
            if price.is_finite() && price >= 0.0 {
                Ok(price)
            } else {
                Err(self.senseless(key, price, "must be 0 or more"))
            }
        };
        Ok(Prices {
            as_of,
            x86_gb_second: price(
                "prices.x86_gb_second",
                file.x86_gb_second,
                default.x86_gb_second,
            )?,
            arm_gb_second: price(
                "prices.arm_gb_second",
                file.arm_gb_second,
                default.arm_gb_second,
            )?,
            requests_per_million: price(
                "prices.requests_per_million",
                file.requests_per_million,
                default.requests_per_million,
            )?,
            gateway_per_million: price(
                "prices.gateway_per_million",
                file.gateway_per_million,
                default.gateway_per_million,
            )?,
            free_requests: price(
                "prices.free_requests",
                file.free_requests,
                default.free_requests,
            )?,
            free_gb_seconds: price(
                "prices.free_gb_seconds",
                file.free_gb_seconds,
                default.free_gb_seconds,
            )?,
            fixed_monthly: price(
                "prices.fixed_monthly",
                file.fixed_monthly,
                default.fixed_monthly,
            )?,
        })
    }

    /// The built-in rules with what the file says otherwise; a rule that is off is left out.
    pub fn rules(&mut self, file: &File) -> Result<Vec<Rule>, ConfigError> {
        let mut rules = Vec::new();
        for default in default_rules() {
            let signal = default.signal;
            let own = file.alerts.get(&signal).cloned().unwrap_or_default();
            let key = |field: &str| format!("alerts.{}.{field}", signal.key());
            let on = self.pick(key("on"), None, "", own.on, true);
            let rule = Rule {
                signal,
                above: self.pick(key("above"), None, "", own.above, default.above),
                clear: self.pick(key("clear"), None, "", own.clear, default.clear),
                short_s: self.pick(key("short_s"), None, "", own.short_s, default.short_s),
                long_s: self.pick(key("long_s"), None, "", own.long_s, default.long_s),
                min_n: self.pick(key("min_n"), None, "", own.min_n, default.min_n),
            };
            if let Err((field, why)) = rule.check() {
                let value = match field {
                    "above" => rule.above.to_string(),
                    "clear" => rule.clear.to_string(),
                    "short_s" => rule.short_s.to_string(),
                    _ => rule.long_s.to_string(),
                };
                return Err(self.senseless(key(field), value, why));
            }
            if on {
                rules.push(rule);
            }
        }
        Ok(rules)
    }
}
