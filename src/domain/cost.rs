//! What a prediction costs, from the billed milliseconds of REPORT lines and dated list prices.

use serde::{Deserialize, Serialize};

/// List prices in US dollars with the date they were read. Overridable in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// When these were the list prices.
    pub as_of: String,
    /// Per GB-second on `x86_64` (first tier).
    pub x86_gb_second: f64,
    /// Per GB-second on arm64 (first tier).
    pub arm_gb_second: f64,
    /// Per million Lambda requests.
    pub requests_per_million: f64,
    /// Per million HTTP API calls (first 300 million).
    pub gateway_per_million: f64,
    /// Lambda requests free each month, account-wide.
    pub free_requests: f64,
    /// GB-seconds free each month, account-wide.
    pub free_gb_seconds: f64,
    /// The fixed monthly price to break even with (a small EC2 instance).
    pub fixed_monthly: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Prices {
            as_of: "2026-11".to_owned(),
            x86_gb_second: 0.000_016_666_7,
            arm_gb_second: 0.000_013_333_4,
            requests_per_million: 0.20,
            gateway_per_million: 1.00,
            free_requests: 1_000_000.0,
            free_gb_seconds: 400_000.0,
            fixed_monthly: 7.50,
        }
    }
}

/// The processor a function runs on: it decides the price of a GB-second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// `x86_64`, Lambda's default.
    #[default]
    X86,
    /// arm64 (Graviton).
    Arm,
}

impl Architecture {
    /// The name on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Architecture::X86 => "x86",
            Architecture::Arm => "arm64",
        }
    }

    /// From Lambda's `Architectures` value; anything but `arm64` is billed as x86.
    pub fn from_aws(name: &str) -> Self {
        if name == "arm64" {
            Architecture::Arm
        } else {
            Architecture::X86
        }
    }
}

/// The average call of one set of REPORT lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// How many REPORT lines.
    pub n: usize,
    /// Mean Billed Duration, milliseconds. Init is in it already: adding it again counts it twice.
    pub billed_ms: f64,
    /// Mean GB-seconds of a call: billed seconds × configured MB / 1024.
    pub gb_seconds: f64,
}

impl Usage {
    /// From (billed milliseconds, memory MB) pairs; `None` without any.
    pub fn of(calls: impl IntoIterator<Item = (f64, u32)>) -> Option<Usage> {
        let (mut n, mut billed, mut gb_seconds) = (0usize, 0.0, 0.0);
        for (billed_ms, memory_mb) in calls {
            n += 1;
            billed += billed_ms;
            gb_seconds += billed_ms / 1000.0 * f64::from(memory_mb) / 1024.0;
        }
        (n > 0).then(|| Usage {
            n,
            billed_ms: billed / n as f64,
            gb_seconds: gb_seconds / n as f64,
        })
    }
}

/// A sum of money, split by what it buys. US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Cost {
    /// Compute (GB-seconds).
    pub compute: f64,
    /// Lambda's request charge.
    pub requests: f64,
    /// The gateway's request charge.
    pub gateway: f64,
}

impl Cost {
    /// The sum.
    pub fn total(&self) -> f64 {
        self.compute + self.requests + self.gateway
    }
}

impl Prices {
    /// Price of a GB-second.
    pub fn gb_second(&self, architecture: Architecture) -> f64 {
        match architecture {
            Architecture::X86 => self.x86_gb_second,
            Architecture::Arm => self.arm_gb_second,
        }
    }

    /// `calls` in one month at list price; with `free_tier` Lambda's monthly allowance is taken off first
    /// (it is account-wide, so this is the best case). The gateway's first-year allowance is never assumed.
    pub fn month(
        &self,
        usage: &Usage,
        architecture: Architecture,
        calls: f64,
        free_tier: bool,
    ) -> Cost {
        let (free_requests, free_gb_seconds) = if free_tier {
            (self.free_requests, self.free_gb_seconds)
        } else {
            (0.0, 0.0)
        };
        Cost {
            compute: (usage.gb_seconds * calls - free_gb_seconds).max(0.0)
                * self.gb_second(architecture),
            requests: (calls - free_requests).max(0.0) * self.requests_per_million / 1e6,
            gateway: calls * self.gateway_per_million / 1e6,
        }
    }

    /// What `n` calls cost at list price besides compute: Lambda's request charge, and the gateway's if they go
    /// through it.
    pub fn requests(&self, n: usize, gateway: bool) -> f64 {
        let gateway = if gateway {
            self.gateway_per_million
        } else {
            0.0
        };
        (self.requests_per_million + gateway) / 1e6 * n as f64
    }

    /// One call at list price.
    pub fn call(&self, usage: &Usage, architecture: Architecture) -> Cost {
        self.month(usage, architecture, 1.0, false)
    }

    /// One million calls at list price.
    pub fn million(&self, usage: &Usage, architecture: Architecture) -> Cost {
        self.month(usage, architecture, 1e6, false)
    }

    /// Calls a month at which Lambda costs as much as the fixed price; `None` if it never does.
    pub fn break_even(
        &self,
        usage: &Usage,
        architecture: Architecture,
        free_tier: bool,
    ) -> Option<f64> {
        let cost = |calls: f64| self.month(usage, architecture, calls, free_tier).total();
        let mut high = 1.0;
        while cost(high) < self.fixed_monthly {
            high *= 2.0;
            if high > 1e15 {
                return None;
            }
        }
        // The cost never falls with more calls, so halving finds the one crossing.
        let mut low = 0.0;
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if cost(middle) < self.fixed_monthly {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// What is not in these figures, for the footnote.
    pub const NOT_INCLUDED: &str = "not included: log ingestion, data out, provisioned concurrency, ephemeral storage over 512 MB";
}

/// List price of Logs Insights, dollars per GB of scanned log data (aws.amazon.com/cloudwatch/pricing, us-east-1 and us-east-2).
pub const INSIGHTS_GB: f64 = 0.005;

/// What scanning so many bytes with Logs Insights costs, dollars.
pub fn insights(bytes_scanned: f64) -> f64 {
    bytes_scanned / 1e9 * INSIGHTS_GB
}

/// Dollars for people: `$4.30`, `$0.0000043`.
pub fn dollars(value: f64) -> String {
    if value == 0.0 {
        "$0".to_owned()
    } else if value >= 0.01 {
        format!("${value:.2}")
    } else {
        let digits = (2.0 - value.log10().floor() - 1.0).clamp(2.0, 12.0) as usize;
        format!("${value:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 0.005, "{a} is not {b}");
    }

    /// The table of predict-lambda §4.4, computed by hand: (billed ms, MB, x86 compute, arm compute, x86 total).
    #[test]
    fn per_million_equals_the_hand_computed_table() {
        let prices = Prices::default();
        for (ms, mb, x86, arm, total) in [
            (186.0, 512, 1.55, 1.24, 2.75),
            (186.0, 1024, 3.10, 2.48, 4.30),
            (186.0, 3008, 9.11, 7.29, 10.31),
            (1586.0, 1024, 26.43, 21.15, 27.63),
        ] {
            let usage = Usage::of([(ms, mb)]).unwrap();
            close(prices.million(&usage, Architecture::X86).compute, x86);
            close(prices.million(&usage, Architecture::Arm).compute, arm);
            close(prices.million(&usage, Architecture::X86).total(), total);
        }
    }

    #[test]
    fn break_even_with_the_small_instance() {
        let prices = Prices::default();
        let at = |mb| {
            prices
                .break_even(&Usage::of([(186.0, mb)]).unwrap(), Architecture::X86, false)
                .unwrap()
        };
        close(at(512) / 1e6, 2.727);
        close(at(1024) / 1e6, 1.744);
    }

    /// 1 GB, 186 ms: 400 000 GB-s last for 2.15 M calls, so until then only gateway and requests beyond 1 M are paid.
    #[test]
    fn the_free_tier_moves_the_break_even_point() {
        let prices = Prices::default();
        let usage = Usage::of([(186.0, 1024)]).unwrap();
        let calls = prices.break_even(&usage, Architecture::X86, true).unwrap();
        close(
            prices.month(&usage, Architecture::X86, calls, true).total(),
            7.50,
        );
        // 7.50 = 4.30e-6·n − 0.20 − 400000·0.0000166667 → n = (7.50 + 0.20 + 6.6667) / 4.30e-6
        close(calls / 1e6, 3.341);
        let month = prices.month(&usage, Architecture::X86, 1e6, true);
        close(month.compute + month.requests, 0.0);
        close(month.gateway, 1.0);
    }

    #[test]
    fn break_even_inside_a_short_segment_and_never() {
        let prices = Prices {
            fixed_monthly: 0.5,
            ..Prices::default()
        };
        let usage = Usage::of([(186.0, 1024)]).unwrap();
        let calls = prices.break_even(&usage, Architecture::X86, true).unwrap();
        close(calls / 1e6, 0.5);
        let free = Prices {
            x86_gb_second: 0.0,
            requests_per_million: 0.0,
            gateway_per_million: 0.0,
            ..Prices::default()
        };
        assert_eq!(free.break_even(&usage, Architecture::X86, false), None);
    }

    #[test]
    fn usage_is_the_mean_of_calls() {
        let usage = Usage::of([(100.0, 1024), (300.0, 1024)]).unwrap();
        close(usage.billed_ms, 200.0);
        close(usage.gb_seconds, 0.2);
        assert_eq!(Usage::of([]), None);
    }

    #[test]
    fn money_reads_well() {
        assert_eq!(dollars(4.3), "$4.30");
        assert_eq!(dollars(0.000_004_3), "$0.0000043");
        assert_eq!(dollars(0.0), "$0");
    }
}
