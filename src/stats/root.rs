//! One-dimensional roots inside a bracket, for the limits that have no closed form.

/// The x in [low, high] where `f` changes sign, by Brent's method (1973, ch. 4) to the last digits of x.
///
/// The root never leaves the bracket. `None` where `f` has the same sign at both ends or is not a number there;
/// an end at which `f` is exactly zero is the answer.
pub fn brent(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa == 0.0 {
        return Some(a);
    }
    if fb == 0.0 {
        return Some(b);
    }
    if fa.is_nan() || fb.is_nan() || (fa > 0.0) == (fb > 0.0) {
        return None;
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut last = step;
    for _ in 0..500 {
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            last = step;
        }
        if fc.abs() < fb.abs() {
            (a, fa) = (b, fb);
            (b, fb) = (c, fc);
            (c, fc) = (a, fa);
        }
        let tolerance = 2.0 * f64::EPSILON * b.abs() + 1e-300;
        let middle = 0.5 * (c - b);
        if middle.abs() <= tolerance || fb == 0.0 {
            return Some(b);
        }
        if last.abs() >= tolerance && fa.abs() > fb.abs() {
            let ratio = fb / fa;
            let (mut p, mut q) = if a == c {
                (2.0 * middle * ratio, 1.0 - ratio)
            } else {
                let (u, v) = (fa / fc, fb / fc);
                (ratio * (2.0 * middle * u * (u - v) - (b - a) * (v - 1.0)), (u - 1.0) * (v - 1.0) * (ratio - 1.0))
            };
            if p > 0.0 {
                q = -q;
            }
            p = p.abs();
            // The interpolated step is taken only if it stays inside and shrinks faster than halving did.
            if 2.0 * p < (3.0 * middle * q - (tolerance * q).abs()).min((last * q).abs()) {
                last = step;
                step = p / q;
            } else {
                step = middle;
                last = middle;
            }
        } else {
            step = middle;
            last = middle;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > tolerance { step } else { tolerance.copysign(middle) };
        fb = f(b);
        if fb.is_nan() {
            return None;
        }
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::brent;

    #[test]
    fn finds_smooth_flat_and_end_roots() {
        assert!((brent(0.0, 2.0, |x| x * x - 2.0).unwrap() - 2.0_f64.sqrt()).abs() < 1e-15);
        assert!((brent(-1.0, 3.0, |x| (x - 1.0).powi(9)).unwrap() - 1.0).abs() < 1e-2);
        assert_eq!(brent(0.0, 1.0, |x| x), Some(0.0));
        assert_eq!(brent(1.0, 2.0, |x| x), None);
        assert_eq!(brent(1.0, 2.0, |_| f64::NAN), None);
    }
}
