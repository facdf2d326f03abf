//! Axes with round tick values, linear or logarithmic.

use crate::analysis::format::{Kind, fixed, fmt_value};

#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    pub from: f64,
    pub to: f64,
    pub log: bool,
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// A linear axis over all values, widened to round ticks.
    pub fn linear(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = bounds(values).unwrap_or((0.0, 1.0));
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let step = round_step((high - low) / 5.0);
        let first = (low / step + 1e-9).floor() as i64;
        let last = (high / step - 1e-9).ceil() as i64;
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let ticks = (first..=last).map(|i| (i as f64 * step, fixed(i as f64 * step, decimals))).collect();
        Self { from: first as f64 * step, to: last as f64 * step, log: false, ticks }
    }

    /// From 0 to 1 with a tick every 0.2.
    pub fn unit() -> Self {
        let ticks = (0..=5).map(|i| (f64::from(i) / 5.0, fixed(f64::from(i) / 5.0, 1))).collect();
        Self { from: 0.0, to: 1.0, log: false, ticks }
    }

    /// A logarithmic axis over the positive values, with ticks at 1, 2 and 5 (1 alone over many decades).
    pub fn log(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = bounds(values.into_iter().filter(|&v| v > 0.0)).unwrap_or((0.1, 10.0));
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let steps: &[f64] = if last - first > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all: Vec<f64> = (first..=last).flat_map(|e| steps.iter().map(move |s| s * 10f64.powi(e))).collect();
        let from = all.iter().copied().rfind(|&v| v <= low * (1.0 + 1e-9)).unwrap_or(low);
        let to = all.iter().copied().find(|&v| v >= high * (1.0 - 1e-9)).unwrap_or(high);
        let (from, to) = if to > from { (from, to) } else { (from / 2.0, to * 2.0) };
        let ticks = all.into_iter().filter(|v| (from * 0.999..=to * 1.001).contains(v));
        let ticks = ticks.map(|v| (v, fmt_value(Kind::Plain, rounded(v)))).collect();
        Self { from, to, log: true, ticks }
    }

    /// 0 at the start of the axis, 1 at its end; not clipped.
    pub fn place(&self, value: f64) -> f64 {
        if self.log {
            (value.max(f64::MIN_POSITIVE).ln() - self.from.ln()) / (self.to.ln() - self.from.ln())
        } else {
            (value - self.from) / (self.to - self.from)
        }
    }
}

/// Takes the last binary digits off `0.30000000000000004`.
fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn bounds(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
    })
}

/// The least of 1, 2, 5 × 10^k that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&s| s >= step * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_cover_the_data_and_use_the_minus_sign() {
        let scale = Scale::linear([-0.013, 0.08]);
        let texts: Vec<&str> = scale.ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(texts, ["−0.02", "0.00", "0.02", "0.04", "0.06", "0.08"]);
        let log = Scale::log([0.4, 6.0]);
        let texts: Vec<&str> = log.ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(texts, ["0.2", "0.5", "1", "2", "5", "10"]);
        assert!(log.place(0.2).abs() < 1e-12 && (log.place(10.0) - 1.0).abs() < 1e-12);
    }
}
